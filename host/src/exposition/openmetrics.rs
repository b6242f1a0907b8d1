//! A scrape as OpenMetrics: stored lines are read back into columns, since numbers look different and exemplars come along.

use bytes::Bytes;
use pushgate_exposition::Escaping;
use pushgate_exposition::openmetrics::encode::{self, Style};

use super::Exposition;

/// All families with their metadata, and the end.
pub(super) fn render(exposition: &Exposition, escaping: Escaping) -> Bytes {
    let style = Style { escaping, ..Style::default() };
    let mut out = String::with_capacity(exposition.size());
    for family in exposition.families() {
        let (name, kind) = (family.name(), family.kind());
        encode::header(&mut out, &escaping.metric(name), family.help(), family.unit(), kind);
        if let Some(own) = family.own() {
            own.series().for_each(|series| encode::samples(&mut out, own, series, &[], style));
        }
        for chunk in family.chunks() {
            // Lines that the gateway wrote can be read.
            let columns = chunk.read_back(name, kind).unwrap_or_default();
            for family in columns.families() {
                family.series().for_each(|series| encode::samples(&mut out, family, series, &[], style));
            }
        }
    }
    out.push_str(encode::END);
    out.into()
}
