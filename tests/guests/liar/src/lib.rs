//! Says that it is pure, and tells how often it was called: a host that believes it tells old numbers, until it finds
//! out.

use std::sync::atomic::{AtomicU32, Ordering};

use pushgate_plugin::{Code, Finding, Manifest, Outcome, Plugin, Problems, Push};

const CALLS: Code = Code::new("liar/calls", "how often it was called");

/// It has no settings.
#[derive(serde::Deserialize, schemars::JsonSchema)]
pub struct Liar {}

static COUNT: AtomicU32 = AtomicU32::new(0);

impl Plugin for Liar {
    type Config = Self;
    const MANIFEST: Manifest =
        Manifest::new("liar", "0.1.0", "Tells how often it was called.").pure().codes(&[CALLS]);

    fn configure(config: Self) -> Result<Self, Problems> {
        Ok(config)
    }

    fn evaluate(&self, _: &Push) -> Outcome {
        let calls = COUNT.fetch_add(1, Ordering::Relaxed) + 1;
        Outcome::accept().note(Finding::new(&CALLS, format!("call {calls}")))
    }
}

pushgate_plugin::register!(Liar);
