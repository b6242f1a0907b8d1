//! What is measured, and for how long.

use std::time::Duration;

use crate::payload::{Format, Shape};
use crate::server::{Kind, Setup};

/// The kind of push that the goals are about, and that all others differ from in one thing.
pub const BASE: Shape = Shape {
    series: 10,
    groups: 1_000,
    format: Format::Text,
    compressed: false,
    fresh: false,
    relabelled: false,
};

/// Connections that push at the same time.
pub const CONNECTIONS: usize = 16;

/// A run: rows of pushes and scrapes, and how long each is measured.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Its name.
    pub name: &'static str,
    /// The time of one load.
    pub duration: Duration,
    /// How often each is measured, in turns with the others.
    pub rounds: usize,
    /// Kinds of pushes.
    pub shapes: Vec<Shape>,
    /// Series stored when scraping.
    pub scraped: Vec<u64>,
    /// Scrapes of each kind.
    pub scrapes: usize,
    /// Series of the pushes that are measured inside the process.
    pub inside: Vec<usize>,
}

impl Plan {
    /// Everything; a quarter of an hour or so.
    pub fn full() -> Self {
        let mut shapes = vec![BASE];
        shapes.extend([100, 10_000].map(|groups| Shape { groups, ..BASE }));
        shapes.push(Shape { series: 100, ..BASE });
        shapes.push(Shape { series: 1_000, groups: 100, ..BASE });
        shapes.push(Shape { relabelled: true, ..BASE });
        shapes.push(Shape { fresh: true, ..BASE });
        shapes.push(Shape { format: Format::Protobuf, ..BASE });
        shapes.push(Shape { compressed: true, ..BASE });
        shapes.push(Shape { compressed: true, series: 100, ..BASE });
        Self {
            name: "full",
            duration: Duration::from_secs(2),
            rounds: 3,
            shapes,
            scraped: vec![1_000, 10_000, 100_000, 1_000_000],
            scrapes: 5,
            inside: vec![10, 100, 1_000, 10_000],
        }
    }

    /// What the goals are about; a minute or two.
    pub fn quick() -> Self {
        let grown = [100, 10_000].map(|groups| Shape { groups, ..BASE });
        Self {
            name: "quick",
            duration: Duration::from_millis(500),
            rounds: 3,
            shapes: [&[BASE][..], &grown].concat(),
            scraped: vec![1_000, 100_000],
            scrapes: 5,
            inside: vec![10, 100, 1_000],
        }
    }

    /// A little of everything, to see that it works: its figures say nothing.
    pub fn smoke() -> Self {
        let small = Shape { groups: 10, ..BASE };
        let relabelled = Shape { relabelled: true, ..small };
        let other = Shape { format: Format::Protobuf, compressed: true, fresh: true, ..small };
        Self {
            name: "smoke",
            duration: Duration::from_millis(50),
            rounds: 1,
            shapes: vec![small, relabelled, other],
            scraped: vec![1_000],
            scrapes: 1,
            inside: vec![10],
        }
    }

    /// The servers that a kind of push is measured at, in the order of the tables.
    pub fn servers(&self, shape: Shape, has_reference: bool) -> Vec<Kind> {
        let mut servers = vec![Kind::Floor];
        servers.extend([0, 1, 3].map(|plugins| Kind::Gateway(Setup::with_plugins(plugins))));
        let three = Setup::with_plugins(3);
        if shape.groups == BASE.groups || self.name == "smoke" {
            servers.push(Kind::Gateway(Setup { memo: false, ..three }));
            servers.push(Kind::Gateway(Setup { journal: true, ..three }));
        }
        if has_reference {
            servers.extend([false, true].map(|checked| Kind::Reference { checked }));
        }
        servers
    }
}
