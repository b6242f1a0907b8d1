//! The headers that an operator may add to every answer.

use http::header::{self, HeaderMap, HeaderName, HeaderValue};

use crate::error::Problem;
use crate::table::Table;

/// The headers that may be added, written as here, with the values they may have; none stands for any.
const ALLOWED: [(&str, HeaderName, &[&str]); 5] = [
    ("Strict-Transport-Security", header::STRICT_TRANSPORT_SECURITY, &[]),
    ("X-Content-Type-Options", header::X_CONTENT_TYPE_OPTIONS, &["nosniff"]),
    ("X-Frame-Options", header::X_FRAME_OPTIONS, &["deny", "sameorigin"]),
    ("X-XSS-Protection", header::X_XSS_PROTECTION, &[]),
    ("Content-Security-Policy", header::CONTENT_SECURITY_POLICY, &[]),
];

pub(crate) fn read(table: &Table<'_>) -> Result<HeaderMap, Problem> {
    let mut headers = HeaderMap::new();
    for (key, field) in table.fields() {
        let Some((_, name, values)) = ALLOWED.iter().find(|(name, ..)| *name == key) else {
            let names: Vec<_> = ALLOWED.iter().map(|(name, ..)| *name).collect();
            return Err(field.problem(format!("this header cannot be set; allowed: {}", names.join(", "))));
        };
        let text = field.text()?;
        if !values.is_empty() && !values.contains(&text) {
            return Err(field.problem(format!("has no such value; allowed: {}", values.join(", "))));
        }
        let value = HeaderValue::try_from(text)
            .map_err(|_| field.problem("is no header value; write one line of printable characters"))?;
        headers.insert(name.clone(), value);
    }
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml;

    fn check(text: &str, expected: &str) {
        let node = yaml::read(text).unwrap();
        let headers = Table::root(&node).and_then(|table| read(&table));
        let shown = match headers {
            Ok(headers) => {
                let line = |(name, value): (&HeaderName, &HeaderValue)| {
                    format!("{name}={}", value.to_str().unwrap())
                };
                headers.iter().map(line).collect::<Vec<_>>().join(" ")
            }
            Err(problem) => problem.to_string(),
        };
        assert_eq!(shown, expected, "{text}");
    }

    #[test]
    fn few_headers_and_values_are_allowed() {
        check("X-Frame-Options: deny", "x-frame-options=deny");
        check("X-Frame-Options: sameorigin", "x-frame-options=sameorigin");
        check("X-Frame-Options: DENY", ":1: X-Frame-Options: has no such value; allowed: deny, sameorigin");
        check("X-Content-Type-Options: nosniff", "x-content-type-options=nosniff");
        check(
            "X-Content-Type-Options: sniff",
            ":1: X-Content-Type-Options: has no such value; allowed: nosniff",
        );
        check(
            "Content-Security-Policy: \"default-src 'self'\"",
            "content-security-policy=default-src 'self'",
        );
        check(
            "Strict-Transport-Security: ''\nX-XSS-Protection: 0",
            "strict-transport-security= x-xss-protection=0",
        );
        check(
            "X-XSS-Protection: \"a\\nb\"",
            ":1: X-XSS-Protection: is no header value; write one line of printable characters",
        );
        check(
            "\nx-frame-options: deny",
            ":2: x-frame-options: this header cannot be set; allowed: Strict-Transport-Security, \
             X-Content-Type-Options, X-Frame-Options, X-XSS-Protection, Content-Security-Policy",
        );
    }
}
