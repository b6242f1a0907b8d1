//! The counters that plugins declare.
//!
//! Each is a family, as it has a HELP text and labels of its own. All begin with a prefix that no family of the
//! gateway's has, and end in `_total`, so none can be like another; their number is that of the counters declared,
//! which is bounded, and so are their series. Two policies that count by the same name share the family.

use pushgate_exposition::{InternError, Kind};
use pushgate_plugin_host::Counted;

use super::writer::Writer;

const PREFIX: &str = "pushgate_plugin_counter_";

const DROPPED_HELP: &str =
    "How often a plugin counted what would have been one series more than plugins.counter_series allows.";

pub(super) fn write(out: &mut Writer, policies: &[Counted]) -> Result<(), InternError> {
    let counting: Vec<_> = policies.iter().filter(|counted| !counted.counters().is_empty()).collect();
    for counted in &counting {
        for counter in counted.counters() {
            let name = format!("{PREFIX}{}_total", counter.name);
            let family = out.family(&name, Kind::Counter, &counter.help)?;
            let mut written = Ok(());
            counted.read(counter, |values, count| {
                let own = counter.labels.iter().map(String::as_str).zip(values.iter().map(String::as_str));
                let mut labels: Vec<_> = own.chain([("plugin", counted.policy())]).collect();
                labels.sort_unstable();
                let result = out.value(family, &labels, count as f64);
                written = written.and(result);
            });
            written?;
        }
    }
    let family = out.family("pushgate_plugin_counts_dropped_total", Kind::Counter, DROPPED_HELP)?;
    for counted in &counting {
        out.value(family, &[("plugin", counted.policy())], counted.dropped() as f64)?;
    }
    Ok(())
}
