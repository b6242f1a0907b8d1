//! What Prometheus stores of a pushed series, with `honor_labels` and without.
//! <https://prometheus.io/docs/prometheus/latest/configuration/configuration/#scrape_config>

use std::collections::BTreeMap;
use std::fmt;

use pushgate_plugin::{Push, Series};

/// What Prometheus puts before the name of a pushed label that is one of its target's, too.
const EXPORTED: &str = "exported_";

/// How many characters of a value are shown.
const SHOWN: usize = 80;

/// The labels of a series as Prometheus stores them; shown as part of a message.
#[derive(Debug)]
pub(crate) struct Preview<'p> {
    name: &'p str,
    honored: Labels,
    renamed: Labels,
}

/// Labels by name, none of them without a value.
#[derive(Clone, Debug)]
struct Labels(BTreeMap<String, String>);

impl<'p> Preview<'p> {
    pub(crate) fn new(push: &'p Push, series: Series<'p>, target: &BTreeMap<String, String>) -> Self {
        let mut exposed: BTreeMap<&str, &str> =
            push.grouping().map(|label| (label.name(), label.value())).collect();
        exposed.extend(series.labels().map(|label| (label.name(), label.value())));
        // The gateway adds it, so that the target's does not get there.
        exposed.entry("instance").or_insert("");
        Self {
            name: series.family().name(),
            honored: Labels::honored(&exposed, target),
            renamed: Labels::renamed(&exposed, target),
        }
    }
}

impl Labels {
    fn of(exposed: &BTreeMap<&str, &str>) -> Self {
        let has_value = exposed.iter().filter(|(_, value)| !value.is_empty());
        Self(has_value.map(|(&name, &value)| (name.to_owned(), value.to_owned())).collect())
    }

    /// With `honor_labels: true`: what was pushed stays, and without a value keeps the target's label away.
    fn honored(exposed: &BTreeMap<&str, &str>, target: &BTreeMap<String, String>) -> Self {
        let mut stored = Self::of(exposed);
        for (name, value) in target.iter().filter(|(name, _)| !exposed.contains_key(name.as_str())) {
            stored.0.insert(name.clone(), value.clone());
        }
        stored
    }

    /// With `honor_labels: false`: what was pushed makes room for the target's labels, the shortest name first.
    fn renamed(exposed: &BTreeMap<&str, &str>, target: &BTreeMap<String, String>) -> Self {
        let mut stored = Self::of(exposed);
        let mut replaced = Vec::new();
        for (name, value) in target {
            replaced.extend(stored.0.insert(name.clone(), value.clone()).map(|value| (name, value)));
        }
        replaced.sort_by_key(|(name, _)| name.len());
        for (name, value) in replaced {
            let mut name = format!("{EXPORTED}{name}");
            while stored.0.contains_key(&name) {
                name.insert_str(0, EXPORTED);
            }
            stored.0.insert(name, value);
        }
        stored
    }
}

impl fmt::Display for Preview<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, honored, renamed } = self;
        write!(f, "Prometheus stores {name}{honored} with honor_labels: true, {name}{renamed} with false")
    }
}

/// As in exposition text, but that long values are cut: there is one line for both.
impl fmt::Display for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (index, (name, value)) in self.0.iter().enumerate() {
            let glue = if index == 0 { "" } else { "," };
            let (shown, cut) = match value.char_indices().nth(SHOWN) {
                Some((end, _)) => (&value[..end], "…"),
                None => (value.as_str(), ""),
            };
            let shown = shown.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            write!(f, "{glue}{name}=\"{shown}{cut}\"")?;
        }
        f.write_str("}")
    }
}
