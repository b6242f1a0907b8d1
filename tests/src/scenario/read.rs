//! Files of scenarios. Whatever is wrong in one is told with its line.

use super::body::unescape;
use super::expectation::Expectation;
use super::{Action, Answer, Exchange, Kind, Mistake, Process, Scenario, Step};

/// A line and its number.
type Line<'t> = (usize, &'t str);

/// The scenarios of a file, in its order.
pub(super) fn read(text: &str) -> Result<Vec<Scenario>, Mistake> {
    let mut scenarios = Vec::new();
    let mut flags: Vec<String> = Vec::new();
    let mut current: Option<Draft<'_>> = None;
    for (index, line) in text.lines().enumerate() {
        let line = (index + 1, line.trim_end());
        if line.1.is_empty() || line.1.starts_with('#') {
            continue;
        }
        if let Some(rest) = word(line.1, "flags") {
            finish(current.take(), &mut scenarios)?;
            flags = rest.split_whitespace().map(str::to_owned).collect();
        } else if let Some(title) = line.1.strip_prefix("== ") {
            finish(current.take(), &mut scenarios)?;
            current = Some(Draft::new((line.0, title.trim()), flags.clone()));
        } else if let Some(draft) = &mut current {
            draft.add(line)?;
        } else {
            return Err(Mistake::new(line.0, "a scenario begins with `== ` and a title"));
        }
    }
    finish(current, &mut scenarios)?;
    Ok(scenarios)
}

fn finish(draft: Option<Draft<'_>>, scenarios: &mut Vec<Scenario>) -> Result<(), Mistake> {
    if let Some(draft) = draft {
        scenarios.extend(draft.finish()?);
    }
    Ok(())
}

/// What follows a word at the beginning of a line.
fn word<'t>(line: &'t str, word: &str) -> Option<&'t str> {
    let rest = line.strip_prefix(word)?;
    (rest.is_empty() || rest.starts_with(' ')).then(|| rest.trim())
}

/// A scenario whose end is not reached yet. Its steps stay text until then: the table behind them goes into them.
struct Draft<'t> {
    title: Line<'t>,
    flags: Vec<String>,
    process: Process,
    only: Option<Kind>,
    steps: Vec<Line<'t>>,
    columns: Option<Vec<&'t str>>,
    rows: Vec<(usize, Vec<&'t str>)>,
}

impl<'t> Draft<'t> {
    fn new(title: Line<'t>, flags: Vec<String>) -> Self {
        let process = Process::Shared;
        Self { title, flags, process, only: None, steps: Vec::new(), columns: None, rows: Vec::new() }
    }

    fn add(&mut self, line: Line<'t>) -> Result<(), Mistake> {
        let cells = |text: &'t str| text.split(" | ").map(str::trim).collect::<Vec<_>>();
        if let Some(columns) = &self.columns {
            let row = cells(line.1);
            if row.len() != columns.len() {
                let message = format!("{} cells in a table of {} columns", row.len(), columns.len());
                return Err(Mistake::new(line.0, message));
            }
            self.rows.push((line.0, row));
        } else if let Some(columns) = word(line.1, "where") {
            self.columns = Some(cells(columns));
        } else if line.1 == "fresh" {
            self.process = Process::Fresh;
        } else if let Some(only) = word(line.1, "only") {
            self.only = Some(match only.split_once(": ") {
                Some(("pushgate", _)) => Kind::Pushgate,
                Some(("original", _)) => Kind::Original,
                _ => {
                    return Err(Mistake::new(
                        line.0,
                        "expected `only pushgate: ` or `only original: `, and why",
                    ));
                }
            });
        } else {
            self.steps.push(line);
        }
        Ok(())
    }

    /// The scenario, or one for each row of its table.
    fn finish(self) -> Result<Vec<Scenario>, Mistake> {
        let rows = match &self.columns {
            None => vec![(self.title.0, Vec::new())],
            Some(_) if self.rows.is_empty() => {
                return Err(Mistake::new(self.title.0, "its table has no rows"));
            }
            Some(_) => self.rows.clone(),
        };
        let columns = self.columns.clone().unwrap_or_default();
        let scenario = |(line, row): (usize, Vec<&str>)| {
            let replace = |text: &str| {
                columns
                    .iter()
                    .zip(&row)
                    .fold(text.to_owned(), |text, (column, cell)| text.replace(&format!("<{column}>"), cell))
            };
            let lines: Vec<(usize, String)> =
                self.steps.iter().map(|(line, text)| (*line, replace(text))).collect();
            let cells = if row.is_empty() { String::new() } else { format!(": {}", row.join(" | ")) };
            Ok(Scenario {
                line,
                title: format!("{}{cells}", self.title.1),
                flags: self.flags.clone(),
                process: self.process,
                only: self.only,
                steps: steps(&lines, self.title.0)?,
            })
        };
        rows.into_iter().map(scenario).collect()
    }
}

fn steps(lines: &[(usize, String)], title: usize) -> Result<Vec<Step>, Mistake> {
    let mut steps: Vec<Step> = Vec::new();
    for (number, line) in lines {
        let number = *number;
        if let Some(action) = begin(line) {
            steps.push(Step { line: number, action });
            continue;
        }
        let Some(Step { action: Action::Exchange(exchange) | Action::Scrape(exchange), .. }) =
            steps.last_mut()
        else {
            return Err(Mistake::new(number, format!("`{line}` belongs to no request")));
        };
        add(exchange, number, line).map_err(|message| Mistake::new(number, message))?;
    }
    for step in &steps {
        if let Action::Exchange(exchange) = &step.action
            && exchange.answers.is_empty()
        {
            return Err(Mistake::new(step.line, "the request has no `-> STATUS`"));
        }
    }
    if steps.is_empty() {
        return Err(Mistake::new(title, "the scenario has no steps"));
    }
    Ok(steps)
}

/// The step that a line begins, if it begins one.
fn begin(line: &str) -> Option<Action> {
    if let Some(path) = word(line, "scrape") {
        let path = if path.is_empty() { "/metrics" } else { path };
        let request = format!("GET {path} HTTP/1.1");
        let answers = vec![Answer::Status(200)];
        return Some(Action::Scrape(Exchange { request, answers, ..Exchange::default() }));
    }
    match line {
        "unharmed" => return Some(Action::Unharmed),
        "ended" => return Some(Action::Ended),
        _ => {}
    }
    let (method, target) = line.split_once(' ')?;
    if method.len() < 3 || !method.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return None;
    }
    let version = if target.ends_with(" HTTP/1.0") { "" } else { " HTTP/1.1" };
    Some(Action::Exchange(Exchange { request: format!("{line}{version}"), ..Exchange::default() }))
}

fn add(exchange: &mut Exchange, number: usize, line: &str) -> Result<(), String> {
    if let Some(answers) = line.strip_prefix("-> ") {
        exchange.answers = answers.split(" or ").map(answer).collect::<Result<_, _>>()?;
        return Ok(());
    }
    if !exchange.answers.is_empty() {
        exchange.expectations.push((number, expectation(line)?));
        return Ok(());
    }
    if exchange.body.read(line)? {
        return Ok(());
    }
    let (name, value) = header(line).ok_or_else(|| format!("`{line}` is nothing that a request has"))?;
    exchange.headers.push((name.to_owned(), value.to_owned()));
    Ok(())
}

fn answer(text: &str) -> Result<Answer, String> {
    if text == "closed" {
        return Ok(Answer::Closed);
    }
    text.parse().map(Answer::Status).map_err(|_| format!("`{text}` is no status"))
}

fn header(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once(':')?;
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    is_name.then_some((name, value.trim()))
}

fn expectation(line: &str) -> Result<Expectation, String> {
    let (mark, rest) = line.split_once(' ').unwrap_or((line, ""));
    Ok(match mark {
        "=" => Expectation::Body(unescape(rest)?),
        "~" => Expectation::Somewhere(regex(rest)?),
        "!~" => Expectation::Nowhere(regex(rest)?),
        "+" => Expectation::Line(rest.to_owned()),
        ">" => Expectation::NextLine(rest.to_owned()),
        ">>" => Expectation::LaterLine(rest.to_owned()),
        "-" => Expectation::NoSeries(rest.to_owned()),
        "no" => Expectation::NoHeader(rest.to_ascii_lowercase()),
        "keep" => {
            let (name, series) = rest.split_once(' ').ok_or("expected `keep NAME series`")?;
            Expectation::Keep(name.to_owned(), series.to_owned())
        }
        "json" => {
            let (pointer, value) = rest.split_once(' ').ok_or("expected `json /pointer VALUE`")?;
            let pointer = pointer.to_owned();
            if value == "none" {
                Expectation::JsonNone(pointer)
            } else if let Some(pattern) = value.strip_prefix("~ ") {
                Expectation::JsonLike(pointer, regex(pattern)?)
            } else {
                let value = serde_json::from_str(value).map_err(|error| format!("`{value}`: {error}"))?;
                Expectation::Json(pointer, value)
            }
        }
        _ => {
            let (name, value) = header(line).ok_or_else(|| format!("`{line}` is nothing to expect"))?;
            let pattern = match value.strip_prefix("~ ") {
                Some(pattern) => format!("^(?:{pattern})$"),
                None => format!("^{}$", regex::escape(value)),
            };
            Expectation::Header(name.to_ascii_lowercase(), regex(&pattern)?)
        }
    })
}

fn regex(pattern: &str) -> Result<regex::Regex, String> {
    regex::Regex::new(pattern).map_err(|error| format!("`{pattern}`: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_become_scenarios_and_flags_hold_on() {
        let text = "== One\nGET /\n-> 200 or 204\nflags --a --b\n# why\n== Two\nPUT /<p>\n| m <v>\n-> 200\n+ m <v>\nwhere p | v\n x | 1\n y | 2\n";
        let scenarios = read(text).unwrap();
        let told: Vec<_> = scenarios.iter().map(|s| (s.line, s.title.as_str(), s.flags.len())).collect();
        assert_eq!(told, [(1, "One", 0), (12, "Two: x | 1", 2), (13, "Two: y | 2", 2)]);
        let Action::Exchange(exchange) = &scenarios[2].steps[0].action else { panic!("no exchange") };
        assert_eq!(exchange.request, "PUT /y HTTP/1.1");
        assert!(matches!(&exchange.expectations[..], [(10, Expectation::Line(line))] if line == "m 2"));
    }

    #[test]
    fn mistakes_are_told_with_their_line() {
        for (text, line, part) in [
            ("GET /\n", 1, "begins with"),
            ("== A\n", 1, "no steps"),
            ("== A\n\n| m 1\n", 3, "belongs to no request"),
            ("== A\nGET /\n", 2, "has no `-> STATUS`"),
            ("== A\nGET /\n-> fine\n", 3, "no status"),
            ("== A\nGET /\n-> 200\n?\n", 4, "nothing to expect"),
            ("== A\nGET /\n-> 200\n~ (\n", 4, "("),
            ("== A\nGET /\n?\n-> 200\n", 3, "nothing that a request has"),
            ("== A\nGET /\nencode lzma\n-> 200\n", 3, "lzma"),
            ("== A\nonly me\n", 2, "and why"),
            ("== A\nGET /\n-> 200\nwhere a | b\n", 1, "no rows"),
            ("== A\nGET /\n-> 200\nwhere a | b\n x\n", 5, "1 cells"),
        ] {
            let mistake = read(text).expect_err(text);
            assert_eq!(mistake.line, line, "{text}: {mistake:?}");
            assert!(mistake.message.contains(part), "{text}: {mistake:?}");
        }
    }
}
