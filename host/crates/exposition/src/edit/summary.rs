//! A patch in words: what it sets, renames and drops, and on how many series.

use super::{Edit, Patch, Scope};
use crate::{Push, Sym};

/// Edits of a patch that do the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What they do, as the edit is called in `wit/types.wit`.
    pub edit: &'static str,
    /// The label or family that they do it to, by the name that it had; empty for series of any family.
    pub name: String,
    /// The new name, for those that rename.
    pub to: Option<String>,
    /// The new value, for those that set one and all the same.
    pub value: Option<String>,
    /// Series that they touch, one that is touched twice counted twice. 0 for the grouping key.
    pub series: usize,
}

/// Edits that are looked at; there may be some of each series.
const MAX_EDITS: usize = 10_000;

/// Sums up a patch of a push, which is the push before the patch: at most `most` changes, and how many edits are in
/// none of them.
pub fn summary(push: &Push, patch: &Patch, most: usize) -> (Vec<Change>, usize) {
    let mut changes: Vec<Change> = Vec::new();
    let mut more = patch.edits.len().saturating_sub(MAX_EDITS);
    for edit in patch.edits.iter().take(MAX_EDITS) {
        let change = change(push, patch, *edit);
        let known = changes.iter().position(|other| other.does_the_same(&change));
        match known {
            Some(at) => {
                let known = &mut changes[at];
                known.series += change.series;
                if known.value != change.value {
                    known.value = None;
                }
            }
            None if changes.len() < most => changes.push(change),
            None => more += 1,
        }
    }
    (changes, more)
}

impl Change {
    fn does_the_same(&self, other: &Self) -> bool {
        (self.edit, &self.name, &self.to) == (other.edit, &other.name, &other.to)
    }
}

fn change(push: &Push, patch: &Patch, edit: Edit) -> Change {
    let text = |symbol| text(push, patch, symbol);
    let named = |edit, name, to, value, series| Change { edit, name, to, value, series };
    match edit {
        Edit::SetLabel { scope, name, value } => {
            named("set-label", text(name), None, Some(text(value)), touched(push, scope))
        }
        Edit::RenameLabel { scope, from, to } => {
            named("rename-label", text(from), Some(text(to)), None, touched(push, scope))
        }
        Edit::DropLabel { scope, name } => named("drop-label", text(name), None, None, touched(push, scope)),
        Edit::RenameFamily { family, name } => {
            let series = touched(push, Scope::Family(family));
            named("rename-family", family_name(push, family), Some(text(name)), None, series)
        }
        Edit::RenameSeries { series, name } => {
            named("rename-series", series_family(push, series), Some(text(name)), None, 1)
        }
        Edit::SetHelp { family, help } => {
            let series = touched(push, Scope::Family(family));
            named("set-help", family_name(push, family), None, Some(text(help)), series)
        }
        Edit::Drop(scope) => {
            let name = match scope {
                Scope::All => String::new(),
                Scope::Family(family) => family_name(push, family),
                Scope::Series(series) => series_family(push, series),
            };
            named("drop", name, None, None, touched(push, scope))
        }
        Edit::SetGroupingLabel(label) => {
            named("set-grouping-label", text(label.name), None, Some(text(label.value)), 0)
        }
        Edit::DropGroupingLabel(name) => named("drop-grouping-label", text(name), None, None, 0),
    }
}

fn touched(push: &Push, scope: Scope) -> usize {
    match scope {
        Scope::All => push.series_count(),
        Scope::Family(family) => push.families().nth(family as usize).map_or(0, |it| it.series().len()),
        Scope::Series(_) => 1,
    }
}

fn family_name(push: &Push, family: u32) -> String {
    push.families().nth(family as usize).map(|family| family.name().to_owned()).unwrap_or_default()
}

fn series_family(push: &Push, series: u32) -> String {
    push.series(series as usize).map(|(family, _)| family.name().to_owned()).unwrap_or_default()
}

/// A symbol of the push, or of the patch; what is neither is empty, as such a patch is not applied.
fn text(push: &Push, patch: &Patch, symbol: Sym) -> String {
    let Some(added) = (symbol as usize).checked_sub(push.symbols().len()) else {
        return push.text(symbol).to_owned();
    };
    let start = added.checked_sub(1).map_or(Some(&0), |before| patch.ends.get(before));
    let range = start.zip(patch.ends.get(added)).map(|(start, end)| *start as usize..*end as usize);
    let bytes = range.and_then(|range| patch.bytes.get(range)).unwrap_or_default();
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{GroupingKey, Label, Rules, text as format};

    /// Three series of two families, and a patch that adds the symbols `x`, `y` and `z`.
    fn summed_up(edits: impl FnOnce(&dyn Fn(&str) -> Sym) -> Vec<Edit>, most: usize) -> (Vec<String>, usize) {
        let key = GroupingKey::new([("job", "j"), ("env", "e")]).unwrap();
        let body = b"a{l=\"1\"} 1\na{l=\"2\"} 1\nb{m=\"1\"} 1\n";
        let push = format::parse(body, &key, &Rules::default()).unwrap();
        let count = push.symbols().len() as Sym;
        let symbol = |text: &str| {
            let added = ["x", "y", "z"].iter().position(|added| *added == text);
            let known = (0..count).find(|&symbol| push.text(symbol) == text);
            added.map(|at| count + at as Sym).or(known).unwrap()
        };
        let patch = Patch { bytes: b"xyz".to_vec(), ends: vec![1, 2, 3], edits: edits(&symbol) };
        let (changes, more) = summary(&push, &patch, most);
        let shown = |change: Change| {
            let Change { edit, name, to, value, series } = change;
            format!("{edit} {name} {} {} {series}", to.unwrap_or_default(), value.unwrap_or_default())
        };
        (changes.into_iter().map(shown).collect(), more)
    }

    #[test]
    fn each_edit_has_its_words() {
        let (changes, more) = summed_up(
            |of| {
                vec![
                    Edit::SetLabel { scope: Scope::All, name: of("l"), value: of("x") },
                    Edit::RenameLabel { scope: Scope::Family(0), from: of("l"), to: of("y") },
                    Edit::DropLabel { scope: Scope::Series(2), name: of("m") },
                    Edit::RenameFamily { family: 1, name: of("z") },
                    Edit::RenameSeries { series: 0, name: of("x") },
                    Edit::SetHelp { family: 0, help: of("y") },
                    Edit::Drop(Scope::All),
                    Edit::Drop(Scope::Family(0)),
                    Edit::SetGroupingLabel(Label { name: of("env"), value: of("z") }),
                    Edit::DropGroupingLabel(of("env")),
                ]
            },
            20,
        );
        let expected = [
            "set-label l  x 3",
            "rename-label l y  2",
            "drop-label m   1",
            "rename-family b z  1",
            "rename-series a x  1",
            "set-help a  y 2",
            "drop    3",
            "drop a   2",
            "set-grouping-label env  z 0",
            "drop-grouping-label env   0",
        ];
        assert_eq!(changes, expected);
        assert_eq!(more, 0);
    }

    #[test]
    fn edits_that_do_the_same_are_one_change() {
        let set = |series, name, value| Edit::SetLabel { scope: Scope::Series(series), name, value };
        let same = summed_up(|of| vec![set(0, of("l"), of("x")), set(1, of("l"), of("x"))], 9);
        assert_eq!(same, (vec!["set-label l  x 2".to_owned()], 0));
        let other = summed_up(|of| vec![set(0, of("l"), of("x")), set(1, of("l"), of("y"))], 9);
        assert_eq!(other, (vec!["set-label l   2".to_owned()], 0), "no value is that of all");
    }

    #[test]
    fn there_are_no_more_changes_than_asked_for() {
        let drop = |name| Edit::DropLabel { scope: Scope::All, name };
        let edits =
            |of: &dyn Fn(&str) -> Sym| vec![drop(of("l")), drop(of("m")), drop(of("x")), drop(of("l"))];
        assert_eq!(summed_up(edits, 3).1, 0);
        let (changes, more) = summed_up(edits, 2);
        assert_eq!((changes, more), (vec!["drop-label l   6".to_owned(), "drop-label m   3".to_owned()], 1));
    }

    #[test]
    fn numbers_of_nothing_have_no_name() {
        let edits = |_: &dyn Fn(&str) -> Sym| {
            vec![Edit::DropLabel { scope: Scope::Family(9), name: 999 }, Edit::Drop(Scope::Series(9))]
        };
        assert_eq!(summed_up(edits, 9).0, ["drop-label    0", "drop    1"]);
    }
}
