//! Patterns that need no regex engine, which are most of those that people write.

/// What a simple pattern matches.
#[derive(Clone, Debug)]
pub(super) struct Shape {
    kind: Kind,
    /// Whether there is one group, around all of it.
    grouped: bool,
}

#[derive(Clone, Debug)]
enum Kind {
    /// `.*`
    Any,
    /// `.+`
    NonEmpty,
    /// `a|b|c`, sorted.
    Words(Box<[Box<str>]>),
    /// `prefix.*`, or `prefix.+` when at least one more character is needed.
    Prefix { prefix: Box<str>, more: bool },
    /// `.*suffix`
    Suffix(Box<str>),
    /// `.*part.*`
    Part(Box<str>),
}

impl Shape {
    /// The shape of a pattern; `None` when it needs a regex.
    pub(super) fn of(pattern: &str) -> Option<Self> {
        let (inner, grouped) = match pattern.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
            Some(inner) => inner.strip_prefix("?:").map_or((inner, true), |inner| (inner, false)),
            None => (pattern, false),
        };
        Some(Self { kind: Kind::of(inner)?, grouped })
    }

    pub(super) fn is_match(&self, text: &str) -> bool {
        match &self.kind {
            Kind::Any => true,
            Kind::NonEmpty => !text.is_empty(),
            Kind::Words(words) => match &**words {
                [word] => **word == *text,
                words => words.binary_search_by(|word| (**word).cmp(text)).is_ok(),
            },
            Kind::Prefix { prefix, more } => {
                text.strip_prefix(&**prefix).is_some_and(|rest| !more || !rest.is_empty())
            }
            Kind::Suffix(suffix) => text.ends_with(&**suffix),
            // Looking for a text costs more to set up than a name is long.
            Kind::Part(part) => match part.as_bytes() {
                [byte] => text.as_bytes().contains(byte),
                _ => text.contains(&**part),
            },
        }
    }

    /// How many groups the pattern has.
    pub(super) fn groups(&self) -> usize {
        usize::from(self.grouped)
    }
}

impl Kind {
    fn of(pattern: &str) -> Option<Self> {
        if pattern == ".*" {
            return Some(Self::Any);
        }
        if pattern == ".+" {
            return Some(Self::NonEmpty);
        }
        let plain = |text: &str| is_plain(text).then(|| Box::from(text));
        match (pattern.strip_prefix(".*"), pattern.strip_suffix(".*"), pattern.strip_suffix(".+")) {
            (Some(rest), Some(_), _) => plain(rest.strip_suffix(".*")?).map(Self::Part),
            (Some(suffix), None, _) => plain(suffix).map(Self::Suffix),
            (None, Some(prefix), _) => Some(Self::Prefix { prefix: plain(prefix)?, more: false }),
            (None, None, Some(prefix)) => Some(Self::Prefix { prefix: plain(prefix)?, more: true }),
            (None, None, None) => words(pattern).map(Self::Words),
        }
    }
}

fn words(alternatives: &str) -> Option<Box<[Box<str>]>> {
    if !alternatives.split('|').all(is_plain) {
        return None;
    }
    let mut words: Vec<Box<str>> = alternatives.split('|').map(Box::from).collect();
    words.sort_unstable();
    Some(words.into())
}

/// Whether a text matches itself and nothing else.
fn is_plain(text: &str) -> bool {
    !text.contains(['\\', '.', '+', '*', '?', '(', ')', '|', '[', ']', '{', '}', '^', '$'])
}
