//! `[traces]`: where spans of pushes go.

use super::kind::{fraction, text};
use super::section::Section;
use super::show::{Row, quoted, shown};

/// `[traces]`: where spans of pushes go, and of which pushes.
#[derive(Clone, Debug, PartialEq)]
pub struct Traces {
    /// The address of an OTLP receiver, without `/v1/traces`; without one nothing is recorded.
    pub endpoint: Option<String>,
    /// Which part of the pushes is recorded whose client does not say.
    pub sample: f64,
}

impl Default for Traces {
    fn default() -> Self {
        Self { endpoint: None, sample: 1.0 }
    }
}

impl Traces {
    pub(super) fn read(&mut self, traces: &mut Section<'_, '_>) {
        traces.key(
            "endpoint",
            &text("a URL such as \"http://127.0.0.1:4318\"", endpoint),
            &mut self.endpoint,
        );
        traces.key("sample", &fraction(), &mut self.sample);
    }

    pub(super) fn rows(&self) -> Vec<Row> {
        vec![("endpoint", self.endpoint.as_deref().map(quoted)), ("sample", shown(&self.sample))]
    }
}

/// Longer than any address that somebody means.
const MAX_URL: usize = 2_048;

/// The empty string is none.
fn endpoint(url: &str) -> Result<Option<String>, String> {
    if url.is_empty() {
        return Ok(None);
    }
    let rest = url.strip_prefix("http://").or(url.strip_prefix("https://"));
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !b"?#@\"<>\\".contains(&byte);
    let legal = url.len() <= MAX_URL
        && rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/') && rest.bytes().all(is_plain));
    if legal {
        Ok(Some(url.trim_end_matches('/').to_owned()))
    } else {
        // What stands before an '@' may be a password.
        let told = if url.contains('@') { "it has an '@', and".to_owned() } else { format!("'{url}'") };
        Err(format!("{told} is not the address of a receiver; write it as \"http://127.0.0.1:4318\""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_an_address_and_maybe_a_path() {
        let longest = format!("http://{}", "a".repeat(MAX_URL - 7));
        for (url, expected) in [
            ("http://127.0.0.1:4318", Some("http://127.0.0.1:4318")),
            ("https://collector.example/otlp/", Some("https://collector.example/otlp")),
            (&longest, Some(&*longest)),
            ("", None),
        ] {
            assert_eq!(endpoint(url), Ok(expected.map(str::to_owned)), "{url}");
        }
        for url in [
            "127.0.0.1:4318",
            "http://",
            "http:///v1",
            "ftp://a",
            "http://a b",
            "http://a?x=1",
            "http://user:password@a",
            &format!("{longest}a"),
        ] {
            let told = endpoint(url).unwrap_err();
            assert!(!told.contains("password"), "{told}");
        }
    }
}
