//! Says that it is pure, and looks at the clock.

use pushgate_plugin::{Manifest, Outcome, Plugin, Problems, Push, clock};

pub struct Impure;

#[derive(serde::Deserialize, schemars::JsonSchema)]
pub struct NoOptions {}

impl Plugin for Impure {
    type Config = NoOptions;
    const MANIFEST: Manifest = Manifest::new("impure", "0.1.0", "Says that it is pure.").pure();

    fn configure(_: NoOptions) -> Result<Self, Problems> {
        Ok(Self)
    }

    fn evaluate(&self, push: &Push) -> Outcome {
        assert_eq!(clock::now(), push.received_at());
        Outcome::accept()
    }
}

pushgate_plugin::register!(Impure);
