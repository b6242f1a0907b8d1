//! How long whoever pushes wishes the group to be kept: `X-Pushgate-TTL: 2h`, or `?ttl=2h` in the URL.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::percent_decode_str;

use crate::config::{parse_duration, show_duration};

/// Comes with a push that wishes for a TTL, and with its answer, which tells the one that holds.
const TTL: HeaderName = HeaderName::from_static("x-pushgate-ttl");

/// The least that can be wished for. It is looked about once a second what has to go.
const LEAST: Duration = Duration::from_secs(1);

/// Characters of something that is no duration that are told.
const TOLD: usize = 40;

/// Why a wish is none.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum WishError {
    #[error("{0:?} is no TTL; write it as \"90s\", \"30m\", \"1h30m\" or \"7d\"")]
    NoDuration(String),
    #[error("the TTL {0:?} is too short; the least is \"1s\", and a push without a TTL has none of its own")]
    TooShort(String),
    #[error("the push wishes for two different TTLs; send X-Pushgate-TTL or ?ttl= once")]
    Different,
}

/// What a push wishes for. In the header and in the URL, or several times, it must be the same.
pub(super) fn of(headers: &HeaderMap, query: Option<&str>) -> Result<Option<Duration>, WishError> {
    let in_headers = headers.get_all(TTL).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
    let pairs = query.into_iter().flat_map(|query| query.split('&'));
    let in_query = pairs
        .filter_map(|pair| pair.strip_prefix("ttl="))
        .map(|value| percent_decode_str(value).decode_utf8_lossy());
    let mut wished = None;
    for text in in_headers.chain(in_query) {
        let wish = read(&text)?;
        if wished.is_some_and(|other| other != wish) {
            return Err(WishError::Different);
        }
        wished = Some(wish);
    }
    Ok(wished)
}

/// Whole milliseconds, as they are stored.
fn read(text: &str) -> Result<Duration, WishError> {
    let text = text.trim();
    let told = || text.chars().take(TOLD).collect::<String>();
    let wish = parse_duration(text).map_err(|_| WishError::NoDuration(told()))?;
    if wish < LEAST {
        return Err(WishError::TooShort(told()));
    }
    Ok(Duration::from_millis(u64::try_from(wish.as_millis()).unwrap_or(u64::MAX)))
}

/// The header of an answer that tells which TTL holds.
pub(super) fn answer(ttl: Duration) -> (HeaderName, HeaderValue) {
    let value = HeaderValue::try_from(show_duration(ttl));
    (TTL, value.unwrap_or_else(|_| HeaderValue::from_static("")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_is_read_wherever_it_stands() {
        let seconds = |seconds| Ok(Some(Duration::from_secs(seconds)));
        let junk = |text: &str| Err(WishError::NoDuration(text.to_owned()));
        let short = |text: &str| Err(WishError::TooShort(text.to_owned()));
        for (headers, query, expected) in [
            (&[][..], None, Ok(None)),
            (&[], Some(""), Ok(None)),
            (&[], Some("tttl=5&x=ttl=5&TTL=7"), Ok(None)),
            (&["2h"], None, seconds(7_200)),
            (&[" 1.5h "], None, seconds(5_400)),
            (&[], Some("ttl=90s"), seconds(90)),
            (&[], Some("a=b&ttl=1h30m&c"), seconds(5_400)),
            (&[], Some("ttl=%39%30s"), seconds(90)),
            (&["2h"], Some("ttl=120m"), seconds(7_200)),
            (&["2h", "120m"], None, seconds(7_200)),
            (&["1s"], None, seconds(1)),
            (&["1s1ns"], None, seconds(1)),
            (&["200000d"], None, seconds(17_280_000_000)),
            (&["2h"], Some("ttl=1h"), Err(WishError::Different)),
            (&["2h", "1h"], None, Err(WishError::Different)),
            (&[], Some("ttl=1h&ttl=2h"), Err(WishError::Different)),
            (&["2h"], Some("ttl=x"), junk("x")),
            (&[""], None, junk("")),
            (&[], Some("ttl="), junk("")),
            (&["5"], None, junk("5")),
            (&["-5s"], None, junk("-5s")),
            (&["213504d"], None, junk("213504d")),
            (&["forever"], None, junk("forever")),
            (&["999ms"], None, short("999ms")),
            (&["0"], None, short("0")),
            (&["0s"], None, short("0s")),
        ] {
            let mut sent = HeaderMap::new();
            for value in headers {
                sent.append(TTL, value.parse().unwrap());
            }
            assert_eq!(of(&sent, query), expected, "{headers:?} {query:?}");
        }
    }

    #[test]
    fn what_is_no_wish_is_told_in_a_line_of_bounded_length() {
        let told =
            of(&HeaderMap::new(), Some(&format!("ttl={}", "%0A\"ä".repeat(999)))).unwrap_err().to_string();
        assert!(told.len() < 250 && !told.contains('\n'), "{told}");
        let mut sent = HeaderMap::new();
        sent.insert(TTL, HeaderValue::from_bytes(b"\xff5s").unwrap());
        assert!(matches!(of(&sent, None), Err(WishError::NoDuration(_))));
    }

    #[test]
    fn the_answer_tells_it_as_it_is_written() {
        let (name, value) = answer(Duration::from_secs(5_400));
        assert_eq!((name.as_str(), value.to_str().unwrap()), ("x-pushgate-ttl", "1h30m"));
        assert_eq!(parse_duration(value.to_str().unwrap()), Ok(Duration::from_secs(5_400)));
    }
}
