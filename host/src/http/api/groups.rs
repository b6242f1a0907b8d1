//! `/api/v1/metrics`: all groups. Each is written by itself, so there is never more than one of them as columns.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use pushgate_exposition::text::number;
use pushgate_exposition::{Family, Kind, LabelPair, Series};

use super::json::{elements, object, string};
use super::native;
use crate::http::payload::Payload;
use crate::store::{FAILURE_TIME, GroupInfo, GroupSnapshot, PUSH_TIME, Store, StoredFamily};
use crate::telemetry::rfc3339_nano;

/// Bytes that are sent as one chunk, more or less.
const CHUNK: usize = 64 << 10;

/// The whole answer. A group that goes away meanwhile is left out.
pub(super) fn list(store: &Store) -> Payload {
    let mut chunks = Vec::new();
    let mut out = String::from(r#"{"status":"success","data":["#);
    let mut separator = "";
    for info in store.groups() {
        let Some(group) = store.group(&info.key) else { continue };
        out.push_str(separator);
        write_group(&mut out, &group);
        separator = ",";
        if out.len() >= CHUNK {
            chunks.push(Bytes::from(std::mem::take(&mut out)));
        }
    }
    out.push_str("]}");
    chunks.push(Bytes::from(out));
    chunks.into_iter().collect()
}

/// A member of a group: its labels, whether its last push was stored, or a family.
enum Member<'a> {
    Labels,
    Successful,
    Time { help: &'static str, seconds: f64 },
    Family(&'a StoredFamily),
}

fn write_group(out: &mut String, group: &GroupSnapshot) {
    let info = &group.info;
    let time = |help, seconds| Member::Time { help, seconds };
    let mut members = vec![
        ("labels", Member::Labels),
        ("last_push_successful", Member::Successful),
        (PUSH_TIME, time(PUSH_TIME_HELP, info.times.push)),
        (FAILURE_TIME, time(FAILURE_TIME_HELP, info.times.failure)),
    ];
    // A family that is called `labels` hides those, as in the original.
    members.retain(|(name, _)| group.families.iter().all(|family| *family.name != **name));
    members.extend(group.families.iter().map(|family| (&*family.name, Member::Family(family))));
    members.sort_unstable_by_key(|(name, _)| *name);
    object(out, members, |out, member| match member {
        Member::Labels => object(out, info.key.labels(), string),
        Member::Successful => out.push_str(if info.last_push_successful() { "true" } else { "false" }),
        Member::Time { help, seconds } => write_time(out, info, help, seconds),
        Member::Family(family) => write_family(out, family),
    });
}

fn write_family(out: &mut String, family: &StoredFamily) {
    write_head(out, family.kind, family.chunk.help().unwrap_or_default(), family.chunk.pushed_at());
    // Lines that the gateway wrote can be read.
    let columns = family.chunk.read_back(&family.name, family.kind).unwrap_or_default();
    let rows = columns.families().flat_map(|family| family.series().map(move |row| (family, row)));
    array(out, rows, |out, (family, series)| write_series(out, family, series));
    out.push('}');
}

const PUSH_TIME_HELP: &str = "Last Unix time when changing this group in the Pushgateway succeeded.";
const FAILURE_TIME_HELP: &str = "Last Unix time when changing this group in the Pushgateway failed.";

/// One of the families that the store writes itself.
fn write_time(out: &mut String, info: &GroupInfo, help: &str, seconds: f64) {
    write_head(out, Kind::Gauge, help, info.times.push.max(info.times.failure));
    let mut labels: Vec<_> = info.key.labels().collect();
    if let Err(at) = labels.binary_search_by(|(name, _)| (*name).cmp("instance")) {
        labels.insert(at, ("instance", ""));
    }
    out.push_str("[{");
    write_simple(out, labels, seconds);
    out.push_str("}]}");
}

/// A family up to its metrics.
fn write_head(out: &mut String, kind: Kind, help: &str, pushed_at: f64) {
    let kind = match kind {
        Kind::Untyped => "UNTYPED",
        Kind::Counter => "COUNTER",
        Kind::Gauge => "GAUGE",
        Kind::Summary => "SUMMARY",
        Kind::Histogram => "HISTOGRAM",
        Kind::GaugeHistogram => "GAUGE_HISTOGRAM",
    };
    out.push_str(r#"{"time_stamp":"#);
    string(out, &time_stamp(pushed_at));
    out.push_str(r#","type":"#);
    string(out, kind);
    if !help.is_empty() {
        out.push_str(r#","help":"#);
        string(out, help);
    }
    out.push_str(r#","metrics":"#);
}

/// A series, its members in order of their names.
fn write_series(out: &mut String, family: Family<'_>, series: Series<'_>) {
    out.push('{');
    match family.kind() {
        Kind::Histogram => {
            out.push_str(r#""buckets":"#);
            match series
                .detail()
                .and_then(|detail| detail.native.as_ref())
                .filter(|native| native.has_spans())
            {
                Some(native) => array(out, native::buckets(native), write_native),
                None => write_points(out, series, count),
            }
            out.push_str(r#","count":"#);
            string(out, &count(series.count()));
            out.push(',');
            write_labels(out, series.labels());
            out.push_str(r#","sum":"#);
            string(out, &float(series.value()));
        }
        Kind::Summary => {
            out.push_str(r#""count":"#);
            string(out, &count(series.count()));
            out.push(',');
            write_labels(out, series.labels());
            out.push_str(r#","quantiles":"#);
            write_points(out, series, float);
            out.push_str(r#","sum":"#);
            string(out, &float(series.value()));
        }
        // The original knows no gauge histograms and shows the value that they do not have.
        Kind::GaugeHistogram => write_simple(out, series.labels(), 0.0),
        Kind::Untyped | Kind::Counter | Kind::Gauge => write_simple(out, series.labels(), series.value()),
    }
    out.push('}');
}

fn write_simple<'a>(out: &mut String, labels: impl IntoIterator<Item = LabelPair<'a>>, value: f64) {
    write_labels(out, labels);
    out.push_str(r#","value":"#);
    string(out, &float(value));
}

fn write_labels<'a>(out: &mut String, labels: impl IntoIterator<Item = LabelPair<'a>>) {
    out.push_str(r#""labels":"#);
    object(out, labels, string);
}

/// Buckets or quantiles by their bounds as text, in order of that. Of one that comes twice the last counts, and a last
/// bucket that only the gateway made is left out.
fn write_points(out: &mut String, series: Series<'_>, shown: fn(f64) -> String) {
    let without_infinity = series.detail().is_some_and(|detail| detail.without_infinity);
    let points = series.points().filter(|point| !(without_infinity && point.bound == f64::INFINITY));
    let points: BTreeMap<_, _> = points.map(|point| (float(point.bound), shown(point.value))).collect();
    object(out, points.iter().map(|(bound, value)| (&**bound, value)), |out, value| string(out, value));
}

fn write_native(out: &mut String, bucket: native::Bucket) {
    let _ = write!(out, "[{}", bucket.bounds as u8);
    for text in [float(bucket.lower), float(bucket.upper), count(bucket.count)] {
        out.push(',');
        string(out, &text);
    }
    out.push(']');
}

/// A point in time of the store, to the microsecond: a float has no more of it.
fn time_stamp(seconds: f64) -> String {
    // A number that is none, or too large, becomes one that can be added.
    let since_1970 = Duration::from_micros((seconds * 1e6).round() as u64);
    rfc3339_nano(UNIX_EPOCH.checked_add(since_1970).unwrap_or(UNIX_EPOCH))
}

fn array<T>(out: &mut String, items: impl IntoIterator<Item = T>, write: impl Fn(&mut String, T)) {
    out.push('[');
    elements(out, items, write);
    out.push(']');
}

/// A number as Go's `%v` has it.
fn float(value: f64) -> String {
    let mut text = String::new();
    number::write(&mut text, value);
    text
}

/// A count, which is a whole number in most histograms and has no exponent then.
fn count(value: f64) -> String {
    if value.is_nan() {
        "0".to_owned() // The original takes it for a histogram without a count.
    } else if value >= 0.0 && value.fract() == 0.0 && value < u64::MAX as f64 {
        (value as u64).to_string()
    } else {
        float(value)
    }
}

#[cfg(test)]
mod tests {
    use pushgate_exposition::{
        Buckets, Builder, Count, Detail, GroupingKey, NativeHistogram, Push, Rules, Span, text,
    };

    use super::*;
    use crate::journal::InMemory;
    use crate::store::{Limits, Mode, OwnFamilies};

    /// What the group of the job `j` looks like when each of these was pushed.
    fn listed(pushes: impl IntoIterator<Item = Push>) -> String {
        let limits = Limits { groups: 9, series: 99 };
        let store = Store::new(limits, OwnFamilies::default(), Box::new(InMemory));
        for push in pushes {
            store.push(&push, Mode::Merge, 1.5).unwrap();
        }
        list(&store).into_chunks().map(|chunk| String::from_utf8(chunk.into()).unwrap()).collect()
    }

    fn key() -> GroupingKey {
        GroupingKey::new([("job", "j")]).unwrap()
    }

    fn parse(body: &str) -> Push {
        text::parse(body.as_bytes(), &key(), &Rules::default()).unwrap()
    }

    /// A push of a histogram `h` with one bucket and a detail.
    fn histogram(detail: Detail) -> Push {
        let mut builder = Builder::new(&key()).unwrap();
        let name = builder.intern(b"h").unwrap();
        let family = builder.family(name);
        builder.set_kind(family, Kind::Histogram);
        let series = builder.series(family, &[], 2.5);
        builder.point(series, 1.0, 1.0);
        builder.set_count(series, 2.0);
        builder.set_detail(series, detail);
        builder.finish()
    }

    /// A group with the two times of [`listed`] behind other members.
    fn whole(before: &str, labels: &str, between: &str, behind: &str) -> String {
        let time = |what: &str, value: &str| {
            format!(
                r#"{{"time_stamp":"1970-01-01T00:00:01.5Z","type":"GAUGE","help":"Last Unix time when changing this group in the Pushgateway {what}.","metrics":[{{"labels":{{"instance":"","job":"j"}},"value":"{value}"}}]}}"#
            )
        };
        format!(
            r#"{{"status":"success","data":[{{{before}"labels":{labels},"last_push_successful":true,{between}"push_failure_time_seconds":{},"push_time_seconds":{}{behind}}}]}}"#,
            time("failed", "0"),
            time("succeeded", "1.5"),
        )
    }

    #[test]
    fn no_group_is_an_empty_list() {
        assert_eq!(listed([]), r#"{"status":"success","data":[]}"#);
    }

    #[test]
    fn every_type_is_written_as_the_original_does() {
        let body = "# HELP h a help\n# TYPE h histogram\nh_bucket{le=\"1\"} 1000000\nh_bucket{le=\"10\"} 2000000\n\
                    h_bucket{le=\"2.5\"} 2000000\nh_bucket{le=\"+Inf\"} 3000000\nh_sum 7.5\nh_count 3000000\n\
                    # TYPE s summary\ns{quantile=\"0.5\"} 1\ns{quantile=\"0.9\"} NaN\ns_sum 3\ns_count 2\n\
                    # TYPE c counter\nc{l=\"<&\"} 1e21\nc 1000000\n";
        let head = |kind: &str| format!(r#"{{"time_stamp":"1970-01-01T00:00:01.5Z","type":"{kind}""#);
        let labels = r#""labels":{"instance":"","job":"j"}"#;
        let counter = format!(
            r#""c":{},"metrics":[{{{labels},"value":"1e+06"}},{{"labels":{{"instance":"","job":"j","l":"\u003c\u0026"}},"value":"1e+21"}}]}},"#,
            head("COUNTER")
        );
        let histogram = format!(
            r#""h":{},"help":"a help","metrics":[{{"buckets":{{"+Inf":"3000000","1":"1000000","10":"2000000","2.5":"2000000"}},"count":"3000000",{labels},"sum":"7.5"}}]}},"#,
            head("HISTOGRAM")
        );
        let summary = format!(
            r#","s":{},"metrics":[{{"count":"2",{labels},"quantiles":{{"0.5":"1","0.9":"NaN"}},"sum":"3"}}]}}"#,
            head("SUMMARY")
        );
        let expected = whole(&format!("{counter}{histogram}"), r#"{"job":"j"}"#, "", &summary);
        assert_eq!(listed([parse(body)]), expected);
    }

    #[test]
    fn buckets_are_those_that_were_sent() {
        let native = NativeHistogram {
            zero_threshold: 0.001,
            zero_count: Count::Integer(1),
            count: Count::Integer(2),
            positive: Buckets {
                spans: [Span { offset: 0, length: 1 }].into(),
                deltas: [1].into(),
                ..Buckets::default()
            },
            ..NativeHistogram::default()
        };
        for (detail, buckets) in [
            (Detail::default(), r#"{"1":"1"}"#),
            (Detail { without_infinity: true, ..Detail::default() }, r#"{"1":"1"}"#),
            (
                Detail { native: Some(Box::new(native)), ..Detail::default() },
                r#"[[3,"-0.001","0.001","1"],[0,"0.5","1","1"]]"#,
            ),
        ] {
            let family = format!(
                r#""h":{{"time_stamp":"1970-01-01T00:00:01.5Z","type":"HISTOGRAM","metrics":[{{"buckets":{buckets},"count":"2","labels":{{"instance":"","job":"j"}},"sum":"2.5"}}]}},"#
            );
            assert_eq!(listed([histogram(detail)]), whole(&family, r#"{"job":"j"}"#, "", ""));
        }
    }

    #[test]
    fn a_family_may_hide_the_labels() {
        let family = r#"{"time_stamp":"1970-01-01T00:00:01.5Z","type":"UNTYPED","metrics":[{"labels":{"instance":"","job":"j"},"value":"1"}]}"#;
        assert_eq!(listed([parse("labels 1\n")]), whole("", family, "", ""));
    }

    #[test]
    fn times_are_those_of_the_store() {
        for (seconds, expected) in [
            (0.0, "1970-01-01T00:00:00Z"),
            (1.5, "1970-01-01T00:00:01.5Z"),
            (1_795_331_767.672_517, "2026-11-22T07:16:07.672517Z"),
            (-1.0, "1970-01-01T00:00:00Z"),
            (f64::NAN, "1970-01-01T00:00:00Z"),
            (f64::INFINITY, "586524-01-19T08:01:49.551615Z"),
        ] {
            assert_eq!(time_stamp(seconds), expected);
        }
    }

    #[test]
    fn counts_are_whole_where_they_can_be() {
        for (value, expected) in
            [(0.0, "0"), (3e6, "3000000"), (0.5, "0.5"), (1e300, "1e+300"), (-1.0, "-1"), (f64::NAN, "0")]
        {
            assert_eq!(count(value), expected);
        }
    }
}
