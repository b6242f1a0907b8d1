//! What came of a case, in a form that golden files hold.

use std::fmt;

use pushgate_exposition::{Push, text};

/// What came of a case, by whatever ran it.
///
/// ```
/// use pushgate_plugin::testing::{Answer, Case, Decision};
///
/// let case = Case::parse("--- config\n{}\n--- push\nPUT {job=\"a\"}\nruns 1\n--- outcome\naccept\n")?;
/// let answer = Answer { decision: Decision::Accept, findings: Vec::new(), after: None };
/// assert_eq!(answer.render(&case.push()?), case.outcome);
/// # Ok::<(), pushgate_plugin::testing::CaseError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Answer {
    /// What the plugin decided.
    pub decision: Decision,
    /// What it found.
    pub findings: Vec<Remark>,
    /// The push with the edits applied, when the plugin decided to mutate.
    pub after: Option<Push>,
}

/// What a plugin decided.
///
/// ```
/// assert_eq!(pushgate_plugin::testing::Decision::Reject.as_str(), "reject");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// As it is.
    Accept,
    /// As edited.
    Mutate,
    /// Not at all.
    Reject,
}

impl Decision {
    /// The word in a case file.
    ///
    /// ```
    /// # use pushgate_plugin::testing::Decision;
    /// assert_eq!(Decision::Mutate.as_str(), "mutate");
    /// ```
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Mutate => "mutate",
            Self::Reject => "reject",
        }
    }
}

/// A finding, with places as row numbers of the push as it was received.
///
/// ```
/// use pushgate_plugin::testing::Remark;
///
/// let remark = Remark { code: "docs/no-help".into(), message: "add a HELP line".into(), family: Some(0), ..Remark::default() };
/// assert_eq!(remark.series, None);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Remark {
    /// The stable code.
    pub code: String,
    /// What is wrong and what to do.
    pub message: String,
    /// The family it is about.
    pub family: Option<u32>,
    /// The series it is about.
    pub series: Option<u32>,
    /// The label it is about, by name.
    pub label: Option<String>,
    /// Further facts.
    pub attributes: Vec<(String, String)>,
}

impl Answer {
    /// The answer as a case file shows it: the decision, a line for each finding, and after a mutation
    /// the grouping key and the text that result. `before` is the push that was judged.
    ///
    /// ```
    /// # use pushgate_plugin::testing::{Answer, Case, Decision, Remark};
    /// # let case = Case::parse("--- config\n{}\n--- push\nPUT {job=\"a\"}\nruns 1\n--- outcome\naccept\n")?;
    /// let remark = Remark { code: "docs/no-help".into(), message: "add a HELP line".into(), family: Some(0), ..Remark::default() };
    /// let answer = Answer { decision: Decision::Reject, findings: vec![remark], after: None };
    /// assert_eq!(answer.render(&case.push()?), "reject\ndocs/no-help at runs: add a HELP line\n");
    /// # Ok::<(), pushgate_plugin::testing::CaseError>(())
    /// ```
    pub fn render(&self, before: &Push) -> String {
        let mut out = format!("{}\n", self.decision.as_str());
        for finding in &self.findings {
            out.push_str(&format!("{}\n", finding.line(before)));
        }
        if let Some(after) = &self.after {
            out.push_str(&render_push(after));
        }
        out
    }

    /// How a case file shows a configuration that was refused: `problems` are pointers and messages.
    ///
    /// ```
    /// # use pushgate_plugin::testing::Answer;
    /// let refused = Answer::render_refusal([("/limit", "expected an integer, found a string")]);
    /// assert_eq!(refused, "config refused\n/limit: expected an integer, found a string\n");
    /// ```
    pub fn render_refusal<P: fmt::Display, M: fmt::Display>(
        problems: impl IntoIterator<Item = (P, M)>,
    ) -> String {
        Self::render_problems("config refused\n", problems)
    }

    /// How a case file shows, before the outcome, what a plugin warns of when it is configured.
    ///
    /// ```
    /// # use pushgate_plugin::testing::Answer;
    /// assert_eq!(Answer::render_warnings([("/rules/0", "never matches")]), "config warning\n/rules/0: never matches\n");
    /// let none: [(&str, &str); 0] = [];
    /// assert_eq!(Answer::render_warnings(none), "");
    /// ```
    pub fn render_warnings<P: fmt::Display, M: fmt::Display>(
        problems: impl IntoIterator<Item = (P, M)>,
    ) -> String {
        let warnings = Self::render_problems("", problems);
        if warnings.is_empty() { warnings } else { format!("config warning\n{warnings}") }
    }

    fn render_problems<P: fmt::Display, M: fmt::Display>(
        heading: &str,
        problems: impl IntoIterator<Item = (P, M)>,
    ) -> String {
        let mut out = heading.to_owned();
        for (pointer, message) in problems {
            let pointer = pointer.to_string();
            let place = if pointer.is_empty() { "the whole" } else { pointer.as_str() };
            out.push_str(&format!("{place}: {message}\n"));
        }
        out
    }
}

impl Remark {
    fn line(&self, before: &Push) -> String {
        let mut line = format!("{} at {}", self.code, self.place(before));
        if let Some(label) = &self.label {
            line.push_str(&format!(", label {label}"));
        }
        line.push_str(&format!(": {}", self.message));
        for (name, value) in &self.attributes {
            line.push_str(&format!(" [{name}={value}]"));
        }
        line
    }

    fn place(&self, before: &Push) -> String {
        let family = |index: u32| before.families().nth(index as usize);
        let mut all_series =
            before.families().flat_map(|family| family.series().map(move |series| (family, series)));
        if let Some(index) = self.series {
            let Some((family, series)) = all_series.nth(index as usize) else {
                return format!("series {index}, which is not there");
            };
            let labels: Vec<String> =
                series.labels().map(|(name, value)| format!("{name}={value:?}")).collect();
            return format!("{}{{{}}}", family.name(), labels.join(","));
        }
        match self.family {
            Some(index) => family(index)
                .map_or_else(|| format!("family {index}, which is not there"), |f| f.name().to_owned()),
            None => "the push".to_owned(),
        }
    }
}

/// The grouping key on the first line, then the text. `# TYPE` lines that say nothing are left out, so
/// that what comes looks like what was pushed.
pub(super) fn render_push(push: &Push) -> String {
    let text = text::encode(push);
    let says_nothing = |line: &&str| line.starts_with("# TYPE ") && line.ends_with(" untyped\n");
    let lines: String = text.split_inclusive('\n').filter(|line| !says_nothing(line)).collect();
    format!("{}\n{lines}", push.grouping_key())
}
