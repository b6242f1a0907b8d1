//! What a plugin tells the person who pushed.

use crate::bindings::types;
use crate::{Code, Family, Outcome, Series, Sym};

/// How many findings an outcome carries at most; the host refuses more.
///
/// ```
/// assert_eq!(pushgate_plugin::MAX_FINDINGS, 100);
/// ```
pub const MAX_FINDINGS: usize = 100;

/// How long a message or an attribute of a finding is at most; longer ones are cut.
///
/// ```
/// assert_eq!(pushgate_plugin::MAX_MESSAGE_BYTES, 1024);
/// ```
pub const MAX_MESSAGE_BYTES: usize = 1024;

/// How many attributes a finding carries at most.
const MAX_ATTRIBUTES: usize = 16;

/// A remark for the person who pushed: a stable code, a message that says what to do, and where.
///
/// ```
/// use pushgate_plugin::{Code, Finding, testing};
///
/// const NO_HELP: Code = Code::new("docs/no-help", "every family has a HELP text");
///
/// let push = testing::push(r#"PUT {job="backup"}"#, "runs 1\n")?;
/// let family = push.families().next().expect("one was pushed");
/// let finding = Finding::new(&NO_HELP, "add a '# HELP runs' line").at_family(family);
/// # Ok::<(), testing::CaseError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Finding(types::Finding);

impl Finding {
    /// A finding about the push as a whole. The message says, in one line, what is wrong and what to do
    /// about it; show names of the push by [`quote`](crate::quote()).
    ///
    /// ```
    /// # use pushgate_plugin::{Code, Finding};
    /// # const EMPTY: Code = Code::new("size/empty", "a push brings at least one series");
    /// let finding = Finding::new(&EMPTY, "push at least one series");
    /// ```
    pub fn new(code: &Code, message: impl Into<String>) -> Self {
        Self::configured(code.id(), message)
    }

    /// A finding whose code the configuration has: `"<plugin>/<what-is-wrong>"`, where the manifest has the code
    /// `"<plugin>/*"`. Whoever writes the configuration has to keep it, as a plugin keeps its own.
    ///
    /// ```
    /// # use pushgate_plugin::Finding;
    /// let finding = Finding::configured("rules/no-team", "add the label 'team'");
    /// ```
    pub fn configured(code: &str, message: impl Into<String>) -> Self {
        Self(types::Finding {
            code: code.to_owned(),
            message: shorten(message.into()),
            family: None,
            series: None,
            label: None,
            attributes: Vec::new(),
        })
    }

    /// The finding is about a family.
    ///
    /// ```
    /// # use pushgate_plugin::{Code, Family, Finding};
    /// # const NO_HELP: Code = Code::new("docs/no-help", "every family has a HELP text");
    /// fn no_help(family: Family<'_>) -> Finding {
    ///     Finding::new(&NO_HELP, "add a HELP line").at_family(family)
    /// }
    /// ```
    pub fn at_family(mut self, family: Family<'_>) -> Self {
        self.0.family = Some(family.index as u32);
        self
    }

    /// The finding is about a series, and so about its family.
    ///
    /// ```
    /// # use pushgate_plugin::{Code, Finding, Series};
    /// # const NO_TEAM: Code = Code::new("team/missing", "every series says which team owns it");
    /// fn no_team(series: Series<'_>) -> Finding {
    ///     Finding::new(&NO_TEAM, "add the label 'team'").at_series(series)
    /// }
    /// ```
    pub fn at_series(mut self, series: Series<'_>) -> Self {
        self.0.family = Some(series.family as u32);
        self.0.series = Some(series.index as u32);
        self
    }

    /// The finding is about a label, by its name.
    ///
    /// ```
    /// # use pushgate_plugin::{Code, Finding, LabelName};
    /// # const CASE: Code = Code::new("naming/snake-case", "names are written in snake_case");
    /// fn upper_case(name: LabelName<'_>) -> Finding {
    ///     Finding::new(&CASE, "use lower case").at_series(name.first()).at_label(name.sym())
    /// }
    /// ```
    pub fn at_label(mut self, name: Sym) -> Self {
        self.0.label = Some(name.0);
        self
    }

    /// Adds a further fact for machines. Sixteen of them are kept.
    ///
    /// ```
    /// # use pushgate_plugin::{Code, Finding};
    /// # const NO_TEAM: Code = Code::new("team/missing", "every series says which team owns it");
    /// let finding = Finding::new(&NO_TEAM, "add the label 'team'").attribute("series", "12");
    /// ```
    pub fn attribute(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        if self.0.attributes.len() < MAX_ATTRIBUTES {
            self.0.attributes.push((shorten(name.into()), shorten(value.into())));
        }
        self
    }
}

/// Findings as they are collected. Past [`MAX_FINDINGS`] they are only counted, and the last one says
/// how many were left out: a push with a million faults costs no more than one with a hundred.
///
/// ```
/// use pushgate_plugin::{Code, Finding, Findings};
///
/// const BAD: Code = Code::new("demo/bad", "something is bad");
///
/// let mut findings = Findings::default();
/// for _ in 0..1_000 {
///     findings.add(|| Finding::new(&BAD, "mend this"));
/// }
/// assert!(findings.verdict().is_rejection());
/// ```
#[derive(Clone, Debug, Default)]
pub struct Findings {
    kept: Vec<types::Finding>,
    left_out: usize,
}

impl Findings {
    /// Adds a finding. It is only made when there is room for it.
    ///
    /// ```
    /// # use pushgate_plugin::{Code, Finding, Findings};
    /// # const BAD: Code = Code::new("demo/bad", "something is bad");
    /// let mut findings = Findings::default();
    /// findings.add(|| Finding::new(&BAD, "mend this"));
    /// ```
    pub fn add(&mut self, finding: impl FnOnce() -> Finding) {
        if self.kept.len() < MAX_FINDINGS {
            self.kept.push(finding().0);
        } else {
            self.left_out += 1;
        }
    }

    /// Whether nothing was found.
    ///
    /// ```
    /// # use pushgate_plugin::Findings;
    /// assert!(Findings::default().is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// Adds the findings of another collection.
    pub(crate) fn append(&mut self, other: Self) {
        for finding in other.kept {
            self.add(|| Finding(finding));
        }
        self.left_out += other.left_out;
    }

    /// What a validator answers: reject when there are findings, else accept.
    ///
    /// ```
    /// # use pushgate_plugin::Findings;
    /// assert!(!Findings::default().verdict().is_rejection());
    /// ```
    pub fn verdict(self) -> Outcome {
        if self.is_empty() { Outcome::accept() } else { Outcome::rejection(self) }
    }

    /// The findings as they cross the boundary, with a last word on those left out.
    pub(crate) fn into_wire(mut self) -> Vec<types::Finding> {
        if self.left_out > 0
            && let Some(last) = self.kept.pop()
        {
            // The last one makes room, so it is left out as well. Codes must be declared, hence its code.
            let message = format!("{} further findings are left out; mend these first", self.left_out + 1);
            let (family, series, label, attributes) = (None, None, None, Vec::new());
            self.kept.push(types::Finding { code: last.code, message, family, series, label, attributes });
        }
        self.kept
    }
}

/// Cuts a text at the host's bound.
fn shorten(mut text: String) -> String {
    const MARK: &str = "…";
    if text.len() > MAX_MESSAGE_BYTES {
        let mut end = MAX_MESSAGE_BYTES - MARK.len();
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text.push_str(MARK);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const BAD: Code = Code::new("demo/bad", "something is bad");

    #[test]
    fn findings_are_capped_and_the_last_one_counts_the_rest() {
        for (added, kept, last) in
            [(100, 100, "mend this"), (101, 100, "2 further"), (1_000, 100, "901 further")]
        {
            let mut findings = Findings::default();
            (0..added).for_each(|_| findings.add(|| Finding::new(&BAD, "mend this")));
            let wire = findings.into_wire();
            assert_eq!(wire.len(), kept);
            assert!(wire[kept - 1].message.starts_with(last), "{added}: {}", wire[kept - 1].message);
        }
    }

    #[test]
    fn messages_are_cut_at_a_character() {
        for (length, expected) in [(1024, 1024), (1025, 1024)] {
            assert_eq!(Finding::new(&BAD, "x".repeat(length)).0.message.len(), expected);
        }
        let cut = Finding::new(&BAD, "é".repeat(1000)).0.message;
        assert!(cut.len() <= MAX_MESSAGE_BYTES && cut.ends_with("é…"), "{}", cut.len());
    }
}
