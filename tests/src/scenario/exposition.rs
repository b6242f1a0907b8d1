//! Whether a scrape is one that Prometheus takes, as a whole.

use std::collections::HashSet;

use regex::Regex;

/// Tells the first thing that is wrong with a text exposition.
pub(super) fn check(text: &str) -> Result<(), String> {
    let name = r#"(?:[a-zA-Z_:][a-zA-Z0-9_:]*|"(?:[^"\\]|\\.)+")"#;
    let label = r#"(?:[a-zA-Z_][a-zA-Z0-9_]*|"(?:[^"\\]|\\.)+")="(?:[^"\\]|\\["\\n])*""#;
    let quoted = r#""(?:[^"\\]|\\.)+""#;
    let pattern = format!(
        r"^(?:# HELP {name} .*|# TYPE ({name}) (?:counter|gauge|summary|untyped|histogram)|((?:{name}(?:\{{{label}(?:,{label})*\}})?|\{{{quoted}(?:,{label})*\}})) (?:[0-9.e+-]+|[+-]Inf|NaN))$"
    );
    let line_pattern = Regex::new(&pattern).expect("the pattern is one");
    if !text.ends_with('\n') {
        return Err("the scrape does not end in a line feed".to_owned());
    }
    let mut seen = HashSet::new();
    for line in text.lines() {
        let captures =
            line_pattern.captures(line).ok_or_else(|| format!("`{line}` is no line of an exposition"))?;
        for (group, what) in [(1, "family"), (2, "series")] {
            if let Some(name) = captures.get(group)
                && !seen.insert((what, name.as_str()))
            {
                return Err(format!("the {what} {} is there twice", name.as_str()));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expositions_are_told_from_other_texts() {
        for (text, legal) in [
            ("# HELP a \n# TYPE a gauge\na 1\na{x=\"\\\"1\\\\\\n\",y=\"ä}\"} +Inf\n", true),
            ("# TYPE \"a.b\" counter\n{\"a.b\",l=\"v\",\"l.m\"=\"v\"} 1e-05\n", true),
            ("", false),
            ("a 1", false),
            ("a 1 1700000000000\n", false),
            ("a{x=\"1\"y=\"2\"} 1\n", false),
            ("a{x=\"\\q\"} 1\n", false),
            ("a 1\n\nb 1\n", false),
            ("a 1\na 2\n", false),
            ("# TYPE a gauge\na 1\n# TYPE a gauge\n", false),
            ("An error has occurred\n", false),
        ] {
            assert_eq!(check(text).is_ok(), legal, "{text}");
        }
    }
}
