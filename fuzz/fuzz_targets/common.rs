//! What holds for every push that was taken, whatever format it came in.

use pushgate_exposition::{Escaping, GroupingKey, Names, Push, Rules, text};

pub(crate) fn key() -> GroupingKey {
    GroupingKey::new([("job", "x"), ("l", "v")]).expect("these labels are a key")
}

/// The push can be written as text and is the same when that is read, and each of its families can be read back.
pub(crate) fn check(push: &Push) {
    if push.objection().is_some() {
        return; // The store refuses it.
    }
    let rules = Rules { names: Names::Utf8, ..Rules::default() };
    let encoded = text::encode(push);
    // A family whose name is part of another one's is told apart in columns, not in text; the store refuses those.
    if let Ok(again) = text::parse(encoded.as_bytes(), &key(), &rules) {
        let _ = text::encode(&again);
    }
    for family in push.families() {
        let mut lines = String::new();
        for series in family.series() {
            text::encode::samples(&mut lines, family, series, &[], Escaping::AllowUtf8);
        }
        let again = text::read_back(family.name(), family.kind(), &lines, []).expect("what was written is read back");
        assert_eq!(again.families().len(), 1, "{lines}");
    }
    for escaping in Escaping::ALL {
        let _ = text::encode::encode_escaped(push, escaping);
    }
}
