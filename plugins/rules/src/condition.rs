//! Conditions on one push: an expression, and what it has come to already.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use cel::Env;
use foldhash::fast::FixedState;
use pushgate_plugin::{Family, Push, Sym};

use crate::expression::Expression;
use crate::input::{Input, Subject};
use crate::on::On;
use crate::variables::Part;

/// Labels of a series that are told apart. A condition that looks at more is run for each series.
const MAX_LABELS: usize = 3;

/// What a condition comes to, or why it does not come to anything.
pub(crate) type Verdict = Result<bool, Rc<str>>;

/// A condition, asked about one push. It is run only when something that it reads is different.
pub(crate) struct Condition<'p> {
    expression: &'p Expression,
    env: &'p Arc<Env>,
    memory: Memory,
}

#[derive(Debug)]
enum Memory {
    /// It reads nothing that is different within what the number stands for: the push, or a metric of it.
    Last(Option<(usize, Verdict)>),
    /// Of the series it reads these labels only. The key is the metric and their values.
    Labels { names: Vec<Option<Sym>>, known: HashMap<[usize; MAX_LABELS + 1], Verdict, FixedState> },
    /// It reads more.
    None,
}

impl<'p> Condition<'p> {
    pub(crate) fn new(expression: &'p Expression, env: &'p Arc<Env>, push: &Push) -> Self {
        let memory = match expression.changes_with {
            On::Push | On::Metric => Memory::Last(None),
            On::Series => match labels(expression, push) {
                Some(names) => Memory::Labels { names, known: HashMap::default() },
                None => Memory::None,
            },
            // Each is another one.
            On::Label => Memory::None,
        };
        Self { expression, env, memory }
    }

    pub(crate) fn verdict(&mut self, subject: Subject<'_>) -> Verdict {
        let run = || self.expression.is_true(self.env, subject).map_err(Rc::from);
        let metric = match self.expression.changes_with {
            On::Push => 0,
            On::Metric | On::Series | On::Label => subject.family.map_or(0, Family::index),
        };
        match &mut self.memory {
            Memory::Last(Some((known, verdict))) if *known == metric => verdict.clone(),
            Memory::Last(last) => last.insert((metric, run())).1.clone(),
            Memory::Labels { names, known } => {
                let mut key = [metric, 0, 0, 0];
                for (value, name) in key[1..].iter_mut().zip(names) {
                    let own = name.and_then(|name| subject.series?.own_value_sym(name));
                    *value = own.map_or(0, Sym::index);
                }
                known.entry(key).or_insert_with(run).clone()
            }
            Memory::None => run(),
        }
    }
}

/// The names of the labels of a series that it reads, if it reads nothing else of it and not too many. What the
/// grouping key has is the same for all series.
fn labels(expression: &Expression, push: &Push) -> Option<Vec<Option<Sym>>> {
    let mut names = Vec::new();
    for input in &expression.inputs {
        match input {
            Input::Label(Part::SeriesLabels, name) | Input::Has(Part::SeriesLabels, name) => {
                names.push(push.label_name(name));
            }
            _ if input.part().is_some_and(|part| part.changes_with() == On::Series) => return None,
            _ => {}
        }
    }
    names.sort_unstable();
    names.dedup();
    (names.len() <= MAX_LABELS).then_some(names)
}
