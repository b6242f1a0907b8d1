//! Values that are new with every run or request: each makes a series that nobody pushes again.

use std::net::{IpAddr, SocketAddr};

use schemars::JsonSchema;
use serde::Deserialize;

/// What makes a value new each time, wherever it stands in the value.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq, Hash)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// `0d4e9f3a-6c1b-4a57-9a3e-2f6f0c9b7d11`
    Uuid,
    /// A Unix time from 2001 to 2033, in seconds, milliseconds, microseconds or nanoseconds, or a date.
    Timestamp,
    /// `somebody@example.com`
    Email,
    /// 32 or more hexadecimal digits: MD5, SHA-1, SHA-256, a trace id, the id of a container.
    Hash,
    /// An IPv4 or IPv6 address, with or without a port, as the whole value.
    Ip,
}

impl Kind {
    /// How many there are.
    pub(crate) const COUNT: usize = Self::Ip as usize + 1;

    /// With its article.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Uuid => "a UUID",
            Self::Timestamp => "a timestamp",
            Self::Email => "an e-mail address",
            Self::Hash => "a hash",
            Self::Ip => "an IP address",
        }
    }

    pub(crate) fn is_in(self, value: &str) -> bool {
        let bytes = value.as_bytes();
        match self {
            Self::Uuid => bytes.len() >= UUID.len() && has(bytes, is_uuid),
            Self::Timestamp => bytes.len() >= 10 && has(bytes, is_timestamp),
            Self::Email => bytes.iter().enumerate().any(|(at, &byte)| byte == b'@' && is_email(bytes, at)),
            Self::Hash => bytes.len() >= HASH && has(bytes, is_hash),
            Self::Ip => is_ip(value),
        }
    }
}

/// Where its digits and dashes are.
const UUID: &[u8; 36] = b"xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

/// The digits of the shortest hash.
const HASH: usize = 32;

/// Whether one of the words in a text, with all that follows, begins with what is looked for.
fn has(bytes: &[u8], begins: impl Fn(&[u8]) -> bool) -> bool {
    let mut is_inside = false;
    for (at, byte) in bytes.iter().enumerate() {
        let was_inside = std::mem::replace(&mut is_inside, byte.is_ascii_alphanumeric());
        if is_inside && !was_inside && begins(&bytes[at..]) {
            return true;
        }
    }
    false
}

fn is_uuid(rest: &[u8]) -> bool {
    let fits =
        |(byte, place): (&u8, &u8)| if *place == b'x' { byte.is_ascii_hexdigit() } else { byte == place };
    rest.len() >= UUID.len() && rest.iter().zip(UUID).all(fits) && ends(&rest[UUID.len()..])
}

/// Whether no letter or digit follows.
fn ends(rest: &[u8]) -> bool {
    rest.first().is_none_or(|byte| !byte.is_ascii_alphanumeric())
}

fn is_timestamp(rest: &[u8]) -> bool {
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (number, rest) = rest.split_at(digits);
    match digits {
        // `T` and `_` join a date and a time.
        4 => is_year(number) && is_dashed_date(rest),
        8 => {
            is_date(number)
                && matches!(rest, [b'T' | b'-' | b'_', a, b, ..] if a.is_ascii_digit() && b.is_ascii_digit())
        }
        14 => is_date(number) && ends(rest),
        10 | 13 | 16 | 19 => number >= &b"1000000000"[..] && number < &b"2000000000"[..] && ends(rest),
        _ => false,
    }
}

fn is_year(digits: &[u8]) -> bool {
    digits.starts_with(b"19") || digits.starts_with(b"20")
}

/// `YYYYMMDD`, and more.
fn is_date(digits: &[u8]) -> bool {
    is_year(digits) && is_month_and_day(&digits[4..6], &digits[6..8])
}

/// `-MM-DD`, and no digit behind.
fn is_dashed_date(rest: &[u8]) -> bool {
    match rest {
        [b'-', m1, m2, b'-', d1, d2, rest @ ..] => {
            is_month_and_day(&[*m1, *m2], &[*d1, *d2]) && !rest.first().is_some_and(u8::is_ascii_digit)
        }
        _ => false,
    }
}

fn is_month_and_day(month: &[u8], day: &[u8]) -> bool {
    let is_between = |digits: &[u8], most: &[u8; 2]| digits >= &b"01"[..] && digits <= &most[..];
    month.iter().chain(day).all(u8::is_ascii_digit) && is_between(month, b"12") && is_between(day, b"31")
}

fn is_hash(rest: &[u8]) -> bool {
    let digits = rest.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    let (hash, rest) = rest.split_at(digits);
    // Digits alone are a number, letters alone a word.
    digits >= HASH
        && hash.iter().any(u8::is_ascii_digit)
        && !hash.iter().all(u8::is_ascii_digit)
        && ends(rest)
}

fn is_email(bytes: &[u8], at: usize) -> bool {
    let is_local = |byte: &u8| byte.is_ascii_alphanumeric() || b"._%+-".contains(byte);
    if !bytes[..at].last().is_some_and(is_local) {
        return false;
    }
    let domain = &bytes[at + 1..];
    let is_domain = |byte: &&u8| byte.is_ascii_alphanumeric() || b".-".contains(*byte);
    let domain = &domain[..domain.iter().take_while(is_domain).count()];
    let mut labels = domain.rsplit(|byte| *byte == b'.').skip_while(|label| label.is_empty());
    let is_top = |label: &[u8]| label.len() >= 2 && label.iter().all(u8::is_ascii_alphabetic);
    labels.next().is_some_and(is_top) && labels.next().is_some_and(|label| !label.is_empty())
}

fn is_ip(value: &str) -> bool {
    /// The longest IPv6 address in brackets, with a port.
    const LONGEST: usize = 58;
    let looks_like_one = value.len() <= LONGEST && value.contains(['.', ':']);
    looks_like_one && (value.parse::<IpAddr>().is_ok() || value.parse::<SocketAddr>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(value: &str, expected: &[Kind]) {
        let all = [Kind::Uuid, Kind::Timestamp, Kind::Email, Kind::Hash, Kind::Ip];
        let found: Vec<Kind> = all.into_iter().filter(|kind| kind.is_in(value)).collect();
        assert_eq!(found, expected, "{value:?}");
    }

    #[test]
    fn uuids() {
        check("0d4e9f3a-6c1b-4a57-9a3e-2f6f0c9b7d11", &[Kind::Uuid]);
        check("0D4E9F3A-6C1B-4A57-9A3E-2F6F0C9B7D11", &[Kind::Uuid]);
        check("/users/0d4e9f3a-6c1b-4a57-9a3e-2f6f0c9b7d11/cart", &[Kind::Uuid]);
        check("0d4e9f3a-6c1b-4a57-9a3e-2f6f0c9b7d1", &[]);
        check("0d4e9f3a-6c1b-4a57-9a3e-2f6f0c9b7d112", &[]);
        check("x0d4e9f3a-6c1b-4a57-9a3e-2f6f0c9b7d11", &[]);
        check("0d4e9f3a-6c1b-4a57-9a3e-2f6f0c9b7dxx", &[]);
    }

    #[test]
    fn timestamps() {
        for value in [
            "1764121573",
            "1764121573.25",
            "run-1764121573",
            "1764121573123",
            "1764121573123456",
            "1764121573123456789",
            "2026-11-26",
            "2026-11-26T01:46:13Z",
            "backup_2026-11-26 01:46",
            "20261126T014613Z",
            "20261126-014613",
            "20261126014613",
            "1000000000",
            "1999999999",
        ] {
            check(value, &[Kind::Timestamp]);
        }
        for value in [
            "20261126", // Could be any number.
            "2026-13-26",
            "2026-11-32",
            "2026-11-261",
            "1826-11-26",
            "0999999999",
            "2000000000",
            "17641215730",
            "1764121573x",
            "v2026",
            "build 2026-11",
            "20261326014613",
            "20261126-x",
        ] {
            check(value, &[]);
        }
    }

    #[test]
    fn email_addresses() {
        check("somebody@example.com", &[Kind::Email]);
        check("mailto:some.body+x@mail.example.org.", &[Kind::Email]);
        for value in ["@example.com", "getty@tty1", "react@18.2.0", "a@.com", "a@b.c", "a@b", "a@"] {
            check(value, &[]);
        }
    }

    #[test]
    fn hashes() {
        check("d41d8cd98f00b204e9800998ecf8427e", &[Kind::Hash]);
        check("sha256:E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855", &[Kind::Hash]);
        check("d41d8cd98f00b204e9800998ecf8427", &[]);
        check("d41d8cd98f00b204e9800998ecf8427g", &[]);
        check("00000000000000000000000000000000", &[]);
        check("feedfacefeedfacefeedfacefeedface", &[]);
    }

    #[test]
    fn addresses() {
        for value in ["10.0.0.1", "10.0.0.1:9100", "::1", "[2001:db8::1]:9100", "2001:db8::1"] {
            check(value, &[Kind::Ip]);
        }
        for value in ["10.0.0", "10.0.0.256", "host:9100", "10.0.0.1/24", ""] {
            check(value, &[]);
        }
    }

    #[test]
    fn words_are_none_of_it() {
        for value in ["GET", "200", "/api/v1/users", "host12", "eu-central-1", "1.27.3", "übergröße"] {
            check(value, &[]);
        }
    }
}
