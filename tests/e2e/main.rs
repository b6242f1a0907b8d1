//! End to end: the real binary, driven as its users drive it.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking, too")]

/// What people push by hand and from scripts, with the real curl.
mod push;

/// PUT, POST and DELETE, and what each leaves stored.
mod groups;

/// Pushes that are refused because of what is in them, with the line and what to do.
mod refused;

/// Paths, redirects and the end over HTTP.
mod routes;

/// The API that programs read.
mod api;

/// The rules of the original, as tables: paths, bodies, groups, scrapes and the API.
mod scenarios;

/// The official Python client.
mod clients;

/// What plugins do to a push: relabel, reject, watch.
mod plugins;

/// What plugins are told of whoever pushes.
mod callers;

/// Certificates for connections by TLS.
mod authority;

/// What the bundled limits on cardinality make of what is stored.
mod cardinality;

/// Rules in CEL, and how what they find is counted.
mod rules;

/// What the bundled checks of values make of the time, and of large histograms.
mod values;

/// Names, beside the real promtool.
mod naming;

/// Relabelling, beside a real Prometheus.
mod relabel;

/// What a policy says of `honor_labels`, beside a real Prometheus.
mod honor_labels;

/// Finding out why a push was rejected.
mod rejections;

/// What is known of the configured policies.
mod plugins_api;

/// What a policy would say to everything that is stored.
mod audit;

/// Candidates beside a policy.
mod shadow;

/// What a pure plugin need not be asked for again.
mod memo;

/// Pushes that are the one before with other numbers.
mod repeat;

/// What plugins may use of the gateway, and that they must have been granted it.
mod capabilities;

/// Plugins that were built against older versions of the contract.
mod golden;

/// Pushes that are captured, and what would have become of them.
mod replay;

/// Spans of pushes.
mod traces;

/// The golden cases of the bundled plugins, through the compiled plugin and the real host.
mod cases;

/// Every way to build a plugin.
mod formats;

/// What a plugin's author does with the program.
mod author;

/// Plugins from files, https and registries.
mod sources;

/// Compiled code that is kept for the next start.
mod code_cache;

/// A plugin that keeps failing is left alone.
mod breaker;

/// Plugins that loop, eat memory, trap or answer nonsense, while others push.
mod hostile;

/// What a plugin may use: each limit at it and one past it.
mod limits;

/// A suite of hostile guests: each has a fault of its own name, and harms nobody else.
mod hostile_suite;

/// Every bound has a test, and a metric if clients meet it.
mod bounds;

/// More clients than the gateway takes.
mod floods;
mod floods_tls;

/// What is in the journal before its client is told, whatever happens then.
mod journal;

/// The journal on a disk that fills or can only be read, torn writes, and a file that became too large.
mod journal_disk;

/// The end that was asked for: what is under way is answered, what was acknowledged is there.
mod stopping;

/// What outlives the process, and the original's file.
mod persistence;

/// Everything at once.
mod soak;

/// Groups whose time is over.
mod forgetting;

/// Listing and removing groups by selectors.
mod selected;

/// `pushgate import`.
mod import;

/// A real Prometheus, and other readers of the exposition.
mod scrape;

/// The web pages, in a real browser.
mod pages;

/// Configurations that are refused.
mod config;

/// Flags, the environment, the log and reloading: what an operator does.
mod operate;

/// Changing a gateway while it runs.
mod reload;

/// The files below `examples/`.
mod examples;
mod explain;

/// The set-ups below `examples/`, as their READMEs show them.
mod setups;

/// The rules that ARCHITECTURE.md states.
mod architecture;

/// Who may do what, by tokens and users.
mod rights;

/// What SECURITY.md promises.
mod security;

/// `cargo xtask bench`, in small.
mod bench;

/// What README.md shows.
mod readme;
