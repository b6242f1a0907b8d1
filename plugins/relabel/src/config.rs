//! The options, and what they must be: what Prometheus checks when it loads a configuration, and what
//! can never work at push time.

use std::num::NonZeroU64;

use pushgate_plugin::{Pattern, Pointer, Problems, Template, quote};
use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use crate::Relabel;
use crate::function::Function;
use crate::rule::{OnMatch, Place, Rule, Sources, Step, is_label_name, is_label_name_template};

/// The options of `relabel`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Config {
    /// Rules for each series, in order. They see the labels of the grouping key as well.
    pub rules: Vec<RuleConfig>,
    /// Rules for the grouping key, in order; they run before `rules`, and for a DELETE as well.
    pub group_rules: Vec<RuleConfig>,
}

/// One rule, with the names and defaults of Prometheus' `relabel_config`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct RuleConfig {
    /// The labels whose values are joined and matched. `__name__` is the metric's name.
    pub source_labels: Option<Vec<String>>,
    /// What the values are joined with. Default ";".
    pub separator: Option<String>,
    /// An anchored RE2 regex. Default "(.*)".
    pub regex: Option<String>,
    /// What `hashmod` takes the hash modulo of.
    pub modulus: Option<u64>,
    /// The label that is written, or compared with; of `replace` it may have `$1` in it.
    pub target_label: Option<String>,
    /// What `replace` writes, or the name that `labelmap` copies to. Default "$1".
    pub replacement: Option<String>,
    /// What to do. Default "replace".
    pub action: Action,
}

/// What a rule does.
#[derive(Clone, Copy, Debug, Default, JsonSchema, PartialEq, Eq)]
#[schemars(rename_all = "lowercase")]
pub enum Action {
    /// Writes `replacement` to `target_label` when the source labels match.
    #[default]
    Replace,
    /// Drops what does not match.
    Keep,
    /// Drops what matches.
    Drop,
    /// Drops what has another value in `target_label` than in the source labels.
    Keepequal,
    /// Drops what has the same value in `target_label` as in the source labels.
    Dropequal,
    /// Writes the MD5 hash of the source labels, modulo `modulus`, to `target_label`.
    Hashmod,
    /// Writes the source labels in small letters to `target_label`.
    Lowercase,
    /// Writes the source labels in capitals to `target_label`.
    Uppercase,
    /// Copies the labels whose names match to the names that `replacement` gives.
    Labelmap,
    /// Drops the labels whose names match.
    Labeldrop,
    /// Drops the labels whose names do not match.
    Labelkeep,
}

impl Action {
    const ALL: [Self; 11] = [
        Self::Replace,
        Self::Keep,
        Self::Drop,
        Self::Keepequal,
        Self::Dropequal,
        Self::Hashmod,
        Self::Lowercase,
        Self::Uppercase,
        Self::Labelmap,
        Self::Labeldrop,
        Self::Labelkeep,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Replace => "replace",
            Self::Keep => "keep",
            Self::Drop => "drop",
            Self::Keepequal => "keepequal",
            Self::Dropequal => "dropequal",
            Self::Hashmod => "hashmod",
            Self::Lowercase => "lowercase",
            Self::Uppercase => "uppercase",
            Self::Labelmap => "labelmap",
            Self::Labeldrop => "labeldrop",
            Self::Labelkeep => "labelkeep",
        }
    }
}

/// Prometheus takes the names of actions in capitals, too.
impl<'de> Deserialize<'de> for Action {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let found = Self::ALL.into_iter().find(|action| action.name().eq_ignore_ascii_case(&name));
        found.ok_or_else(|| D::Error::custom(format_args!("{} is no action", quote(&name))))
    }
}

/// What a list of rules works on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Subject {
    Series,
    Group,
}

impl Config {
    /// Checks everything and compiles the rules.
    pub(crate) fn resolve(self) -> Result<Relabel, Problems> {
        let (mut problems, mut warnings) = (Problems::default(), Problems::default());
        let mut resolve = |rules: &[RuleConfig], list, subject| {
            let mut resolved = Vec::with_capacity(rules.len());
            for (index, rule) in rules.iter().enumerate() {
                let pointer = Pointer::default().key(list).index(index);
                let mut check = Check { subject, pointer, problems: &mut problems, warnings: &mut warnings };
                resolved.extend(check.rule(rule, Place { list, index }));
            }
            resolved
        };
        let rules = resolve(&self.rules, "rules", Subject::Series);
        let group_rules = resolve(&self.group_rules, "group_rules", Subject::Group);
        problems.into_result()?;
        Ok(Relabel { rules, group_rules, warnings })
    }
}

/// The check of one rule.
struct Check<'a> {
    subject: Subject,
    pointer: Pointer,
    problems: &'a mut Problems,
    warnings: &'a mut Problems,
}

impl Check<'_> {
    fn rule(&mut self, config: &RuleConfig, place: Place) -> Option<Rule> {
        let regex = config.regex.as_deref().unwrap_or("(.*)");
        let pattern =
            Pattern::new(regex).map_err(|error| self.problem("regex", format!("no regex: {error}"))).ok();
        let labels = config.source_labels.clone().unwrap_or_default();
        self.sources(&labels);
        let separator = config.separator.clone().unwrap_or_else(|| ";".to_owned());
        let sources = Sources { labels, separator };
        let step = match config.action {
            Action::Replace => self.replace(config, sources, pattern.as_ref()),
            Action::Keep | Action::Drop => {
                let on_match = if config.action == Action::Keep { OnMatch::Keep } else { OnMatch::Drop };
                if sources.labels.is_empty() {
                    self.warning(
                        "source_labels",
                        "there are none, so the regex is held against the empty string",
                    );
                }
                self.ignored(config, &["target_label", "replacement", "modulus"]);
                Some(Step::Filter { sources, on_match })
            }
            Action::Keepequal | Action::Dropequal => self.compare(config, sources),
            Action::Hashmod | Action::Lowercase | Action::Uppercase => self.derive(config, sources),
            Action::Labelmap => {
                self.ignored(config, &["source_labels", "separator", "target_label", "modulus"]);
                let replacement = config.replacement.as_deref().unwrap_or("$1");
                if !is_label_name_template(replacement) {
                    self.problem("replacement", not_a_name(replacement));
                }
                Some(Step::MapLabels { replacement: self.replacement(config, pattern.as_ref())? })
            }
            Action::Labeldrop | Action::Labelkeep => self.label_filter(config, pattern.as_ref()),
        };
        Some(Rule { place, pattern: pattern?, step: step? })
    }

    fn replace(&mut self, config: &RuleConfig, sources: Sources, pattern: Option<&Pattern>) -> Option<Step> {
        let target = self.target(config)?;
        let is_legal =
            if target.contains('$') { is_label_name_template(target) } else { is_label_name(target) };
        if !is_legal {
            self.problem("target_label", not_a_name(target));
        }
        self.ignored(config, &["modulus"]);
        let target = self.template("target_label", target, pattern);
        let replacement = self.replacement(config, pattern);
        Some(Step::Replace { sources, target: target?, replacement: replacement? })
    }

    fn compare(&mut self, config: &RuleConfig, sources: Sources) -> Option<Step> {
        // As in Prometheus, what is written out and is the default anyway is let be, a regex apart.
        let is_default = |field: &&str| match *field {
            "separator" => sources.separator == ";",
            "replacement" => config.replacement.as_deref() == Some("$1"),
            "modulus" => config.modulus == Some(0),
            field => matches!(field, "source_labels" | "target_label"),
        };
        for field in Self::written(config).into_iter().filter(|field| !is_default(field)) {
            let action = config.action.name();
            let message =
                format!("the action '{action}' takes 'source_labels' and a 'target_label' and nothing else");
            self.problem(field, message);
        }
        let target = self.plain_target(config)?;
        let on_equal = if config.action == Action::Keepequal { OnMatch::Keep } else { OnMatch::Drop };
        Some(Step::Compare { sources, target, on_equal })
    }

    fn derive(&mut self, config: &RuleConfig, sources: Sources) -> Option<Step> {
        let modulus = config.modulus.and_then(NonZeroU64::new);
        let function = match config.action {
            Action::Hashmod => {
                if modulus.is_none() {
                    self.problem("modulus", "the action 'hashmod' needs one that is not 0");
                }
                self.ignored(config, &["regex", "replacement"]);
                modulus.map(Function::HashMod)
            }
            action => {
                if config.replacement.as_deref().is_some_and(|replacement| replacement != "$1") {
                    let message = format!("the action '{}' takes no replacement", action.name());
                    self.problem("replacement", message);
                }
                self.ignored(config, &["regex", "modulus"]);
                Some(if action == Action::Lowercase { Function::Lowercase } else { Function::Uppercase })
            }
        };
        Some(Step::Derive { sources, target: self.plain_target(config)?, function: function? })
    }

    fn target<'c>(&mut self, config: &'c RuleConfig) -> Option<&'c str> {
        let Some(target) = config.target_label.as_deref().filter(|target| !target.is_empty()) else {
            let message = format!("the action '{}' needs a 'target_label'", config.action.name());
            self.problems.add(self.pointer.clone(), message);
            return None;
        };
        let writes = !matches!(config.action, Action::Keepequal | Action::Dropequal);
        if target == "job" && self.subject == Subject::Series && writes {
            self.warning(
                "target_label",
                "a push is refused when this changes 'job', which is in the grouping key; write it in 'group_rules'",
            );
        }
        if target == "__name__" && self.subject == Subject::Group {
            self.warning("target_label", "a grouping key has no metric name, so this is not stored");
        }
        Some(target)
    }

    /// A target without references.
    fn plain_target(&mut self, config: &RuleConfig) -> Option<String> {
        let target = self.target(config)?;
        if !is_label_name(target) {
            self.problem("target_label", not_a_name(target));
        }
        Some(target.to_owned())
    }

    fn label_filter(&mut self, config: &RuleConfig, pattern: Option<&Pattern>) -> Option<Step> {
        let is_default = |field: &&str| match *field {
            "target_label" => config.target_label.as_deref() == Some(""),
            "separator" => config.separator.as_deref() == Some(";"),
            "replacement" => config.replacement.as_deref() == Some("$1"),
            "modulus" => config.modulus == Some(0),
            field => field == "regex",
        };
        for field in Self::written(config).into_iter().filter(|field| !is_default(field)) {
            let message = format!("the action '{}' takes a 'regex' and nothing else", config.action.name());
            self.problem(field, message);
        }
        let on_match = if config.action == Action::Labelkeep { OnMatch::Keep } else { OnMatch::Drop };
        let keeps_job = pattern?.is_match("job") == (on_match == OnMatch::Keep);
        if self.subject == Subject::Group && !keeps_job {
            self.problem("regex", "this would drop 'job', which every grouping key needs");
        }
        Some(Step::FilterLabels { on_match })
    }

    fn sources(&mut self, labels: &[String]) {
        for (index, label) in labels.iter().enumerate() {
            let pointer = self.pointer.clone().key("source_labels").index(index);
            if !is_label_name(label) {
                self.problems.add(pointer, not_a_name(label));
            } else if label == "__name__" && self.subject == Subject::Group {
                self.warnings.add(pointer, "a grouping key has no metric name, so this is always empty");
            } else if matches!(label.as_str(), "le" | "quantile") && self.subject == Subject::Series {
                let message = "a histogram or summary is one series for rules, so this is empty for it";
                self.warnings.add(pointer, message);
            }
        }
    }

    fn replacement(&mut self, config: &RuleConfig, pattern: Option<&Pattern>) -> Option<Template> {
        if let Some(replacement) = &config.replacement {
            return self.template("replacement", replacement, pattern);
        }
        let template = Template::new("$1", pattern?);
        if template.unknown_groups().next().is_some() {
            self.warning("regex", "it has no group, and the replacement is '$1' unless it is given");
        }
        Some(template)
    }

    fn template(&mut self, field: &str, text: &str, pattern: Option<&Pattern>) -> Option<Template> {
        let template = Template::new(text, pattern?);
        for name in template.unknown_groups() {
            self.warning(
                field,
                format!("{} is no group of the regex, so it stands for nothing", quote(name)),
            );
        }
        Some(template)
    }

    /// Prometheus lets these be, and they do nothing.
    fn ignored(&mut self, config: &RuleConfig, fields: &[&str]) {
        for field in Self::written(config).into_iter().filter(|field| fields.contains(field)) {
            self.warning(field, format!("the action '{}' does not use it", config.action.name()));
        }
    }

    fn written(config: &RuleConfig) -> Vec<&'static str> {
        let fields = [
            ("source_labels", config.source_labels.is_some()),
            ("separator", config.separator.is_some()),
            ("regex", config.regex.is_some()),
            ("modulus", config.modulus.is_some()),
            ("target_label", config.target_label.is_some()),
            ("replacement", config.replacement.is_some()),
        ];
        fields.into_iter().filter(|(_, is_written)| *is_written).map(|(field, _)| field).collect()
    }

    fn problem(&mut self, field: &str, message: impl Into<String>) {
        self.problems.add(self.pointer.clone().key(field), message);
    }

    fn warning(&mut self, field: &str, message: impl Into<String>) {
        self.warnings.add(self.pointer.clone().key(field), message);
    }
}

fn not_a_name(name: &str) -> String {
    format!("{} is no label name; those match '[a-zA-Z_][a-zA-Z0-9_]*'", quote(name))
}
