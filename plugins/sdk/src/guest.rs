//! What [`register!`](crate::register) calls: the exports of a component in terms of a [`Plugin`].

use std::cell::OnceCell;
use std::sync::Once;

use crate::bindings::{policy, types};
use crate::{Plugin, Problems, Push, config, log};

/// Holds the policy of an instance from `configure` on.
#[derive(Debug)]
pub struct Slot<P>(OnceCell<P>);

impl<P> Slot<P> {
    /// A slot before `configure`.
    #[expect(clippy::new_without_default, reason = "made by the macro only, in a constant")]
    pub const fn new() -> Self {
        Self(OnceCell::new())
    }
}

/// The export `describe`.
pub fn describe<P: Plugin>() -> policy::Manifest {
    report_panics();
    P::MANIFEST.to_wire(config::schema::<P::Config>().to_string())
}

/// The export `configure`: the host calls it once, before any `evaluate`.
///
/// # Errors
/// Everything that is wrong with the configuration.
pub fn configure<P: Plugin>(
    slot: &Slot<P>,
    json: &str,
) -> Result<Vec<policy::ConfigProblem>, Vec<policy::ConfigProblem>> {
    report_panics();
    let policy = config::read(json).and_then(P::configure).map_err(Problems::into_wire)?;
    let warnings = policy.warnings().into_wire();
    match slot.0.set(policy) {
        Ok(()) => Ok(warnings),
        Err(_) => Err(vec![policy::ConfigProblem {
            pointer: String::new(),
            message: "this instance is configured already".to_owned(),
        }]),
    }
}

/// The export `evaluate`.
///
/// # Panics
/// When the host has not called `configure` with success: there is no policy to ask then, and
/// accepting the push would be worse than the fault that a trap is.
pub fn evaluate<P: Plugin>(slot: &Slot<P>, push: types::Push) -> types::Outcome {
    let policy = slot.0.get().expect("the host configures an instance before it evaluates");
    policy.evaluate(&Push::from_wire(push)).into_wire()
}

/// Sends the message of a panic to the gateway's log. A panic then traps, which the host counts as a
/// fault of the plugin; without this its log would say `unreachable executed` and no more.
fn report_panics() {
    static ONCE: Once = Once::new();
    if cfg!(target_arch = "wasm32") {
        ONCE.call_once(|| std::panic::set_hook(Box::new(|panic| log::error(&panic.to_string()))));
    }
}
