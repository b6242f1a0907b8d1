//! Native tests on exposition text: single pushes for unit tests, golden cases for whole plugins.
//!
//! A golden case is one readable file: what it is about, the configuration as JSON, the push, and the
//! outcome that is expected. `BLESS=1 cargo test` rewrites the outcomes; review them like code.
//!
//! ```text
//! A counter without '_total' is refused.
//! --- config
//! {}
//! --- push
//! PUT {job="backup"}
//! # TYPE runs counter
//! runs 1
//! --- outcome
//! reject
//! naming/counter-suffix at runs: rename 'runs' to 'runs_total'
//! ```
//!
//! [`Case`] and [`Answer`] know nothing of [`Plugin`], so that the same files can be run through a
//! compiled plugin and the real host.

mod answer;
mod case;
mod convert;
mod host;
mod run;

use std::cell::RefCell;
use std::ops::Deref;

use pushgate_exposition as exposition;

pub use answer::{Answer, Decision, Remark};
use case::Request;
pub use case::{Case, CaseError};
pub(crate) use host::host;
pub use host::{counted, limit_state, set_kept_series, set_label_values, set_stored, set_time};
pub use run::{run_case, run_cases};

use crate::bindings::log::Level;
use crate::{Method, Outcome, Plugin, Problems, Push, config};

/// A push made of text. It can be used wherever a [`Push`] is read, and has all optional columns.
///
/// ```
/// use pushgate_plugin::{Push, testing};
///
/// fn count(push: &Push) -> usize {
///     push.series_count()
/// }
///
/// let push = testing::push(r#"PUT {job="backup"}"#, "runs 1\n")?;
/// assert_eq!(count(&push), 1);
/// # Ok::<(), testing::CaseError>(())
/// ```
#[derive(Debug)]
pub struct TestPush {
    push: Push,
    source: exposition::Push,
}

impl Deref for TestPush {
    type Target = Push;

    fn deref(&self) -> &Push {
        &self.push
    }
}

impl TestPush {
    /// As the host tells of a stored group.
    pub(crate) fn as_group(&self) -> Push {
        let mut group = convert::to_wire(&self.source, Method::Put, &[], convert::ALL_COLUMNS);
        group.request.id.clear();
        Push::from_wire(group)
    }
}

/// Makes a push. `request` is the method and the grouping key, and on a line of its own what is known of the caller,
/// `text` the body as it would be sent.
///
/// # Errors
/// When either cannot be read.
///
/// ```
/// use pushgate_plugin::testing;
///
/// let push = testing::push(r#"POST {job="backup", host="db1"}"#, "# TYPE runs_total counter\nruns_total 3\n")?;
/// assert_eq!(push.grouping_label("host"), Some("db1"));
/// let push = testing::push("PUT {job=\"backup\"}\ncaller user=\"ci\"", "runs_total 3\n")?;
/// assert_eq!(push.attribute("user"), Some("ci"));
/// assert!(testing::push(r#"PUT {job="backup"}"#, "no newline at the end 1").is_err());
/// # Ok::<(), testing::CaseError>(())
/// ```
pub fn push(request: &str, text: &str) -> Result<TestPush, CaseError> {
    let Request { method, key, caller } = Request::read(request)?;
    let source = case::read_push(&key, text)?;
    let mut wire = convert::to_wire(&source, method, &caller, convert::ALL_COLUMNS);
    wire.request.received_ms = host(|host| host.now_ms);
    Ok(TestPush { push: Push::from_wire(wire), source })
}

/// Applies an outcome as the host would: the grouping key on the first line, then the text.
///
/// # Errors
/// When the host would refuse the edits, and call that a fault of the plugin.
///
/// ```
/// use pushgate_plugin::{Edits, Outcome, Scope, testing};
///
/// let push = testing::push(r#"PUT {job="backup"}"#, "runs 1\n")?;
/// let mut edits = Edits::new(&push);
/// edits.set_label(Scope::All, "env", "prod");
/// let after = testing::apply(&push, Outcome::mutate(edits))?;
/// assert_eq!(after, "{job=\"backup\"}\nruns{env=\"prod\"} 1\n");
/// # Ok::<(), testing::CaseError>(())
/// ```
pub fn apply(push: &TestPush, outcome: Outcome) -> Result<String, CaseError> {
    let answer = convert::answer(&push.source, outcome.into_wire())?;
    Ok(answer::render_push(answer.after.as_ref().unwrap_or(&push.source)))
}

/// Configures a plugin as the host does: unknown keys are refused, and so on.
///
/// # Errors
/// Everything that is wrong with the configuration.
///
/// ```
/// # use pushgate_plugin::{Manifest, Outcome, Plugin, Problems, Push};
/// # struct Open;
/// # #[derive(serde::Deserialize, schemars::JsonSchema)]
/// # struct NoOptions {}
/// # impl Plugin for Open {
/// #     type Config = NoOptions;
/// #     const MANIFEST: Manifest = Manifest::new("open", "1.0.0", "Accepts everything.").pure();
/// #     fn configure(_: NoOptions) -> Result<Self, Problems> { Ok(Self) }
/// #     fn evaluate(&self, _: &Push) -> Outcome { Outcome::accept() }
/// # }
/// use pushgate_plugin::testing;
///
/// assert!(testing::configure::<Open>("{}").is_ok());
/// assert!(testing::configure::<Open>(r#"{"typo": 1}"#).is_err());
/// ```
pub fn configure<P: Plugin>(json: &str) -> Result<P, Problems> {
    config::read(json).and_then(P::configure)
}

thread_local! {
    static LOG: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// The lines that this thread logged since it was asked last, each with its level in front.
///
/// ```
/// use pushgate_plugin::{log, testing};
///
/// log::warn("nearly full");
/// assert_eq!(testing::take_log(), ["warn: nearly full"]);
/// assert!(testing::take_log().is_empty());
/// ```
pub fn take_log() -> Vec<String> {
    LOG.take()
}

pub(crate) fn keep_log_line(level: Level, message: &str) {
    let level = match level {
        Level::Debug => "debug",
        Level::Info => "info",
        Level::Warn => "warn",
        Level::Error => "error",
    };
    LOG.with_borrow_mut(|lines| lines.push(format!("{level}: {message}")));
}
