//! A family of a group, as the page shows it.

use std::time::SystemTime;

use pushgate_exposition::{Kind, Push, Series};

use super::moment::Moment;
use super::{native, number, visible};
use crate::store::StoredFamily;

/// Buckets or quantiles that are shown of a series.
const MAX_POINTS: usize = 50;

/// How much of a group is shown. Each family takes its part.
pub(super) struct Allowance {
    series: usize,
    /// Bytes of stored text that are read.
    text: usize,
}

impl Allowance {
    /// For one group.
    pub(super) const GROUP: Self = Self { series: 100, text: 128 << 10 };

    pub(super) fn is_used_up(&self) -> bool {
        self.series == 0 || self.text == 0
    }
}

/// A family with the first of its series.
#[derive(Debug)]
pub(super) struct FamilyView {
    pub(super) name: String,
    pub(super) kind: &'static str,
    pub(super) help: String,
    pub(super) pushed: Option<Moment>,
    pub(super) series: Vec<SeriesView>,
}

/// A series: its labels without those of the group, and what it has.
#[derive(Debug)]
pub(super) struct SeriesView {
    pub(super) labels: Vec<String>,
    pub(super) value: String,
    /// What the value says as a time, if it is one.
    pub(super) time: Option<Moment>,
    /// The bounds and values of buckets or quantiles.
    pub(super) points: Vec<(String, String)>,
    pub(super) more_points: usize,
}

impl FamilyView {
    /// As much of a family as is allowed. `is_own` tells the labels that are not of the group.
    pub(super) fn of(
        family: &StoredFamily,
        allowance: &mut Allowance,
        is_own: impl Fn(&str, &str) -> bool,
        now: SystemTime,
    ) -> Self {
        let chunk = &family.chunk;
        let length = chunk.text().len();
        let read = length.min(allowance.text);
        let columns = chunk.read_back_start(&family.name, family.kind, read).unwrap_or_default();
        // Where the text was cut, the last histogram or summary lacks its end.
        let whole = match read < length && !family.kind.is_simple() {
            true => columns.series_count().saturating_sub(1),
            false => columns.series_count(),
        };
        let shown = whole.min(allowance.series);
        allowance.series -= shown;
        allowance.text -= read;
        let is_time = family.name.ends_with("_timestamp_seconds");
        let view = |series| SeriesView::of(series, family.kind, is_time, &is_own, now);
        Self {
            name: visible::text(&family.name),
            kind: match family.kind {
                Kind::GaugeHistogram => "gauge histogram",
                kind => kind.as_str(),
            },
            help: visible::text(chunk.help().unwrap_or_default()),
            pushed: Moment::from_seconds(chunk.pushed_at(), now),
            series: all_series(&columns).take(shown).map(view).collect(),
        }
    }
}

fn all_series(push: &Push) -> impl Iterator<Item = Series<'_>> {
    push.families().flat_map(pushgate_exposition::Family::series)
}

impl SeriesView {
    fn of(
        series: Series<'_>,
        kind: Kind,
        is_time: bool,
        is_own: impl Fn(&str, &str) -> bool,
        now: SystemTime,
    ) -> Self {
        let native = series.detail().and_then(|detail| detail.native.as_deref());
        let value = match native {
            Some(native) => native::line(native, series.value()),
            None if kind.is_simple() => number::value(series.value()),
            None => format!("count {}, sum {}", number::value(series.count()), number::value(series.value())),
        };
        let sign = if kind == Kind::Summary { "" } else { "≤ " };
        let point = |point: pushgate_exposition::Point| {
            (format!("{sign}{}", number::value(point.bound)), number::value(point.value))
        };
        // A native histogram comes back from text with one bucket that nobody has sent.
        let points =
            if native.is_some_and(|_| series.points().len() <= 1) { 0 } else { series.points().len() };
        let own = series.labels().filter(|(name, value)| is_own(name, value));
        Self {
            labels: own.map(|(name, value)| visible::label(name, value)).collect(),
            value,
            time: is_time.then(|| Moment::from_seconds(series.value(), now)).flatten(),
            points: series.points().take(points.min(MAX_POINTS)).map(point).collect(),
            more_points: points.saturating_sub(MAX_POINTS),
        }
    }
}
