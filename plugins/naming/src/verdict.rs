//! What was found: what refuses a push, and what only warns.

use pushgate_plugin::{Code, Finding, Findings, Outcome};

use crate::rules::Rules;

/// What was found.
pub(crate) struct Verdict<'r> {
    rules: &'r Rules,
    reasons: Findings,
    warnings: Findings,
}

impl<'r> Verdict<'r> {
    pub(crate) fn new(rules: &'r Rules) -> Self {
        Self { rules, reasons: Findings::default(), warnings: Findings::default() }
    }

    pub(crate) fn add(&mut self, code: &Code, finding: impl FnOnce() -> Finding) {
        let list = if self.rules.only_warns(code) { &mut self.warnings } else { &mut self.reasons };
        list.add(finding);
    }

    pub(crate) fn outcome(self) -> Outcome {
        if self.reasons.is_empty() {
            Outcome::accept().with_notes(self.warnings)
        } else {
            self.reasons.verdict()
        }
    }
}
