//! What a plugin answers.

use crate::bindings::types;
use crate::{Edits, Finding, Findings};

/// What a plugin answers to a push: accept, mutate or reject, and findings.
///
/// ```
/// use pushgate_plugin::{Code, Finding, Outcome};
///
/// const OLD: Code = Code::new("demo/old-name", "a name is about to go");
///
/// let outcome = Outcome::accept().note(Finding::new(&OLD, "rename 'runs' to 'runs_total' by May"));
/// assert!(!outcome.is_rejection());
/// ```
#[derive(Debug)]
pub struct Outcome {
    decision: Decision,
    findings: Findings,
}

#[derive(Debug)]
enum Decision {
    Accept,
    Mutate(Edits),
    Reject,
}

impl Outcome {
    /// The push may go on as it is.
    ///
    /// ```
    /// # use pushgate_plugin::Outcome;
    /// assert!(!Outcome::accept().is_rejection());
    /// ```
    pub fn accept() -> Self {
        Self { decision: Decision::Accept, findings: Findings::default() }
    }

    /// The push goes on as edited. Without any edit, it is accepted.
    ///
    /// ```
    /// # use pushgate_plugin::{Edits, Outcome, Scope, testing};
    /// # let push = testing::push(r#"PUT {job="backup"}"#, "runs 1\n")?;
    /// let mut edits = Edits::new(&push);
    /// edits.set_label(Scope::All, "env", "prod");
    /// assert!(Outcome::mutate(edits).is_mutation());
    /// assert!(!Outcome::mutate(Edits::new(&push)).is_mutation());
    /// # Ok::<(), testing::CaseError>(())
    /// ```
    pub fn mutate(edits: Edits) -> Self {
        let decision = if edits.is_empty() { Decision::Accept } else { Decision::Mutate(edits) };
        Self { decision, findings: Findings::default() }
    }

    /// The push is refused, for this reason.
    ///
    /// ```
    /// # use pushgate_plugin::{Code, Finding, Outcome};
    /// # const EMPTY: Code = Code::new("size/empty", "a push brings at least one series");
    /// assert!(Outcome::reject(Finding::new(&EMPTY, "push at least one series")).is_rejection());
    /// ```
    pub fn reject(reason: Finding) -> Self {
        let mut findings = Findings::default();
        findings.add(|| reason);
        Self::rejection(findings)
    }

    /// A rejection for findings that are known not to be empty.
    pub(crate) fn rejection(findings: Findings) -> Self {
        Self { decision: Decision::Reject, findings }
    }

    /// Adds a finding.
    ///
    /// ```
    /// # use pushgate_plugin::{Code, Finding, Outcome};
    /// # const OLD: Code = Code::new("demo/old-name", "a name is about to go");
    /// let outcome = Outcome::accept().note(Finding::new(&OLD, "rename 'runs' to 'runs_total' by May"));
    /// ```
    pub fn note(mut self, finding: Finding) -> Self {
        self.findings.add(|| finding);
        self
    }

    /// Adds findings.
    ///
    /// ```
    /// # use pushgate_plugin::{Findings, Outcome};
    /// let outcome = Outcome::accept().with_notes(Findings::default());
    /// ```
    pub fn with_notes(mut self, findings: Findings) -> Self {
        self.findings.append(findings);
        self
    }

    /// Whether the push is refused.
    ///
    /// ```
    /// # use pushgate_plugin::Outcome;
    /// assert!(!Outcome::accept().is_rejection());
    /// ```
    pub fn is_rejection(&self) -> bool {
        matches!(self.decision, Decision::Reject)
    }

    /// Whether the push is changed.
    ///
    /// ```
    /// # use pushgate_plugin::Outcome;
    /// assert!(!Outcome::accept().is_mutation());
    /// ```
    pub fn is_mutation(&self) -> bool {
        matches!(self.decision, Decision::Mutate(_))
    }

    /// The edits, when the push is changed.
    ///
    /// ```
    /// # use pushgate_plugin::{Edits, Outcome, Scope, testing};
    /// # let push = testing::push(r#"PUT {job="backup"}"#, "runs 1\n")?;
    /// let mut edits = Edits::new(&push);
    /// edits.set_label(Scope::All, "env", "prod");
    /// assert_eq!(Outcome::mutate(edits).edits().map(Edits::len), Some(1));
    /// # Ok::<(), testing::CaseError>(())
    /// ```
    pub fn edits(&self) -> Option<&Edits> {
        match &self.decision {
            Decision::Mutate(edits) => Some(edits),
            Decision::Accept | Decision::Reject => None,
        }
    }

    /// The outcome as it crosses the boundary.
    pub(crate) fn into_wire(self) -> types::Outcome {
        let decision = match self.decision {
            Decision::Accept => types::Decision::Accept,
            Decision::Mutate(edits) => types::Decision::Mutate(edits.into_wire()),
            Decision::Reject => types::Decision::Reject,
        };
        types::Outcome { decision, findings: self.findings.into_wire() }
    }
}
