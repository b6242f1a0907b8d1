//! Counters of the plugin's own, among the gateway's metrics. Needs the grant `metrics`.

/// A counter. The gateway shows it as `pushgate_plugin_counter_<name>_total`, with the policy's name as the label
/// `plugin`. The manifest must declare it; counting another one is a fault.
///
/// The gateway bounds how many distinct values of labels it keeps, so a label that anybody can fill with anything, such
/// as a job's name, is better left out.
///
/// ```
/// use pushgate_plugin::{Counter, Manifest, testing};
///
/// const SERIES: Counter = Counter::new("series", "Series that were judged, by method.", &["method"]);
/// const MANIFEST: Manifest = Manifest::new("team", "1.0.0", "Every series has an owner.").counters(&[SERIES]);
///
/// SERIES.add(&["put"], 3);
/// SERIES.add(&["put"], 2);
/// assert_eq!(testing::counted(&SERIES, &["put"]), 5);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Counter {
    pub(crate) name: &'static str,
    pub(crate) help: &'static str,
    pub(crate) labels: &'static [&'static str],
}

impl Counter {
    /// A counter. `name` is snake_case, without a prefix and without `_total`; `help` is one line for people.
    ///
    /// ```
    /// # use pushgate_plugin::Counter;
    /// const RENAMED: Counter = Counter::new("renamed", "Labels that were renamed.", &[]);
    /// ```
    pub const fn new(name: &'static str, help: &'static str, labels: &'static [&'static str]) -> Self {
        Self { name, help, labels }
    }

    /// Adds to it, for these values of its labels in the order in which they were declared.
    ///
    /// # Panics
    /// Natively, when there are more or fewer values than labels: the host calls that a fault.
    ///
    /// ```
    /// # use pushgate_plugin::{Counter, testing};
    /// const RENAMED: Counter = Counter::new("renamed", "Labels that were renamed.", &[]);
    /// RENAMED.add(&[], 1);
    /// assert_eq!(testing::counted(&RENAMED, &[]), 1);
    /// ```
    pub fn add(&self, label_values: &[&str], by: u64) {
        let values: Vec<String> = label_values.iter().map(|&value| value.to_owned()).collect();
        self.count(values, by);
    }

    #[cfg(target_arch = "wasm32")]
    #[expect(clippy::needless_pass_by_value, reason = "natively it is kept")]
    fn count(&self, values: Vec<String>, by: u64) {
        crate::bindings::metrics::count(self.name, &values, by);
    }

    #[cfg(not(target_arch = "wasm32"))]
    fn count(&self, values: Vec<String>, by: u64) {
        assert_eq!(values.len(), self.labels.len(), "the labels of the counter '{}'", self.name);
        crate::testing::host(|host| {
            let count = host.counts.entry((self.name.to_owned(), values)).or_default();
            *count = count.saturating_add(by);
        });
    }
}
