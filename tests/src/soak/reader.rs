//! What a scrape shows, as somebody else's parser reads it.

use std::collections::BTreeMap;

use prometheus_parse::Value;

use super::body;

/// What a scrape shows of the groups of a soak.
#[derive(Debug, Default)]
pub(super) struct Seen(BTreeMap<usize, Lines>);

/// The lines of one group.
#[derive(Debug, Default)]
struct Lines {
    first: Vec<f64>,
    second: BTreeMap<String, Vec<f64>>,
    push_times: Vec<f64>,
}

impl Seen {
    /// Reads a scrape in text.
    ///
    /// # Errors
    /// When it is none, or shows what nobody has pushed with success.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let lines = text.lines().map(|line| Ok(line.to_owned()));
        let scrape = prometheus_parse::Scrape::parse(lines).map_err(|error| error.to_string())?;
        let mut seen = Self::default();
        for sample in scrape.samples {
            let label = |name: &str| sample.labels.get(name).unwrap_or_default();
            let value = match sample.value {
                Value::Gauge(value) => value,
                _ if [body::FIRST, body::SECOND].contains(&&*sample.metric) => {
                    return Err(format!("{} is no gauge", sample.metric));
                }
                _ => continue,
            };
            if sample.metric == "soak_third"
                || sample.metric == "pushgate_own"
                || label("job") == "hostile" && is_pushed(&sample.metric)
            {
                return Err(format!("{}{{{}}} was refused, and is shown", sample.metric, sample.labels));
            }
            let Ok(group) = label("group").parse() else { continue };
            let lines = seen.0.entry(group).or_default();
            match &*sample.metric {
                body::FIRST => lines.first.push(value),
                body::SECOND => lines.second.entry(label("part").to_owned()).or_default().push(value),
                "push_time_seconds" => lines.push_times.push(value),
                _ => {}
            }
        }
        Ok(seen)
    }

    /// The number that all lines of a group have; nothing if there are none.
    ///
    /// # Errors
    /// When it is not there as a whole.
    pub(super) fn number(&self, group: usize) -> Result<Option<u64>, String> {
        let Some(lines) = self.0.get(&group) else { return Ok(None) };
        match (&lines.first[..], &lines.push_times[..]) {
            // A group that was only ever refused has times, too.
            ([], [_]) if lines.second.is_empty() => return Ok(None),
            ([first], [pushed]) if *pushed > 0.0 => {
                let is_whole =
                    lines.second.len() == body::PARTS && lines.second.values().all(|part| part == &[*first]);
                if is_whole {
                    return Ok(Some(*first as u64));
                }
            }
            _ => {}
        }
        Err(format!("it is not there as a whole: {lines:?}"))
    }
}

fn is_pushed(name: &str) -> bool {
    name.starts_with("soak_")
}

#[cfg(test)]
mod tests {
    use super::super::body::PARTS;
    use super::*;

    fn group(number: usize, value: u64) -> String {
        let mut text =
            format!("soak_first{{group=\"{number}\"}} {value}\npush_time_seconds{{group=\"{number}\"}} 5\n");
        for part in 0..PARTS {
            text += &format!("soak_second{{group=\"{number}\",part=\"{part}\"}} {value}\n");
        }
        let types = ["soak_first", "soak_second", "push_time_seconds", "push_failure_time_seconds"];
        types.map(|name| format!("# TYPE {name} gauge\n")).concat() + &text
    }

    #[test]
    fn a_group_is_whole_or_is_found_out() {
        let whole = group(3, 7);
        let cases = [
            ("whole", whole.clone(), Ok(Some(7))),
            ("of another", group(4, 7), Ok(None)),
            ("a part that is missing", whole.replace(",part=\"5\"} 7", ",part=\"4\"} 7"), Err(())),
            ("a part of another push", whole.replace("part=\"5\"} 7", "part=\"5\"} 6"), Err(())),
            ("no first family", whole.replace("soak_first{", "other{"), Err(())),
            ("no push time", whole.replace("push_time_seconds{", "other{"), Err(())),
            ("twice", whole.clone() + "soak_first{group=\"3\"} 7\n", Err(())),
        ];
        for (rule, text, expected) in cases {
            let read = Seen::read(&text).unwrap().number(3);
            assert_eq!(read.map_err(drop), expected, "{rule}");
        }
        assert!(Seen::read(&whole.replace("soak_first gauge", "soak_first counter")).is_err());
        let refused = "# TYPE soak_third gauge\nsoak_third{group=\"3\"} 1\n";
        assert!(Seen::read(&(whole + refused)).unwrap_err().contains("was refused"));
    }
}
