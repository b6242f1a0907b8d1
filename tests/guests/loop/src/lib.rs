//! Never answers: for a push of the job `hostile`, or already while it is configured.

use pushgate_plugin::{Manifest, Outcome, Plugin, Problems, Push};

pub struct Loop;

/// Where it loops besides.
#[derive(serde::Deserialize, schemars::JsonSchema)]
pub struct Config {
    /// Loop in `configure`: a gateway must not hang when it starts.
    #[serde(default)]
    at_once: bool,
}

impl Plugin for Loop {
    type Config = Config;
    const MANIFEST: Manifest = Manifest::new("loop", "0.1.0", "Never answers the job `hostile`.");

    fn configure(config: Config) -> Result<Self, Problems> {
        if config.at_once {
            forever();
        }
        Ok(Self)
    }

    fn evaluate(&self, push: &Push) -> Outcome {
        if push.job() == "hostile" {
            forever();
        }
        Outcome::accept()
    }
}

fn forever() -> ! {
    let mut turns = 0_u64;
    loop {
        // The optimiser must not see that nobody wants the number.
        turns = std::hint::black_box(turns.wrapping_add(1));
    }
}

pushgate_plugin::register!(Loop);
