//! Histograms: whether their buckets, their count and their sum go together.

use pushgate_plugin::{Family, Kind, Point, Series, quote};

use crate::check::Check;
use crate::number::{Shown, check_finite};
use crate::points::{Points, TooMany};
use crate::tally::Tally;

/// How far a sum may be off, in relation to what it is the sum of: it was added up in floating point.
const TOLERANCE: f64 = 1e-6;

pub(crate) fn judge<'p>(
    family: Family<'p>,
    points: &mut Points,
    tally: &mut Tally<'p, '_>,
) -> Result<(), TooMany> {
    // The observations of a gauge histogram may be anything, and be taken back.
    let is_counter = family.kind() == Kind::Histogram;
    for series in family.series() {
        let (Some(sum), Some(count)) = (series.value(), series.count()) else { continue };
        check_finite(sum, "the sum", series, tally);
        check_finite(count, "the count", series, tally);
        let buckets = points.of(series)?;
        if is_counter && sum < 0.0 && !buckets.iter().any(|bucket| bucket.bound < 0.0) {
            negative_sum(sum, "no bucket is for less than 0", series, tally);
        }
        // A native histogram has none that are seen here.
        if !buckets.is_empty() {
            judge_buckets(buckets, Totals { sum, count }, series, tally);
        }
    }
    Ok(())
}

/// A sum that falls is no counter. Where observations are meant to be negative, something says so.
pub(crate) fn negative_sum<'p>(sum: f64, though: &str, series: Series<'p>, tally: &mut Tally<'p, '_>) {
    tally.note(Check::NegativeSum, series, || {
        let name = quote(series.family().name());
        format!("push the sum of what is observed: that of {name} is {}, though {though}", Shown(sum))
    });
}

#[derive(Clone, Copy)]
struct Totals {
    sum: f64,
    count: f64,
}

fn judge_buckets<'p>(buckets: &[Point], totals: Totals, series: Series<'p>, tally: &mut Tally<'p, '_>) {
    let Totals { sum, count } = totals;
    let name = || quote(series.family().name()).to_string();
    let mut before = Point { bound: f64::NEG_INFINITY, value: 0.0 };
    let mut is_cumulative = true;
    let (mut least, mut most) = (0.0, 0.0);
    for &bucket in buckets {
        if bucket.value.is_nan() {
            is_cumulative = false;
            check_finite(bucket.value, "a bucket", series, tally);
            continue;
        }
        if bucket.value < before.value {
            is_cumulative = false;
            tally.note(Check::BucketOrder, series, || out_of_order(before, bucket));
        }
        // Below the first bound and above the last there is no bound to what is observed.
        let observed = bucket.value - before.value;
        if observed > 0.0 {
            least += observed * before.bound;
            most += observed * bucket.bound;
        }
        before = bucket;
    }
    let last = before;
    if !buckets.last().is_some_and(|last| last.bound == f64::INFINITY) {
        tally.note(Check::MissingInf, series, || {
            format!("add the bucket le=\"+Inf\" to {}, with the value of the count, {}", name(), Shown(count))
        });
        if count < last.value {
            tally.note(Check::CountMismatch, series, || {
                format!(
                    "push the number of all observations as the count of {}: it is {}, and the bucket le=\"{}\" has {}",
                    name(),
                    Shown(count),
                    Shown(last.bound),
                    Shown(last.value)
                )
            });
        } else if count > last.value {
            least += (count - last.value) * last.bound;
            most = f64::INFINITY;
        }
    } else if is_cumulative && count != last.value && !count.is_nan() {
        tally.note(Check::CountMismatch, series, || {
            format!(
                "make the count of {} equal to the bucket le=\"+Inf\": it is {}, and the bucket has {}",
                name(),
                Shown(count),
                Shown(last.value)
            )
        });
    }
    let slack = TOLERANCE
        * [least, most, sum].into_iter().map(f64::abs).filter(|x| x.is_finite()).fold(0.0, f64::max);
    if is_cumulative && (sum < least - slack || sum > most + slack) {
        tally.note(Check::SumMismatch, series, || {
            let (name, sum) = (name(), Shown(sum));
            let range = match (least.is_finite(), most.is_finite()) {
                (true, true) => format!("from {} to {}", Shown(least), Shown(most)),
                (true, false) => format!("{} or more", Shown(least)),
                (false, _) => format!("{} or less", Shown(most)),
            };
            format!("push the sum of what is observed, in the unit of the buckets: that of {name} is {sum}, and by the buckets it is {range}")
        });
    }
}

fn out_of_order(before: Point, bucket: Point) -> String {
    let (bound, value) = (Shown(bucket.bound), Shown(bucket.value));
    let has = match before.bound {
        f64::NEG_INFINITY => "no bucket has less than 0".to_owned(),
        lower => format!("le=\"{}\" has {}", Shown(lower), Shown(before.value)),
    };
    format!(
        "make the buckets cumulative, each with what those below it have: le=\"{bound}\" has {value}, and {has}"
    )
}
