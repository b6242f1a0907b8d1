//! What another configuration changes about one push.

use pushgate_capture::{End, Outcome};
use pushgate_exposition::text::{Difference, line_difference};

use super::codes;

/// Lines that are told of edits that differ.
const MAX_LINES: usize = 20;

/// How the outcome of a push differs, told by what weighs most.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// Not at all.
    Same,
    /// It would be refused now, and was not, or not by a policy.
    Rejected,
    /// It would be accepted now, and was not.
    Accepted,
    /// A policy fails, which did not.
    Fault,
    /// The same would become of it, with other findings.
    Findings,
    /// It would be stored with other edits.
    Edits(Difference),
}

impl Change {
    /// Compares what was captured and what would be now; nothing when the push cannot even be read. `pushed` gives the push
    /// without edits, in text.
    pub(super) fn between(
        before: &Outcome,
        after: Result<&Outcome, &String>,
        pushed: impl Fn() -> String,
    ) -> Self {
        let Ok(after) = after else { return Self::Rejected };
        match (before.end, after.end) {
            (before, after) if before != after => match after {
                End::Accepted => Self::Accepted,
                End::Rejected => Self::Rejected,
                End::Fault | End::Busy => Self::Fault,
            },
            _ if codes(before) != codes(after) => Self::Findings,
            _ => match (&before.edited, &after.edited) {
                (None, None) => Self::Same,
                (before, after) => {
                    let text = |edited: &Option<String>| edited.clone().unwrap_or_else(&pushed);
                    let edits = line_difference(&text(before), &text(after), MAX_LINES);
                    if edits.is_empty() { Self::Same } else { Self::Edits(edits) }
                }
            },
        }
    }

    /// A word for it.
    pub(super) fn as_str(&self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Rejected => "newly rejected",
            Self::Accepted => "newly accepted",
            Self::Fault => "newly failing",
            Self::Findings => "other findings",
            Self::Edits(_) => "edited differently",
        }
    }
}

#[cfg(test)]
mod tests {
    use pushgate_capture::{Policy, Step};

    use super::*;

    fn outcome(end: End, code: &str, edited: Option<&str>) -> Outcome {
        let policy = Policy {
            name: "p".to_owned(),
            enforces: !code.starts_with("monitor"),
            step: Step::Accepted,
            codes: vec![code.to_owned()],
            fuel: 1,
        };
        Outcome { end, policies: vec![policy], edited: edited.map(str::to_owned) }
    }

    #[test]
    fn what_weighs_most_is_told() {
        let plain = outcome(End::Accepted, "a", None);
        let edits = |lines: &[&str]| {
            Change::Edits(Difference { lines: lines.iter().map(ToString::to_string).collect(), more: 0 })
        };
        for (before, after, expected) in [
            (&plain, outcome(End::Accepted, "a", None), Change::Same),
            (&plain, outcome(End::Accepted, "monitor", None), Change::Findings),
            (
                &outcome(End::Accepted, "monitor/a", None),
                outcome(End::Accepted, "monitor/b", None),
                Change::Same,
            ),
            (&plain, outcome(End::Rejected, "b", None), Change::Rejected),
            (&plain, outcome(End::Fault, "a", None), Change::Fault),
            (&outcome(End::Rejected, "a", None), outcome(End::Accepted, "a", Some("")), Change::Accepted),
            (&outcome(End::Rejected, "a", None), outcome(End::Rejected, "b", None), Change::Findings),
            (&outcome(End::Rejected, "a", None), outcome(End::Rejected, "a", None), Change::Same),
            (&outcome(End::Fault, "a", None), outcome(End::Rejected, "a", None), Change::Rejected),
            (&plain, outcome(End::Accepted, "a", Some("pushed\n")), Change::Same),
            (&plain, outcome(End::Accepted, "a", Some("other\n")), edits(&["+other", "-pushed"])),
            (&outcome(End::Accepted, "a", Some("x\n")), plain.clone(), edits(&["+pushed", "-x"])),
            (
                &outcome(End::Accepted, "a", Some("x\ny\n")),
                outcome(End::Accepted, "a", Some("y\nx\n")),
                Change::Same,
            ),
        ] {
            let change = Change::between(before, Ok(&after), || "pushed\n".to_owned());
            assert_eq!(change, expected, "{before:?} {after:?}");
        }
        assert_eq!(Change::between(&plain, Err(&String::new()), String::new), Change::Rejected);
    }
}
