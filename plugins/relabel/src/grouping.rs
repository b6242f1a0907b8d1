//! `group_rules`: the grouping key, and with it the group that a push goes to.

use pushgate_plugin::{Finding, Method, Push, Sym, quote};

use crate::label_set::Entry;
use crate::program::{Program, Ran};
use crate::rule::Rule;
use crate::texts::Texts;
use crate::{GROUP_REFUSED, NO_JOB};

/// The grouping key after the rules.
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) labels: Vec<Entry>,
    /// Names that it did not have before, which may be names of labels of series as well.
    pub(crate) new_names: Vec<Sym>,
}

/// Runs the rules, and notes the edits of the grouping key. An error is why the push is refused.
pub(crate) fn relabel(rules: &[Rule], push: &Push, texts: &mut Texts<'_>) -> Result<Key, Finding> {
    let before: Vec<Entry> = push
        .grouping()
        .map(|label| Entry { name: texts.name(label.name()), value: label.value_sym() })
        .collect();
    if rules.is_empty() {
        return Ok(Key { labels: before, new_names: Vec::new() });
    }
    let names: Vec<Sym> = before.iter().map(|entry| entry.name).collect();
    let mut program = Program::new(rules, &[], &names, texts);
    before.iter().for_each(|entry| program.set.load(*entry));
    if let Ran::DroppedBy(rule) = program.run(texts, |_, _, _, _| {})
        // A DELETE must reach groups that were there before the rule was.
        && push.method() != Method::Delete
    {
        let message = format!("push to another group: {rule} does not let this grouping key in");
        return Err(Finding::new(&GROUP_REFUSED, message));
    }
    let mut key = Key { labels: before, new_names: Vec::new() };
    for now in program.set.changes() {
        key.change(now, texts);
    }
    check_job(push, &key, texts)?;
    Ok(key)
}

impl Key {
    fn change(&mut self, now: Entry, texts: &mut Texts<'_>) {
        let place = self.labels.iter().position(|entry| entry.name == now.name);
        if now.value == Sym::EMPTY {
            if let Some(place) = place {
                texts.edits.drop_grouping_label(now.name);
                self.labels.remove(place);
            }
        } else {
            texts.edits.set_grouping_label(now.name, now.value);
            match place {
                Some(place) => self.labels[place] = now,
                None => {
                    self.labels.push(now);
                    self.new_names.push(now.name);
                }
            }
        }
    }
}

fn check_job(push: &Push, key: &Key, texts: &mut Texts<'_>) -> Result<(), Finding> {
    let job = texts.name("job");
    if key.labels.iter().any(|entry| entry.name == job && entry.value != Sym::EMPTY) {
        return Ok(());
    }
    let message = format!("push under another job: the group rules leave nothing of {}", quote(push.job()));
    Err(Finding::new(&NO_JOB, message))
}
