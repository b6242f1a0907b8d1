//! OpenMetrics 1.0 text, in and out.
//! <https://prometheus.io/docs/specs/om/open_metrics_spec/>
//!
//! It looks like the classic text, but is strict where that one is not, and says more: units, exemplars and when a
//! counter began. Its families become those that Prometheus makes of them: a counter `foo` is the family `foo_total`,
//! an info `foo` the gauge `foo_info`, a state set `foo` a gauge with the label `foo`, and unknown is untyped.
//!
//! ```
//! use pushgate_exposition::{GroupingKey, Kind, Rules, openmetrics};
//!
//! let key = GroupingKey::new([("job", "backup")])?;
//! let body = b"# TYPE runs counter\nruns_total{host=\"a\"} 3.0 # {trace_id=\"x\"} 1.0\n# EOF\n";
//! let push = openmetrics::parse(body, &key, &Rules::default())?;
//!
//! let family = push.families().next().expect("one family was pushed");
//! assert_eq!((family.name(), family.kind()), ("runs_total", Kind::Counter));
//! assert_eq!(openmetrics::encode(&push).as_bytes(), body);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod encode;
mod error;
mod exemplar;
mod family;
mod line;
mod metric;
mod parse;
mod timestamp;
mod tokens;

pub use encode::encode;
pub use error::{ParseError, Problem};
pub use parse::parse;
