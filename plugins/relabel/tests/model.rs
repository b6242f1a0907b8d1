//! Random rules on random pushes, held against a model: relabelling as its documentation tells it, one
//! series after the other, with strings and no cleverness. What the plugin does with slots, memos and few
//! edits must come to the same.

use std::collections::{BTreeMap, BTreeSet};

use pushgate_plugin::{Pattern, Plugin, Template, testing};
use relabel::{Action, Relabel, RuleConfig};
use serde_json::json;

const KEY: [(&str, &str); 2] = [("job", "j"), ("zone", "1")];
const SOURCES: [&str; 7] = ["a", "b", "c", "zone", "job", "__name__", "__tmp_x"];
const VALUES: [&str; 5] = ["1", "2", "12", "x", "x1"];
const REGEXES: [&str; 8] = ["(.*)", "1|2", "(1)(.*)", "", ".+", "x.*", "[12]+", "(?:m(.*)|(x)).*"];
const TARGETS: [&str; 10] = ["a", "b", "c", "d", "__tmp_x", "zone", "t_$1", "${1}a", "__name__", "__name__"];
const REPLACEMENTS: [&str; 6] = ["$1", "k", "", "$1$2", "1", "x"];
const NAMES: [&str; 9] = ["a|b", "(a)", "__tmp.*", "zone", "[abc]", "(.)", "job|a|d", "nothing", "(.*)"];
const NEW_NAMES: [&str; 6] = ["$1", "m_$1", "d", "b", "zone", "__name__"];
const PLAIN_TARGETS: [&str; 6] = ["a", "b", "d", "zone", "__tmp_x", "__name__"];

/// Numbers that look random, the same in each run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides
    }

    fn pick<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.roll(choices.len())]
    }
}

type Labels = Vec<(String, String)>;

/// The name of a metric, and the labels that are stored with it.
type Named = (String, BTreeMap<String, String>);

struct Series {
    family: String,
    labels: Labels,
    value: usize,
}

fn random_rule(dice: &mut Dice) -> RuleConfig {
    let mut rule = RuleConfig { regex: Some(dice.pick(&REGEXES).to_owned()), ..RuleConfig::default() };
    let sources = dice.roll(4);
    match dice.roll(11) {
        0 => rule.action = if dice.roll(2) == 0 { Action::Keep } else { Action::Drop },
        1 => rule.action = Action::Labelmap,
        2 => rule.action = if dice.roll(3) == 0 { Action::Labelkeep } else { Action::Labeldrop },
        3 => {
            let equal = dice.roll(2) == 0;
            rule.action = if equal { Action::Keepequal } else { Action::Dropequal };
        }
        4 => rule.action = if dice.roll(2) == 0 { Action::Lowercase } else { Action::Uppercase },
        5 => (rule.action, rule.modulus) = (Action::Hashmod, Some(dice.roll(3) as u64 + 1)),
        _ => rule.target_label = Some(dice.pick(&TARGETS).to_owned()),
    }
    match rule.action {
        Action::Labelmap | Action::Labelkeep | Action::Labeldrop => {
            rule.regex = Some(dice.pick(&NAMES).to_owned());
            rule.replacement = (rule.action == Action::Labelmap).then(|| dice.pick(&NEW_NAMES).to_owned());
        }
        Action::Keepequal | Action::Dropequal | Action::Lowercase | Action::Uppercase | Action::Hashmod => {
            rule.source_labels = Some((0..sources).map(|_| dice.pick(&SOURCES).to_owned()).collect());
            rule.target_label = Some(dice.pick(&PLAIN_TARGETS).to_owned());
            rule.regex = None;
        }
        _ => {
            rule.source_labels = Some((0..sources).map(|_| dice.pick(&SOURCES).to_owned()).collect());
            rule.replacement = rule.target_label.is_some().then(|| dice.pick(&REPLACEMENTS).to_owned());
        }
    }
    rule
}

fn random_push(dice: &mut Dice) -> Vec<Series> {
    let mut series: Vec<Series> = Vec::new();
    for family in ["m", "mx", "x"] {
        let mut seen = BTreeSet::new();
        for _ in 0..dice.roll(5) {
            let mut labels = Labels::new();
            for name in ["a", "b", "c"] {
                if dice.roll(3) > 0 {
                    labels.push((name.to_owned(), dice.pick(&VALUES).to_owned()));
                }
            }
            if seen.insert(labels.clone()) {
                series.push(Series { family: family.to_owned(), labels, value: series.len() });
            }
        }
    }
    series
}

/// The labels of a series while rules run: as they came, in order of names, and what rules added, in that order.
struct LabelSet {
    came: BTreeMap<String, String>,
    added: Labels,
}

impl LabelSet {
    fn new(series: &Series) -> Self {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let mut came: BTreeMap<String, String> = KEY.iter().map(owned).collect();
        came.insert("__name__".to_owned(), series.family.clone());
        came.extend(series.labels.iter().cloned());
        Self { came, added: Labels::new() }
    }

    fn all(&self) -> Labels {
        let is_added = |name: &String| self.added.iter().any(|(added, _)| added == name);
        let came = self.came.iter().filter(|(name, _)| !is_added(name));
        came.map(|(name, value)| (name.clone(), value.clone())).chain(self.added.clone()).collect()
    }

    fn value(&self, name: &str) -> String {
        self.all().into_iter().find(|(other, _)| other == name).map_or(String::new(), |(_, value)| value)
    }

    /// An error when it is of the grouping key and changes.
    fn set(&mut self, name: &str, value: &str) -> Result<(), ()> {
        if KEY.iter().any(|(key, held)| *key == name && *held != value) {
            return Err(());
        }
        if value.is_empty() {
            self.came.remove(name);
            self.added.retain(|(added, _)| added != name);
        } else {
            match self.added.iter_mut().find(|(added, _)| added == name) {
                Some((_, old)) => value.clone_into(old),
                None => self.added.push((name.to_owned(), value.to_owned())),
            }
        }
        Ok(())
    }
}

/// What a rule list makes of one series; `None` when it is dropped, an error when the push is refused for it.
fn relabel(rules: &[RuleConfig], series: &Series) -> Result<Option<Named>, ()> {
    let mut labels = LabelSet::new(series);
    for rule in rules {
        let pattern = Pattern::new(rule.regex.as_deref().unwrap_or("(.*)"))
            .expect("all of REGEXES and NAMES are legal");
        let replacement = Template::new(rule.replacement.as_deref().unwrap_or("$1"), &pattern);
        let sources = rule.source_labels.iter().flatten();
        let joined = sources.map(|name| labels.value(name)).collect::<Vec<_>>().join(";");
        let target = rule.target_label.as_deref().unwrap_or_default();
        match rule.action {
            Action::Keep | Action::Drop => {
                if pattern.is_match(&joined) != (rule.action == Action::Keep) {
                    return Ok(None);
                }
            }
            Action::Keepequal | Action::Dropequal => {
                if (labels.value(target) == joined) != (rule.action == Action::Keepequal) {
                    return Ok(None);
                }
            }
            Action::Lowercase => labels.set(target, &joined.to_lowercase())?,
            Action::Uppercase => labels.set(target, &joined.to_uppercase())?,
            Action::Hashmod => {
                let hash =
                    md5::compute(&joined).0[8..].iter().fold(0, |hash, byte| hash << 8 | u64::from(*byte));
                labels.set(target, &(hash % rule.modulus.unwrap_or(1)).to_string())?;
            }
            Action::Replace => {
                if let Some(captures) = pattern.captures(&joined) {
                    let target = Template::new(target, &pattern).expand(&captures);
                    if is_label_name(&target) {
                        labels.set(&target, &replacement.expand(&captures))?;
                    }
                }
            }
            Action::Labelmap => {
                for (name, value) in labels.all() {
                    if let Some(captures) = pattern.captures(&name) {
                        let name = replacement.expand(&captures);
                        if is_label_name(&name) {
                            labels.set(&name, &value)?;
                        }
                    }
                }
            }
            Action::Labeldrop | Action::Labelkeep => {
                let standing = |name: &str| name == "__name__" || KEY.iter().any(|(key, _)| *key == name);
                for (name, _) in labels.all().into_iter().filter(|(name, _)| !standing(name)) {
                    if pattern.is_match(&name) == (rule.action == Action::Labeldrop) {
                        labels.set(&name, "")?;
                    }
                }
            }
        }
    }
    let name = labels.value("__name__");
    let is_stored =
        |(name, _): &(String, String)| !name.starts_with("__") && KEY.iter().all(|(key, _)| key != name);
    if is_label_name(&name) {
        Ok(Some((name, labels.all().into_iter().filter(is_stored).collect())))
    } else {
        Err(())
    }
}

fn is_label_name(name: &str) -> bool {
    let is_legal = |character: char| character == '_' || character.is_ascii_alphanumeric();
    !name.is_empty() && !name.starts_with(|first: char| first.is_ascii_digit()) && name.chars().all(is_legal)
}

/// The lines of the push after the rules, or `None` when it has to be refused.
fn model(rules: &[RuleConfig], push: &[Series]) -> Option<BTreeSet<String>> {
    let mut lines = BTreeSet::new();
    let mut seen = BTreeSet::new();
    for series in push {
        let Some((name, labels)) = relabel(rules, series).ok()? else { continue };
        lines.insert(line(&name, labels.iter(), series.value));
        if !seen.insert((name, labels)) {
            return None;
        }
    }
    Some(lines)
}

fn line<'a>(family: &str, labels: impl Iterator<Item = (&'a String, &'a String)>, value: usize) -> String {
    let labels: Vec<String> = labels.map(|(name, value)| format!("{name}=\"{value}\"")).collect();
    let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
    format!("{family}{labels} {value}\n")
}

#[test]
fn the_plugin_does_what_the_model_does() {
    let mut dice = Dice(7);
    let (mut refused, mut changed) = (0, 0);
    for round in 0..1_500 {
        let rules: Vec<RuleConfig> = (0..=dice.roll(4)).map(|_| random_rule(&mut dice)).collect();
        let series = random_push(&mut dice);
        let body: String = series
            .iter()
            .map(|series| {
                line(&series.family, series.labels.iter().map(|(name, value)| (name, value)), series.value)
            })
            .collect();
        let config = json!({"rules": rules.iter().map(as_json).collect::<Vec<_>>()}).to_string();
        let plugin =
            testing::configure::<Relabel>(&config).unwrap_or_else(|problems| panic!("{config}\n{problems}"));
        let push = testing::push(r#"PUT {job="j", zone="1"}"#, &body).unwrap();

        let outcome = plugin.evaluate(&push);
        changed += usize::from(outcome.is_mutation());
        refused += usize::from(outcome.is_rejection());
        let found = (!outcome.is_rejection()).then(|| {
            let after = testing::apply(&push, outcome)
                .unwrap_or_else(|error| panic!("round {round}: {error}\n{config}\n{body}"));
            after.lines().skip(1).map(|line| format!("{line}\n")).collect::<BTreeSet<_>>()
        });
        assert_eq!(found, model(&rules, &series), "round {round}\n{config}\n{body}");
    }
    assert!(changed > 400 && refused > 80, "the dice are bad: {changed} changed, {refused} refused");
}

fn as_json(rule: &RuleConfig) -> serde_json::Value {
    let mut value = json!({
        "source_labels": rule.source_labels,
        "regex": rule.regex,
        "modulus": rule.modulus,
        "action": format!("{:?}", rule.action).to_lowercase(),
    });
    for (key, text) in [("target_label", &rule.target_label), ("replacement", &rule.replacement)] {
        if let Some(text) = text {
            value[key] = json!(text);
        }
    }
    value
}
