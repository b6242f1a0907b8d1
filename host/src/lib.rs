//! pushgate: a Prometheus push gateway that runs every push through WebAssembly plugins, which validate, relabel
//! or reject it before it is stored and exposed for scraping.
//!
//! The way of a push, top to bottom, each step taking the value of the one above:
//!
//! 1. [`http`] accepts a connection, finds out what is asked for and reads the body, within bounds;
//! 2. [`ingest`] has it parsed into columns (the crate `pushgate-exposition`),
//! 3. takes the columns through the chain of policies (the crate `pushgate-plugin-host`),
//! 4. and gives them to the [`store`], which checks and keeps them in one step.
//!
//! A scrape is shorter: [`exposition`] puts the store's families and the gateway's own metrics
//! ([`telemetry`]) in order. [`gateway`] puts all of it together, from a [`config`].

pub mod audit;
pub mod author;
pub mod capture;
pub mod cli;
pub mod config;
pub mod convert;
pub mod expiry;
pub mod exposition;
pub mod gateway;
pub mod http;
pub mod import;
pub mod ingest;
pub mod journal;
pub mod persistence;
pub mod policies;
pub mod rejections;
pub mod reload;
pub mod remote;
pub mod replay;
pub mod run;
pub mod selector;
pub mod store;
pub mod telemetry;
pub mod token;
