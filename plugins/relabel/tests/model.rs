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
const TARGETS: [&str; 8] = ["a", "b", "c", "d", "__tmp_x", "zone", "t_$1", "${1}a"];
const REPLACEMENTS: [&str; 6] = ["$1", "k", "", "$1$2", "1", "x"];
const NAMES: [&str; 8] = ["a|b", "(a)", "__tmp.*", "zone", "[abc]", "(.)", "job|a|d", "nothing"];
const NEW_NAMES: [&str; 5] = ["$1", "m_$1", "d", "b", "zone"];

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

struct Series {
    family: String,
    labels: Labels,
    value: usize,
}

fn random_rule(dice: &mut Dice) -> RuleConfig {
    let mut rule = RuleConfig { regex: Some(dice.pick(&REGEXES).to_owned()), ..RuleConfig::default() };
    let sources = dice.roll(4);
    match dice.roll(8) {
        0 => rule.action = if dice.roll(2) == 0 { Action::Keep } else { Action::Drop },
        1 => rule.action = Action::Labelmap,
        2 => rule.action = if dice.roll(3) == 0 { Action::Labelkeep } else { Action::Labeldrop },
        _ => rule.target_label = Some(dice.pick(&TARGETS).to_owned()),
    }
    match rule.action {
        Action::Labelmap | Action::Labelkeep | Action::Labeldrop => {
            rule.regex = Some(dice.pick(&NAMES).to_owned());
            rule.replacement = (rule.action == Action::Labelmap).then(|| dice.pick(&NEW_NAMES).to_owned());
        }
        _ => {
            rule.source_labels = (0..sources).map(|_| dice.pick(&SOURCES).to_owned()).collect();
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

/// What a rule list makes of one series; `None` when it is dropped, an error when it writes the key.
fn relabel(rules: &[RuleConfig], series: &Series) -> Result<Option<BTreeMap<String, String>>, ()> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let mut fixed = vec![("__name__".to_owned(), series.family.clone())];
    fixed.extend(KEY.iter().map(owned));
    let mut own = series.labels.clone();
    for rule in rules {
        let pattern = Pattern::new(rule.regex.as_deref().unwrap_or("(.*)"))
            .expect("all of REGEXES and NAMES are legal");
        let replacement = Template::new(rule.replacement.as_deref().unwrap_or("$1"), &pattern);
        let value = |name: &String| {
            let found = fixed.iter().chain(&own).find(|(other, _)| other == name);
            found.map_or("", |(_, value)| value).to_owned()
        };
        let joined = rule.source_labels.iter().map(value).collect::<Vec<_>>().join(";");
        match rule.action {
            Action::Keep | Action::Drop => {
                if pattern.is_match(&joined) != (rule.action == Action::Keep) {
                    return Ok(None);
                }
            }
            Action::Replace => {
                if let Some(captures) = pattern.captures(&joined) {
                    let target = Template::new(rule.target_label.as_deref().unwrap_or_default(), &pattern)
                        .expand(&captures);
                    write(&fixed, &mut own, &target, &replacement.expand(&captures))?;
                }
            }
            Action::Labelmap => {
                // As they were before this rule, in order of names, those that other rules wrote behind.
                let is_written = |label: &(String, String)| !series.labels.contains(label);
                let (written, mut given): (Labels, Labels) = own.iter().cloned().partition(is_written);
                given.extend_from_slice(&fixed[1..]);
                given.sort();
                for (name, value) in given.into_iter().chain(written) {
                    if let Some(captures) = pattern.captures(&name).filter(|_| !value.is_empty()) {
                        write(&fixed, &mut own, &replacement.expand(&captures), &value)?;
                    }
                }
            }
            Action::Labeldrop | Action::Labelkeep => {
                for (name, value) in &mut own {
                    if pattern.is_match(name) == (rule.action == Action::Labeldrop) {
                        value.clear();
                    }
                }
            }
        }
    }
    Ok(Some(own.into_iter().filter(|(name, value)| !name.starts_with("__") && !value.is_empty()).collect()))
}

fn write(fixed: &Labels, own: &mut Labels, name: &str, value: &str) -> Result<(), ()> {
    let is_legal = |character: char| character == '_' || character.is_ascii_alphanumeric();
    let is_name = !name.is_empty() && !name.starts_with(|first: char| first.is_ascii_digit());
    if !is_name || !name.chars().all(is_legal) || name == "__name__" {
        return Ok(());
    }
    if let Some((_, held)) = fixed.iter().find(|(other, _)| other == name) {
        return if held == value { Ok(()) } else { Err(()) };
    }
    match own.iter_mut().find(|(other, _)| other == name) {
        Some((_, old)) => value.clone_into(old),
        None => own.push((name.to_owned(), value.to_owned())),
    }
    Ok(())
}

/// The push after the rules as text, or `None` when it has to be refused.
fn model(rules: &[RuleConfig], push: &[Series]) -> Option<String> {
    let mut text = String::from("{job=\"j\",zone=\"1\"}\n");
    let mut seen = BTreeSet::new();
    for series in push {
        let Some(labels) = relabel(rules, series).ok()? else { continue };
        if !seen.insert((series.family.clone(), labels.clone())) {
            return None;
        }
        text.push_str(&line(&series.family, labels.iter(), series.value));
    }
    Some(text)
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
            testing::apply(&push, outcome)
                .unwrap_or_else(|error| panic!("round {round}: {error}\n{config}\n{body}"))
        });
        assert_eq!(found, model(&rules, &series), "round {round}\n{config}\n{body}");
    }
    assert!(changed > 400 && refused > 80, "the dice are bad: {changed} changed, {refused} refused");
}

fn as_json(rule: &RuleConfig) -> serde_json::Value {
    let mut value = json!({
        "source_labels": rule.source_labels,
        "regex": rule.regex,
        "action": format!("{:?}", rule.action).to_lowercase(),
    });
    for (key, text) in [("target_label", &rule.target_label), ("replacement", &rule.replacement)] {
        if let Some(text) = text {
            value[key] = json!(text);
        }
    }
    value
}
