//! The goals: what pushgate is meant to reach on any machine, and whether it did in this run.

use super::grown;
use super::table::{Table, figure};
use crate::inside::{PARSE, PLUGINS};
use crate::plan::BASE;
use crate::results::{MemoryCell, Results, ScrapeCell};
use crate::server::{Kind, Setup};

const SERIES: u64 = 100_000;

/// One of them, with what was measured, if it was.
struct Goal {
    what: &'static str,
    unit: &'static str,
    wanted: Wanted,
    measured: Option<f64>,
}

enum Wanted {
    AtLeast(f64),
    AtMost(f64),
}

/// All goals.
pub(super) fn table(results: &Results) -> Table {
    let mut table = Table::new(&["goal", "wanted", "measured", "met"]);
    for Goal { what, unit, wanted, measured } in goals(results) {
        let (bound, is_met) = match wanted {
            Wanted::AtLeast(bound) => (format!("≥ {}{unit}", short(bound)), measured.map(|m| m >= bound)),
            Wanted::AtMost(bound) => (format!("≤ {}{unit}", short(bound)), measured.map(|m| m <= bound)),
        };
        let met = is_met.map_or("not measured", |met| if met { "yes" } else { "NO" });
        let measured = measured.map_or(String::new(), |measured| format!("{}{unit}", figure(measured)));
        table.row(vec![what.to_owned(), bound, measured, met.to_owned()]);
    }
    table
}

fn short(bound: f64) -> String {
    bound.to_string()
}

fn goals(results: &Results) -> Vec<Goal> {
    let three = Kind::Gateway(Setup::with_plugins(3)).name();
    let plain = Kind::Gateway(Setup::with_plugins(0)).name();
    let times = |other: Kind| {
        let row = results.push_row(BASE)?;
        Some(row.cell(three)?.rate.median / row.cell(other.name())?.rate.median)
    };
    let scrape =
        |changed, gzip| results.scrape(SERIES, changed, gzip, plain).map(|cell: &ScrapeCell| cell.ms.median);
    let memory = |of: fn(&MemoryCell) -> f64| results.memory(SERIES, plain).map(of);
    let slowest = |how: &str| {
        let us = PLUGINS.iter().filter_map(|plugin| results.inside(&format!("{plugin}, {how}"), 100));
        us.map(|row| row.us.median).reduce(f64::max)
    };
    let growth = || {
        let rows = grown(results);
        let cost = |groups| {
            let row = rows.iter().find(|row| row.shape.groups == groups)?;
            Some(row.cell(three)?.cpu_ms_per_1000.median)
        };
        Some(cost(10_000)? / cost(100)?)
    };
    let speed = results.inside(PARSE, 1_000).map(|row| row.bytes as f64 / row.us.median);
    let goal = |what, unit, wanted, measured| Goal { what, unit, wanted, measured };
    vec![
        goal(
            "rate of pushes of 10 series, 1,000 groups stored, 3 plugins, against Pushgateway",
            " ×",
            Wanted::AtLeast(800.0),
            times(Kind::Reference { checked: true }),
        ),
        goal(
            "the same, against its unchecked mode",
            " ×",
            Wanted::AtLeast(4.0),
            times(Kind::Reference { checked: false }),
        ),
        goal("the same, against an empty server", " ×", Wanted::AtLeast(0.5), times(Kind::Floor)),
        goal("CPU per push with 10,000 groups, against 100 groups", " ×", Wanted::AtMost(1.2), growth()),
        goal("scrape of 100,000 series, none changed", " ms", Wanted::AtMost(15.0), scrape(0, false)),
        goal("the same, as gzip, 1 % changed", " ms", Wanted::AtMost(20.0), scrape(1, true)),
        goal(
            "memory at 100,000 series, once filled",
            " MiB",
            Wanted::AtMost(60.0),
            memory(|cell| cell.filled_mib),
        ),
        goal("parsing text", " MB/s", Wanted::AtLeast(450.0), speed),
        goal("the slowest plugin on 100 series", " µs", Wanted::AtMost(10.0), slowest("called")),
        goal("the same, remembered", " µs", Wanted::AtMost(2.0), slowest("remembered")),
    ]
}
