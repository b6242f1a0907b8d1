//! The classic character sets of metric and label names.
//! <https://prometheus.io/docs/concepts/data_model/#metric-names-and-labels>

/// For each byte, whether it may begin (bit 0) or continue (bit 1) a label name, or begin (bit 2) or
/// continue (bit 3) a metric name. A table, since the parser asks for every byte of every name.
static CLASS: [u8; 256] = {
    let mut class = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let c = byte as u8;
        if c.is_ascii_alphabetic() || c == b'_' {
            class[byte] = 0b1111;
        } else if c.is_ascii_digit() {
            class[byte] = 0b1010;
        } else if c == b':' {
            class[byte] = 0b1100;
        }
        byte += 1;
    }
    class
};

#[inline]
fn has(byte: u8, bit: u8) -> bool {
    CLASS[byte as usize] & bit != 0
}

#[inline]
fn run(bytes: &[u8], first: u8, rest: u8) -> usize {
    match bytes.first() {
        Some(&byte) if has(byte, first) => {
            1 + bytes[1..].iter().position(|&byte| !has(byte, rest)).unwrap_or(bytes.len() - 1)
        }
        _ => 0,
    }
}

/// How many bytes at the front of `bytes` are a metric name; 0 when none begins here.
#[inline]
pub(crate) fn metric_name_len(bytes: &[u8]) -> usize {
    run(bytes, 0b0100, 0b1000)
}

/// How many bytes at the front of `bytes` are a label name; 0 when none begins here.
#[inline]
pub(crate) fn label_name_len(bytes: &[u8]) -> usize {
    run(bytes, 0b0001, 0b0010)
}

/// Which names are legal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Names {
    /// Those that every Prometheus reads: [`is_metric_name`] and [`is_label_name`].
    #[default]
    Classic,
    /// Any but the empty one, as Prometheus 3 has it; labels may not begin with `__` either way.
    /// <https://prometheus.io/docs/guides/utf8/>
    Utf8,
}

impl Names {
    /// Whether a family may have that name.
    pub fn allow_metric(self, name: &str) -> bool {
        match self {
            Self::Classic => is_metric_name(name),
            Self::Utf8 => !name.is_empty(),
        }
    }

    /// Whether a label may have that name.
    pub fn allow_label(self, name: &str) -> bool {
        match self {
            Self::Classic => is_label_name(name),
            Self::Utf8 => !name.is_empty() && !name.starts_with("__"),
        }
    }
}

/// Whether `name` matches `[a-zA-Z_:][a-zA-Z0-9_:]*`.
pub fn is_metric_name(name: &str) -> bool {
    !name.is_empty() && metric_name_len(name.as_bytes()) == name.len()
}

/// Whether `name` matches `[a-zA-Z_][a-zA-Z0-9_]*` and is not reserved by a leading `__`.
pub fn is_label_name(name: &str) -> bool {
    is_bare_label_name(name) && !name.starts_with("__")
}

/// Whether `name` is a label's name that text need not quote, reserved or not.
pub(crate) fn is_bare_label_name(name: &str) -> bool {
    !name.is_empty() && label_name_len(name.as_bytes()) == name.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for (name, metric, label) in [
            ("a", true, true),
            ("_x", true, true),
            ("a1_B", true, true),
            ("a:b", true, false),
            (":a", true, false),
            ("", false, false),
            ("1a", false, false),
            ("a-b", false, false),
            ("a.b", false, false),
            ("größe", false, false),
            ("__x", true, false),
        ] {
            assert_eq!((is_metric_name(name), is_label_name(name)), (metric, label), "{name}");
        }
    }
}
