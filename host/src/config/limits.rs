//! What a plugin may use and answer: the keys of `[plugins]` that a `[[plugin]]` can have of its own.

use std::ops::RangeInclusive;
use std::time::Duration;

use pushgate_plugin_host::Limits;

use super::kind::{duration, size, whole};
use super::section::Section;
use super::show::{Row, shown, shown_duration, shown_size};
use super::size::ByteSize;

const GIB: ByteSize = ByteSize::mib(1 << 10);
const DEADLINE: RangeInclusive<Duration> = Duration::from_millis(10)..=Duration::from_secs(3_600);

/// Reads them from `[plugins]`, or a plugin's own from its `[[plugin]]`. What the section does not say stays.
pub(super) fn read(limits: &mut Limits, section: &mut Section<'_, '_>) {
    section.key("fuel_base", &whole(10_000..=1_000_000_000_000), &mut limits.fuel_base);
    section.key("fuel_per_series", &whole(0..=1_000_000_000), &mut limits.fuel_per_series);
    section.key("deadline", &duration(DEADLINE), &mut limits.deadline);
    if let Some(memory) = section.optional("memory", &size(ByteSize::kib(64)..=GIB)) {
        limits.memory = memory.as_usize();
    }
    section.key("max_log_lines", &whole(0..=10_000), &mut limits.log_lines);
    section.key("max_findings", &whole(1..=10_000), &mut limits.findings);
    section.key("edits_base", &whole(0..=10_000_000), &mut limits.edits_base);
    section.key("edits_per_series", &whole(0..=10_000_000), &mut limits.edits_per_series);
    section.key("symbols_base", &whole(0..=10_000_000), &mut limits.symbols_base);
    section.key("symbols_per_series", &whole(0..=10_000_000), &mut limits.symbols_per_series);
    section.key("max_symbol_length", &whole(1..=1_048_576), &mut limits.symbol_length);
    if let Some(data) = section.optional("data_base", &size(ByteSize::kib(64)..=GIB)) {
        limits.data_base = data.as_u64();
    }
    if let Some(data) = section.optional("data_per_series", &size(ByteSize::bytes(0)..=ByteSize::mib(1))) {
        limits.data_per_series = data.as_u64();
    }
    section.key("instances", &whole(1..=1_000), &mut limits.warm_instances);
}

/// Shows them.
pub(super) fn rows(limits: &Limits) -> Vec<Row> {
    vec![
        ("fuel_base", shown(&limits.fuel_base)),
        ("fuel_per_series", shown(&limits.fuel_per_series)),
        ("deadline", shown_duration(limits.deadline)),
        ("memory", shown_size(limits.memory as u64)),
        ("max_log_lines", shown(&limits.log_lines)),
        ("max_findings", shown(&limits.findings)),
        ("edits_base", shown(&limits.edits_base)),
        ("edits_per_series", shown(&limits.edits_per_series)),
        ("symbols_base", shown(&limits.symbols_base)),
        ("symbols_per_series", shown(&limits.symbols_per_series)),
        ("max_symbol_length", shown(&limits.symbol_length)),
        ("data_base", shown_size(limits.data_base)),
        ("data_per_series", shown_size(limits.data_per_series)),
        ("instances", shown(&limits.warm_instances)),
    ]
}
