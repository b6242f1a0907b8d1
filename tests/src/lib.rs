//! What the end-to-end tests drive the gateway with: the real binary, real clients, a real Prometheus.
//!
//! Every test gets processes, ports and folders of its own, so tests run at the same time and in any order.
//! Nothing waits for a fixed time: [`poll::until`] asks again until the answer is there or a deadline has passed.
//!
//! `cargo xtask test` builds whatever the tests start and load. `cargo test --workspace --test e2e NAME` works, too:
//! then the first test asks cargo to. Take `--workspace` rather than `-p e2e`: features are resolved for the packages
//! that are named, and another choice builds wasmtime once more.
#![expect(clippy::unwrap_used, reason = "a test harness fails by panicking")]
#![expect(clippy::print_stdout, reason = "what it prints is shown with the test that fails")]

pub mod artifacts;
pub mod folder;
pub mod gateway;
pub mod http;
pub mod poll;
pub mod process;
pub mod raw_guest;
pub mod scenario;
pub mod scrape;
pub mod small_disk;
pub mod soak;

pub mod browser;
pub mod clients;
pub mod prometheus;
pub mod registry;
pub mod tools;

pub use browser::Browser;
pub use folder::Folder;
pub use gateway::Gateway;
pub use http::Response;
pub use prometheus::Prometheus;
pub use raw_guest::RawGuest;
pub use scrape::Scrape;
pub use small_disk::SmallDisk;
