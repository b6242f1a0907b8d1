//! What a client would rather have: quality values in `Accept` and `Accept-Encoding` (RFC 9110, section 12.5).

use http::HeaderMap;
use http::header::{ACCEPT, ACCEPT_ENCODING};

/// Whether the client likes JSON better than plain text. One that has no preference gets text: most pushes
/// come from scripts, and a person reads their output.
pub(super) fn prefers_json(headers: &HeaderMap) -> bool {
    let ranges = || elements(headers, &ACCEPT);
    let json = ["application/problem+json", "application/json"];
    let json = json.map(|media_type| media_quality(ranges(), media_type));
    json.into_iter().max() > Some(media_quality(ranges(), "text/plain"))
}

/// How a body is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    Identity,
    Gzip,
    Zstd,
}

/// The coding that the client likes best. Of two that it likes equally gzip comes first, which every scraper was tried
/// with, and the plain body last.
pub(super) fn coding(headers: &HeaderMap) -> Coding {
    let quality_of = |coding: &str| {
        let named =
            |name: &str| elements(headers, &ACCEPT_ENCODING).filter(|(range, _)| range == name).last();
        named(coding).map(|(_, quality)| quality)
    };
    let gzip = quality_of("gzip").or_else(|| quality_of("x-gzip")).unwrap_or_default();
    let zstd = quality_of("zstd").unwrap_or_default();
    let identity = quality_of("identity").unwrap_or_default();
    match gzip.max(zstd) {
        0 => Coding::Identity,
        best if best < identity => Coding::Identity,
        best if best == gzip => Coding::Gzip,
        _ => Coding::Zstd,
    }
}

/// The quality, in thousandths, of the most specific range that covers the type; 0 when none does.
fn media_quality(ranges: impl Iterator<Item = (String, u16)>, media_type: &str) -> u16 {
    let family = media_type.split('/').next().unwrap_or_default();
    let specificity = |range: &str| match range {
        "*/*" => Some(1),
        range if range.strip_suffix("/*") == Some(family) => Some(2),
        range if range == media_type => Some(3),
        _ => None,
    };
    let fitting = ranges.filter_map(|(range, quality)| Some((specificity(&range)?, quality)));
    fitting.max_by_key(|(specificity, _)| *specificity).map_or(0, |(_, quality)| quality)
}

/// The elements of a list header in lower case, each with its quality; parameters other than `q` are left out.
fn elements(headers: &HeaderMap, name: &http::HeaderName) -> impl Iterator<Item = (String, u16)> {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(|element| {
        let mut parts = element.split(';').map(str::trim);
        let range = parts.next().unwrap_or_default().to_ascii_lowercase();
        let quality =
            parts.find_map(|parameter| parameter.strip_prefix("q=").or(parameter.strip_prefix("Q=")));
        (range, quality.map_or(1_000, thousandths))
    })
}

/// `0.5` as 500. What is no quality counts as none.
fn thousandths(text: &str) -> u16 {
    let quality: f32 = text.trim().parse().unwrap_or_default();
    if (0.0..=1.0).contains(&quality) { (quality * 1_000.0).round() as u16 } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: http::HeaderName, value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        if !value.is_empty() {
            headers.insert(name, value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn json_is_for_those_who_like_it_better() {
        for (accept, expected) in [
            ("", false),
            ("*/*", false),
            ("text/plain", false),
            ("application/json", true),
            ("application/problem+json", true),
            ("Application/JSON; charset=utf-8", true),
            ("application/*", true),
            ("application/json, text/plain, */*", false),
            ("application/json, text/plain;q=0.9", true),
            ("application/json, */*;q=0.5", true),
            ("text/*, application/json;q=0.9", false),
            ("application/json;q=0", false),
            ("application/json;q=nonsense", false),
            ("text/html", false),
        ] {
            assert_eq!(prefers_json(&headers(ACCEPT, accept)), expected, "{accept}");
        }
    }

    #[test]
    fn the_coding_is_the_one_that_is_liked_best() {
        use Coding::{Gzip, Identity, Zstd};
        for (accept, expected) in [
            ("", Identity),
            ("gzip", Gzip),
            ("GZIP", Gzip),
            ("x-gzip", Gzip),
            ("deflate, gzip;q=0.5, br", Gzip),
            ("gzip;q=0", Identity),
            ("gzip;q=0.5, identity", Identity),
            ("gzip, identity", Gzip),
            ("*", Identity),
            ("br", Identity),
            ("zstd", Zstd),
            ("zstd, gzip", Gzip),
            ("gzip;q=0.5, zstd", Zstd),
            ("zstd;q=0.5, identity", Identity),
            ("zstd;q=0, gzip;q=0", Identity),
        ] {
            assert_eq!(coding(&headers(ACCEPT_ENCODING, accept)), expected, "{accept}");
        }
    }
}
