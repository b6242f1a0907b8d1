//! Values of counters, gauges and untyped metrics.

use std::fmt;

use pushgate_plugin::{Kind, Pattern, Series, quote};

use crate::check::{Act, Check};
use crate::tally::Tally;

/// The values that some metrics may have.
#[derive(Debug)]
pub(crate) struct Range {
    pub(crate) metric: Pattern,
    pub(crate) min: Option<f64>,
    pub(crate) max: Option<f64>,
    /// Nothing where the metric may have any value.
    pub(crate) act: Option<Act>,
}

pub(crate) fn judge<'p>(value: f64, series: Series<'p>, tally: &mut Tally<'p, '_>) {
    check_finite(value, "it", series, tally);
    if value < 0.0 && series.family().kind() == Kind::Counter {
        tally.note(Check::NegativeCounter, series, || {
            let name = quote(series.family().name());
            format!("push a counter of 0 or more, or make {name} a gauge: it is {}", Shown(value))
        });
    }
}

/// NaN and infinities. `what` is the value, as a message calls it.
#[inline]
pub(crate) fn check_finite<'p>(value: f64, what: &str, series: Series<'p>, tally: &mut Tally<'p, '_>) {
    if value.is_nan() {
        tally.note(Check::Nan, series, || format!("push a number, or leave the series out: {what} is NaN"));
    } else if value.is_infinite() {
        tally.note(Check::Infinity, series, || {
            format!("push a finite number, or leave the series out: {what} is {}", Shown(value))
        });
    }
}

impl Range {
    pub(crate) fn judge<'p>(&self, value: f64, series: Series<'p>, tally: &mut Tally<'p, '_>) {
        if let Some(act) = self.act
            && (self.min.is_some_and(|min| value < min) || self.max.is_some_and(|max| value > max))
        {
            tally.note_as(Check::Range, act, series, || format!("push {self}: it is {}", Shown(value)));
        }
    }
}

/// What to push.
impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.min, self.max) {
            (Some(min), Some(max)) => write!(f, "a value from {} to {}", Shown(min), Shown(max)),
            (Some(min), None) => write!(f, "a value of {} or more", Shown(min)),
            (None, Some(max)) => write!(f, "a value of {} or less", Shown(max)),
            (None, None) => f.write_str("a value"),
        }
    }
}

/// A value as exposition text has it.
pub(crate) struct Shown(pub(crate) f64);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(value) = *self;
        if value.is_infinite() {
            f.write_str(if value > 0.0 { "+Inf" } else { "-Inf" })
        } else if value != 0.0 && !(1e-6..1e21).contains(&value.abs()) {
            write!(f, "{value:e}")
        } else {
            write!(f, "{value}")
        }
    }
}
