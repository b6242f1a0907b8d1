//! The rules of one list, at work on one push.

use pushgate_plugin::Sym;

use crate::bound::{Bound, Flow};
use crate::label_set::{Entry, LabelSet};
use crate::rule::{Place, Rule};
use crate::texts::Texts;

/// The rules of one list, at work on one push.
///
/// Which labels the rules have to do with is settled once, so that the other labels of a series, and the
/// rules that have nothing to do, cost nothing for each series.
pub(crate) struct Program<'r> {
    rules: Vec<Bound<'r>>,
    pub(crate) set: LabelSet,
    /// Whether rules read or write the metric's name.
    pub(crate) touches_metric_name: bool,
}

/// What became of one label set.
pub(crate) enum Ran {
    ToTheEnd,
    DroppedBy(Place),
}

impl<'r> Program<'r> {
    /// Binds rules to a push whose labels, the standing ones aside, have these names.
    pub(crate) fn new(rules: &'r [Rule], standing: &[Entry], names: &[Sym], texts: &mut Texts<'_>) -> Self {
        let mut set = LabelSet::new(standing, texts);
        // What a rule writes may be any label, when its target depends on the values that it finds.
        let is_open = rules.iter().any(Rule::has_open_target);
        if is_open {
            for name in names {
                set.slot(*name, texts);
            }
        }
        let mut bound = Vec::with_capacity(rules.len());
        for rule in rules {
            let rule = Bound::new(rule, &mut set, names, texts);
            if is_open || !rule.is_idle() {
                bound.push(rule);
            }
        }
        let touches_metric_name = is_open || bound.iter().any(|rule| rule.touches_metric_name(&set));
        Self { rules: bound, set, touches_metric_name }
    }

    /// Whether no rule has anything to do.
    pub(crate) fn is_idle(&self) -> bool {
        self.rules.is_empty()
    }

    /// Runs the rules on what was loaded into the set. `conflict` is called with the rule and the label
    /// when one writes a fixed label.
    #[inline]
    pub(crate) fn run(
        &mut self,
        texts: &mut Texts<'_>,
        mut conflict: impl FnMut(Place, Entry, &mut LabelSet, &Texts<'_>),
    ) -> Ran {
        for rule in &mut self.rules {
            if rule.run(&mut self.set, texts, &mut conflict) == Flow::Drop {
                return Ran::DroppedBy(rule.place());
            }
        }
        Ran::ToTheEnd
    }
}
