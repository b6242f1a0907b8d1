//! An ordinary plugin that uses what only a WASI target offers: a hash map with random keys, the clock, the
//! environment and standard output. It says what it found there as labels of the push.

use std::collections::HashMap;

use pushgate_plugin::{Edits, Manifest, Outcome, Plugin, Problems, Push, Scope};

pub struct Surroundings {
    lines: usize,
}

#[derive(serde::Deserialize, schemars::JsonSchema)]
pub struct Config {
    /// Lines that it prints for nobody.
    #[serde(default = "one")]
    lines: usize,
}

fn one() -> usize {
    1
}

impl Plugin for Surroundings {
    type Config = Config;
    const MANIFEST: Manifest =
        Manifest::new("wasip2", "0.1.0", "Labels a push with what a plugin can see.").mutates();

    fn configure(config: Config) -> Result<Self, Problems> {
        Ok(Self { lines: config.lines })
    }

    fn evaluate(&self, push: &Push) -> Outcome {
        for _ in 0..self.lines {
            println!("a line for nobody");
        }
        let mut names: HashMap<&str, usize> = HashMap::new();
        for family in push.families() {
            *names.entry(family.name()).or_default() += 1;
        }
        let started = std::time::Instant::now();
        let mut edits = Edits::new(push);
        for (name, value) in [
            ("families", names.len()),
            ("arguments", std::env::args().count()),
            ("variables", std::env::vars().count()),
            ("nanoseconds", started.elapsed().as_nanos() as usize),
        ] {
            edits.set_label(Scope::All, name, &*value.to_string());
        }
        Outcome::mutate(edits)
    }
}

pushgate_plugin::register!(Surroundings);
