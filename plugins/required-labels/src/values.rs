//! The values that a label may have.

use std::fmt;

use pushgate_plugin::{Pattern, quote};

/// How many values a message names.
const SHOWN: usize = 8;

/// The values that a label may have.
#[derive(Debug)]
pub(crate) enum Values {
    /// Any, but not none.
    Any,
    /// One of these, sorted.
    List(Vec<String>),
    /// What matches as a whole.
    Pattern(Pattern),
}

impl Values {
    pub(crate) fn list(mut values: Vec<String>) -> Self {
        values.sort_unstable();
        Self::List(values)
    }

    pub(crate) fn allow(&self, value: &str) -> bool {
        match self {
            Self::Any => true,
            Self::List(values) => values.binary_search_by(|allowed| allowed.as_str().cmp(value)).is_ok(),
            Self::Pattern(pattern) => pattern.is_match(value),
        }
    }
}

/// What to change a value to.
impl fmt::Display for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("something"),
            Self::Pattern(pattern) => write!(f, "a value that matches {}", quote(pattern.as_str())),
            Self::List(values) => {
                let (shown, more) = (values.len().min(SHOWN), values.len().saturating_sub(SHOWN));
                for (index, value) in values[..shown].iter().enumerate() {
                    let glue = match index {
                        0 => "",
                        _ if index + 1 == shown && more == 0 => " or ",
                        _ => ", ",
                    };
                    write!(f, "{glue}{}", quote(value))?;
                }
                if more == 0 { Ok(()) } else { write!(f, " or one of {more} others") }
            }
        }
    }
}
