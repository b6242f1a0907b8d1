//! Random limits on random pushes: what is left of a push is within the limits, whatever was dropped for them.

use std::collections::BTreeSet;

use cardinality::Cardinality;
use pushgate_plugin::{Plugin, testing};

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

const VALUES: [&str; 7] = ["a", "b", "c", "d", "long-value", "longer-value", "1764121573"];

fn random_limits(dice: &mut Dice) -> String {
    let mut limits = Vec::new();
    for name in ["series_per_push", "series_per_group", "series_per_family", "label_limit", "bucket_limit"] {
        if dice.roll(3) == 0 {
            limits.push(format!(r#""{name}": {{"limit": {}, "action": "drop"}}"#, 1 + dice.roll(6)));
        }
    }
    let action = |dice: &mut Dice| dice.pick(&["drop", "labeldrop"]);
    for name in ["metric_name_length_limit", "label_name_length_limit", "label_value_length_limit"] {
        if dice.roll(3) == 0 {
            let action = if name.starts_with("metric") { "drop" } else { action(dice) };
            limits.push(format!(r#""{name}": {{"limit": {}, "action": "{action}"}}"#, 4 + dice.roll(8)));
        }
    }
    if dice.roll(2) == 0 {
        let (label, limit, action) = (dice.pick(&["x", ".*"]), 1 + dice.roll(4), action(dice));
        limits.push(format!(
            r#""label_values": [{{"label": "{label}", "limit": {limit}, "action": "{action}"}}]"#
        ));
    }
    if dice.roll(3) == 0 {
        let action = action(dice);
        limits.push(format!(r#""high_entropy": {{"action": "{action}"}}"#));
    }
    format!(r#"{{"limits": {{{}}}}}"#, limits.join(", "))
}

fn random_push(dice: &mut Dice) -> String {
    let mut lines = BTreeSet::new();
    for _ in 0..dice.roll(12) {
        let mut labels: Vec<String> = Vec::new();
        for name in ["x", "y", "long_name"] {
            if dice.roll(3) > 0 {
                labels.push(format!("{name}=\"{}\"", dice.pick(&VALUES)));
            }
        }
        lines.insert((dice.pick(&["m", "metric", "metric_of_length"]), labels.join(",")));
    }
    let mut text: String = lines.iter().map(|(name, labels)| format!("{name}{{{labels}}} 1\n")).collect();
    if dice.roll(2) == 0 {
        text += "# TYPE h histogram\n";
        (0..dice.roll(5)).for_each(|bound| text += &format!("h_bucket{{x=\"a\",le=\"{bound}\"}} 1\n"));
        text += "h_bucket{x=\"a\",le=\"+Inf\"} 1\nh_sum{x=\"a\"} 1\nh_count{x=\"a\"} 1\n";
    }
    text
}

#[test]
fn what_is_left_is_within_the_limits() {
    let mut dice = Dice(11);
    let (mut changed, mut refused) = (0, 0);
    for round in 0..3_000 {
        let (config, body) = (random_limits(&mut dice), random_push(&mut dice));
        let plugin = testing::configure::<Cardinality>(&config)
            .unwrap_or_else(|problems| panic!("{config}\n{problems}"));
        let request = r#"PUT {job="j", zone="e"}"#;
        let push = testing::push(request, &body).unwrap_or_else(|error| panic!("{error}\n{body}"));
        let outcome = plugin.evaluate(&push);
        if outcome.is_rejection() {
            // Of duplicates only: everything else is dropped.
            refused += 1;
            assert!(format!("{outcome:?}").contains("duplicate-series"), "round {round}\n{config}\n{body}");
            continue;
        }
        changed += usize::from(outcome.is_mutation());
        let after = testing::apply(&push, outcome)
            .unwrap_or_else(|error| panic!("round {round}: {error}\n{config}\n{body}"));
        let (_, left) = after.split_once('\n').expect("the key is on the first line");
        let left = testing::push(request, left).unwrap_or_else(|error| panic!("{error}\n{left}"));
        let outcome = plugin.evaluate(&left);
        assert!(
            !outcome.is_rejection() && !outcome.is_mutation(),
            "round {round}\n{config}\n{body}\n{after}"
        );
    }
    assert!(changed > 1_000 && refused > 100, "the dice are bad: {changed} changed, {refused} refused");
}
