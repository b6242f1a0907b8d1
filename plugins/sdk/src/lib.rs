//! Write pushgate plugins in Rust.
//!
//! A plugin judges every push before it is stored: it accepts it, changes it by typed [`Edits`], or
//! rejects it with [`Findings`] that tell the person who pushed what to do. This crate is a friendly
//! view of the contract in `wit/`; it compiles to `wasm32-unknown-unknown` and `wasm32-wasip2`, and
//! natively, where the logic of a plugin has plain unit tests on exposition text (see [`testing`]).
//!
//! ```
//! use pushgate_plugin::{Code, Finding, Findings, Manifest, Outcome, Plugin, Problems, Push};
//! use schemars::JsonSchema;
//! use serde::Deserialize;
//!
//! const NO_TEAM: Code = Code::new("team/missing", "every series says which team owns it");
//!
//! /// Refuses series that no team answers for.
//! struct Team {
//!     label: String,
//! }
//!
//! #[derive(Deserialize, JsonSchema)]
//! struct Config {
//!     /// The label that names the team.
//!     label: String,
//! }
//!
//! impl Plugin for Team {
//!     type Config = Config;
//!     const MANIFEST: Manifest =
//!         Manifest::new("team", "1.0.0", "Every series has an owner.").pure().codes(&[NO_TEAM]);
//!
//!     fn configure(config: Config) -> Result<Self, Problems> {
//!         Ok(Self { label: config.label })
//!     }
//!
//!     fn evaluate(&self, push: &Push) -> Outcome {
//!         let mut findings = Findings::default();
//!         for family in push.families() {
//!             for series in family.series() {
//!                 if series.label(&self.label).is_none() {
//!                     findings.add(|| {
//!                         Finding::new(&NO_TEAM, format!("add the label '{}'", self.label)).at_series(series)
//!                     });
//!                 }
//!             }
//!         }
//!         findings.verdict()
//!     }
//! }
//!
//! pushgate_plugin::register!(Team);
//!
//! use pushgate_plugin::testing;
//!
//! let team = testing::configure::<Team>(r#"{"label": "team"}"#).expect("a legal configuration");
//! let push = testing::push(r#"PUT {job="backup"}"#, "runs 1\n").expect("a legal push");
//! assert!(team.evaluate(&push).is_rejection());
//! ```

// The code that wit-bindgen generates names this crate, as it does in a plugin.
extern crate self as pushgate_plugin;

mod manifest;
mod plugin;

mod families;
mod labels;
mod memo;
mod push;
mod symbols;

mod edits;
mod findings;
mod outcome;
mod quote;

mod config;
mod network;
mod problem;

#[cfg(feature = "pattern")]
mod pattern;

pub mod cardinality;
pub mod clock;
mod counters;
pub mod log;
mod moment;
pub mod state;
pub mod stored;

#[cfg(not(target_arch = "wasm32"))]
pub mod testing;

#[doc(hidden)]
pub mod bindings;
#[doc(hidden)]
pub mod guest;

/// The example of the README is compiled as well.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

pub use counters::Counter;
pub use edits::{Edits, IntoSymbol, Scope};
pub use families::{Family, Kind, Point, Series};
pub use findings::{Finding, Findings, MAX_FINDINGS, MAX_MESSAGE_BYTES};
pub use labels::{GroupingLabel, Label, LabelName};
pub use manifest::{Code, Column, Manifest};
pub use memo::Memo;
pub use network::{Network, NetworkError};
pub use outcome::Outcome;
#[cfg(feature = "pattern")]
pub use pattern::{Captures, Pattern, PatternError, Template};
pub use plugin::Plugin;
pub use problem::{Pointer, Problem, Problems};
pub use push::{Method, Push};
pub use quote::{Quoted, quote};
pub use symbols::Sym;
