//! What a scrape of the gateway shows.

/// The text of one scrape.
#[derive(Debug, Clone)]
pub struct Scrape(String);

impl Scrape {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text as it came.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// The value behind a series, which is given as the gateway prints it:
    /// `name{label="value",other="value"}`, labels sorted by name. The order and the escaping are part of what is
    /// promised, so a test may rely on them.
    pub fn value(&self, series: &str) -> Option<f64> {
        self.0.lines().find_map(|line| {
            let value = line.strip_prefix(series)?.strip_prefix(' ')?;
            value.parse().ok()
        })
    }

    /// The same, for a series that has to be there.
    #[track_caller]
    pub fn expect(&self, series: &str) -> f64 {
        self.value(series).unwrap_or_else(|| panic!("no `{series}` in:\n{}", self.without_own()))
    }

    /// All lines of samples whose name is `name`.
    pub fn samples(&self, name: &str) -> Vec<&str> {
        let is_of = |line: &&str| {
            line.strip_prefix(name).is_some_and(|rest| rest.starts_with('{') || rest.starts_with(' '))
        };
        self.0.lines().filter(is_of).collect()
    }

    /// The sum over all series of that name whose line contains every one of `parts`, zero when there is none: for
    /// counters of the gateway of which a test knows some labels.
    pub fn sum(&self, name: &str, parts: &[&str]) -> f64 {
        self.samples(name)
            .into_iter()
            .filter(|line| parts.iter().all(|part| line.contains(part)))
            .map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap())
            .sum()
    }

    /// The text without the gateway's own metrics, and without the two times that each group has.
    pub fn without_own(&self) -> String {
        let is_own = |line: &&str| {
            let name = line.strip_prefix("# HELP ").or_else(|| line.strip_prefix("# TYPE ")).unwrap_or(line);
            ["pushgate_", "pushgateway_", "process_", "push_time_seconds", "push_failure_time_seconds"]
                .iter()
                .any(|own| name.starts_with(own))
        };
        self.0.lines().filter(|line| !is_own(line)).map(|line| format!("{line}\n")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_are_found_by_their_whole_text() {
        let scrape = Scrape::new("# TYPE a counter\na{x=\"1\"} 2\na{x=\"2\"} 3\nab 4\n");
        assert_eq!(scrape.value("a{x=\"1\"}"), Some(2.0));
        assert_eq!(scrape.value("a"), None);
        assert_eq!(scrape.samples("a"), ["a{x=\"1\"} 2", "a{x=\"2\"} 3"]);
        assert_eq!(scrape.sum("a", &["x="]), 5.0);
        assert_eq!(scrape.sum("b", &[]), 0.0);
    }
}
