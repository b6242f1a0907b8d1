//! Anchored regular expressions that mean what they mean in Prometheus.

mod re2;
mod shape;
mod template;

use std::fmt;

use regex::{Regex, RegexBuilder};

use self::shape::Shape;

pub use self::template::Template;

/// How large a compiled pattern may be, since an instance has a bound on its memory.
const SIZE_LIMIT: usize = 4 << 20;

/// A regular expression, anchored at both ends, in the syntax and with the meaning that Prometheus'
/// configuration gives it: RE2 as Go has it, `.` matching newlines as well. Needs the feature `pattern`.
///
/// `\d`, `\w`, `\s` and `\b` are ASCII, as in Go. What RE2 does not have is refused. Plain words, alternatives of plain words, `prefix.*`, `.*suffix` and `.*part.*` are
/// matched without a regex engine.
///
/// ```
/// use pushgate_plugin::Pattern;
///
/// let batch = Pattern::new("batch_.*|cron")?;
/// assert!(batch.is_match("batch_nightly") && batch.is_match("cron"));
/// assert!(!batch.is_match("a_batch_") && !batch.is_match("crond"));
/// # Ok::<(), pushgate_plugin::PatternError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Pattern {
    source: String,
    matcher: Matcher,
}

#[derive(Clone, Debug)]
enum Matcher {
    Shape(Shape),
    Regex(Regex),
}

/// Why a text is no [`Pattern`].
///
/// ```
/// use pushgate_plugin::Pattern;
///
/// let error = Pattern::new("a(b").unwrap_err();
/// assert_eq!(error.to_string(), "unclosed group");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatternError(String);

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for PatternError {}

impl Pattern {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// When it is no RE2 pattern, or is too large.
    ///
    /// ```
    /// # use pushgate_plugin::Pattern;
    /// assert!(Pattern::new("(.+)-[0-9]+").is_ok());
    /// assert!(Pattern::new("(?=lookahead)").is_err());
    /// ```
    pub fn new(source: &str) -> Result<Self, PatternError> {
        let matcher = match Shape::of(source) {
            Some(shape) => Matcher::Shape(shape),
            None => Matcher::Regex(compile(source, |regex| format!("^(?s:{regex})$"))?),
        };
        Ok(Self { source: source.to_owned(), matcher })
    }

    /// Compiles a pattern that may match a part of a text, as Go's `MatchString` and CEL's `matches` have it: not
    /// anchored, and `.` does not match newlines.
    ///
    /// # Errors
    /// As of [`new`](Self::new).
    ///
    /// ```
    /// # use pushgate_plugin::Pattern;
    /// assert!(Pattern::unanchored("[0-9]")?.is_match("db1"));
    /// assert!(!Pattern::unanchored("^[0-9]")?.is_match("db1"));
    /// # Ok::<(), pushgate_plugin::PatternError>(())
    /// ```
    pub fn unanchored(source: &str) -> Result<Self, PatternError> {
        let matcher = Matcher::Regex(compile(source, |regex| format!("(?:{regex})"))?);
        Ok(Self { source: source.to_owned(), matcher })
    }

    /// Whether the whole text matches, or for an unanchored pattern some of it.
    ///
    /// ```
    /// # use pushgate_plugin::Pattern;
    /// assert!(Pattern::new("a|b")?.is_match("b"));
    /// assert!(!Pattern::new("a|b")?.is_match("bc"));
    /// # Ok::<(), pushgate_plugin::PatternError>(())
    /// ```
    pub fn is_match(&self, text: &str) -> bool {
        match &self.matcher {
            Matcher::Shape(shape) => shape.is_match(text),
            Matcher::Regex(regex) => regex.is_match(text),
        }
    }

    /// What the groups match, when the whole text matches.
    ///
    /// ```
    /// # use pushgate_plugin::Pattern;
    /// let captures = Pattern::new("(.+)-(.+)")?.captures("db-17").map(|groups| groups.group(2).to_owned());
    /// assert_eq!(captures.as_deref(), Some("17"));
    /// # Ok::<(), pushgate_plugin::PatternError>(())
    /// ```
    pub fn captures<'t>(&self, text: &'t str) -> Option<Captures<'t>> {
        match &self.matcher {
            Matcher::Shape(shape) => {
                shape.is_match(text).then_some(Captures(Groups::Whole { text, groups: shape.groups() }))
            }
            Matcher::Regex(regex) => regex.captures(text).map(|captures| Captures(Groups::Regex(captures))),
        }
    }

    /// The pattern as it was written.
    ///
    /// ```
    /// # use pushgate_plugin::Pattern;
    /// assert_eq!(Pattern::new("a|b")?.as_str(), "a|b");
    /// # Ok::<(), pushgate_plugin::PatternError>(())
    /// ```
    pub fn as_str(&self) -> &str {
        &self.source
    }

    /// The number of a group, by its name or its number as text.
    fn group_number(&self, name: &str) -> Option<usize> {
        // Go takes no number with a leading zero, and looks for a group of that name.
        let number = if name.len() > 1 && name.starts_with('0') { None } else { name.parse::<usize>().ok() };
        match (&self.matcher, number) {
            (Matcher::Shape(shape), number) => number.filter(|number| *number <= shape.groups()),
            (Matcher::Regex(regex), Some(number)) => (number < regex.captures_len()).then_some(number),
            (Matcher::Regex(regex), None) => {
                regex.capture_names().position(|known| known.map(re2::group_name) == Some(name))
            }
        }
    }
}

fn compile(source: &str, wrapped: impl FnOnce(&str) -> String) -> Result<Regex, PatternError> {
    let translated = re2::translate(source).map_err(PatternError)?;
    RegexBuilder::new(&wrapped(&translated)).size_limit(SIZE_LIMIT).build().map_err(|error| {
        // A syntax error is a drawing of several lines, with what is wrong on the last one.
        let text = error.to_string();
        let last = text.lines().last().unwrap_or_default();
        PatternError(last.strip_prefix("error: ").unwrap_or(last).to_owned())
    })
}

/// What the groups of a [`Pattern`] matched.
///
/// ```
/// use pushgate_plugin::Pattern;
///
/// let pattern = Pattern::new("([a-z]+)([0-9]+)?")?;
/// let captures = pattern.captures("db").expect("it matches");
/// assert_eq!((captures.group(0), captures.group(1), captures.group(2)), ("db", "db", ""));
/// # Ok::<(), pushgate_plugin::PatternError>(())
/// ```
#[derive(Debug)]
pub struct Captures<'t>(Groups<'t>);

#[derive(Debug)]
enum Groups<'t> {
    /// A shape has at most one group, around all of it.
    Whole {
        text: &'t str,
        groups: usize,
    },
    Regex(regex::Captures<'t>),
}

impl<'t> Captures<'t> {
    /// What a group matched; 0 is the whole. Empty for a group that took no part or is not there.
    ///
    /// ```
    /// # use pushgate_plugin::Pattern;
    /// let pattern = Pattern::new("(.*)")?;
    /// let captures = pattern.captures("db1").expect("it matches everything");
    /// assert_eq!((captures.group(1), captures.group(7)), ("db1", ""));
    /// # Ok::<(), pushgate_plugin::PatternError>(())
    /// ```
    pub fn group(&self, number: usize) -> &'t str {
        match &self.0 {
            Groups::Whole { text, groups } if number <= *groups => text,
            Groups::Whole { .. } => "",
            Groups::Regex(captures) => captures.get(number).map_or("", |group| group.as_str()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `Some` with what group 1 matched, `None` when there is no match.
    #[track_caller]
    fn check(pattern: &str, text: &str, expected: Option<&str>) {
        let compiled = Pattern::new(pattern).unwrap();
        let found = compiled.captures(text).map(|captures| captures.group(1).to_owned());
        assert_eq!(found.as_deref(), expected, "{pattern:?} on {text:?}");
        assert_eq!(compiled.is_match(text), expected.is_some(), "{pattern:?} on {text:?}");
    }

    #[test]
    fn shapes_and_regexes_agree() {
        // Each pattern that has a shape, beside one that means the same and has none.
        for (shape, regex) in [
            ("", "(?:)(?:)"),
            (".*", "(?:)(?:.*)"),
            (".+", "(?:)(?:.+)"),
            ("(.*)", "(.*|.*)(?:)"),
            ("(.+)", "(.+|.+)(?:)"),
            ("abc", "(?:abc)(?:)"),
            ("abc|b|", "(?:abc|b|)(?:)"),
            ("(abc|b)", "(abc|b)(?:)"),
            ("(?:abc|b)", "(?:abc|b)(?:)"),
            ("ab.*", "(?:ab).*"),
            ("ab.+", "(?:ab).+"),
            (".*bc", "(?:.*)bc"),
            ("(.*bc)", "(.*bc|.*bc)"),
            (".*b.*", "(?:.*)b.*"),
            (".*.*", "(?:.*)(?:.*)"),
        ] {
            let (shape, regex) = (Pattern::new(shape).unwrap(), Pattern::new(regex).unwrap());
            assert!(matches!((&shape.matcher, &regex.matcher), (Matcher::Shape(_), Matcher::Regex(_))));
            for text in ["", "a", "b", "ab", "abc", "abcd", "abc|b", "xabc", "a\nb", "ab\n", "ü"] {
                let groups = |pattern: &Pattern| {
                    pattern
                        .captures(text)
                        .map(|groups| [0, 1, 2].map(|number| groups.group(number).to_owned()))
                };
                assert_eq!(groups(&shape), groups(&regex), "{} on {text:?}", shape.as_str());
            }
        }
    }

    #[test]
    fn patterns_mean_what_they_mean_in_go() {
        check("(a.c)", "a\nc", Some("a\nc"));
        check("a|bc", "abc", None);
        check(r"(\d+)", "17", Some("17"));
        check(r"(\d+)", "١٧", None);
        check(r"(\w+)", "über", None);
        check(r"(\w+)", "u_1", Some("u_1"));
        check(r"(\s)", "\u{a0}", None);
        check(r"(\s)", "\t", Some("\t"));
        check(r"(\W\D\S)", "ü-x", Some("ü-x"));
        check(r"(a\b.*)", "aü", Some("aü"));
        check(r"(a\B.*)", "ab", Some("ab"));
        check(r"(\Qa.b\E+)", "a.bb", Some("a.bb"));
        check(r"([a&&b]+)", "&a", Some("&a"));
        check("([[a]+)", "a[", Some("a["));
        check("([]a]+)", "]a", Some("]a"));
        check("([^]a]+)", "b[", Some("b["));
        check("([a-c-e]+)", "b-e", Some("b-e"));
        check("([+--]+)", ",-", Some(",-"));
        check("([~~]+)", "~", Some("~"));
        check(r"([\d\-x]+)", "1-x", Some("1-x"));
        check(r"([^\D]+)", "17", Some("17"));
        check(r"([\D]+)", "x", Some("x"));
        check("([[:alpha:]_]+)", "a_b", Some("a_b"));
        check("([[:^alpha:]]+)", "12", Some("12"));
        check("([[:x]+)", "[x:", Some("[x:"));
        check("(a{,2})", "a{,2}", Some("a{,2}"));
        check("(a{2})", "aa", Some("aa"));
        check("(a{1,})", "aaa", Some("aaa"));
        check("(a{ 2 })", "a{ 2 }", Some("a{ 2 }"));
        check("(a{01})", "a{01}", Some("a{01}"));
        check(r"(\x41\x{42}\103)", "ABC", Some("ABC"));
        check(r"(\a\v\_\<)", "\u{7}\u{b}_<", Some("\u{7}\u{b}_<"));
        check(r"(x\b{a})", "x{a}", Some("x{a}"));
        check("((?i)abc)", "aBC", Some("aBC"));
        check("(?i)(ß)", "ẞ", Some("ẞ"));
        check("(a+?)", "aaa", Some("aaa"));
        check("(?P<n>a)", "a", Some("a"));
        check("(?<n>a)", "a", Some("a"));
        check("((?-s).)", "\n", None);
        check("(?P<1>a)(?P<n>b)(?P<n>c)", "abc", Some("a"));
        check("((?)a)", "a", Some("a"));
        check("(]})", "]}", Some("]}"));
        check(r"(\pL+)", "aäΩ", Some("aäΩ"));
        check(r"(\pL+)", "a1", None);
        check(r"(\p{Greek}+)", "Ωμ", Some("Ωμ"));
        check(r"(\P{Greek}+)", "ab", Some("ab"));
        check(r"(\p{^Greek}+)", "Ω", None);
        check(r"([^\pN\p{Lu}_]+)", "aä", Some("aä"));
        check("((?:a{100}){10})", &"a".repeat(1000), Some(&"a".repeat(1000)));
        check("((?:a{1000}){0}b)", "b", Some("b"));
    }

    #[test]
    fn what_go_refuses_is_refused() {
        for (pattern, message) in [
            ("a(b", "unclosed group"),
            ("a)(b", "')' closes nothing"),
            ("*a", "repetition operator missing expression"),
            ("a**", "a repetition cannot be repeated"),
            ("a+?+", "a repetition cannot be repeated"),
            ("a{1001}", "a repetition of more than 1000"),
            ("a{2,1}", "invalid repetition count range, the start must be <= the end"),
            ("[a", "a class is not closed by ']'"),
            ("[z-a]", "invalid character class range, the start must be <= the end"),
            (r"[a-\d]", r"'\d' is no single character"),
            ("[[:foo:]]", "unrecognized POSIX class '[:foo:]'"),
            (r"\", r"'\' at the end"),
            (r"\y", r"unrecognized escape '\y'"),
            (r"\1", r"unrecognized escape '\1'"),
            (r"\Z", r"unrecognized escape '\Z'"),
            (r"\xZZ", r"'\x' needs two hexadecimal digits, or some in braces"),
            ("(a{100}){11}", "a repetition of more than 1000"),
            ("(?:b|(a{2,10}){20,}){6}", "a repetition of more than 1000"),
            (r"\Qa", r"'\Q' is not closed by '\E'"),
            (r"\p{greek}", r#""greek" is no Unicode class"#),
            (r"\p{", r"'\p{' is not closed"),
            (r"[\p]", r#""]" is no Unicode class"#),
            (r"\p{Nothing}", "Unicode property not found"),
            ("(?=a)", "'(?=' is not supported"),
            ("(?x)a", "'(?x' is not supported"),
            (r"(?u:\w)", "'(?u' is not supported"),
        ] {
            let found = Pattern::new(pattern).map(|_| ()).map_err(|error| error.to_string());
            assert_eq!(found, Err(message.to_owned()), "{pattern:?}");
        }
        assert!(Pattern::new(&r"\pL{1000}".repeat(3)).unwrap_err().to_string().contains("size limit"));
    }
}
