//! A push as it is captured, and back.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pushgate_capture as capture;
use pushgate_exposition::{GroupingKey, GroupingKeyError, Names};
use pushgate_plugin_host::{Chain, End, Method, Mode, Report, Step, Verdict};

use super::{BodyFormat, PushRequest};

/// The push, and what the policies made of it; without the text that it is after edits.
pub(super) fn record(request: &PushRequest, chain: &Chain, verdict: &Verdict) -> capture::Record {
    let labels = request.key.labels().map(|(name, value)| (name.to_owned(), value.to_owned()));
    let since_1970 = request.received_at.duration_since(UNIX_EPOCH).unwrap_or_default();
    capture::Record {
        id: request.id.clone(),
        received_ms: since_1970.as_millis() as i64,
        method: match request.method {
            Method::Put => capture::Method::Put,
            Method::Post => capture::Method::Post,
            Method::Delete => capture::Method::Delete,
        },
        format: match request.format {
            BodyFormat::Text => capture::Format::Text,
            BodyFormat::Protobuf => capture::Format::Protobuf,
            BodyFormat::OpenMetrics => capture::Format::OpenMetrics,
        },
        key: labels.collect(),
        attributes: request.attributes.clone(),
        body: request.body.clone(),
        outcome: capture::Outcome {
            end: match verdict.end {
                End::Accepted => capture::End::Accepted,
                End::Rejected => capture::End::Rejected,
                End::Fault { .. } | End::Suspended { .. } => capture::End::Fault,
                End::Busy => capture::End::Busy,
            },
            policies: verdict.reports.iter().filter_map(|report| policy(chain, report)).collect(),
            edited: None,
        },
    }
}

/// Whether the push is stored with edits.
pub(super) fn is_edited(outcome: &capture::Outcome) -> bool {
    let edits = |policy: &capture::Policy| policy.enforces && policy.step == capture::Step::Mutated;
    outcome.end == capture::End::Accepted && outcome.policies.iter().any(edits)
}

fn policy(chain: &Chain, report: &Report) -> Option<capture::Policy> {
    let link = chain.links().get(report.link)?;
    let step = match report.step {
        Step::Accepted => capture::Step::Accepted,
        Step::Mutated => capture::Step::Mutated,
        Step::Rejected => capture::Step::Rejected,
        Step::Fault(_) => capture::Step::Fault,
        Step::Skipped(_) => return None,
    };
    let mut codes: Vec<String> = Vec::new();
    for finding in &report.findings {
        if !codes.contains(&finding.code) {
            codes.push(finding.code.clone());
        }
    }
    Some(capture::Policy {
        name: link.plugin.name().to_owned(),
        enforces: link.mode == Mode::Enforce,
        step,
        codes,
        fuel: report.fuel,
    })
}

impl PushRequest {
    /// The push that was captured.
    ///
    /// # Errors
    /// When its labels are no grouping key.
    pub fn captured(record: &capture::Record) -> Result<Self, GroupingKeyError> {
        let labels = record.key.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let since_1970 = Duration::from_millis(record.received_ms.max(0) as u64);
        Ok(Self {
            method: match record.method {
                capture::Method::Put => Method::Put,
                capture::Method::Post => Method::Post,
                capture::Method::Delete => Method::Delete,
            },
            key: GroupingKey::with_names(labels, Names::Utf8)?,
            format: match record.format {
                capture::Format::Text => BodyFormat::Text,
                capture::Format::Protobuf => BodyFormat::Protobuf,
                capture::Format::OpenMetrics => BodyFormat::OpenMetrics,
            },
            body: record.body.clone(),
            // A time that no clock can show is the beginning.
            received_at: UNIX_EPOCH.checked_add(since_1970).unwrap_or(SystemTime::UNIX_EPOCH),
            restore: None,
            wish: None,
            id: record.id.clone(),
            parent: None,
            attributes: record.attributes.clone(),
        })
    }
}
