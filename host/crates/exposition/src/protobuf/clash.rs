//! Labels that become the same when their names are escaped, which would make a scrape unreadable.

use std::borrow::Cow;

use crate::{Escaping, Flaw, Objection, Place, Push, Sym};

/// Objects to a push in which a scrape could show a series with one label twice, in some escaping.
pub(super) fn object(push: &mut Push) {
    if push.has_utf8_names() && push.objection.is_none() {
        push.objection = find(push);
    }
}

fn find(push: &Push) -> Option<Objection> {
    let mut before: &[Sym] = &[];
    for family in push.families() {
        for (number, series) in (1..).zip(family.series()) {
            let names = push.label_names(series);
            if std::mem::replace(&mut before, names) == names && !names.is_empty() {
                continue; // As in the series before: no clash.
            }
            if let Some(flaw) = clash(push, names) {
                let place = Place::Metric { family: family.name().to_owned(), number };
                return Some(Objection::Unfit { place, flaw });
            }
        }
    }
    None
}

/// Two labels of a series, as it is scraped with its grouping labels and its name, that are the same in some escaping.
fn clash(push: &Push, names: &[Sym]) -> Option<Flaw> {
    let grouping = push.grouping().iter().map(|label| label.name);
    let plain = names.iter().copied().chain(grouping).map(|name| push.text(name));
    let plain: Vec<&str> = plain.chain(["__name__"]).collect();
    Escaping::ALL.iter().find_map(|escaping| {
        let mut shown: Vec<(Cow<'_, str>, &str)> =
            plain.iter().map(|&name| (escaping.label(name), name)).collect();
        shown.sort_unstable();
        let twice = shown.windows(2).find(|pair| pair[0].0 == pair[1].0)?;
        Some(Flaw::SameWhenEscaped(twice[0].1.into(), twice[1].1.into(), twice[0].0.to_string()))
    })
}
