//! What must be in an answer.

use std::collections::HashMap;
use std::io::Read as _;
use std::time::{SystemTime, UNIX_EPOCH};

use regex::Regex;
use serde_json::Value;

use super::protobuf;
use crate::Response;

/// One line below an answer.
#[derive(Debug)]
pub(super) enum Expectation {
    Header(String, Regex),
    NoHeader(String),
    Body(Vec<u8>),
    Somewhere(Regex),
    Nowhere(Regex),
    Line(String),
    NextLine(String),
    LaterLine(String),
    NoSeries(String),
    Keep(String, String),
    Json(String, Value),
    JsonLike(String, Regex),
    JsonNone(String),
}

/// What a scenario knows when it looks at an answer.
#[derive(Debug)]
pub(super) struct Knowledge {
    /// When it began, in seconds.
    began: f64,
    /// What it has kept.
    kept: HashMap<String, String>,
}

impl Knowledge {
    pub(super) fn new() -> Self {
        Self { began: now(), kept: HashMap::new() }
    }
}

/// How far the clock may be slewed during a scenario.
const SLEW: f64 = 2.0;

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64()
}

/// The body of an answer as a reader would see it.
pub(super) fn readable(response: &Response) -> Result<String, String> {
    let mut body = response.body.clone();
    if response.header("content-encoding") == Some("gzip") {
        // Stops after the first member, as many clients do: there must be only one.
        let mut decoder = flate2::bufread::GzDecoder::new(&response.body[..]);
        body.clear();
        decoder.read_to_end(&mut body).map_err(|error| format!("the gzip is broken: {error}"))?;
        if !decoder.into_inner().is_empty() {
            return Err("there is something behind the first member of the gzip".to_owned());
        }
    }
    if response.header("content-type").is_some_and(|kind| kind.starts_with(protobuf::CONTENT_TYPE)) {
        return protobuf::decode(&body).ok_or_else(|| "the protobuf is broken".to_owned());
    }
    Ok(String::from_utf8_lossy(&body).into_owned())
}

/// Looks for all that is expected, in the order in which it is written, and tells what is first missing.
pub(super) fn check(
    expectations: &[(usize, Expectation)],
    response: &Response,
    knowledge: &mut Knowledge,
) -> Result<(), String> {
    let text = readable(response)?;
    let mut look = Look { response, text: &text, lines: text.lines().collect(), place: 0, knowledge };
    for (line, expectation) in expectations {
        look.at(expectation).map_err(|failure| format!("line {line}: {failure}"))?;
    }
    Ok(())
}

struct Look<'r> {
    response: &'r Response,
    text: &'r str,
    lines: Vec<&'r str>,
    /// Behind the line that was found last.
    place: usize,
    knowledge: &'r mut Knowledge,
}

impl Look<'_> {
    fn at(&mut self, expectation: &Expectation) -> Result<(), String> {
        match expectation {
            Expectation::Header(name, pattern) => match self.response.header(name) {
                Some(value) if pattern.is_match(value) => Ok(()),
                value => Err(format!("the header {name} is {value:?} and not {pattern}")),
            },
            Expectation::NoHeader(name) => match self.response.header(name) {
                None => Ok(()),
                Some(value) => Err(format!("there is a header {name}: {value}")),
            },
            Expectation::Body(body) if self.response.body == *body => Ok(()),
            Expectation::Body(body) => {
                Err(format!("the body is {:?} and not {:?}", self.text, String::from_utf8_lossy(body)))
            }
            Expectation::Somewhere(pattern) if pattern.is_match(self.text) => Ok(()),
            Expectation::Somewhere(pattern) => Err(self.shown(&format!("{pattern} is nowhere"))),
            Expectation::Nowhere(pattern) if !pattern.is_match(self.text) => Ok(()),
            Expectation::Nowhere(pattern) => Err(self.shown(&format!("{pattern} is there"))),
            Expectation::Line(line) => self.line(line, 0, self.lines.len()),
            Expectation::NextLine(line) => self.line(line, self.place, self.place + 1),
            Expectation::LaterLine(line) => self.line(line, self.place, self.lines.len()),
            Expectation::NoSeries(series) => self.no_series(series),
            Expectation::Keep(name, series) => {
                let value = self.value(series).ok_or_else(|| self.shown(&format!("no `{series}`")))?;
                self.knowledge.kept.insert(name.clone(), value);
                Ok(())
            }
            Expectation::Json(pointer, expected) => match self.json()?.pointer(pointer) {
                Some(value) if value == expected => Ok(()),
                value => Err(self.shown(&format!("{pointer} is {value:?} and not {expected}"))),
            },
            Expectation::JsonLike(pointer, pattern) => {
                let json = self.json()?;
                let value = json.pointer(pointer).and_then(Value::as_str);
                if value.is_some_and(|value| pattern.is_match(value)) {
                    return Ok(());
                }
                Err(self.shown(&format!("{pointer} is {value:?} and not {pattern}")))
            }
            Expectation::JsonNone(pointer) => match self.json()?.pointer(pointer) {
                None => Ok(()),
                Some(value) => Err(format!("{pointer} is there: {value}")),
            },
        }
    }

    fn line(&mut self, expected: &str, from: usize, to: usize) -> Result<(), String> {
        let expected = self.filled(expected);
        let lines = self.lines.get(from..to.min(self.lines.len())).unwrap_or_default();
        match lines.iter().position(|line| self.is_like(line, &expected)) {
            Some(place) => {
                self.place = from + place + 1;
                Ok(())
            }
            None => Err(self.shown(&format!("no `{expected}`{}", if from > 0 { " there" } else { "" }))),
        }
    }

    /// Whether a line is the expected one, in which `<now>` and `<any>` may stand.
    fn is_like(&self, line: &str, expected: &str) -> bool {
        for mark in ["<now>", "<any>"] {
            let Some((before, after)) = expected.split_once(mark) else { continue };
            let number = line.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
            return number.and_then(|number| number.parse::<f64>().ok()).is_some_and(|number| {
                mark == "<any>" || (self.knowledge.began - SLEW..=now() + SLEW).contains(&number)
            });
        }
        line == expected
    }

    fn no_series(&self, series: &str) -> Result<(), String> {
        let series = self.filled(series);
        let is_of = |line: &&&str| {
            line.strip_prefix(&*series)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('{') || rest.starts_with(' '))
        };
        match self.lines.iter().find(is_of) {
            None => Ok(()),
            Some(line) => Err(format!("there is `{line}`")),
        }
    }

    fn value(&self, series: &str) -> Option<String> {
        let value = |line: &&str| Some(line.strip_prefix(series)?.strip_prefix(' ')?.to_owned());
        self.lines.iter().find_map(value)
    }

    fn filled(&self, text: &str) -> String {
        self.knowledge
            .kept
            .iter()
            .fold(text.to_owned(), |text, (name, value)| text.replace(&format!("<{name}>"), value))
    }

    fn json(&self) -> Result<Value, String> {
        serde_json::from_str(self.text).map_err(|error| self.shown(&format!("no JSON ({error})")))
    }

    /// A failure, and the body without what every process tells about itself.
    fn shown(&self, failure: &str) -> String {
        let is_own = |line: &&str| {
            let name = line.strip_prefix("# HELP ").or_else(|| line.strip_prefix("# TYPE ")).unwrap_or(line);
            ["go_", "process_", "pushgate"].iter().any(|own| name.starts_with(own))
                || ["family { name: \"go_", "family { name: \"process_"]
                    .iter()
                    .any(|own| name.starts_with(own))
        };
        let lines: Vec<&str> = self.lines.iter().copied().filter(|line| !is_own(line)).take(40).collect();
        format!("{failure} in\n      {}", lines.join("\n      "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_text(text: &str, expectations: Vec<Expectation>) -> Result<(), String> {
        let headers = vec![("a".to_owned(), "b".to_owned())];
        let response = Response { status: 200, headers, body: text.as_bytes().to_vec() };
        let expectations: Vec<_> = expectations.into_iter().map(|expectation| (7, expectation)).collect();
        check(&expectations, &response, &mut Knowledge::new())
    }

    #[test]
    fn lines_are_found_where_they_should_be() {
        use Expectation::{Keep, LaterLine, Line, NextLine, NoSeries};
        let text = format!("a 1\nb{{x=\"1\"}} 2\nc {}\n", now());
        let line = |text: &str| text.to_owned();
        for (rule, expectations, holds) in [
            ("in any order", vec![Line(line("b{x=\"1\"} 2")), Line(line("a 1"))], true),
            ("as a whole", vec![Line(line("a"))], false),
            ("below", vec![Line(line("a 1")), NextLine(line("b{x=\"1\"} 2"))], true),
            ("not directly below", vec![Line(line("a 1")), NextLine(line("c <now>"))], false),
            ("later", vec![Line(line("a 1")), LaterLine(line("c <now>"))], true),
            ("not later", vec![Line(line("c <any>")), LaterLine(line("a 1"))], false),
            ("no time of now", vec![Line(line("a <now>"))], false),
            ("a value that is kept", vec![Keep(line("v"), line("a")), Line(line("a <v>"))], true),
            ("a value that is not", vec![Keep(line("v"), line("a")), NoSeries(line("a <v>"))], false),
            ("no such series", vec![NoSeries(line("x")), NoSeries(line("b{"))], true),
            ("the series is there", vec![NoSeries(line("b"))], false),
        ] {
            let checked = check_text(&text, expectations);
            assert_eq!(checked.is_ok(), holds, "{rule}: {checked:?}");
        }
    }

    #[test]
    fn places_in_json_are_looked_up() {
        use Expectation::{Json, JsonLike, JsonNone};
        let pointer = || "/a/0".to_owned();
        for (rule, text, expectation, holds) in [
            ("a value", "{\"a\":[\"x\"]}", Json(pointer(), "x".into()), true),
            ("another value", "{\"a\":[1]}", Json(pointer(), "x".into()), false),
            ("a pattern", "{\"a\":[\"xyz\"]}", JsonLike(pointer(), Regex::new("y").unwrap()), true),
            ("none", "{\"a\":[]}", JsonNone(pointer()), true),
            ("no JSON", "a", JsonNone(pointer()), false),
        ] {
            assert_eq!(check_text(text, vec![expectation]).is_ok(), holds, "{rule}");
        }
    }
}
