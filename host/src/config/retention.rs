//! How long a group is kept that nobody pushes to any more: `ttl`, `max_ttl`, `stale_after` and `[[store.jobs]]`, which also
//! says how much a job may store.

use std::time::Duration;

use serde_json::{Map, Value};
use toml::Spanned;
use toml::de::DeValue;

use super::duration;
use super::kind::{self, Kind, text, whole};
use super::pattern::Pattern;
use super::section::Section;
use super::show::{Row, quoted, toml_of};

/// The least that a group can be kept. It is looked about once a second whether one has to go.
const LEAST: Duration = Duration::from_secs(1);

/// The most: ten years. Whoever wants more wants no TTL.
const MOST: Duration = Duration::from_secs(3_650 * 24 * 3_600);

/// Entries of `[[store.jobs]]`. A push to a new group, and one with a wish, is compared with them until one matches.
const MAX_JOBS: usize = 1_000;

/// What the operator says of how long groups are kept.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Retention {
    /// What holds for groups that no entry is for.
    terms: Terms,
    /// What a pusher may wish for where that is more than the TTL; without one, where there is a TTL, nothing is.
    max_ttl: Option<Duration>,
    /// For some jobs; the first that matches holds.
    jobs: Vec<JobTerms>,
}

/// How long a group is kept after its last push that was stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// When it goes; never without one.
    pub ttl: Option<Duration>,
    /// When it is stale; never without one.
    pub stale_after: Option<Duration>,
}

/// How much each job may store of those that an entry is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    /// Groups.
    pub max_groups: Option<usize>,
    /// Series of all its groups.
    pub max_series: Option<usize>,
}

#[derive(Clone, Debug, PartialEq)]
struct JobTerms {
    job: Pattern,
    terms: Terms,
    bounds: Bounds,
}

impl Retention {
    /// Whether every group is kept for ever that has no wish of its own.
    pub fn is_for_ever(&self) -> bool {
        self.jobs.is_empty() && self.terms == Terms::default()
    }

    /// Whether any job has bounds of its own.
    pub fn has_bounds(&self) -> bool {
        self.jobs.iter().any(|entry| entry.bounds != Bounds::default())
    }

    /// How much a job may store.
    pub fn bounds(&self, job: &str) -> Bounds {
        self.entry(job).map(|entry| entry.bounds).unwrap_or_default()
    }

    fn entry(&self, job: &str) -> Option<&JobTerms> {
        self.jobs.iter().find(|entry| entry.job.is_match(job))
    }

    /// What holds for a group of that job whose last push came with that wish.
    pub fn terms(&self, job: &str, wish: Option<Duration>) -> Terms {
        let terms = self.entry(job).map_or(self.terms, |entry| entry.terms);
        let Some(wish) = wish else { return terms };
        // Whoever pushes may always shorten, and have what everybody has.
        let most = terms.ttl.max(self.max_ttl).unwrap_or(Duration::MAX);
        Terms { ttl: Some(wish.min(most)), ..terms }
    }

    pub(super) fn read(&mut self, store: &mut Section<'_, '_>) {
        self.terms.read(store);
        store.key("max_ttl", &lifetime(), &mut self.max_ttl);
        if let Some(value) = store.take("jobs") {
            self.jobs = read_jobs(store, value, self.terms);
        }
    }

    pub(super) fn rows(&self) -> Vec<Row> {
        vec![
            ("ttl", Some(quoted(&shown(self.terms.ttl)))),
            ("max_ttl", Some(quoted(&shown(self.max_ttl)))),
            ("stale_after", Some(quoted(&shown(self.terms.stale_after)))),
            ("jobs", Some(toml_of(&self.jobs.iter().map(JobTerms::shown).collect()))),
        ]
    }
}

impl Terms {
    /// Reads the keys of `[store]`, or those of an entry over them.
    fn read(&mut self, section: &mut Section<'_, '_>) {
        section.key("ttl", &lifetime(), &mut self.ttl);
        section.key("stale_after", &lifetime(), &mut self.stale_after);
        if let (Some(ttl), Some(stale_after)) = (self.ttl, self.stale_after)
            && stale_after >= ttl
        {
            let message = format!(
                "a group would be gone (ttl = \"{}\") before it is stale (stale_after = \"{}\"); write a shorter \
                 stale_after, or \"0s\" for none",
                duration::show(ttl),
                duration::show(stale_after)
            );
            let (offset, place) = (section.offset_of("stale_after"), section.place_of("stale_after"));
            section.findings().add(offset, place, message);
        }
    }
}

impl JobTerms {
    fn read(entry: &mut Section<'_, '_>, mut terms: Terms) -> Option<Self> {
        let job = entry.required("job", &text(Pattern::EXAMPLE, str::parse));
        terms.read(entry);
        let bounds = Bounds {
            max_groups: entry.optional("max_groups", &whole(1..=100_000_000)),
            max_series: entry.optional("max_series", &whole(0..=1_000_000_000)),
        };
        Some(Self { job: job?, terms, bounds })
    }

    fn shown(&self) -> Value {
        let mut entry = Map::new();
        entry.insert("job".to_owned(), self.job.as_str().into());
        entry.insert("ttl".to_owned(), shown(self.terms.ttl).into());
        entry.insert("stale_after".to_owned(), shown(self.terms.stale_after).into());
        for (key, bound) in [("max_groups", self.bounds.max_groups), ("max_series", self.bounds.max_series)] {
            entry.extend(bound.map(|bound| (key.to_owned(), bound.into())));
        }
        Value::Object(entry)
    }
}

fn read_jobs<'d>(store: &mut Section<'_, 'd>, value: &Spanned<DeValue<'d>>, terms: Terms) -> Vec<JobTerms> {
    let wrong_type =
        |value: &Spanned<DeValue<'_>>| kind::wrong_type(value, "a list of tables", "write [[store.jobs]]");
    let DeValue::Array(entries) = value.get_ref() else {
        store.refuse("jobs", wrong_type(value));
        return Vec::new();
    };
    if entries.len() > MAX_JOBS {
        let message = format!("the list has {} entries; allowed: up to {MAX_JOBS}", entries.len());
        let place = store.place_of("jobs");
        store.findings().add(value.span().start, place, message);
        return Vec::new();
    }
    let mut jobs = Vec::new();
    for (number, entry) in (1..).zip(entries.iter()) {
        let DeValue::Table(table) = entry.get_ref() else {
            store.refuse("jobs", wrong_type(entry));
            continue;
        };
        let place = format!("[[store.jobs]] {number}");
        let mut section = Section::new(store.findings(), place, entry.span().start, table);
        jobs.extend(JobTerms::read(&mut section, terms));
        section.finish();
    }
    jobs
}

/// A time after which something happens to a group; none for `0s`.
fn lifetime() -> impl Kind<Value = Option<Duration>> {
    text("a duration such as \"2h\"", |text| {
        let time = duration::parse(text)?;
        if time.is_zero() {
            return Ok(None);
        }
        if (LEAST..=MOST).contains(&time) {
            return Ok(Some(time));
        }
        let most = duration::show(MOST);
        Err(format!("{text} is out of bounds; allowed: 1s to {most}, or 0s for none"))
    })
}

fn shown(time: Option<Duration>) -> String {
    duration::show(time.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::Config;

    const SECOND: Duration = Duration::from_secs(1);
    const HOUR: Duration = Duration::from_secs(3_600);

    fn retention(text: &str) -> Retention {
        let config = Config::parse(&format!("[store]\n{text}"), Path::new("c.toml"));
        config.unwrap_or_else(|problems| panic!("{problems}")).store.retention
    }

    fn problems(text: &str) -> String {
        Config::examine(&format!("[store]\n{text}"), Path::new("c.toml")).1.to_string()
    }

    #[test]
    fn the_first_entry_that_matches_holds_and_has_the_rest_from_the_section() {
        let retention = retention(
            "ttl = '1h'\nstale_after = '10m'\n\
             [[store.jobs]]\njob = 'nightly_.*'\nttl = '2d'\nstale_after = '25h'\n\
             [[store.jobs]]\njob = 'nightly_.*|keep'\nttl = '0s'\n\
             [[store.jobs]]\njob = 'quiet'\nstale_after = '0s'\n",
        );
        for (job, ttl, stale_after) in [
            ("nightly_1", Some(48 * HOUR), Some(25 * HOUR)),
            ("keep", None, Some(600 * SECOND)),
            ("quiet", Some(HOUR), None),
            ("a_nightly_1", Some(HOUR), Some(600 * SECOND)),
            ("", Some(HOUR), Some(600 * SECOND)),
        ] {
            assert_eq!(retention.terms(job, None), Terms { ttl, stale_after }, "{job}");
        }
        assert!(!retention.is_for_ever());
        assert!(Retention::default().is_for_ever());
        assert_eq!(Retention::default().terms("x", None), Terms::default());
    }

    #[test]
    fn a_wish_is_capped() {
        let day = 24 * HOUR;
        for (text, wish, expected) in [
            ("", HOUR, HOUR),
            ("", Duration::MAX, Duration::MAX),
            ("ttl = '1h'", 60 * SECOND, 60 * SECOND),
            ("ttl = '1h'", 2 * HOUR, HOUR),
            ("max_ttl = '1d'", 2 * day, day),
            ("max_ttl = '1d'", HOUR, HOUR),
            ("ttl = '1h'\nmax_ttl = '1d'", 2 * HOUR, 2 * HOUR),
            ("ttl = '1h'\nmax_ttl = '1d'", 2 * day, day),
            ("ttl = '2d'\nmax_ttl = '1d'", 3 * day, 2 * day),
            ("ttl = '1h'\n[[store.jobs]]\njob = 'j'\nttl = '0s'", 2 * HOUR, 2 * HOUR),
            ("ttl = '1h'\n[[store.jobs]]\njob = 'j'\nttl = '3h'", 5 * HOUR, 3 * HOUR),
        ] {
            assert_eq!(retention(text).terms("j", Some(wish)).ttl, Some(expected), "{text} {wish:?}");
        }
    }

    #[test]
    fn bounds_hold_at_their_ends() {
        for key in ["ttl", "max_ttl", "stale_after"] {
            for value in ["0s", "1s", "3650d"] {
                assert_eq!(problems(&format!("{key} = '{value}'\n")), "", "{key} {value}");
            }
            for value in ["999ms", "3650d1ms"] {
                let expected = format!(
                    "c.toml:2: [store] {key}: {value} is out of bounds; allowed: 1s to 3650d, or 0s for none"
                );
                assert_eq!(problems(&format!("{key} = '{value}'\n")), expected);
            }
        }
        let entries = |count: usize| "[[store.jobs]]\njob = 'x'\n".repeat(count);
        assert_eq!(problems(&entries(MAX_JOBS)), "");
        let told = problems(&entries(MAX_JOBS + 1));
        assert!(told.ends_with("[store] jobs: the list has 1001 entries; allowed: up to 1000"), "{told}");
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        for (text, expected) in [
            (
                "ttl = '1h'\nstale_after = '1h'\n",
                "c.toml:3: [store] stale_after: a group would be gone (ttl = \"1h\") before it is stale (stale_after = \
                 \"1h\"); write a shorter stale_after, or \"0s\" for none",
            ),
            ("[[store.jobs]]\nttl = '1h'\n", "c.toml:2: [[store.jobs]] 1: needs a key 'job'"),
            (
                "[[store.jobs]]\njob = 'a('\n",
                "c.toml:3: [[store.jobs]] 1 job: 'a(' is not a regular expression: unclosed group",
            ),
            (
                "[[store.jobs]]\njob = 'a'\nlimit = 1\n",
                "c.toml:4: [[store.jobs]] 1 limit: unknown key; allowed: job, max_groups, max_series, stale_after, ttl",
            ),
            (
                "[[store.jobs]]\njob = 'a'\nmax_groups = 0\nmax_series = -1\n",
                "c.toml:4: [[store.jobs]] 1 max_groups: 0 is out of bounds; allowed: 1 to 100000000\n\
                 c.toml:5: [[store.jobs]] 1 max_series: -1 is out of bounds; allowed: 0 to 1000000000",
            ),
            (
                "jobs = 5\n",
                "c.toml:2: [store] jobs: expected a list of tables, found a whole number; write [[store.jobs]]",
            ),
            (
                "jobs = [5]\n",
                "c.toml:2: [store] jobs: expected a list of tables, found a whole number; write [[store.jobs]]",
            ),
        ] {
            assert_eq!(problems(text), expected);
        }
    }
}
