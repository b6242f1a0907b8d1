//! A scrape as protobuf: stored lines are read back into columns, which have what text cannot say beside them.

use bytes::Bytes;
use pushgate_exposition::protobuf::{FamilyEncoder, Layout, to_text};
use pushgate_exposition::{Escaping, Family, Push, Series};

use super::Exposition;

/// All families, each behind its length. Units are left out, as the original does.
pub(super) fn render(exposition: &Exposition, escaping: Escaping) -> Bytes {
    let mut out = Vec::with_capacity(exposition.size());
    for family in exposition.families() {
        let (name, kind) = (family.name(), family.kind());
        let mut encoder = FamilyEncoder::new(&mut out, name, family.help(), kind, escaping);
        family.own().into_iter().flat_map(Family::series).for_each(|series| encoder.series(series));
        // Classic histograms come before native ones: Prometheus 3.5 takes what a native one says over to a classic one
        // behind it in a family, and refuses the whole scrape.
        let mut with_native = Vec::new();
        for chunk in family.chunks() {
            // Lines that the gateway wrote can be read.
            let columns = chunk.read_back(name, kind).unwrap_or_default();
            let series = || columns.families().flat_map(Family::series);
            series().filter(|series| !is_native(series)).for_each(|series| encoder.series(series));
            if series().any(|series| is_native(&series)) {
                with_native.push(columns);
            }
        }
        let native = with_native.iter().flat_map(Push::families).flat_map(Family::series).filter(is_native);
        native.for_each(|series| encoder.series(series));
        encoder.finish();
    }
    out.into()
}

/// The same, for people to read.
pub(super) fn render_text(exposition: &Exposition, escaping: Escaping, layout: Layout) -> Bytes {
    to_text(&render(exposition, escaping), layout).into()
}

fn is_native(series: &Series<'_>) -> bool {
    series.detail().is_some_and(|detail| detail.native.is_some())
}

#[cfg(test)]
mod tests {
    use pushgate_exposition::{GroupingKey, Rules, protobuf};

    use super::*;
    use crate::journal::InMemory;
    use crate::store::{Limits, Mode, Store};
    use crate::telemetry::{Metrics, own_families};

    /// A counter `c` with an exemplar and the time it was created.
    const COUNTER: &[u8] = &[
        0x2c, 0x0a, 1, b'c', 0x18, 0, 0x22, 0x25, 0x1a, 0x23, 0x09, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0x12, 0x12,
        0x0a, 0x07, 0x0a, 1, b't', 0x12, 2, b'i', b'd', 0x11, 0, 0, 0, 0, 0, 0, 0xe0, 0x3f, 0x1a, 0x04, 0x08,
        5, 0x10, 7,
    ];

    /// A histogram `h` with one observation, in the zero bucket.
    const NATIVE: &[u8] =
        &[0x13, 0x0a, 1, b'h', 0x18, 4, 0x22, 0x0c, 0x3a, 0x0a, 0x08, 1, 0x28, 0, 0x38, 1, 0x62, 2, 0x10, 0];

    #[test]
    fn classic_histograms_come_before_native_ones() {
        let limits = Limits { groups: 9, series: 9 };
        let store = Store::new(limits, own_families(), Box::new(InMemory));
        let native = protobuf::parse(NATIVE, &GroupingKey::new([("job", "a")]).unwrap(), &Rules::default());
        store.push(&native.unwrap(), Mode::Replace, 1.0).unwrap();
        let classic = b"# TYPE h histogram\nh_bucket{le=\"1\"} 8\nh_count 8\n";
        let key = GroupingKey::new([("job", "b")]).unwrap();
        let classic = pushgate_exposition::text::parse(classic, &key, &Rules::default());
        store.push(&classic.unwrap(), Mode::Replace, 1.0).unwrap();
        let bytes = render(&Exposition::new(&store, &Metrics::new()), Escaping::default());
        let scrape = protobuf::parse_exposed(&bytes, &Rules::default()).unwrap();
        let family = scrape.families().find(|family| family.name() == "h").unwrap();
        assert!(family.series().map(|series| is_native(&series)).eq([false, true]));
    }

    #[test]
    fn what_text_cannot_say_comes_out_again_beside_the_labels_of_the_group() {
        let limits = Limits { groups: 9, series: 9 };
        let store = Store::new(limits, own_families(), Box::new(InMemory));
        for job in ["a", "b"] {
            let key = GroupingKey::new([("job", job)]).unwrap();
            let push = protobuf::parse(COUNTER, &key, &Rules::default()).unwrap();
            store.push(&push, Mode::Replace, 1.0).unwrap();
        }
        let bytes = render(&Exposition::new(&store, &Metrics::new()), Escaping::default());
        let scrape = protobuf::parse_exposed(&bytes, &Rules::default()).unwrap();
        let family = scrape.families().find(|family| family.name() == "c").unwrap();
        let pushed = protobuf::parse_exposed(COUNTER, &Rules::default()).unwrap();
        let pushed = pushed.families().next().unwrap().series().next().unwrap();
        assert!(pushed.detail().is_some());
        for (series, job) in family.series().zip(["a", "b"]) {
            assert_eq!((series.value(), series.detail()), (1.0, pushed.detail()));
            assert!(series.labels().eq([("instance", ""), ("job", job)]));
        }
        assert!(scrape.families().any(|family| family.name() == "pushgateway_build_info"));
        let counter = r#"label:{name:"job" value:"b"} counter:{value:1 exemplar:{label:{name:"t" value:"id"} value:0.5} created_timestamp:{seconds:5 nanos:7}}}"#;
        let text =
            render_text(&Exposition::new(&store, &Metrics::new()), Escaping::default(), Layout::Compact);
        let text = String::from_utf8(text.into()).unwrap();
        assert!(
            text.lines().any(|line| line.starts_with("name:\"c\" ") && line.ends_with(counter)),
            "{text}"
        );
    }
}
