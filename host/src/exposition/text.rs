//! A scrape as text: stored lines are appended as they are, unless names in them have to be escaped.

use bytes::Bytes;
use pushgate_exposition::text::encode;
use pushgate_exposition::{Escaping, Push};

use super::{Exposition, MergedFamily};
use crate::store::Chunk;

/// All families with their HELP and TYPE lines.
pub(super) fn render(exposition: &Exposition, escaping: Escaping) -> Bytes {
    let mut text = String::with_capacity(exposition.size());
    for family in exposition.families() {
        encode::header(&mut text, &escaping.metric(family.name()), family.help(), family.kind());
        for series in family.own().into_iter().flat_map(|own| own.series().map(move |series| (own, series))) {
            encode::samples(&mut text, series.0, series.1, &[], escaping);
        }
        family.chunks().for_each(|chunk| append_chunk(&mut text, &family, chunk, escaping));
    }
    text.into()
}

/// The lines of one group.
pub(super) fn append_chunk(text: &mut String, family: &MergedFamily<'_>, chunk: &Chunk, escaping: Escaping) {
    if escaping != Escaping::AllowUtf8 && chunk.has_utf8_names() {
        escaped(text, family, chunk, escaping);
    } else {
        text.push_str(chunk.text());
    }
}

fn escaped(text: &mut String, family: &MergedFamily<'_>, chunk: &Chunk, escaping: Escaping) {
    // Lines that the gateway wrote can be read.
    let columns = chunk.read_back(family.name(), family.kind()).unwrap_or_default();
    let rows = |push: &Push, text: &mut String| {
        for family in push.families() {
            family.series().for_each(|series| encode::samples(text, family, series, &[], escaping));
        }
    };
    rows(&columns, text);
}

#[cfg(test)]
mod tests {
    use pushgate_exposition::{GroupingKey, Names, Rules, text};

    use super::*;
    use crate::journal::InMemory;
    use crate::store::{Limits, Mode, Store};
    use crate::telemetry::{Metrics, own_families};

    fn exposition(body: &str) -> Exposition {
        let limits = Limits { groups: 9, series: 9 };
        let store = Store::new(limits, own_families(), Box::new(InMemory));
        let key = GroupingKey::new([("job", "j")]).unwrap();
        let rules = Rules { names: Names::Utf8, ..Rules::default() };
        let push = text::parse(body.as_bytes(), &key, &rules).unwrap();
        store.push(&push, Mode::Replace, 1.0).unwrap();
        Exposition::new(&store, &Metrics::new())
    }

    /// The lines that have that word.
    fn lines(exposition: &Exposition, escaping: Escaping, word: &str) -> Vec<String> {
        let text = String::from_utf8(render(exposition, escaping).into()).unwrap();
        text.lines().filter(|line| line.contains(word)).map(str::to_owned).collect()
    }

    #[test]
    fn own_and_stored_families_stand_in_one_order() {
        let exposition = exposition("zz 1\naa 1\nprocess_z 1\npushgateway_a 1\n");
        let names: Vec<_> = exposition.families().map(|family| family.name().to_owned()).collect();
        assert!(names.is_sorted_by(|a, b| a < b), "{names:?}");
        assert!(names.contains(&"pushgate_groups".to_owned()) && names.contains(&"zz".to_owned()));
    }

    #[test]
    fn series_that_are_pushed_to_an_own_family_stand_behind_its_own() {
        let pushed = "# HELP pushgateway_build_info Theirs.\n# TYPE pushgateway_build_info gauge\npushgateway_build_info 5\n";
        let lines = lines(&exposition(pushed), Escaping::Underscores, "pushgateway_build_info");
        let [help, kind, own, stored] = lines.as_slice() else { panic!("{lines:?}") };
        assert!(help.starts_with("# HELP pushgateway_build_info ") && !help.contains("Theirs"));
        assert_eq!(kind, "# TYPE pushgateway_build_info gauge");
        assert!(own.starts_with("pushgateway_build_info{branch=") && own.ends_with("} 1"), "{own}");
        assert_eq!(stored, "pushgateway_build_info{instance=\"\",job=\"j\"} 5");
    }

    #[test]
    fn names_are_escaped_as_asked() {
        let exposition = exposition(
            "# TYPE \"a.b\" histogram\n{\"a.b_bucket\",\"x y\"=\"1\",le=\"+Inf\"} 1\n{\"a.b_sum\",\"x y\"=\"1\"} 2\n{\"a.b_count\",\"x y\"=\"1\"} 1\n",
        );
        for (escaping, header, first) in [
            (
                Escaping::AllowUtf8,
                "\"a.b\"",
                "{\"a.b_bucket\",instance=\"\",job=\"j\",\"x y\"=\"1\",le=\"+Inf\"} 1",
            ),
            (Escaping::Underscores, "a_b", "a_b_bucket{instance=\"\",job=\"j\",x_y=\"1\",le=\"+Inf\"} 1"),
            (Escaping::Dots, "a_dot_b", "a_dot_b_bucket{instance=\"\",job=\"j\",x__y=\"1\",le=\"+Inf\"} 1"),
            (
                Escaping::Values,
                "U__a_2e_b",
                "U__a_2e_b_bucket{instance=\"\",job=\"j\",U__x_20_y=\"1\",le=\"+Inf\"} 1",
            ),
        ] {
            let lines = [lines(&exposition, escaping, "histogram"), lines(&exposition, escaping, "+Inf")];
            assert!(lines[0].contains(&format!("# TYPE {header} histogram")), "{lines:?}");
            assert!(lines[1].contains(&first.to_owned()), "{lines:?}");
        }
    }
}
