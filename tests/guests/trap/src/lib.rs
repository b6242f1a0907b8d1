//! Traps on a push of the job `hostile`, and remembers whether an instance that trapped was called again.

use std::cell::Cell;

use pushgate_plugin::{Code, Finding, Findings, Manifest, Outcome, Plugin, Problems, Push};

const CALLED_AGAIN: Code = Code::new("trap/called-again", "an instance was used after it had trapped");

pub struct Trap {
    trapped: Cell<bool>,
}

#[derive(serde::Deserialize, schemars::JsonSchema)]
pub struct NoOptions {}

impl Plugin for Trap {
    type Config = NoOptions;
    const MANIFEST: Manifest =
        Manifest::new("trap", "0.1.0", "Traps on the job `hostile`.").codes(&[CALLED_AGAIN]);

    fn configure(_: NoOptions) -> Result<Self, Problems> {
        Ok(Self { trapped: Cell::new(false) })
    }

    fn evaluate(&self, push: &Push) -> Outcome {
        if self.trapped.get() {
            let mut findings = Findings::default();
            findings.add(|| Finding::new(&CALLED_AGAIN, "this instance should have been thrown away"));
            return findings.verdict();
        }
        if push.job() == "hostile" {
            self.trapped.set(true);
            panic!("a secret of the plugin");
        }
        Outcome::accept()
    }
}

pushgate_plugin::register!(Trap);
