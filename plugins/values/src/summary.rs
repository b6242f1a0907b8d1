//! Summaries: whether their quantiles are some.

use pushgate_plugin::{Family, Point};

use crate::check::Check;
use crate::histogram::negative_sum;
use crate::number::{Shown, check_finite};
use crate::points::{Points, TooMany};
use crate::tally::Tally;

pub(crate) fn judge<'p>(
    family: Family<'p>,
    points: &mut Points,
    tally: &mut Tally<'p, '_>,
) -> Result<(), TooMany> {
    let mut quantiles: Vec<Point> = Vec::new();
    for series in family.series() {
        let (Some(sum), Some(count)) = (series.value(), series.count()) else { continue };
        check_finite(sum, "the sum", series, tally);
        check_finite(count, "the count", series, tally);
        quantiles.clear();
        for &point in points.of(series)? {
            if !(0.0..=1.0).contains(&point.bound) {
                tally.note(Check::QuantileRange, series, || out_of_range(point.bound));
            }
            // Quantiles of nothing are NaN, which is how clients push them.
            if point.value.is_infinite() {
                check_finite(point.value, "a quantile", series, tally);
            }
            if !point.value.is_nan() {
                quantiles.push(point);
            }
        }
        if sum < 0.0 && !quantiles.iter().any(|quantile| quantile.value < 0.0) {
            negative_sum(sum, "no quantile is below 0", series, tally);
        }
        if let Some([lower, upper]) =
            quantiles.array_windows().find(|[lower, upper]| lower.value > upper.value)
        {
            tally.note(Check::QuantileOrder, series, || {
                format!(
                    "push quantiles that do not fall: quantile=\"{}\" is {}, and quantile=\"{}\" is {}",
                    Shown(lower.bound),
                    Shown(lower.value),
                    Shown(upper.bound),
                    Shown(upper.value)
                )
            });
        }
    }
    Ok(())
}

fn out_of_range(quantile: f64) -> String {
    let found = Shown(quantile);
    if (1.0..=100.0).contains(&quantile) {
        return format!(
            "use quantiles from 0 to 1: write quantile=\"{}\" for \"{found}\"",
            Shown(quantile / 100.0)
        );
    }
    format!("use quantiles from 0 to 1: quantile=\"{found}\" is none")
}
