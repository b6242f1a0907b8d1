//! The label part of a push's URL: `/metrics/job[@base64]/<job>{/<label>[@base64]/<value>}`.

use std::fmt::Write as _;

use base64::alphabet::URL_SAFE;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::{DecodeError, Engine as _};
use pushgate_exposition::{Escaping, GroupingKey, GroupingKeyError, Names, unescape};

/// What follows a label's name when its value is encoded.
const BASE64: &[u8] = b"@base64";

/// Bits left over after the last whole byte are ignored, as clients in the field encode them carelessly.
/// Padding is taken off before: any number of `=` may stand at the end.
const DECODER: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone),
);

/// Why a URL names no group. The messages are those of the original Pushgateway, which people search for.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(super) enum PathError {
    /// A value of `job@base64` that is no base64; what could be read of it.
    #[error("invalid base64 encoding in job name {read:?}: illegal base64 data at input byte {at}")]
    JobEncoding { read: String, at: usize },
    /// A name without a value.
    #[error("odd number of components in label string {0:?}")]
    Odd(String),
    /// A value of `<label>@base64` that is no base64.
    #[error("invalid base64 encoding for label {label}={value:?}: illegal base64 data at input byte {at}")]
    LabelEncoding { label: String, value: String, at: usize },
    /// A value that no scrape could expose.
    #[error("the value of label {label:?} is not UTF-8: {value:?}")]
    NotUtf8 { label: String, value: String },
    /// A name that is no label name, or no job.
    #[error(transparent)]
    Key(#[from] GroupingKeyError),
}

/// What the labels in a URL may be. They are stored once for each group, and shown with each series.
#[derive(Clone, Copy, Debug)]
pub(super) struct KeyLimits {
    pub(super) labels: usize,
    pub(super) name_length: usize,
    pub(super) value_length: usize,
}

/// There are more labels in a URL than are taken, or longer ones.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the URL has {what}, {limit} are allowed ({key})")]
pub(super) struct KeyTooLarge {
    what: &'static str,
    limit: usize,
    /// The limit's key in the configuration.
    pub(super) key: &'static str,
}

impl KeyLimits {
    /// Whether a key is within the limits.
    pub(super) fn check(self, key: &GroupingKey) -> Result<(), KeyTooLarge> {
        let within = |length: usize, limit: usize, what, key| {
            if length <= limit { Ok(()) } else { Err(KeyTooLarge { what, limit, key }) }
        };
        within(key.labels().count(), self.labels, "too many labels", "push.max_labels")?;
        key.labels().try_for_each(|(name, value)| {
            within(name.len(), self.name_length, "too many bytes in a label name", "push.max_name_length")?;
            let what = "too many bytes in a label value";
            within(value.len(), self.value_length, what, "push.max_label_value_length")
        })
    }
}

/// The grouping key in a path, percent-decoded, from behind `/metrics/`; `None` when the path is not
/// that of a group at all.
///
/// A slash at the end is an empty value. Of a label that comes twice the last value counts, and the job
/// always counts as the last. Where `names` may be any UTF-8, one that begins with `U__` is unescaped.
pub(super) fn grouping_key(path: &[u8], names: Names) -> Option<Result<GroupingKey, PathError>> {
    let (encoding, rest) = match (path.strip_prefix(b"job/"), path.strip_prefix(b"job@base64/")) {
        (Some(rest), _) => (Encoding::Plain, rest),
        (None, Some(rest)) => (Encoding::Base64, rest),
        (None, None) => return None,
    };
    if rest.is_empty() {
        return None;
    }
    let mut parts = rest.splitn(2, |byte| *byte == b'/');
    let job = parts.next().unwrap_or_default();
    Some(read(encoding, job, parts.next().unwrap_or_default(), names))
}

/// The path that leads to a group, from behind `/metrics/`: every value as base64, since a slash, a dot or an empty
/// value would otherwise not arrive as it is. Behind an empty value stands a sign: without it two slashes would follow
/// each other, which proxies join.
pub fn path_of(key: &GroupingKey) -> String {
    let encode = |value: &str| if value.is_empty() { "=".to_owned() } else { URL_SAFE_NO_PAD.encode(value) };
    let mut path = format!("job@base64/{}", encode(key.job()));
    for (name, value) in key.labels().filter(|(name, _)| *name != "job") {
        let _ = write!(path, "/{}@base64/{}", Escaping::Values.label(name), encode(value));
    }
    path
}

#[derive(Clone, Copy)]
enum Encoding {
    Plain,
    Base64,
}

fn read(encoding: Encoding, job: &[u8], labels: &[u8], names: Names) -> Result<GroupingKey, PathError> {
    let job = decode(encoding, job)
        .map_err(|Corrupt { read, at }| PathError::JobEncoding { read: lossy(&read), at })?;
    let mut pairs = Vec::new();
    if !labels.is_empty() {
        if labels.iter().filter(|byte| **byte == b'/').count() % 2 == 0 {
            return Err(PathError::Odd(format!("/{}", lossy(labels))));
        }
        let mut segments = labels.split(|byte| *byte == b'/');
        while let (Some(name), Some(value)) = (segments.next(), segments.next()) {
            pairs.push(label(name, value, names)?);
        }
    }
    pairs.push(("job".to_owned(), utf8("job", job)?));
    Ok(GroupingKey::with_names(pairs, names)?)
}

fn label(name: &[u8], value: &[u8], names: Names) -> Result<(String, String), PathError> {
    let (encoding, sent) = match name.strip_suffix(BASE64) {
        Some(name) => (Encoding::Base64, name),
        None => (Encoding::Plain, name),
    };
    let improper = || PathError::from(GroupingKeyError::LabelName(lossy(sent)));
    let sent_name = std::str::from_utf8(sent).map_err(|_| improper())?;
    let name = match names {
        Names::Classic => sent_name.to_owned(),
        Names::Utf8 => unescape(sent_name).into_owned(),
    };
    if !names.allow_label(&name) || sent_name.starts_with("__") {
        return Err(improper());
    }
    match decode(encoding, value) {
        Ok(value) => utf8(&name, value).map(|value| (name, value)),
        Err(Corrupt { at, .. }) => Err(PathError::LabelEncoding { label: name, value: lossy(value), at }),
    }
}

/// Why something is no base64.
struct Corrupt {
    /// What stands before the mistake, in whole groups of four.
    read: Vec<u8>,
    /// The offset of the byte that is wrong.
    at: usize,
}

fn decode(encoding: Encoding, value: &[u8]) -> Result<Vec<u8>, Corrupt> {
    match encoding {
        Encoding::Plain => Ok(value.to_owned()),
        Encoding::Base64 => {
            let end = value.iter().rposition(|byte| *byte != b'=').map_or(0, |last| last + 1);
            let symbols: Vec<u8> =
                value.iter().take(end).copied().filter(|byte| !matches!(byte, b'\r' | b'\n')).collect();
            DECODER.decode(&symbols).map_err(|error| {
                let at = match error {
                    DecodeError::InvalidByte(at, _) => at,
                    _ => symbols.len().saturating_sub(1),
                };
                let whole = symbols.get(..at / 4 * 4).unwrap_or_default();
                Corrupt { read: DECODER.decode(whole).unwrap_or_default(), at }
            })
        }
    }
}

fn utf8(label: &str, value: Vec<u8>) -> Result<String, PathError> {
    String::from_utf8(value).map_err(|error| {
        let value = lossy(error.as_bytes());
        PathError::NotUtf8 { label: label.to_owned(), value }
    })
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, expected: &str) {
        check_names(path, Names::Classic, expected);
    }

    fn check_names(path: &str, names: Names, expected: &str) {
        let shown = match grouping_key(path.as_bytes(), names) {
            None => "no group".to_owned(),
            Some(Ok(key)) => key.to_string(),
            Some(Err(error)) => error.to_string(),
        };
        assert_eq!(shown, expected, "{path}");
    }

    #[test]
    fn a_path_names_a_group() {
        check("job/x", r#"{job="x"}"#);
        check("job/x/instance/i", r#"{instance="i",job="x"}"#);
        check("job/x/b/2/a/1", r#"{a="1",b="2",job="x"}"#);
        check("job/a b+c%/l/ä", r#"{job="a b+c%",l="ä"}"#);
        check("job/x/l/a\nb", r#"{job="x",l="a\nb"}"#);
    }

    #[test]
    fn a_slash_at_the_end_is_an_empty_value() {
        check("job/x/", r#"{job="x"}"#);
        check("job/x/a/", r#"{a="",job="x"}"#);
        check("job/x/a/b/c/", r#"{a="b",c="",job="x"}"#);
    }

    #[test]
    fn the_last_value_of_a_label_counts_and_the_job_is_last() {
        check("job/x/a/1/a/2", r#"{a="2",job="x"}"#);
        check("job/x/job/y", r#"{job="x"}"#);
    }

    #[test]
    fn values_may_be_base64() {
        check("job@base64/Zm9v", r#"{job="foo"}"#);
        check("job@base64/Zm9vYg==", r#"{job="foob"}"#);
        check("job@base64/Zm9vYg", r#"{job="foob"}"#);
        check("job@base64/Zm9vYg=======", r#"{job="foob"}"#);
        check("job@base64/Zm9vYh", r#"{job="foob"}"#);
        check("job@base64/Zm\n9v", r#"{job="foo"}"#);
        check("job/x/path@base64/L3Zhci90bXA", r#"{job="x",path="/var/tmp"}"#);
        check("job/x/l@base64/-_8", r#"the value of label "l" is not UTF-8: "��""#);
        check("job/x/l@base64/=", r#"{job="x",l=""}"#);
        check("job/x/l@base64/", r#"{job="x",l=""}"#);
    }

    #[test]
    fn what_is_no_base64_is_told_with_its_place() {
        check(
            "job@base64/!!",
            r#"invalid base64 encoding in job name "": illegal base64 data at input byte 0"#,
        );
        check(
            "job@base64/Zm9v!",
            r#"invalid base64 encoding in job name "foo": illegal base64 data at input byte 4"#,
        );
        for value in ["a", "ab+d", "ab/d", "=a", "a=b"] {
            let path = format!("job/x/l@base64/{}", value.replace('/', "%2F"));
            assert!(
                matches!(
                    grouping_key(path.as_bytes(), Names::Classic),
                    Some(Err(PathError::LabelEncoding { .. }))
                ),
                "{value}"
            );
        }
    }

    #[test]
    fn names_are_label_names_and_have_values() {
        check("job/x/a", r#"odd number of components in label string "/a""#);
        check("job/x/a/b/c", r#"odd number of components in label string "/a/b/c""#);
        for name in ["", "1a", "a-b", "a.b", "a:b", "ä", "a b", "__x", "l@base64@base64", "l@BASE64"] {
            let trimmed = name.strip_suffix("@base64").unwrap_or(name);
            check(&format!("job/x/{name}/v"), &format!("improper label name {trimmed:?}"));
        }
        check("job/x/_x/v/le/1/quantile/2", r#"{_x="v",job="x",le="1",quantile="2"}"#);
    }

    #[test]
    fn the_first_mistake_of_the_order_is_told() {
        check(
            "job@base64/!/a",
            r#"invalid base64 encoding in job name "": illegal base64 data at input byte 0"#,
        );
        check("job/x/a-b/c/d", r#"odd number of components in label string "/a-b/c/d""#);
        check("job@base64/=/a", r#"odd number of components in label string "/a""#);
        check("job/x/a-b@base64/!", r#"improper label name "a-b""#);
    }

    #[test]
    fn names_may_be_utf8_where_that_is_allowed() {
        let check = |path: &str, expected: &str| check_names(path, Names::Utf8, expected);
        check("job/x/U__foo_2e_bar/v", r#"{"foo.bar"="v",job="x"}"#);
        check("job/x/U__foo_2e_bar@base64/dg", r#"{"foo.bar"="v",job="x"}"#);
        check("job/x/U___55_____foo/v", r#"{U__foo="v",job="x"}"#);
        check("job/x/foo.bar/v", r#"{"foo.bar"="v",job="x"}"#);
        check("job/x/ä/v", r#"{job="x","ä"="v"}"#);
        check("job/x/U__not_undone/v", r#"{U__not_undone="v",job="x"}"#);
        for name in ["U__", "__l", "", "U______l"] {
            check(&format!("job/x/{name}/v"), &format!("improper label name {name:?}"));
        }
        assert!(matches!(grouping_key(b"job/x/\xff/v", Names::Utf8), Some(Err(PathError::Key(_)))));
        check_names("job/x/U__foo_2e_bar/v", Names::Classic, r#"{U__foo_2e_bar="v",job="x"}"#);
    }

    #[test]
    fn a_job_is_needed() {
        check("job@base64/=", "job name is required");
        check("job//a/b", "job name is required");
        for path in
            ["", "job", "job/", "job@base64", "job@base64/", "jobs/x", "JOB/x", "job@BASE64/x", "x/job/y"]
        {
            check(path, "no group");
        }
    }

    #[test]
    fn every_value_must_be_utf8() {
        for path in [&b"job/\xff"[..], b"job/x/l/\xff", b"job@base64/_w"] {
            assert!(
                matches!(grouping_key(path, Names::Classic), Some(Err(PathError::NotUtf8 { .. }))),
                "{path:?}"
            );
        }
    }
}
