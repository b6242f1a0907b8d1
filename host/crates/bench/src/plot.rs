//! The growth curves, as SVG.

mod chart;

use self::chart::{Chart, Line, Scale};
use crate::inside::PLUGINS;
use crate::report::grown;
use crate::results::{PushRow, Results};

/// All pictures, by the names of their files; those without a curve are left out.
pub fn plots(results: &Results) -> Vec<(&'static str, String)> {
    let charts = [
        ("push-cost.svg", push_cost(results)),
        ("scrape-cost.svg", scrape_cost(results)),
        ("memory.svg", memory(results)),
        ("plugin-series.svg", plugin_series(results)),
        ("plugin-symbols.svg", plugin_symbols(results)),
    ];
    charts.into_iter().filter_map(|(file, chart)| Some((file, chart.draw()?))).collect()
}

fn push_cost(results: &Results) -> Chart {
    let rows = grown(results);
    let point = |row: &PushRow, server: &str| {
        Some((row.shape.groups as f64, row.cell(server)?.cpu_ms_per_1000.median))
    };
    let line = |server: &str| Line {
        name: server.to_owned(),
        points: rows.iter().filter_map(|row| point(row, server)).collect(),
    };
    let servers = rows.first().map_or(&[][..], |row| &row.cells);
    Chart {
        title: "Processor time of a push of 10 series",
        x: ("groups stored", Scale::Logarithmic),
        y: ("µs", Scale::Logarithmic),
        lines: servers.iter().map(|cell| line(&cell.server)).collect(),
    }
}

fn scrape_cost(results: &Results) -> Chart {
    const SERIES: u64 = 100_000;
    let servers = results.scrapes.first().map_or(&[][..], |row| &row.cells);
    let kinds = servers.iter().flat_map(|cell| [(&cell.server, false), (&cell.server, true)]);
    let line = |(server, gzip): (&String, bool)| Line {
        name: format!("{server}, {}", if gzip { "gzip" } else { "identity" }),
        points: [0, 1, 100]
            .into_iter()
            .filter_map(|changed| {
                let cell = results.scrape(SERIES, changed, gzip, server)?;
                Some((changed as f64, cell.ms.median))
            })
            .collect(),
    };
    Chart {
        title: "Scrape of 100,000 series",
        x: ("percent of the groups that changed since the scrape before", Scale::Linear),
        y: ("ms", Scale::Logarithmic),
        lines: kinds.map(line).collect(),
    }
}

fn memory(results: &Results) -> Chart {
    let servers = results.memory.first().map_or(&[][..], |row| &row.cells);
    let line = |server: &str| Line {
        name: server.to_owned(),
        points: results
            .memory
            .iter()
            .filter_map(|row| Some((row.series as f64, results.memory(row.series, server)?.filled_mib)))
            .collect(),
    };
    Chart {
        title: "Resident memory",
        x: ("series stored", Scale::Logarithmic),
        y: ("MiB", Scale::Logarithmic),
        lines: servers.iter().map(|cell| line(&cell.server)).collect(),
    }
}

fn plugin_series(results: &Results) -> Chart {
    let line = |what: String| Line {
        points: results
            .inside
            .iter()
            .filter(|row| row.what == what)
            .map(|row| (row.series as f64, row.us.median))
            .collect(),
        name: what,
    };
    Chart {
        title: "One plugin on one push",
        x: ("series of the push", Scale::Logarithmic),
        y: ("µs", Scale::Logarithmic),
        lines: PLUGINS
            .iter()
            .flat_map(|plugin| ["called", "remembered"].map(|how| line(format!("{plugin}, {how}"))))
            .collect(),
    }
}

fn plugin_symbols(results: &Results) -> Chart {
    let line = |plugin: &str| Line {
        name: plugin.to_owned(),
        points: results
            .inside
            .iter()
            .filter(|row| row.what == format!("{plugin}, called, other symbols"))
            .map(|row| (row.symbols as f64, row.us.median))
            .collect(),
    };
    Chart {
        title: "One plugin on a push of 100 series with 10 labels",
        x: ("distinct names and values in the push", Scale::Linear),
        y: ("µs", Scale::Linear),
        lines: PLUGINS.iter().map(|plugin| line(plugin)).collect(),
    }
}
