//! The results as Markdown: first whether the goals are met, then everything else, ratios before absolute figures.

mod goals;
mod table;

use std::fmt::Write as _;

use self::table::{Table, figure, range};
use crate::inside::PARSE;
use crate::payload::{Format, Shape};
use crate::plan::{BASE, Plan};
use crate::results::{InsideRow, PushRow, Results, ScrapeRow};
use crate::server::Kind;

/// What stands before the part of a document that [`insert`] replaces.
pub const BEGIN: &str = "<!-- from here to the end mark: written by `cargo xtask bench --write` -->";
/// What stands behind it.
pub const END: &str = "<!-- end -->";

/// All tables.
pub fn markdown(results: &Results) -> String {
    let mut out = String::new();
    let Results { machine, seconds, rounds, .. } = results;
    let pinned = if results.pinned {
        "the servers on cores of their own, the load generator on one of its own"
    } else {
        "NOT PINNED: servers and load generator shared cores, so the figures say little"
    };
    let reference = results.reference.as_deref().unwrap_or("none was found");
    let _ = write!(
        out,
        "Machine: {} cores of {}, {} GiB; {pinned}. Plan `{}`: {rounds} rounds in turns, {seconds} s for each load. \
         Pushgateway: {reference}.\n\n",
        machine.cores, machine.cpu, machine.memory_gib, results.plan
    );
    // What is measured needs about one and a half cores by itself, but not before it begins.
    if let Some(load) = results.load_average.filter(|load| *load > 0.5) {
        let _ =
            write!(out, "**Not on a quiet machine:** the load average was {load} when the run began.\n\n");
    }
    if let Some(note) = &results.note {
        let _ = write!(out, "**Note:** {note}\n\n");
    }
    let _ = write!(out, "### Goals\n\n{}\n", goals::table(results));
    for row in &results.pushes {
        let _ = write!(out, "### Pushes: {}\n\n{}\n", described(row.shape), pushes(row));
    }
    if !results.scrapes.is_empty() {
        let _ = write!(out, "### Scrapes\n\n{}\n", scrapes(&results.scrapes));
        let _ = write!(out, "### Memory\n\n{}\n", memory(results));
    }
    if !results.inside.is_empty() {
        let _ = write!(out, "### Inside the process\n\n{}\n", inside(&results.inside));
    }
    out
}

/// A document with the tables between its marks; `None` when it has no marks.
pub fn insert(document: &str, results: &Results) -> Option<String> {
    let (before, rest) = document.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n\n{}{END}{after}", markdown(results)))
}

/// A kind of push, in words.
fn described(shape: Shape) -> String {
    let Shape { series, groups, format, compressed, fresh, relabelled } = shape;
    let format = match format {
        Format::Text => "text",
        Format::Protobuf => "protobuf",
    };
    let compressed = if compressed { ", gzip" } else { "" };
    let fresh = if fresh { ", a new connection each" } else { "" };
    let relabelled = if relabelled { ", other labels each time" } else { "" };
    format!("{series} series, {groups} groups stored, {format}{compressed}{fresh}{relabelled}")
}

fn pushes(row: &PushRow) -> Table {
    let mut table = Table::new(&[
        "server",
        "× empty server",
        "× unchecked Pushgateway",
        "× Pushgateway",
        "pushes/s",
        "p50 ms",
        "p99 ms",
        "p99.9 ms",
        "CPU s per 1,000",
        "limit",
    ]);
    let rate = |kind: Kind| row.cell(kind.name()).map(|cell| cell.rate.median);
    let bases = [
        rate(Kind::Floor),
        rate(Kind::Reference { checked: false }),
        rate(Kind::Reference { checked: true }),
    ];
    for cell in &row.cells {
        let ratio = |base: Option<f64>| base.map_or("–".to_owned(), |base| figure(cell.rate.median / base));
        let mut cells = vec![cell.server.clone()];
        cells.extend(bases.map(ratio));
        cells.push(range(cell.rate));
        cells.extend([cell.p50_ms, cell.p99_ms, cell.p999_ms].map(range));
        cells.push(figure(cell.cpu_ms_per_1000.median / 1e3));
        let limit = if cell.generator_busy.median > 0.9 { "generator" } else { "server" };
        cells.push(limit.to_owned());
        table.row(cells);
    }
    table
}

fn scrapes(rows: &[ScrapeRow]) -> Table {
    let mut header = vec!["series", "changed", "coding"];
    let servers: Vec<&str> =
        rows.iter().take(1).flat_map(|row| row.cells.iter().map(|cell| &*cell.server)).collect();
    let columns: Vec<String> =
        servers.iter().flat_map(|server| [format!("{server}, ms"), "MB".to_owned()]).collect();
    let ratio = servers.len() == 3;
    header.extend(ratio.then_some("× as fast as Pushgateway"));
    header.extend(columns.iter().map(String::as_str));
    let mut table = Table::new(&header);
    for row in rows {
        let coding = if row.gzip { "gzip" } else { "identity" };
        let mut cells = vec![row.series.to_string(), format!("{} %", row.changed_percent), coding.to_owned()];
        if let [_, gateway, reference] = &*row.cells {
            cells.push(figure(reference.ms.median / gateway.ms.median));
        }
        for cell in &row.cells {
            cells.extend([range(cell.ms), figure(cell.bytes as f64 / 1e6)]);
        }
        table.row(cells);
    }
    table
}

fn memory(results: &Results) -> Table {
    let mut table = Table::new(&["series", "server", "MiB once filled", "MiB after scrapes and pushes"]);
    for row in &results.memory {
        for cell in &row.cells {
            let mib = [cell.filled_mib, cell.used_mib].map(figure);
            table.row([vec![row.series.to_string(), cell.server.clone()], mib.to_vec()].concat());
        }
    }
    table
}

fn inside(rows: &[InsideRow]) -> Table {
    let mut table = Table::new(&["what", "series", "symbols", "µs", "MB/s"]);
    for row in rows {
        let speed = if row.what == PARSE { figure(row.bytes as f64 / row.us.median) } else { String::new() };
        let numbers = [row.series.to_string(), row.symbols.to_string(), range(row.us), speed];
        table.row([vec![row.what.clone()], numbers.to_vec()].concat());
    }
    table
}

/// The kinds of pushes that grow only in the groups that are stored, fewest first.
pub fn grown(results: &Results) -> Vec<&PushRow> {
    let mut rows: Vec<_> = results
        .pushes
        .iter()
        .filter(|row| {
            Shape { groups: BASE.groups, ..row.shape } == BASE && results.plan != Plan::smoke().name
        })
        .collect();
    rows.sort_by_key(|row| row.shape.groups);
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_between_the_marks_is_replaced() {
        let document = format!("before\n{BEGIN}\nold\n{END}\nafter\n");
        let once = insert(&document, &Results::default()).unwrap();
        assert!(once.starts_with("before\n") && once.ends_with("\nafter\n") && !once.contains("old"));
        assert_eq!(insert(&once, &Results::default()).unwrap(), once);
        assert_eq!(insert("no marks", &Results::default()), None);
    }
}
