//! Rules, held against a push.

use std::collections::HashSet;
use std::sync::Arc;

use cel::Env;
use foldhash::fast::FixedState;
use pushgate_plugin::{Finding, Method, Push, Series, Sym, quote};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::breaches::Breaches;
use crate::condition::{Condition, Verdict};
use crate::expression::Expression;
use crate::input::{Label, Subject};
use crate::message::Message;
use crate::on::On;
use crate::ruling::Ruling;

/// One rule: all that it is on, and that `when` is true of, must make `expr` true.
#[derive(Debug)]
pub(crate) struct Rule {
    /// As findings have it: with the plugin's name before it.
    pub(crate) code: String,
    pub(crate) on: On,
    pub(crate) methods: Vec<Method>,
    pub(crate) when: Option<Expression>,
    pub(crate) expr: Expression,
    pub(crate) message: Message,
    pub(crate) action: Action,
    pub(crate) on_error: OnError,
}

/// What becomes of what breaks a rule.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// The push is refused.
    #[default]
    Reject,
    /// Whoever pushed is told, and the push goes on.
    Warn,
    /// The metric or series is left out, and whoever pushed is told.
    Drop,
}

/// What follows when an expression fails on a push.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum OnError {
    /// The push is refused.
    #[default]
    Reject,
    /// Whoever pushed is told, and the push goes on as if the rule were kept.
    Warn,
    /// The rule counts as kept.
    Ignore,
}

impl Rule {
    pub(crate) fn judge(&self, env: &Arc<Env>, push: &Push, ruling: &mut Ruling) {
        if !self.methods.contains(&push.method()) {
            return;
        }
        let mut conditions = Conditions {
            when: self.when.as_ref().map(|when| Condition::new(when, env, push)),
            expr: Condition::new(&self.expr, env, push),
        };
        let (mut breaches, mut errors) = (Breaches::default(), Breaches::default());
        for subject in self.subjects(push, ruling) {
            match conditions.verdict(subject) {
                Ok(true) => {}
                Ok(false) => {
                    let is_constant = self.message.is_constant();
                    breaches.add(subject, is_constant, || self.message.render(env, subject));
                    if self.action == Action::Drop {
                        ruling.drop(subject);
                    }
                }
                Err(reason) if self.on_error != OnError::Ignore => {
                    errors.add(subject, false, || {
                        format!(
                            "the rule {} fails here, which is for whoever runs the gateway to mend: {reason}",
                            quote(&self.code)
                        )
                    });
                }
                Err(_) => {}
            }
        }
        let into = if self.action == Action::Reject { &mut ruling.reasons } else { &mut ruling.remarks };
        breaches.report(into, |message| Finding::configured(&self.code, message));
        let into = if self.on_error == OnError::Reject { &mut ruling.reasons } else { &mut ruling.remarks };
        errors.report(into, |message| Finding::new(&crate::ERROR, message));
    }

    /// What of a push the rule is about, without what rules before it have dropped.
    fn subjects<'p>(&self, push: &'p Push, ruling: &Ruling) -> Vec<Subject<'p>> {
        let whole = Subject { push, family: None, series: None, label: None };
        let is_left = |subject: &Subject<'_>| !ruling.has_dropped(*subject);
        let metrics = push.families().map(|family| Subject { family: Some(family), ..whole }).filter(is_left);
        let series = push.series().map(|series| Subject {
            family: Some(series.family()),
            series: Some(series),
            ..whole
        });
        match self.on {
            On::Push => vec![whole],
            On::Metric => metrics.collect(),
            On::Series => series.filter(is_left).collect(),
            On::Label => labels(whole, series.filter(is_left)),
        }
    }
}

/// Each label that is not empty, once for each name and value.
fn labels<'p>(whole: Subject<'p>, series: impl Iterator<Item = Subject<'p>>) -> Vec<Subject<'p>> {
    let mut labels: Vec<Subject<'p>> = Vec::new();
    for label in whole.push.grouping().filter(|label| !label.value().is_empty()) {
        let label = Label { name: label.name(), value: label.value(), symbol: None };
        labels.push(Subject { label: Some(label), ..whole });
    }
    let mut seen: HashSet<(Sym, Sym), FixedState> = HashSet::default();
    for subject in series {
        for label in subject.series.into_iter().flat_map(Series::labels) {
            if seen.insert((label.name_sym(), label.value_sym())) && !label.value().is_empty() {
                let label =
                    Label { name: label.name(), value: label.value(), symbol: Some(label.name_sym()) };
                labels.push(Subject { label: Some(label), ..subject });
            }
        }
    }
    labels
}

struct Conditions<'p> {
    when: Option<Condition<'p>>,
    expr: Condition<'p>,
}

impl Conditions<'_> {
    /// Whether the rule is kept.
    fn verdict(&mut self, subject: Subject<'_>) -> Verdict {
        if let Some(when) = &mut self.when
            && !when.verdict(subject)?
        {
            return Ok(true);
        }
        self.expr.verdict(subject)
    }
}
