//! The lines of a metric, which rules see one by one as Prometheus does: `x_bucket`, `x_sum` and `x_count`.

use pushgate_plugin::{Family, Kind, Sym};

use crate::texts::Texts;

/// The lines of a series that have the same name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part {
    /// What stands behind the name of the family.
    pub(crate) suffix: &'static str,
    /// The name of the lines.
    pub(crate) name: Sym,
}

/// The parts of a family's series. Rules that do not look at the name do the same to all of them, so one is enough then.
pub(crate) fn of(
    family: Family<'_>,
    touches_metric_name: bool,
    texts: &mut Texts<'_>,
    parts: &mut Vec<Part>,
) {
    parts.clear();
    let suffixes: &[&str] = match family.kind() {
        _ if !touches_metric_name => &[],
        Kind::Histogram | Kind::GaugeHistogram => &["_bucket", "_sum", "_count"],
        Kind::Summary => &["", "_sum", "_count"],
        Kind::Untyped | Kind::Counter | Kind::Gauge => &[],
    };
    for suffix in suffixes {
        let name = texts.metric_name(&format!("{}{suffix}", family.name()));
        parts.push(Part { suffix, name });
    }
    if parts.is_empty() {
        parts.push(Part { suffix: "", name: family.name_sym() });
    }
}
