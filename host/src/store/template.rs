//! Where the numbers of a push are shown: what the next push needs that differs from the one before in nothing else.

use std::sync::Arc;

use memchr::memchr_iter;
use pushgate_exposition::text::{is_whole, number};
use pushgate_exposition::{Kind, Push};
use pushgate_plugin_host::{Fingerprint, Routine};

use super::chunk::Chunk;
use super::group::GroupName;
use super::render::RenderedFamily;
use super::{Arrival, Mode, Refusal, Store};
use crate::journal::Receipt;

/// What is known of the last push of a group, for the next one.
#[derive(Debug)]
pub struct Template {
    /// What is known of it by who pushes.
    pub learned: Learned,
    /// Where its numbers are shown.
    families: Box<[FamilyPlaces]>,
}

/// What there is to be known of a push beside what is stored of it.
#[derive(Debug)]
pub struct Learned {
    /// That of all that was pushed but the numbers.
    pub fingerprint: Fingerprint,
    /// What the policies made of it.
    pub routine: Routine,
}

/// A push that is known with the place of each number, from 1, instead of it.
pub struct Numbered<'a> {
    /// The push, as policies have left it.
    pub push: Push,
    /// The numbers.
    pub numbers: &'a [f64],
    /// Whether it came with histograms or summaries.
    pub has_counts: bool,
}

/// Where the numbers of a body are shown in one family.
#[derive(Debug)]
struct FamilyPlaces {
    name: Arc<str>,
    kind: Kind,
    /// One for each line.
    lines: Box<[Place]>,
}

/// What number a line shows.
#[derive(Clone, Copy, Debug)]
struct Place(u32);

/// Set in a [`Place`] whose number is the count of a histogram, a summary or a bucket. Not all numbers are.
const COUNT: u32 = 1 << 31;

impl Place {
    /// Of a line that shows what no push changes.
    const CONSTANT: Self = Self(0);

    /// That of a line which shows the number of the body's that has this place in it, from 1.
    fn of(place: u32, is_count: bool) -> Self {
        Self(place | if is_count { COUNT } else { 0 })
    }

    /// Where the number is among all of its body.
    fn index(self) -> Option<usize> {
        (self.0 & !COUNT).checked_sub(1).map(|index| index as usize)
    }

    /// Whether a number may stand here. A parser refuses or cuts some counts that are not whole.
    fn takes(self, number: f64) -> bool {
        self.0 & COUNT == 0 || is_whole(number)
    }
}

impl FamilyPlaces {
    /// By what was rendered of a push.
    fn of(families: &[RenderedFamily], pushed: &Numbered<'_>) -> Option<Box<[Self]>> {
        let limit = u32::try_from(pushed.numbers.len()).ok().filter(|limit| *limit < COUNT)?;
        let mut shown = vec![false; pushed.numbers.len()];
        let mut line = |family: &RenderedFamily, line: &str| {
            let (label, number) = line.split_at_checked(number_in(line)?)?;
            // Written without an exponent below a million.
            let place = number.parse().ok().or_else(|| {
                let number: f64 = number.parse().ok()?;
                Some(number as u32).filter(|place| f64::from(*place) == number)
            });
            let place = place.filter(|place| *place <= limit)?;
            if let Some(index) = place.checked_sub(1) {
                *shown.get_mut(index as usize)? = true;
            }
            let suffix = label.strip_prefix(&*family.name).unwrap_or_default();
            let is_count =
                !family.kind.is_simple() && (suffix.starts_with("_count") || suffix.starts_with("_bucket"));
            Some(if place == 0 { Place::CONSTANT } else { Place::of(place, is_count) })
        };
        let family = |family: &RenderedFamily| {
            if !family.kind.is_simple() && family.chunk.has_utf8_names() {
                return None; // What a line shows cannot be told by its beginning.
            }
            let (text, mut start) = (family.chunk.text(), 0);
            let lines = memchr_iter(b'\n', text.as_bytes()).map(|end| {
                let shown = line(family, text.get(start..end)?);
                start = end + 1;
                shown
            });
            let lines = lines.collect::<Option<_>>()?;
            Some(Self { name: family.name.clone(), kind: family.kind, lines })
        };
        let families = families.iter().map(family).collect::<Option<_>>()?;
        // A count that is not shown could be one that is refused, and nobody would look at it.
        (!pushed.has_counts || shown.iter().all(|shown| *shown)).then_some(families)
    }
}

/// The last push of a group.
pub struct LastPush {
    /// What is known of it.
    pub template: Arc<Template>,
    /// What is stored of it, beside the families of the template.
    chunks: Vec<Arc<Chunk>>,
}

impl LastPush {
    /// The families of the group with these numbers instead, pushed at that time. Nothing if one of them cannot stand there.
    pub fn fill(&self, numbers: &[f64], at: f64) -> Option<Vec<RenderedFamily>> {
        fill(&self.template.families, self.chunks.iter().map(|chunk| &**chunk), numbers, at)
    }
}

fn fill<'c>(
    families: &[FamilyPlaces],
    chunks: impl Iterator<Item = &'c Chunk>,
    numbers: &[f64],
    at: f64,
) -> Option<Vec<RenderedFamily>> {
    let mut text = String::new();
    let filled = families.iter().zip(chunks).map(|(family, chunk)| {
        text.clear();
        fill_lines(&mut text, &chunk.text, &family.lines, numbers)?;
        let chunk = Arc::new(chunk.with_text(&text, at));
        Some(RenderedFamily { name: family.name.clone(), kind: family.kind, chunk })
    });
    filled.collect()
}

/// Where the number of a line begins, of which it is the last word.
fn number_in(line: &str) -> Option<usize> {
    Some(line.bytes().rposition(|byte| byte == b' ')? + 1)
}

/// Appends lines with other numbers in the places of theirs.
fn fill_lines(out: &mut String, lines: &str, places: &[Place], numbers: &[f64]) -> Option<()> {
    out.reserve(lines.len() + places.len());
    let mut ends = memchr_iter(b'\n', lines.as_bytes());
    let mut copied = 0;
    for place in places {
        let end = ends.next()?;
        if let Some(index) = place.index() {
            let number = *numbers.get(index)?;
            if !place.takes(number) {
                return None;
            }
            let label = number_in(lines.get(copied..end)?)?;
            out.push_str(lines.get(copied..copied + label)?);
            number::write(out, number);
            copied = end;
        }
    }
    out.push_str(lines.get(copied..)?);
    ends.next().is_none().then_some(())
}

impl Store {
    /// What is known of the last push of a group, if anything is.
    pub fn last_push(&self, group: &GroupName) -> Option<LastPush> {
        let state = self.state.lock();
        let stored = state.groups.get(&group.labels).filter(|stored| stored.name.is_same_key(group))?;
        let template = stored.template.clone()?;
        let chunk = |family: &FamilyPlaces| stored.families.get(&family.name).cloned();
        let chunks = template.families.iter().map(chunk).collect::<Option<_>>()?;
        Some(LastPush { template, chunks })
    }

    /// As [`push`](Self::push), and it is known where the numbers are shown when the next push comes. Nothing is done if that
    /// cannot be told, or the push cannot be shown.
    pub fn push_learning(
        &self,
        pushed: &Numbered<'_>,
        mode: Mode,
        arrival: Arrival,
        learned: Learned,
    ) -> Option<Result<Receipt, Refusal>> {
        let group = GroupName::from(pushed.push.grouping_key());
        self.objections(&pushed.push, &group).ok()?;
        let rendered = self.renderer.render(&pushed.push, &group, arrival.at).ok()?;
        if rendered.len() < pushed.push.families().len() {
            return None; // Those that the store writes itself depend on what is stored already.
        }
        let families = FamilyPlaces::of(&rendered, pushed)?;
        let chunks = rendered.iter().map(|family| &*family.chunk);
        let filled = fill(&families, chunks, pushed.numbers, arrival.at)?;
        let template = Arc::new(Template { learned, families });
        Some(self.push_rendered(group, mode, Ok(filled), arrival, Some(template)))
    }

    /// Stores a push that is the last one of its group with other numbers, which `families` have already.
    ///
    /// # Errors
    /// As for [`push`](Self::push).
    pub fn push_again(
        &self,
        group: GroupName,
        mode: Mode,
        families: Vec<RenderedFamily>,
        arrival: Arrival,
        template: Arc<Template>,
    ) -> Result<Receipt, Refusal> {
        self.push_rendered(group, mode, Ok(families), arrival, Some(template))
    }
}
