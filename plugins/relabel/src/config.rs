//! The options, and what they must be: what Prometheus checks when it loads a configuration, and what
//! can never work at push time.

use pushgate_plugin::{Pattern, Pointer, Problems, Template, quote};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::Relabel;
use crate::rule::{OnMatch, Place, Rule, Sources, Step, is_label_name, is_temporary};

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
    pub source_labels: Vec<String>,
    /// What the values are joined with. Default ";".
    pub separator: Option<String>,
    /// An anchored RE2 regex. Default "(.*)".
    pub regex: Option<String>,
    /// The label that `replace` writes; may have `$1` in it.
    pub target_label: Option<String>,
    /// What `replace` writes, or the name that `labelmap` copies to. Default "$1".
    pub replacement: Option<String>,
    /// What to do. Default "replace".
    pub action: Action,
}

/// What a rule does.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Writes `replacement` to `target_label` when the source labels match.
    #[default]
    Replace,
    /// Drops what does not match.
    Keep,
    /// Drops what matches.
    Drop,
    /// Copies the labels whose names match to the names that `replacement` gives.
    Labelmap,
    /// Drops the labels whose names match.
    Labeldrop,
    /// Drops the labels whose names do not match.
    Labelkeep,
}

impl Action {
    fn name(self) -> &'static str {
        match self {
            Self::Replace => "replace",
            Self::Keep => "keep",
            Self::Drop => "drop",
            Self::Labelmap => "labelmap",
            Self::Labeldrop => "labeldrop",
            Self::Labelkeep => "labelkeep",
        }
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
        self.sources(&config.source_labels);
        let sources = Sources {
            labels: config.source_labels.clone(),
            separator: config.separator.clone().unwrap_or_else(|| ";".to_owned()),
        };
        let step = match config.action {
            Action::Replace => self.replace(config, sources, pattern.as_ref()),
            Action::Keep | Action::Drop => {
                let on_match = if config.action == Action::Keep { OnMatch::Keep } else { OnMatch::Drop };
                if config.source_labels.is_empty() {
                    self.warning(
                        "source_labels",
                        "there are none, so the regex is held against the empty string",
                    );
                }
                self.ignored(config, &["target_label", "replacement"]);
                Some(Step::Filter { sources, on_match })
            }
            Action::Labelmap => {
                self.ignored(config, &["source_labels", "separator", "target_label"]);
                self.name_template("replacement", config.replacement.as_deref().unwrap_or("$1"));
                Some(Step::MapLabels { replacement: self.replacement(config, pattern.as_ref())? })
            }
            Action::Labeldrop | Action::Labelkeep => self.label_filter(config, pattern.as_ref()),
        };
        Some(Rule { place, pattern: pattern?, step: step? })
    }

    fn replace(&mut self, config: &RuleConfig, sources: Sources, pattern: Option<&Pattern>) -> Option<Step> {
        let Some(target) = config.target_label.as_deref().filter(|target| !target.is_empty()) else {
            self.problems.add(self.pointer.clone(), "the action 'replace' needs a 'target_label'");
            return None;
        };
        self.name_template("target_label", target);
        if target == "job" && self.subject == Subject::Series {
            self.problem(
                "target_label",
                "'job' is always in the grouping key, which wins; write it in 'group_rules'",
            );
        }
        let target = self.template("target_label", target, pattern);
        let replacement = self.replacement(config, pattern);
        Some(Step::Replace { sources, target: target?, replacement: replacement? })
    }

    fn label_filter(&mut self, config: &RuleConfig, pattern: Option<&Pattern>) -> Option<Step> {
        for field in Self::written(config).into_iter().filter(|field| *field != "regex") {
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
            }
        }
    }

    /// Checks a label name that may have references in it, as Prometheus does.
    fn name_template(&mut self, field: &str, name: &str) {
        // A reference to a group may stand where a letter may.
        let plain = name.replace("${", "$").replace(['$', '}'], "_");
        if !is_label_name(&plain) {
            self.problem(field, not_a_name(name));
        } else if name == "__name__" {
            self.problem(field, "the metric's name cannot be changed by 'relabel' yet");
        } else if is_temporary(name) && !name.starts_with("__tmp") {
            self.problem(
                field,
                "names with '__' in front are reserved; '__tmp_...' is for values in between",
            );
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
            ("source_labels", !config.source_labels.is_empty()),
            ("separator", config.separator.is_some()),
            ("regex", config.regex.is_some()),
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
