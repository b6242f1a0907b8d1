//! Why a push was refused, for whoever tells the client, counts or logs it.

use std::time::Duration;

use pushgate_exposition::{Bound, openmetrics, protobuf, text};
use tracing::{debug, error, info};

use super::{Busy, PolicyFinding, PushRequest};
use crate::journal::NotWritten;
use crate::store::Refusal;
use crate::telemetry::Outcome;

/// A push was refused. Nothing of it is stored.
#[derive(Debug)]
pub enum IngestError {
    /// The body is not what it should be.
    Parse(Unreadable),
    /// The body is legal but larger than is taken.
    TooLarge {
        /// What there is too much of, and where.
        error: Unreadable,
        /// The bound's key in the configuration.
        key: &'static str,
    },
    /// The push does not fit what is stored, or could break a scrape.
    Inconsistent(String),
    /// A policy rejected it, for these reasons.
    Rejected(Vec<PolicyFinding>),
    /// A policy failed that fails closed.
    Fault {
        /// The policy.
        plugin: String,
    },
    /// A policy is suspended that fails closed: it keeps failing on the pushes of this job.
    Suspended {
        /// The policy.
        plugin: String,
        /// After what time it may be asked again.
        retry_after: Duration,
    },
    /// A group that is to be restored is there already.
    Exists {
        /// Its key.
        group: String,
    },
    /// A bound of its job is reached.
    JobFull(String),
    /// A bound of the store is reached.
    Full {
        /// The bound's key in the configuration.
        key: &'static str,
        /// The bound.
        limit: usize,
    },
    /// Its turn did not come in time.
    Busy(Busy),
    /// It cannot be made to last.
    NotWritten(NotWritten),
}

/// Why a body cannot be read, by its format.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
#[expect(missing_docs, reason = "the names are those of the formats")]
pub enum Unreadable {
    Text(text::ParseError),
    Protobuf(protobuf::DecodeError),
    OpenMetrics(openmetrics::ParseError),
}

impl Unreadable {
    /// The bound that is passed, if the body is legal but larger than is taken.
    fn bound(&self) -> Option<Bound> {
        match self {
            Self::Text(error) => error.problem.bound(),
            Self::Protobuf(error) => error.bound(),
            Self::OpenMetrics(error) => error.problem.bound(),
        }
    }
}

impl IngestError {
    pub(super) fn outcome(&self) -> Outcome {
        match self {
            Self::Parse(_) => Outcome::Unparsable,
            Self::TooLarge { .. } => Outcome::TooLarge,
            Self::Inconsistent(_) | Self::Exists { .. } => Outcome::Inconsistent,
            Self::Rejected(_) => Outcome::Rejected,
            Self::Fault { .. } | Self::Suspended { .. } => Outcome::Fault,
            Self::Full { .. } | Self::JobFull(_) => Outcome::Full,
            Self::Busy(_) => Outcome::Busy,
            Self::NotWritten(_) => Outcome::NotWritten,
        }
    }

    /// Says in the log that a push was refused, in the words of the original where it has them. Whoever sends
    /// text that is none is told; a push that does not fit what is stored may be somebody else's mistake.
    pub(super) fn log(&self, request: &PushRequest) {
        let (id, group, err) = (&request.id, &request.key, self.reason());
        let method = request.method.as_str();
        match self {
            Self::Parse(_) => debug!(err, method, id, %group, "failed to parse text"),
            Self::Inconsistent(_) => error!(
                method,
                err,
                id,
                %group,
                "pushed metrics are invalid or inconsistent with existing metrics"
            ),
            _ => info!(id, %group, reason = err, "push refused"),
        }
    }

    /// Why, with everything that policies found, a line each.
    pub(super) fn full_reason(&self) -> String {
        let Self::Rejected(findings) = self else { return self.reason() };
        let line =
            |finding: &PolicyFinding| format!("{}: {}: {}", finding.plugin, finding.code, finding.message);
        findings.iter().map(line).collect::<Vec<_>>().join("\n")
    }

    /// Why, in a line for the log. What policies found is in lines of their own.
    fn reason(&self) -> String {
        match self {
            Self::Parse(error) | Self::TooLarge { error, .. } => error.to_string(),
            Self::Inconsistent(reason) => reason.clone(),
            Self::Rejected(_) => "rejected by a policy".to_owned(),
            Self::Fault { plugin } => format!("plugin '{plugin}' failed"),
            Self::Suspended { plugin, .. } => format!("plugin '{plugin}' is suspended for this job"),
            Self::Exists { group } => format!("the group {group} exists already"),
            Self::JobFull(reason) => reason.clone(),
            Self::Full { key, limit } => format!("the store is full ({key} = {limit})"),
            Self::Busy(_) => "too many pushes at the same time".to_owned(),
            Self::NotWritten(reason) => reason.to_string(),
        }
    }
}

impl From<Unreadable> for IngestError {
    fn from(error: Unreadable) -> Self {
        match error.bound() {
            Some(bound) => Self::TooLarge { error, key: key_of(bound) },
            None => Self::Parse(error),
        }
    }
}

impl From<Refusal> for IngestError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Full { key, limit } => Self::Full { key, limit },
            full @ Refusal::JobFull { .. } => Self::JobFull(full.to_string()),
            Refusal::Exists { group } => Self::Exists { group },
            refusal => Self::Inconsistent(refusal.to_string()),
        }
    }
}

/// The key of the configuration that sets a bound.
fn key_of(bound: Bound) -> &'static str {
    match bound {
        Bound::Series => "push.max_series",
        Bound::Labels => "push.max_labels",
        Bound::NameLength => "push.max_name_length",
        Bound::ValueLength => "push.max_label_value_length",
        Bound::Arena => "push.max_decompressed",
    }
}
