//! Does what its configuration says, so that tests can see whether, when and in which order it was called.

use pushgate_plugin::{Code, Edits, Finding, Findings, Manifest, Outcome, Plugin, Problems, Push};

const FORBIDDEN: Code = Code::new("scribe/forbidden", "a family has the name that is to be refused");
const SEEN: Code = Code::new("scribe/seen", "a remark on every push that is not refused");

/// A plugin's configuration is its policy.
#[derive(serde::Deserialize, schemars::JsonSchema)]
pub struct Scribe {
    /// Appended to the label `seen` of every series.
    #[serde(default)]
    write: String,
    /// The name of a family that is refused.
    #[serde(default)]
    refuse: String,
    /// Grouping labels to set; an empty value drops the label.
    #[serde(default)]
    group: std::collections::BTreeMap<String, String>,
    /// Make a remark on every push.
    #[serde(default)]
    remark: bool,
}

impl Plugin for Scribe {
    type Config = Self;
    const MANIFEST: Manifest = Manifest::new("scribe", "0.1.0", "Does what its configuration says.")
        .mutates()
        .codes(&[FORBIDDEN, SEEN]);

    fn configure(config: Self) -> Result<Self, Problems> {
        Ok(config)
    }

    fn evaluate(&self, push: &Push) -> Outcome {
        let mut reasons = Findings::default();
        for family in push.families().filter(|family| family.name() == self.refuse) {
            reasons.add(|| Finding::new(&FORBIDDEN, "choose another name").at_family(family));
        }
        if !reasons.is_empty() {
            return reasons.verdict();
        }
        let mut edits = Edits::new(push);
        if !self.write.is_empty() {
            for series in push.series() {
                let seen = format!("{}{}", series.label("seen").unwrap_or_default(), self.write);
                edits.set_label(series, "seen", &seen);
            }
        }
        for (name, value) in &self.group {
            if value.is_empty() {
                edits.drop_grouping_label(name);
            } else {
                edits.set_grouping_label(name, value);
            }
        }
        let outcome = if edits.is_empty() { Outcome::accept() } else { Outcome::mutate(edits) };
        if self.remark { outcome.note(Finding::new(&SEEN, "a remark")) } else { outcome }
    }
}

pushgate_plugin::register!(Scribe);
