//! A part of a push, short enough to keep: the series that a policy remarked on, then the first others.

use std::collections::HashSet;
use std::fmt::Write as _;

use pushgate_exposition::text::{encode, number};
use pushgate_exposition::{Escaping, Family, Push, Series};
use pushgate_plugin_host::Finding;

use crate::config::Redaction;

/// Stands for what is redacted.
pub(super) const REDACTED: &str = "<redacted>";

/// Bytes of an excerpt, and series in it.
const MAX_BYTES: usize = 8 << 10;
const MAX_SERIES: usize = 40;

/// Series that are looked through for those that a policy remarked on.
const MAX_SEARCHED: usize = 10_000;

/// Some series of a push.
#[derive(Debug, Default)]
pub struct Excerpt {
    /// Their lines, as in a push, each family behind its HELP and TYPE.
    pub text: String,
    /// How many series there are in it. Of one whose lines were too long the first ones are there.
    pub series: usize,
    /// How many the push has.
    pub of: usize,
}

impl Excerpt {
    pub(super) fn of(push: &Push, findings: &[Finding], redact: &[Redaction]) -> Self {
        let mut excerpt = Self { of: push.series_count(), ..Self::default() };
        let chosen = chosen(push, findings);
        let mut family_shown = None;
        for row in chosen {
            let Some((family, series)) = push.series(row) else { continue };
            if family_shown != Some(family.index()) {
                family_shown = Some(family.index());
                let help = family.help().filter(|_| !redact.contains(&Redaction::Labels));
                encode::header(&mut excerpt.text, family.name(), help, family.kind());
            }
            if redact.iter().any(|what| matches!(what, Redaction::Labels | Redaction::Values)) {
                redacted(&mut excerpt.text, family, series, redact);
            } else {
                encode::samples(&mut excerpt.text, family, series, &[], Escaping::AllowUtf8);
            }
            excerpt.series += 1;
            if excerpt.text.len() >= MAX_BYTES {
                excerpt.text.truncate(excerpt.text.floor_char_boundary(MAX_BYTES));
                break;
            }
        }
        excerpt
    }
}

/// The rows to show, in their order: those that findings name, and the first ones.
fn chosen(push: &Push, findings: &[Finding]) -> Vec<usize> {
    let metrics: HashSet<&str> = findings.iter().filter_map(|it| it.metric.as_deref()).collect();
    let named: HashSet<&str> = findings.iter().filter_map(|it| it.series.as_deref()).collect();
    let families = push.families().filter(|family| metrics.contains(family.name()));
    let searched =
        families.flat_map(|family| family.series().enumerate().map(move |(at, it)| (family, at, it)));
    let meant = searched.take(MAX_SEARCHED).filter(|(family, at, series)| {
        // A finding about a family is about its first series as well as any.
        *at == 0 || named.contains(encode::series_name(*family, *series).as_str())
    });
    let mut rows: Vec<usize> = meant.map(|(_, _, series)| series.index()).take(MAX_SERIES).collect();
    let others = (0..push.series_count()).filter(|row| rows.binary_search(row).is_err());
    let others: Vec<usize> = others.take(MAX_SERIES - rows.len()).collect();
    rows.extend(others);
    rows.sort_unstable();
    rows
}

/// A series in one line, without what is not to be seen. Of a histogram or summary it says the sum.
fn redacted(out: &mut String, family: Family<'_>, series: Series<'_>, redact: &[Redaction]) {
    if redact.contains(&Redaction::Labels) {
        out.push_str(&series_without_values(family, series));
    } else {
        out.push_str(&encode::series_name(family, series));
    }
    out.push(' ');
    if redact.contains(&Redaction::Values) {
        out.push_str(REDACTED);
    } else {
        number::write(out, series.value());
    }
    out.push('\n');
}

/// A series with the names of its labels only.
fn series_without_values(family: Family<'_>, series: Series<'_>) -> String {
    let mut text = family.name().to_owned();
    for (at, (name, _)) in series.labels().enumerate() {
        let _ = write!(text, "{}{name}=\"{REDACTED}\"", if at == 0 { '{' } else { ',' });
    }
    if series.labels().len() > 0 {
        text.push('}');
    }
    text
}

#[cfg(test)]
mod tests {
    use pushgate_exposition::{GroupingKey, Rules, text};

    use super::*;

    fn push(body: &str) -> Push {
        let key = GroupingKey::new([("job", "j")]).unwrap();
        text::parse(body.as_bytes(), &key, &Rules::default()).unwrap()
    }

    fn about(metric: &str, series: Option<&str>) -> Finding {
        Finding {
            plugin: String::new(),
            code: String::new(),
            message: String::new(),
            metric: Some(metric.to_owned()),
            series: series.map(str::to_owned),
            label: None,
        }
    }

    #[test]
    fn a_small_push_is_shown_whole() {
        let body = "# HELP a Help.\n# TYPE a counter\na{x=\"1\"} 2\n# TYPE h histogram\nh_bucket{le=\"+Inf\"} 1\nh_sum 3\nh_count 1\n";
        let excerpt = Excerpt::of(&push(body), &[], &[]);
        assert_eq!((excerpt.text.as_str(), excerpt.series, excerpt.of), (body, 2, 2));
        let nothing = Excerpt::of(&push(""), &[about("gone", None)], &[]);
        assert_eq!((nothing.text.as_str(), nothing.series, nothing.of), ("", 0, 0));
    }

    #[test]
    fn what_is_redacted_is_not_there() {
        let push = push("# HELP a 4711\na{x=\"secret\"} 4711\na{x=\"y\"} 4711\nb 4711\n");
        let text = |redact: &[Redaction]| Excerpt::of(&push, &[], redact).text;
        assert_eq!(
            text(&[Redaction::Labels]),
            "# TYPE a untyped\na{x=\"<redacted>\"} 4711\na{x=\"<redacted>\"} 4711\n# TYPE b untyped\nb 4711\n"
        );
        assert_eq!(
            text(&[Redaction::Values]),
            "# HELP a 4711\n# TYPE a untyped\na{x=\"secret\"} <redacted>\na{x=\"y\"} <redacted>\n# TYPE b untyped\nb <redacted>\n"
        );
        let both = text(&[Redaction::Labels, Redaction::Values]);
        assert!(!both.contains("secret") && !both.contains("4711"), "{both}");
        assert!(text(&[Redaction::Config]).contains("a{x=\"secret\"} 4711\n"));
    }

    #[test]
    fn of_a_large_push_the_series_that_are_meant_come_in() {
        let line = |name: &str, number: usize| format!("{name}{{n=\"{number}\"}} 1\n");
        let body: String =
            ["a", "b", "c"].iter().flat_map(|name| (0..100).map(move |number| line(name, number))).collect();
        let findings = [about("b", Some("b{n=\"77\"}")), about("c", None)];
        let excerpt = Excerpt::of(&push(&body), &findings, &[]);
        assert_eq!((excerpt.series, excerpt.of), (MAX_SERIES, 300));
        for expected in ["a{n=\"0\"} 1\n", "b{n=\"77\"} 1\n", "# TYPE c untyped\nc{n=\"0\"} 1\n"] {
            assert!(excerpt.text.contains(expected), "{}", excerpt.text);
        }
    }

    #[test]
    fn an_excerpt_has_a_bound() {
        let series = |value: &str| format!("a{{x=\"{value}\"}} 1\n");
        let head = "# TYPE a untyped\n".len() + series("").len();
        for (length, expected) in
            [(MAX_BYTES - head, MAX_BYTES), (MAX_BYTES - head + 1, MAX_BYTES), (100, head + 100)]
        {
            let rules = Rules {
                limits: pushgate_exposition::Limits { value_length: MAX_BYTES, ..Default::default() },
                ..Rules::default()
            };
            let key = GroupingKey::new([("job", "j")]).unwrap();
            let push = text::parse(series(&"v".repeat(length)).as_bytes(), &key, &rules).unwrap();
            assert_eq!(Excerpt::of(&push, &[], &[]).text.len(), expected);
        }
    }
}
