//! Takes all the memory it can get, for a push of the job `hostile`.

use pushgate_plugin::{Manifest, Outcome, Plugin, Problems, Push};

pub struct MemoryBomb;

#[derive(serde::Deserialize, schemars::JsonSchema)]
pub struct NoOptions {}

impl Plugin for MemoryBomb {
    type Config = NoOptions;
    const MANIFEST: Manifest =
        Manifest::new("memory-bomb", "0.1.0", "Takes all memory for the job `hostile`.");

    fn configure(_: NoOptions) -> Result<Self, Problems> {
        Ok(Self)
    }

    fn evaluate(&self, push: &Push) -> Outcome {
        if push.job() == "hostile" {
            let mut hoard = Vec::new();
            loop {
                // Taken and not written to: filling it would cost fuel, and another limit would come first.
                hoard.push(std::hint::black_box(Vec::<u8>::with_capacity(1 << 20)));
            }
        }
        Outcome::accept()
    }
}

pushgate_plugin::register!(MemoryBomb);
