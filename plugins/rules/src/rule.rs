//! Rules, held against a push.

use std::sync::Arc;

use cel::Env;
use pushgate_plugin::{Finding, Method, Push, quote};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::breaches::Breaches;
use crate::condition::{Condition, Verdict};
use crate::expression::Expression;
use crate::input::Subject;
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
        for subject in self.subjects(push).filter(|subject| !ruling.has_dropped(*subject)).collect::<Vec<_>>() {
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
                        format!("the rule {} cannot be held against this: {reason}", quote(&self.code))
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

    /// What of a push the rule is about.
    fn subjects<'p>(&self, push: &'p Push) -> Box<dyn Iterator<Item = Subject<'p>> + 'p> {
        let whole = Subject { push, family: None, series: None };
        match self.on {
            On::Push => Box::new(std::iter::once(whole)),
            On::Metric => Box::new(push.families().map(move |family| Subject { family: Some(family), ..whole })),
            On::Series => Box::new(push.families().flat_map(move |family| {
                let of_family = Subject { family: Some(family), ..whole };
                family.series().map(move |series| Subject { series: Some(series), ..of_family })
            })),
        }
    }
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
