//! `Accept` of a scrape, by the rules of the original Pushgateway, which are looser than those of RFC 9110: ranges
//! that are liked equally come in the order sent, words have the case they have, and nothing is ever refused.

use std::cmp::Reverse;

use http::HeaderMap;
use http::header::ACCEPT;
use pushgate_exposition::Escaping;

use crate::exposition::Format;

/// More ranges than any scraper sends; the rest of a longer list is not looked at.
const MAX_RANGES: usize = 64;

/// Whether a scraper that asks for OpenMetrics gets it; the original never does that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OpenMetrics {
    Offered,
    Withheld,
}

/// What a scrape is answered with. The scheme is the last one that a range named, up to the one that is taken, even
/// when that range is of a format that there is not.
pub(super) fn negotiate(headers: &HeaderMap, openmetrics: OpenMetrics) -> (Format, Escaping) {
    let mut escaping = Escaping::default();
    let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    for range in ranges(accept) {
        let scheme = range.parameter("escaping");
        escaping =
            Escaping::ALL.into_iter().find(|escaping| scheme == Some(escaping.as_str())).unwrap_or(escaping);
        if let Some(format) = range.format(openmetrics) {
            return (format, escaping);
        }
    }
    (Format::Text, escaping)
}

/// The ranges of a list, the ones liked most first.
fn ranges(accept: &str) -> Vec<Range<'_>> {
    let mut ranges: Vec<_> = accept.split(',').take(MAX_RANGES).filter_map(Range::parse).collect();
    ranges.sort_by_key(|range| {
        (Reverse(range.thousandths()), range.media_type.0 == "*", range.media_type.1 == "*")
    });
    ranges
}

/// A range such as `text/plain;version=0.0.4;q=0.5`.
#[derive(Debug)]
struct Range<'a> {
    media_type: (&'a str, &'a str),
    parameters: &'a str,
}

impl<'a> Range<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let (media_type, parameters) = text.split_once(';').unwrap_or((text, ""));
        let (kind, subtype) = match media_type.trim() {
            "*" => ("*", "*"),
            both => both.split_once('/')?,
        };
        Some(Self { media_type: (kind.trim(), subtype.trim()), parameters })
    }

    /// The last parameter of that name, as it is written.
    fn parameter(&self, name: &str) -> Option<&'a str> {
        let mut pairs = self.parameters.rsplit(';').filter_map(|parameter| parameter.split_once('='));
        pairs.find(|(other, _)| other.trim() == name).map(|(_, value)| value.trim())
    }

    /// How much it is liked. What is no number is 0, and 0 only comes last.
    fn thousandths(&self) -> i64 {
        let quality = self.parameter("q").map_or(1.0, |text| text.parse::<f64>().unwrap_or_default());
        (quality * 1_000.0) as i64
    }

    fn format(&self, openmetrics: OpenMetrics) -> Option<Format> {
        let version = self.parameter("version");
        match self.media_type {
            ("text", "plain") if matches!(version, None | Some("" | "0.0.4")) => Some(Format::Text),
            ("application", "vnd.google.protobuf")
                if self.parameter("proto") == Some("io.prometheus.client.MetricFamily") =>
            {
                match self.parameter("encoding") {
                    Some("delimited") => Some(Format::Protobuf),
                    Some("text") => Some(Format::ProtobufText),
                    Some("compact-text") => Some(Format::ProtobufCompact),
                    _ => None,
                }
            }
            ("application", "openmetrics-text")
                if openmetrics == OpenMetrics::Offered
                    && matches!(version, None | Some("" | "0.0.1" | "1.0.0")) =>
            {
                Some(Format::OpenMetrics)
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROTOBUF: &str =
        "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited";

    fn negotiated(accept: &str, openmetrics: OpenMetrics) -> (Format, Escaping) {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, accept.replace("PB", PROTOBUF).parse().unwrap());
        negotiate(&headers, openmetrics)
    }

    #[test]
    fn the_format_is_the_first_that_there_is_in_order_of_liking() {
        use Format::{Protobuf, ProtobufCompact, ProtobufText, Text};
        for (accept, expected) in [
            ("", Text),
            ("*/*", Text),
            ("text/html", Text),
            ("text/plain;version=0.0.4", Text),
            ("PB", Protobuf),
            ("text/html, PB;q=0.1", Protobuf),
            ("PB;q=0.6,text/plain;version=0.0.4;q=0.7", Text),
            ("PB;q=0.7,application/openmetrics-text;version=1.0.0;q=0.6,*/*;q=0.1", Protobuf),
            ("text/plain;version=1.0.0;q=0.9, PB;q=0.8", Protobuf),
            ("text/plain, PB", Text),
            ("PB;q=0", Protobuf),
            ("PB;q=nonsense, text/plain;q=0.1", Text),
            (
                "application/vnd.google.protobuf;proto=\"io.prometheus.client.MetricFamily\";encoding=delimited",
                Text,
            ),
            (
                "Application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited",
                Text,
            ),
            ("application/vnd.google.protobuf", Text),
            ("application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily", Text),
            ("application/vnd.google.protobuf;encoding=text", Text),
            (
                "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=text",
                ProtobufText,
            ),
            (
                "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=compact-text",
                ProtobufCompact,
            ),
            ("application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=Text", Text),
            ("application/openmetrics-text;version=1.0.0", Text),
        ] {
            assert_eq!(negotiated(accept, OpenMetrics::Withheld).0, expected, "{accept}");
        }
    }

    #[test]
    fn openmetrics_is_for_those_who_ask_where_it_is_switched_on() {
        for (accept, expected) in [
            ("application/openmetrics-text;version=1.0.0,text/plain;q=0.5", Format::OpenMetrics),
            ("application/openmetrics-text;version=0.0.1", Format::OpenMetrics),
            ("application/openmetrics-text", Format::OpenMetrics),
            ("application/openmetrics-text;version=2.0.0", Format::Text),
            ("*/*", Format::Text),
        ] {
            assert_eq!(negotiated(accept, OpenMetrics::Offered).0, expected, "{accept}");
        }
    }

    #[test]
    fn the_scheme_is_the_last_that_was_named_on_the_way() {
        use Escaping::{AllowUtf8, Dots, Underscores, Values};
        for (accept, expected) in [
            ("", Underscores),
            ("text/plain;escaping=allow-utf-8", AllowUtf8),
            ("text/plain;escaping=bogus", Underscores),
            ("text/plain;escaping=Dots", Underscores),
            ("Text/plain;escaping=dots", Dots),
            ("*/*;escaping=values", Values),
            ("text/plain;escaping=values, */*;escaping=dots", Values),
            ("text/html;escaping=dots, text/plain", Dots),
            ("application/openmetrics-text;escaping=dots,text/plain;escaping=values;q=0.5", Values),
            ("text/plain;q=0.1;escaping=dots,application/json;escaping=values", Dots),
        ] {
            assert_eq!(negotiated(accept, OpenMetrics::Withheld).1, expected, "{accept}");
        }
    }
}
