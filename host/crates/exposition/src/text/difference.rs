//! What tells two pushes apart, as lines of text for people.

use std::cmp::Ordering;

use super::encode::encode;
use crate::Push;

/// The lines of text that only one of two pushes has: `-` before those of the first, `+` before those of the second.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// The first of them, in the order of their text.
    pub lines: Vec<String>,
    /// How many there are beyond those.
    pub more: usize,
}

impl Difference {
    /// Whether nothing tells the pushes apart.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty() && self.more == 0
    }
}

/// Compares two pushes by what scrapes would show of them: grouping key, HELP, TYPE and samples, in any order. Keeps at
/// most so many lines.
pub fn difference(before: &Push, after: &Push, most: usize) -> Difference {
    // Edits that changed nothing are the usual case, and finding that out needs no text.
    if before == after { Difference::default() } else { line_difference(&shown(before), &shown(after), most) }
}

/// Compares what [`shown`] gave of two pushes.
pub fn line_difference(before: &str, after: &str, most: usize) -> Difference {
    let mut difference = Difference::default();
    let (before, after) = (sorted(before), sorted(after));
    let (mut before, mut after) = (before.into_iter().peekable(), after.into_iter().peekable());
    let mut tell = |sign: &str, line: Option<&str>| match line {
        Some(line) if difference.lines.len() < most => difference.lines.push(format!("{sign}{line}")),
        line => difference.more += line.into_iter().len(),
    };
    loop {
        let order = match (before.peek(), after.peek()) {
            (None, None) => break,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(one), Some(other)) => one.cmp(other),
        };
        match order {
            Ordering::Less => tell("-", before.next()),
            Ordering::Greater => tell("+", after.next()),
            Ordering::Equal => drop((before.next(), after.next())),
        }
    }
    difference
}

/// A push as lines of text: its grouping key, and what [`encode`] makes of its families.
pub fn shown(push: &Push) -> String {
    format!("{}\n{}", push.grouping_key(), encode(push))
}

fn sorted(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text.split_terminator('\n').collect();
    lines.sort_unstable();
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{GroupingKey, Rules, text};

    fn push(job: &str, body: &str) -> Push {
        let key = GroupingKey::new([("job", job)]).unwrap();
        text::parse(body.as_bytes(), &key, &Rules::default()).unwrap()
    }

    #[test]
    fn pushes_differ_by_what_is_shown_of_them() {
        let one = push("x", "# TYPE b counter\nb{l=\"1\"} 1\nb{l=\"2\"} 2\na 3\n");
        for (rule, other, expected) in [
            ("nothing", push("x", "# TYPE b counter\nb{l=\"1\"} 1\nb{l=\"2\"} 2\na 3\n"), &[] as &[_]),
            ("the order", push("x", "a 3\n# TYPE b counter\nb{l=\"2\"} 2\nb{l=\"1\"} 1\n"), &[]),
            (
                "a label",
                push("x", "# TYPE b counter\nb{l=\"1\"} 1\nb{l=\"3\"} 2\na 3\n"),
                &["-b{l=\"2\"} 2", "+b{l=\"3\"} 2"],
            ),
            (
                "a type",
                push("x", "b{l=\"1\"} 1\nb{l=\"2\"} 2\na 3\n"),
                &["-# TYPE b counter", "+# TYPE b untyped"],
            ),
            (
                "a family",
                push("x", "# TYPE b counter\nb{l=\"1\"} 1\nb{l=\"2\"} 2\n"),
                &["-# TYPE a untyped", "-a 3"],
            ),
            (
                "the group",
                push("y", "# TYPE b counter\nb{l=\"1\"} 1\nb{l=\"2\"} 2\na 3\n"),
                &["-{job=\"x\"}", "+{job=\"y\"}"],
            ),
        ] {
            let told = difference(&one, &other, 10);
            assert_eq!(told.is_empty(), expected.is_empty(), "{rule}");
            assert_eq!(
                (told.lines, told.more),
                (expected.iter().map(ToString::to_string).collect(), 0),
                "{rule}"
            );
        }
    }

    #[test]
    fn lines_past_the_bound_are_counted() {
        let (one, other) = (push("x", "a 1\n"), push("x", "a 2\nb 3\n"));
        for (most, more) in [(4, 0), (3, 1), (0, 4)] {
            let told = difference(&one, &other, most);
            assert_eq!((told.lines.len(), told.more), (most, more));
        }
    }
}
