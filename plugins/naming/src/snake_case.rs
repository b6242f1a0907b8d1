//! snake_case, as a question and as an answer.

/// Whether a name is made of lower-case letters, digits and `_` only.
///
/// Underscores may lead, trail and double: the point is that a name can be guessed and typed, not style.
pub(crate) fn is_snake_case(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'))
}

/// Whether a small letter is followed by a capital, which is what promtool calls camelCase.
pub(crate) fn is_camel_case(name: &str) -> bool {
    name.as_bytes().windows(2).any(|pair| pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase())
}

/// A name in snake_case: `HTTPRequests`, `httpRequests` and `http:requests` become `http_requests`.
/// Empty when nothing of the name can be kept.
pub(crate) fn snake_case(name: &str) -> String {
    let characters: Vec<char> = name.chars().collect();
    let mut snake = String::with_capacity(name.len() + 4);
    for (at, &character) in characters.iter().enumerate() {
        if !character.is_ascii_alphanumeric() {
            end_word(&mut snake);
            continue;
        }
        let before = at.checked_sub(1).map(|before| characters[before]);
        let after = characters.get(at + 1);
        // A word begins at a capital behind a small letter or digit, and at the last capital of a row
        // that a small letter follows: http|Requests, HTTP|Requests.
        let begins_word = character.is_ascii_uppercase()
            && before.is_some_and(|before| {
                before.is_ascii_lowercase()
                    || before.is_ascii_digit()
                    || (before.is_ascii_uppercase() && after.is_some_and(char::is_ascii_lowercase))
            });
        if begins_word {
            end_word(&mut snake);
        }
        snake.push(character.to_ascii_lowercase());
    }
    // What stood at the ends is no part of a word.
    snake.trim_matches('_').to_owned()
}

fn end_word(snake: &mut String) {
    if !snake.ends_with('_') {
        snake.push('_');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_snake_case() {
        for (name, expected) in [
            ("http_requests", "http_requests"),
            ("httpRequests", "http_requests"),
            ("HTTPRequests", "http_requests"),
            ("requestsHTTP", "requests_http"),
            ("HttpRequests2xx", "http_requests2xx"),
            ("sha256Sum", "sha256_sum"),
            ("job:http:rate5m", "job_http_rate5m"),
            ("Http_Requests", "http_requests"),
            ("größe_Bytes", "gr_e_bytes"),
            ("__private", "private"),
            ("A", "a"),
            ("::", ""),
        ] {
            assert_eq!(snake_case(name), expected, "{name}");
        }
        for (name, expected) in
            [("a_1", true), ("_a__b_", true), ("aB", false), ("a:b", false), ("ü", false), ("", false)]
        {
            assert_eq!(is_snake_case(name), expected, "{name}");
        }
        for (name, expected) in [("aB", true), ("AB", false), ("a_B", false), ("Ab", false), ("1B", false)] {
            assert_eq!(is_camel_case(name), expected, "{name}");
        }
    }
}
