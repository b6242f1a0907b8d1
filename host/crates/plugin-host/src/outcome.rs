//! What goes with a push into a plugin, and what comes out.

use std::sync::Arc;

use pushgate_exposition::edit::{Edit, Patch};

/// How a push was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Replaces the group.
    Put,
    /// Replaces the families that it names.
    Post,
    /// Removes the group.
    Delete,
}

impl Method {
    /// Its name in HTTP.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Put => "PUT",
            Self::Post => "POST",
            Self::Delete => "DELETE",
        }
    }
}

/// What a plugin is told beside the push itself.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Names the push in the log.
    pub id: &'a str,
    /// How it was sent.
    pub method: Method,
    /// When it arrived, in milliseconds since 1970.
    pub received_ms: i64,
    /// What the operator chose to tell of the caller: names and values, sorted by name.
    pub attributes: &'a [(String, String)],
}

/// What a plugin answered: checked against the limits and its manifest, but the patch not yet against the
/// push.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) decision: Decision,
    pub(crate) findings: Vec<RawFinding>,
}

impl Outcome {
    /// Bytes of memory that it takes, about.
    pub(crate) fn bytes(&self) -> usize {
        let finding = |finding: &RawFinding| {
            size_of::<RawFinding>() + finding.code.capacity() + finding.message.capacity()
        };
        let patch = match &self.decision {
            Decision::Accept | Decision::Reject => 0,
            Decision::Mutate(patch) => {
                let Patch { bytes, ends, edits } = &**patch;
                bytes.capacity() + ends.capacity() * size_of::<u32>() + edits.capacity() * size_of::<Edit>()
            }
        };
        patch + self.findings.iter().map(finding).sum::<usize>()
    }
}

/// What a plugin decided.
#[derive(Debug, PartialEq, Eq)]
pub enum Decision {
    /// The push may pass as it is.
    Accept,
    /// The push may pass with these edits.
    Mutate(Arc<Patch>),
    /// The push may not pass; the findings say why.
    Reject,
}

/// A finding with rows and symbols as numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RawFinding {
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) family: Option<u32>,
    pub(crate) series: Option<u32>,
    pub(crate) label: Option<u32>,
}

/// A policy's remark on a push, for the person who pushed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The policy's name in the configuration.
    pub plugin: String,
    /// Stable and machine readable.
    pub code: String,
    /// What is wrong and what to do about it, in one line.
    pub message: String,
    /// The family it is about.
    pub metric: Option<String>,
    /// The series it is about, as it was pushed: `name{label="value"}`.
    pub series: Option<String>,
    /// The label it is about.
    pub label: Option<String>,
}
