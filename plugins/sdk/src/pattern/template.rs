//! Replacements: text with `$1` and `${name}` in it.

use super::{Captures, Pattern};

/// A replacement as Prometheus' configuration has it: `$1`, `$name` and `${name}` stand for what a group
/// matched, `$$` for a dollar. A name without braces is as long as letters, digits and `_` go: `$1_x` is
/// the group `1_x`. A group that is not there stands for nothing. Needs the feature `pattern`.
///
/// ```
/// use pushgate_plugin::{Pattern, Template};
///
/// let pattern = Pattern::new("(?P<host>[a-z]+)-([0-9]+)")?;
/// let template = Template::new("${host}_$2", &pattern);
/// let captures = pattern.captures("db-17").expect("it matches");
/// assert_eq!(template.expand(&captures), "db_17");
/// # Ok::<(), pushgate_plugin::PatternError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Template {
    parts: Vec<Part>,
    unknown: Vec<String>,
}

#[derive(Clone, Debug)]
enum Part {
    Text(String),
    Group(usize),
}

impl Template {
    /// Reads a replacement for matches of a pattern. Any text is one.
    ///
    /// ```
    /// # use pushgate_plugin::{Pattern, Template};
    /// let template = Template::new("$1-copy", &Pattern::new("(.*)")?);
    /// # Ok::<(), pushgate_plugin::PatternError>(())
    /// ```
    pub fn new(source: &str, pattern: &Pattern) -> Self {
        let mut template = Self { parts: Vec::new(), unknown: Vec::new() };
        let mut text = String::new();
        let mut rest = source;
        while let Some((before, after)) = rest.split_once('$') {
            text.push_str(before);
            rest = after;
            if let Some(after) = rest.strip_prefix('$') {
                text.push('$');
                rest = after;
            } else if let Some((name, after)) = split_name(rest) {
                rest = after;
                match pattern.group_number(name) {
                    Some(group) => {
                        template.push_text(&mut text);
                        template.parts.push(Part::Group(group));
                    }
                    None => template.unknown.push(name.to_owned()),
                }
            } else {
                text.push('$');
            }
        }
        text.push_str(rest);
        template.push_text(&mut text);
        template
    }

    fn push_text(&mut self, text: &mut String) {
        if !text.is_empty() {
            self.parts.push(Part::Text(std::mem::take(text)));
        }
    }

    /// The text for one match.
    ///
    /// ```
    /// # use pushgate_plugin::{Pattern, Template};
    /// let pattern = Pattern::new("a(b*)")?;
    /// let captures = pattern.captures("abb").expect("it matches");
    /// assert_eq!(Template::new("[$1]", &pattern).expand(&captures), "[bb]");
    /// # Ok::<(), pushgate_plugin::PatternError>(())
    /// ```
    pub fn expand(&self, captures: &Captures<'_>) -> String {
        let mut out = String::new();
        for part in &self.parts {
            out.push_str(match part {
                Part::Text(text) => text,
                Part::Group(number) => captures.group(*number),
            });
        }
        out
    }

    /// The text when it is the same for every match.
    ///
    /// ```
    /// # use pushgate_plugin::{Pattern, Template};
    /// let pattern = Pattern::new("(.*)")?;
    /// assert_eq!(Template::new("prod", &pattern).constant(), Some("prod"));
    /// assert_eq!(Template::new("$1", &pattern).constant(), None);
    /// # Ok::<(), pushgate_plugin::PatternError>(())
    /// ```
    pub fn constant(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [] => Some(""),
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// The names that are no group of the pattern, and so stand for nothing. Mostly a mistake.
    ///
    /// ```
    /// # use pushgate_plugin::{Pattern, Template};
    /// let template = Template::new("$1_total", &Pattern::new("(.*)")?);
    /// assert!(template.unknown_groups().eq(["1_total"]));
    /// # Ok::<(), pushgate_plugin::PatternError>(())
    /// ```
    pub fn unknown_groups(&self) -> impl Iterator<Item = &str> {
        self.unknown.iter().map(String::as_str)
    }
}

/// Splits `name` or `{name}` off the front of what stands behind a `$`.
fn split_name(text: &str) -> Option<(&str, &str)> {
    let inner = text.strip_prefix('{');
    let name_on = inner.unwrap_or(text);
    let is_name = |character: char| character == '_' || character.is_alphanumeric();
    let end = name_on.find(|character| !is_name(character)).unwrap_or(name_on.len());
    let (name, rest) = name_on.split_at(end);
    let rest = if inner.is_some() { rest.strip_prefix('}')? } else { rest };
    (!name.is_empty()).then_some((name, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_expand_as_in_go() {
        let pattern = Pattern::new("(?P<first>[^-]*)-(.*)").unwrap();
        let captures = pattern.captures("a-b").unwrap();
        for (template, expected) in [
            ("", ""),
            ("x", "x"),
            ("$1", "a"),
            ("$0", "a-b"),
            ("$2$1", "ba"),
            ("$1-x", "a-x"),
            ("$1_x", ""),
            ("${1}_x", "a_x"),
            ("$1x", ""),
            ("$first.$2", "a.b"),
            ("${first}", "a"),
            ("$$1", "$1"),
            ("$", "$"),
            ("$ 1", "$ 1"),
            ("${", "${"),
            ("${1", "${1"),
            ("${}", "${}"),
            ("${a b}", "${a b}"),
            ("$9", ""),
            ("$01", ""),
            ("$99999999999999999999", ""),
            ("a$", "a$"),
        ] {
            assert_eq!(Template::new(template, &pattern).expand(&captures), expected, "{template:?}");
        }
    }
}
