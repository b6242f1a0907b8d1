//! `Content-Type` by the rules of Go's `mime.ParseMediaType`: the original Pushgateway takes whatever these do not
//! read, or read as anything but protobuf, for text.

use http::HeaderMap;
use http::header::CONTENT_TYPE;

use crate::ingest::BodyFormat;

/// Whether a body may be OpenMetrics, which the original would read as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OpenMetrics {
    /// It is read.
    Read,
    /// It is taken for text.
    Ignored,
}

/// The format of a body. Anything that is not known is text.
pub(super) fn body_format(headers: &HeaderMap, openmetrics: OpenMetrics) -> BodyFormat {
    let value = headers.get(CONTENT_TYPE).and_then(|value| std::str::from_utf8(value.as_bytes()).ok());
    // Nearly all pushes end here, without anything to allocate.
    let is_candidate = |value: &&str| {
        value.trim_start().as_bytes().get(..12).is_some_and(|head| head.eq_ignore_ascii_case(b"application/"))
    };
    let Some(media_type) = value.filter(is_candidate).and_then(MediaType::parse) else {
        return BodyFormat::Text;
    };
    let is = |name: &str, value: &str| media_type.parameter(name) == Some(value);
    match &*media_type.name {
        "application/vnd.google.protobuf"
            if is("encoding", "delimited") && is("proto", "io.prometheus.client.MetricFamily") =>
        {
            BodyFormat::Protobuf
        }
        "application/openmetrics-text"
            if openmetrics == OpenMetrics::Read
                && matches!(media_type.parameter("version"), None | Some("1.0.0" | "0.0.1")) =>
        {
            BodyFormat::OpenMetrics
        }
        _ => BodyFormat::Text,
    }
}

/// A media type with its parameters.
struct MediaType {
    /// In lower case.
    name: String,
    /// Names in lower case.
    parameters: Vec<(String, String)>,
}

impl MediaType {
    fn parse(value: &str) -> Option<Self> {
        let (name, mut rest) = value.split_at(value.find(';').unwrap_or(value.len()));
        let name = name.trim().to_ascii_lowercase();
        let (kind, subtype) = name.split_once('/')?;
        if !is_token(kind) || !is_token(subtype) {
            return None;
        }
        let mut parameters: Vec<(String, String)> = Vec::new();
        while !rest.trim_start().is_empty() {
            let Some((name, value, behind)) = parameter(rest) else {
                // A semicolon may stand at the end.
                return (rest.trim() == ";").then_some(Self { name, parameters });
            };
            if parameters.iter().any(|(other, before)| *other == name && *before != value) {
                return None;
            }
            parameters.push((name, value));
            rest = behind;
        }
        Some(Self { name, parameters })
    }

    fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }
}

/// The parameter that a text begins with, and what stands behind it.
fn parameter(text: &str) -> Option<(String, String, &str)> {
    let rest = text.trim_start().strip_prefix(';')?.trim_start();
    let (name, rest) = token(rest)?;
    let rest = rest.trim_start().strip_prefix('=')?.trim_start();
    let (value, rest) = match rest.strip_prefix('"') {
        Some(quoted) => quoted_string(quoted)?,
        None => token(rest).map(|(value, rest)| (value.to_owned(), rest))?,
    };
    Some((name.to_ascii_lowercase(), value, rest))
}

fn token(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c: char| !is_token_character(c)).unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

/// The string up to the quotes at its end. A backslash stands for itself, unless it is before something that is no
/// token: Go reads file names of old browsers that way.
fn quoted_string(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.chars();
    loop {
        match characters.next()? {
            '"' => return Some((value, characters.as_str())),
            '\\' => match characters.clone().next() {
                Some(next) if !is_token_character(next) && next.is_ascii() => {
                    characters.next();
                    value.push(next);
                }
                _ => value.push('\\'),
            },
            '\r' | '\n' => return None,
            other => value.push(other),
        }
    }
}

fn is_token(text: &str) -> bool {
    !text.is_empty() && text.chars().all(is_token_character)
}

fn is_token_character(c: char) -> bool {
    c.is_ascii_graphic() && !"()<>@,;:\\\"/[]?=".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format(content_type: &str, openmetrics: OpenMetrics) -> BodyFormat {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, content_type.parse().unwrap());
        body_format(&headers, openmetrics)
    }

    #[test]
    fn protobuf_is_what_go_reads_as_such() {
        let all = [
            "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited",
            "application/vnd.google.protobuf;encoding=delimited;proto=io.prometheus.client.MetricFamily",
            "Application/VND.google.Protobuf ; PROTO=\"io.prometheus.client.MetricFamily\"; Encoding=\"delimited\"",
            "application/vnd.google.protobuf; x=\"a;b\\\"\"; proto=io.prometheus.client.MetricFamily; encoding=delimited;",
            "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited; encoding=delimited",
        ];
        for content_type in all {
            assert_eq!(format(content_type, OpenMetrics::Ignored), BodyFormat::Protobuf, "{content_type}");
        }
    }

    #[test]
    fn anything_else_is_text() {
        for content_type in [
            "",
            "text/plain; version=0.0.4",
            "application/json",
            "application/x-www-form-urlencoded",
            "application/",
            "application/vnd.google.protobuf",
            "application/vnd.google.protobuf; encoding=delimited",
            "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=text",
            "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=Delimited",
            "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited; x",
            "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited; encoding=text",
            "application/vnd.google.protobuf, proto=io.prometheus.client.MetricFamily; encoding=delimited",
            "application/vnd.google.protobuf; proto=\"io.prometheus.client.MetricFamily; encoding=delimited",
            "application/vnd.google.protobuf; proto=; encoding=delimited",
            "application/openmetrics-text; version=1.0.0",
        ] {
            assert_eq!(format(content_type, OpenMetrics::Ignored), BodyFormat::Text, "{content_type}");
        }
    }

    #[test]
    fn openmetrics_is_read_where_it_is_switched_on() {
        for (content_type, expected) in [
            ("application/openmetrics-text; version=1.0.0; charset=utf-8", BodyFormat::OpenMetrics),
            ("application/openmetrics-text; version=\"0.0.1\"", BodyFormat::OpenMetrics),
            ("application/openmetrics-text", BodyFormat::OpenMetrics),
            ("application/openmetrics-text; version=2.0.0", BodyFormat::Text),
            ("text/plain", BodyFormat::Text),
        ] {
            assert_eq!(format(content_type, OpenMetrics::Read), expected, "{content_type}");
        }
    }
}
