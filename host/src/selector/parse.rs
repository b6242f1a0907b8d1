//! Reads `{name="value", ...}` by the rules of PromQL, comments and blanks included.

use super::quoted::{self, BadString};
use super::regex;
use super::{MAX_LENGTH, MAX_MATCHERS, Matcher, Value};

/// Characters of a selector that are told.
const TOLD: usize = 80;

/// Why a text is no selector.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the selector {selector:?} is wrong at character {at}: {problem}")]
pub struct ParseError {
    /// The selector, or its beginning.
    pub selector: String,
    /// Where, from 1.
    pub at: usize,
    /// What.
    pub problem: Problem,
}

/// What is wrong with a selector.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum Problem {
    #[error("it has more than {MAX_LENGTH} bytes")]
    TooLong,
    #[error("it has more than {MAX_MATCHERS} matchers")]
    TooManyMatchers,
    #[error("expected {expected}, found {found}")]
    Unexpected { expected: &'static str, found: String },
    #[error("a group has no metric name; select by its labels, such as {{job=\"x\"}}")]
    MetricName,
    #[error("the string {0}")]
    String(#[from] BadString),
    #[error("{0}")]
    Regex(String),
}

pub(super) fn matchers(text: &str) -> Result<Vec<Matcher>, ParseError> {
    let mut reader = Reader { text, at: 0 };
    let read = if text.len() > MAX_LENGTH { Err(Problem::TooLong) } else { reader.selector() };
    read.map_err(|problem| ParseError {
        selector: text.chars().take(TOLD).collect(),
        at: text.get(..reader.at).unwrap_or_default().chars().count() + 1,
        problem,
    })
}

struct Reader<'t> {
    text: &'t str,
    /// Bytes that were read.
    at: usize,
}

impl<'t> Reader<'t> {
    fn selector(&mut self) -> Result<Vec<Matcher>, Problem> {
        self.skip_blanks();
        if self.rest().starts_with(|first: char| first.is_ascii_alphabetic() || "_:".contains(first)) {
            return Err(Problem::MetricName);
        }
        if !self.take("{") {
            return Err(self.unexpected("'{'"));
        }
        let mut matchers = Vec::new();
        self.skip_blanks();
        while !self.take("}") {
            if matchers.len() == MAX_MATCHERS {
                return Err(Problem::TooManyMatchers);
            }
            matchers.push(self.matcher()?);
            self.skip_blanks();
            if !self.take(",") && !self.rest().starts_with('}') {
                return Err(self.unexpected("',' or '}'"));
            }
            self.skip_blanks();
        }
        self.skip_blanks();
        if self.rest().is_empty() { Ok(matchers) } else { Err(self.unexpected("nothing behind '}'")) }
    }

    fn matcher(&mut self) -> Result<Matcher, Problem> {
        let begin = self.at;
        let label = self.label()?;
        self.skip_blanks();
        let operators = [("=~", true, false), ("!~", true, true), ("!=", false, true), ("=", false, false)];
        let found = operators.into_iter().find(|(text, ..)| self.take(text));
        let Some((_, is_pattern, is_negated)) = found else {
            return Err(self.unexpected("'=', '!=', '=~' or '!~'"));
        };
        self.skip_blanks();
        let value = self.string()?;
        let value = if is_pattern {
            Value::Like(
                regex::pattern(&value).map_err(|problem| self.back_to(begin, Problem::Regex(problem)))?,
            )
        } else {
            Value::Exactly(value)
        };
        Ok(Matcher { label, is_negated, value })
    }

    /// A name, in quotes if it is not a classic one.
    fn label(&mut self) -> Result<String, Problem> {
        let begin = self.at;
        let label = if self.rest().starts_with(['"', '\'', '`']) {
            let label = String::from_utf8(self.string()?);
            let label = label.map_err(|_| self.back_to(begin, BadString::NotUtf8.into()))?;
            self.skip_blanks();
            if self.rest().starts_with([',', '}']) {
                return Err(self.back_to(begin, Problem::MetricName));
            }
            label
        } else {
            let is_part = |part: char| part.is_ascii_alphanumeric() || part == '_';
            let length = self.rest().find(|part| !is_part(part)).unwrap_or(self.rest().len());
            let (name, _) = self.rest().split_at(length);
            if name.is_empty() || name.starts_with(|first: char| first.is_ascii_digit()) {
                return Err(self.unexpected("the name of a label or '}'"));
            }
            self.at += length;
            name.to_owned()
        };
        if label == "__name__" { Err(self.back_to(begin, Problem::MetricName)) } else { Ok(label) }
    }

    fn string(&mut self) -> Result<Vec<u8>, Problem> {
        if !self.rest().starts_with(['"', '\'', '`']) {
            return Err(self.unexpected("a string in quotes"));
        }
        let (value, length) = quoted::read(self.rest())?;
        self.at += length;
        Ok(value)
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn take(&mut self, token: &str) -> bool {
        let is_there = self.rest().starts_with(token);
        self.at += if is_there { token.len() } else { 0 };
        is_there
    }

    /// Blanks, and comments to the end of their line.
    fn skip_blanks(&mut self) {
        loop {
            let rest = self.rest().trim_start_matches([' ', '\t', '\n', '\r']);
            self.at = self.text.len() - rest.len();
            if !rest.starts_with('#') {
                return;
            }
            self.at += rest.find('\n').unwrap_or(rest.len());
        }
    }

    fn back_to(&mut self, at: usize, problem: Problem) -> Problem {
        self.at = at;
        problem
    }

    fn unexpected(&self, expected: &'static str) -> Problem {
        let found = self.rest().chars().next();
        let found = found.map_or_else(|| "the end".to_owned(), |found| format!("'{}'", found.escape_debug()));
        Problem::Unexpected { expected, found }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::selector::Selector;

    /// What Prometheus 2.42 answers to `/api/v1/series?match[]=`, other than that it demands something of each selector. A
    /// test end to end asks a real one about these.
    #[test]
    fn what_is_legal_is_read() {
        for text in [
            "{}",
            " { job = \"x\" , a != \"y\" } ",
            "{job=\"x\",}",
            "{job='x'}",
            "{job=`x`}",
            "{job=`a\nb\\q`}",
            "{job=\"x\"} # c",
            "{job=\"x\" # c\n}",
            "# c\n{job=\"x\"}\t\r\n",
            "{job =~ \"x\"}",
            "{job=\"\"}",
            "{on=\"x\",sum=\"y\",_=\"z\",__x__=\"\"}",
            "{job=\"x\",job=\"y\"}",
            "{job=\"ä\"}",
            r#"{job=~"(?i)x|\\d+"}"#,
            // Prometheus 3 has these.
            "{\"a.b\"=\"x\"}",
            "{'ä'!=\"x\",`a`=~\"x\"}",
        ] {
            assert!(Selector::parse(text).is_ok(), "{text}: {:?}", Selector::parse(text).err());
        }
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        for (text, at, expected) in [
            ("", 1, "expected '{', found the end"),
            ("(", 1, "expected '{', found '('"),
            ("{job=\"x\"", 9, "expected ',' or '}', found the end"),
            ("{", 2, "expected the name of a label or '}', found the end"),
            ("{,}", 2, "expected the name of a label or '}', found ','"),
            ("{job=\"x\",,}", 10, "expected the name of a label or '}', found ','"),
            ("{job=\"x\" a=\"b\"}", 10, "expected ',' or '}', found 'a'"),
            ("{job=\"x\"}[5m]", 10, "expected nothing behind '}', found '['"),
            ("{job=\"x\"}{a=\"b\"}", 10, "expected nothing behind '}', found '{'"),
            ("{job==\"x\"}", 6, "expected a string in quotes, found '='"),
            ("{job= ~\"x\"}", 7, "expected a string in quotes, found '~'"),
            ("{job=x}", 6, "expected a string in quotes, found 'x'"),
            ("{job~\"x\"}", 5, "expected '=', '!=', '=~' or '!~', found '~'"),
            ("{job!\"x\"}", 5, "expected '=', '!=', '=~' or '!~', found '!'"),
            ("{a-b=\"x\"}", 3, "expected '=', '!=', '=~' or '!~', found '-'"),
            ("{1a=\"x\"}", 2, "expected the name of a label or '}', found '1'"),
            ("{ä=\"x\"}", 2, "expected the name of a label or '}', found 'ä'"),
            ("{\u{a0}job=\"x\"}", 2, "expected the name of a label or '}', found '\\u{a0}'"),
            ("up", 1, "a group has no metric name; select by its labels, such as {job=\"x\"}"),
            ("a:b{job=\"x\"}", 1, "a group has no metric name; select by its labels, such as {job=\"x\"}"),
            ("{\"up\"}", 2, "a group has no metric name; select by its labels, such as {job=\"x\"}"),
            (
                "{a=\"\",__name__=\"up\"}",
                7,
                "a group has no metric name; select by its labels, such as {job=\"x\"}",
            ),
            ("{job=\"x}", 6, "the string has no end"),
            ("{\"\\xff\"=\"x\"}", 2, "the string is not UTF-8, which the name of a label is"),
            ("{job=~\"(\"}", 2, "'(' is not a regular expression: unclosed group"),
            ("{ä", 2, "expected the name of a label or '}', found 'ä'"),
        ] {
            let error = Selector::parse(text).unwrap_err();
            assert_eq!((error.at, &*error.problem.to_string()), (at, expected), "{text}");
        }
        let told = Selector::parse("{job}").unwrap_err().to_string();
        assert_eq!(
            told,
            "the selector \"{job}\" is wrong at character 5: expected '=', '!=', '=~' or '!~', found '}'"
        );
    }

    #[test]
    fn bounds_hold() {
        let long = |length: usize| format!("{{job=\"{}\"}}", "x".repeat(length - 8));
        assert!(Selector::parse(&long(MAX_LENGTH)).is_ok());
        let error = Selector::parse(&long(MAX_LENGTH + 1)).unwrap_err();
        assert_eq!((error.problem, error.selector.len()), (Problem::TooLong, TOLD));
        let many = |count: usize| format!("{{{}}}", "a=\"\",".repeat(count));
        assert!(Selector::parse(&many(MAX_MATCHERS)).is_ok());
        assert_eq!(Selector::parse(&many(MAX_MATCHERS + 1)).unwrap_err().problem, Problem::TooManyMatchers);
    }

    proptest! {
        #[test]
        fn nothing_panics(text in "[{}=!~,#\"'`\\\\a-c(\\[\nä ]{0,20}") {
            let _ = Selector::parse(&text);
        }

        #[test]
        fn a_value_in_quotes_is_that_value(value in ".{0,20}") {
            // How Rust writes a string, PromQL reads it, braces of escapes apart.
            let plain = value.chars().all(|c| !c.is_control() && !['\u{200b}', '\u{feff}'].contains(&c));
            prop_assume!(plain && !value.contains(['`']) );
            let escaped = value.replace('\\', "\\\\").replace('"', "\\\"");
            let key = pushgate_exposition::GroupingKey::with_names(
                [("job", "j"), ("l", &value)],
                pushgate_exposition::Names::Utf8,
            ).unwrap();
            for text in [format!("{{l=\"{escaped}\"}}"), format!("{{l=`{value}`}}")] {
                prop_assert!(Selector::parse(&text).unwrap().selects(&key), "{}", text);
            }
        }
    }
}
