//! Measures pushgate beside the original Pushgateway and beside a server that does nothing, all in one run: what this
//! machine makes of each is compared, never one machine's figures with another's.
//!
//! A [`plan::Plan`] says what is measured and for how long. [`pushes`] and [`scrapes`] start the servers, each a
//! process of its own on cores of its own, and have [`load`] talk to them in turns; [`inside`] measures what no
//! client can see. What was measured is [`results::Results`], which [`report`] and [`plot`] show. `cargo xtask
//! bench` builds what is needed and runs it.

pub mod plan;

pub mod inside;
pub mod pushes;
pub mod scrapes;

pub mod load;
pub mod payload;

pub mod cores;
pub mod floor;
pub mod machine;
pub mod process;
pub mod server;

pub mod plot;
pub mod report;
pub mod results;
pub mod spread;
