//! The bundled plugin `values`: values that cannot be meant, such as a negative counter, buckets that do not add up, or
//! milliseconds where seconds are expected.
//!
//! Each check is off, warns, drops the series or rejects the push. It is told once for each metric. README.md has the
//! options and examples.

mod check;
mod config;
mod duration;

mod points;
mod tally;

mod histogram;
mod number;
mod summary;
mod timestamp;

use std::time::SystemTime;

use pushgate_plugin::{
    Column, Edits, Family, Finding, Findings, Kind, Manifest, Outcome, Pattern, Plugin, Problems, Push,
};

use crate::check::{ALL_CODES, Actions, Check};
pub use crate::config::{Action, Config, RangeConfig, TimestampConfig};
use crate::number::Range;
use crate::points::{Points, TooMany};
use crate::tally::Tally;
use crate::timestamp::Timestamps;

/// The configured plugin.
#[derive(Debug)]
pub struct Values {
    actions: Actions,
    timestamps: Timestamps,
    ranges: Vec<Range>,
    exempt: Vec<Pattern>,
}

impl Plugin for Values {
    type Config = Config;

    const MANIFEST: Manifest =
        Manifest::new("values", env!("CARGO_PKG_VERSION"), "Finds values that cannot be meant.")
            .wants(&[Column::Values, Column::Points])
            .mutates()
            .codes(&ALL_CODES);

    fn configure(config: Config) -> Result<Self, Problems> {
        config.resolve()
    }

    fn evaluate(&self, push: &Push) -> Outcome {
        let mut verdict = Verdict::new(push);
        let mut points = Points::new(push.series_count());
        for family in push.families().filter(|family| !self.is_exempt(family.name())) {
            let mut tally = Tally::new(family, &self.actions);
            let judged = match family.kind() {
                Kind::Histogram | Kind::GaugeHistogram => histogram::judge(family, &mut points, &mut tally),
                Kind::Summary => summary::judge(family, &mut points, &mut tally),
                Kind::Untyped | Kind::Counter | Kind::Gauge => {
                    self.judge_numbers(family, push.received_at(), &mut tally);
                    Ok(())
                }
            };
            if let Err(TooMany) = judged {
                let message = "push fewer buckets and quantiles: there are more than can be judged";
                return Outcome::reject(Finding::new(Check::TooManyPoints.code(), message).at_family(family));
            }
            verdict.add(&tally);
        }
        verdict.outcome()
    }
}

impl Values {
    fn is_exempt(&self, name: &str) -> bool {
        self.exempt.iter().any(|pattern| pattern.is_match(name))
    }

    fn judge_numbers<'p>(&self, family: Family<'p>, received_at: SystemTime, tally: &mut Tally<'p, '_>) {
        let range = self.ranges.iter().find(|range| range.metric.is_match(family.name()));
        let timestamps = Some(&self.timestamps).filter(|times| times.metrics.is_match(family.name()));
        for series in family.series() {
            let Some(value) = series.value() else { continue };
            number::judge(value, series, tally);
            if let Some(range) = range {
                range.judge(value, series, tally);
            }
            if let Some(timestamps) = timestamps {
                timestamps.judge(value, series, received_at, tally);
            }
        }
    }
}

/// What came of a push so far.
struct Verdict {
    edits: Edits,
    reasons: Findings,
    notes: Findings,
}

impl Verdict {
    fn new(push: &Push) -> Self {
        Self { edits: Edits::new(push), reasons: Findings::default(), notes: Findings::default() }
    }

    fn add(&mut self, tally: &Tally<'_, '_>) {
        tally.tell(&mut self.reasons, &mut self.notes);
        let dropped = tally.dropped();
        let family = tally.family();
        if !dropped.is_empty() && dropped.len() == family.series().len() {
            self.edits.drop(family);
        } else {
            dropped.iter().for_each(|series| self.edits.drop(*series));
        }
    }

    fn outcome(self) -> Outcome {
        if self.reasons.is_empty() {
            Outcome::mutate(self.edits).with_notes(self.notes)
        } else {
            self.reasons.verdict()
        }
    }
}

pushgate_plugin::register!(Values);

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use pushgate_plugin::testing;

    use super::*;

    #[test]
    fn cases() {
        testing::run_cases::<Values>(env!("CARGO_MANIFEST_DIR"));
    }

    /// Cases have no time, so this is none.
    #[test]
    fn times_are_held_against_that_of_the_push() {
        const NOW: u64 = 1_764_121_573;
        let config =
            r#"{"timestamps": {"past": "reject", "max_age": "1d", "future": "reject", "max_ahead": "1h"}}"#;
        let values = testing::configure::<Values>(config).unwrap();
        testing::set_time(UNIX_EPOCH + Duration::from_secs(NOW));
        for (value, message) in [
            (NOW, ""),
            (NOW - 86_400, ""),
            (
                NOW - 86_401,
                "push a Unix time in seconds, or 0 for never: 1764035172 is 1d ago, and 1d are allowed",
            ),
            (86_400, "push a Unix time in seconds, or 0 for never: 86400 is 55y ago, and 1d are allowed"),
            (NOW + 3_600, ""),
            (
                NOW + 7_300,
                "push a Unix time in seconds, by a clock that is right: 1764128873 is 2h ahead, and 1h are allowed",
            ),
            (0, ""),
        ] {
            let body = format!("a_timestamp_seconds {value}\nother {value}\n");
            let push = testing::push(r#"PUT {job="web"}"#, &body).unwrap();
            let outcome = values.evaluate(&push);
            assert_eq!(outcome.is_rejection(), !message.is_empty(), "{value}");
            assert!(format!("{outcome:?}").contains(message), "{value}: {outcome:?}");
        }
    }
}
