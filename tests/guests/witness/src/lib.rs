//! Rejects every push with all that it is told of whoever sends it.

use pushgate_plugin::{Code, Finding, Manifest, Outcome, Plugin, Problems, Push};

const CALLER: Code = Code::new("witness/caller", "all that is told of the caller");

/// Without any state.
pub struct Witness;

/// Nothing.
#[derive(serde::Deserialize, schemars::JsonSchema)]
pub struct NoOptions {}

impl Plugin for Witness {
    type Config = NoOptions;
    const MANIFEST: Manifest =
        Manifest::new("witness", "0.1.0", "Rejects every push with what it is told of the caller.")
            .pure()
            .codes(&[CALLER]);

    fn configure(_: NoOptions) -> Result<Self, Problems> {
        Ok(Self)
    }

    fn evaluate(&self, push: &Push) -> Outcome {
        let told: Vec<_> = push.attributes().map(|(name, value)| format!("{name}='{value}'")).collect();
        Outcome::reject(Finding::new(&CALLER, format!("[{}]", told.join(" "))))
    }
}

pushgate_plugin::register!(Witness);
