//! What each edit does, and what no patch may do.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use proptest::prelude::*;
use pushgate_exposition::edit::{Edit, Patch, Scope};
use pushgate_exposition::{GroupingKey, Label, Push, Rules, Sym, text};

const BODY: &str = "# TYPE a_total counter\na_total{code=\"200\",path=\"/\"} 1\na_total{code=\"500\",path=\"/\"} 2\n\
                    # TYPE b gauge\nb{path=\"/\"} 3\n\
                    # TYPE h histogram\nh_bucket{path=\"/\",le=\"1\"} 1\nh_bucket{path=\"/\",le=\"+Inf\"} 2\nh_sum{path=\"/\"} 3\nh_count{path=\"/\"} 2\n";

fn push() -> Push {
    let key = GroupingKey::new([("job", "x"), ("zone", "eu")]).unwrap();
    text::parse(BODY.as_bytes(), &key, &Rules::default()).unwrap()
}

/// A patch whose symbols are written by name: `sym` finds them in the push or adds them.
#[derive(Default)]
struct Writer {
    patch: Patch,
}

impl Writer {
    fn sym(&mut self, name: &str) -> Sym {
        let symbols = push().symbols().clone();
        if let Some(sym) = (0..symbols.len() as Sym).find(|&sym| symbols.get(sym) == name) {
            return sym;
        }
        self.patch.bytes.extend_from_slice(name.as_bytes());
        self.patch.ends.push(self.patch.bytes.len() as u32);
        (symbols.len() + self.patch.ends.len() - 1) as Sym
    }
}

fn patch(edits: impl FnOnce(&mut Writer) -> Vec<Edit>) -> Patch {
    let mut writer = Writer::default();
    writer.patch.edits = edits(&mut writer);
    writer.patch
}

#[track_caller]
fn gives(edits: impl FnOnce(&mut Writer) -> Vec<Edit>, grouping: &str, expected: &str) {
    let mut push = push();
    push.apply(&patch(edits)).unwrap();
    assert_eq!(push.grouping_key().to_string(), grouping);
    assert_eq!(text::encode(&push), expected);
}

#[track_caller]
fn fails(edits: impl FnOnce(&mut Writer) -> Vec<Edit>, expected: &str) {
    let mut edited = push();
    let error = edited.apply(&patch(edits)).unwrap_err();
    assert_eq!(error.to_string(), expected);
    assert!(edited == push(), "something was applied");
}

const KEY: &str = r#"{job="x",zone="eu"}"#;

#[test]
fn labels() {
    gives(
        |w| {
            let (name, value, path) = (w.sym("team"), w.sym("infra"), w.sym("path"));
            vec![
                Edit::SetLabel { scope: Scope::All, name, value },
                Edit::DropLabel { scope: Scope::Family(0), name: path },
                Edit::RenameLabel { scope: Scope::Series(2), from: path, to: w.sym("aaa") },
            ]
        },
        KEY,
        "# TYPE a_total counter\na_total{code=\"200\",team=\"infra\"} 1\na_total{code=\"500\",team=\"infra\"} 2\n\
         # TYPE b gauge\nb{aaa=\"/\",team=\"infra\"} 3\n\
         # TYPE h histogram\nh_bucket{path=\"/\",team=\"infra\",le=\"1\"} 1\nh_bucket{path=\"/\",team=\"infra\",le=\"+Inf\"} 2\n\
         h_sum{path=\"/\",team=\"infra\"} 3\nh_count{path=\"/\",team=\"infra\"} 2\n",
    );
    gives(
        |w| {
            let (code, path) = (w.sym("code"), w.sym("path"));
            vec![
                Edit::Drop(Scope::Family(1)),
                Edit::Drop(Scope::Family(2)),
                Edit::RenameLabel { scope: Scope::All, from: code, to: path },
                Edit::SetLabel { scope: Scope::Series(1), name: w.sym("job"), value: w.sym("evil") },
            ]
        },
        KEY,
        "# TYPE a_total counter\na_total{path=\"200\"} 1\na_total{path=\"500\"} 2\n",
    );
    gives(|w| vec![Edit::Drop(Scope::All), Edit::SetHelp { family: 0, help: w.sym("x") }], KEY, "");
}

#[test]
fn families() {
    let rest = "# TYPE h histogram\nh_bucket{path=\"/\",le=\"1\"} 1\nh_bucket{path=\"/\",le=\"+Inf\"} 2\nh_sum{path=\"/\"} 3\nh_count{path=\"/\"} 2\n";
    gives(
        |w| {
            vec![
                Edit::RenameFamily { family: 0, name: w.sym("c_total") },
                Edit::SetHelp { family: 1, help: w.sym("new help") },
                Edit::RenameSeries { series: 0, name: w.sym("d_total") },
            ]
        },
        KEY,
        &format!(
            "# TYPE c_total counter\nc_total{{code=\"500\",path=\"/\"}} 2\n# HELP b new help\n# TYPE b gauge\nb{{path=\"/\"}} 3\n{rest}# TYPE d_total counter\nd_total{{code=\"200\",path=\"/\"}} 1\n"
        ),
    );
    gives(
        |w| {
            vec![
                Edit::RenameSeries { series: 0, name: w.sym("d_total") },
                Edit::RenameFamily { family: 0, name: w.sym("d_total") },
                Edit::Drop(Scope::Series(2)),
            ]
        },
        KEY,
        &format!(
            "{rest}# TYPE d_total counter\nd_total{{code=\"200\",path=\"/\"}} 1\nd_total{{code=\"500\",path=\"/\"}} 2\n"
        ),
    );
}

#[test]
fn the_grouping_key() {
    gives(
        |w| {
            vec![
                Edit::SetGroupingLabel(Label { name: w.sym("job"), value: w.sym("y") }),
                Edit::SetGroupingLabel(Label { name: w.sym("path"), value: w.sym("hides") }),
                Edit::DropGroupingLabel(w.sym("zone")),
                Edit::Drop(Scope::Family(2)),
            ]
        },
        r#"{job="y",path="hides"}"#,
        "# TYPE a_total counter\na_total{code=\"200\"} 1\na_total{code=\"500\"} 2\n# TYPE b gauge\nb 3\n",
    );
    fails(
        |w| vec![Edit::DropGroupingLabel(w.sym("job"))],
        "the grouping label job cannot be dropped or empty",
    );
    fails(
        |w| vec![Edit::SetGroupingLabel(Label { name: w.sym("job"), value: 0 })],
        "the grouping label job cannot be dropped or empty",
    );
    fails(
        |w| vec![Edit::SetGroupingLabel(Label { name: w.sym("a-b"), value: 0 })],
        "\"a-b\" is no label name",
    );
}

#[test]
fn what_no_patch_may_do() {
    let drop = |scope| move |_: &mut Writer| vec![Edit::Drop(scope)];
    fails(drop(Scope::Family(3)), "there is no family 3");
    fails(drop(Scope::Series(4)), "there is no series 4");
    fails(|_| vec![Edit::DropLabel { scope: Scope::All, name: 99 }], "there is no symbol 99");
    let set = |name: &'static str| {
        move |w: &mut Writer| vec![Edit::SetLabel { scope: Scope::All, name: w.sym(name), value: w.sym("v") }]
    };
    fails(set("1x"), "\"1x\" is no label name");
    fails(set("__tmp"), "\"__tmp\" is no label name");
    fails(set("le"), "\"le\" tells the points of histogram \"h\" apart and cannot be set");
    fails(|w| vec![Edit::RenameFamily { family: 0, name: w.sym("a b") }], "\"a b\" is no metric name");
    fails(
        |w| vec![Edit::RenameFamily { family: 0, name: w.sym("b") }],
        "\"a_total\" is a counter and cannot join \"b\", which is a gauge",
    );
    fails(
        |w| vec![Edit::RenameSeries { series: 3, name: w.sym("x") }],
        "a series of histogram \"h\" cannot leave its family",
    );
    fails(
        |w| vec![Edit::Drop(Scope::Family(2)), Edit::DropLabel { scope: Scope::All, name: w.sym("code") }],
        "two series are the same: a_total{path=\"/\"}",
    );
    let rows = 256 * 4 + 1024;
    fails(
        move |_| vec![Edit::Drop(Scope::All); rows / 4 + 1],
        &format!("the edits touch {rows} rows, more than is allowed for a push of this size"),
    );
}

#[test]
fn symbols_of_a_patch() {
    let check = |bytes: &[u8], ends: &[u32], expected: &str| {
        let patch = Patch { bytes: bytes.into(), ends: ends.into(), edits: Vec::new() };
        assert_eq!(push().apply(&patch).unwrap_err().to_string(), expected);
    };
    check(b"ab", &[2, 1], "new symbol 1 does not end where a symbol can end");
    check(b"ab", &[3], "new symbol 0 does not end where a symbol can end");
    check(b"a\xff", &[1, 2], "new symbol 1 is not UTF-8");
}

#[test]
fn duplicates_that_were_pushed_are_no_fault_of_the_patch() {
    let key = GroupingKey::new([("job", "x")]).unwrap();
    let mut push = text::parse(b"a 1\na 2\n", &key, &Rules::default()).unwrap();
    push.apply(&Patch { edits: vec![Edit::SetHelp { family: 0, help: 0 }], ..Patch::default() }).unwrap();
}

fn edit() -> impl Strategy<Value = Edit> {
    let scope = || {
        prop_oneof![Just(Scope::All), (0u32..4).prop_map(Scope::Family), (0u32..5).prop_map(Scope::Series)]
    };
    let sym = || 0u32..24;
    prop_oneof![
        (scope(), sym(), sym()).prop_map(|(scope, name, value)| Edit::SetLabel { scope, name, value }),
        (scope(), sym(), sym()).prop_map(|(scope, from, to)| Edit::RenameLabel { scope, from, to }),
        (scope(), sym()).prop_map(|(scope, name)| Edit::DropLabel { scope, name }),
        (0u32..4, sym()).prop_map(|(family, name)| Edit::RenameFamily { family, name }),
        (0u32..5, sym()).prop_map(|(series, name)| Edit::RenameSeries { series, name }),
        (0u32..4, sym()).prop_map(|(family, help)| Edit::SetHelp { family, help }),
        scope().prop_map(Edit::Drop),
        (sym(), sym()).prop_map(|(name, value)| Edit::SetGroupingLabel(Label { name, value })),
        sym().prop_map(Edit::DropGroupingLabel),
    ]
}

proptest! {
    /// Whatever a patch says, the push is changed as a whole into a legal one, or not at all: what comes
    /// out can be written as text and read again.
    #[test]
    fn any_patch_leaves_a_legal_push(edits in proptest::collection::vec(edit(), 0..6)) {
        let mut edited = push();
        let patch = Patch { bytes: b"new_nameother".to_vec(), ends: vec![8, 13], edits };
        match edited.apply(&patch) {
            Err(_) => prop_assert!(edited == push()),
            Ok(()) => {
                let body = text::encode(&edited);
                let key = edited.grouping_key();
                let again = text::parse(body.as_bytes(), &key, &Rules::default());
                prop_assert!(again.is_ok(), "{:?}\n{body}", again.err());
                prop_assert!(again.is_ok_and(|again| again == edited));
            }
        }
    }
}
