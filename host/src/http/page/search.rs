//! Which groups a person looks for.

use pushgate_exposition::GroupingKey;

/// The words of a search, all of which a group must match. One does that is part of the name or the value of any of
/// its labels, or that is `name=value` of one; upper and lower case are the same. A word with blanks stands in
/// quotes, in which a backslash stands before a quote or another one: what a badge of the page shows
/// (`path="/a \"b\""`) finds its group.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Search(Vec<String>);

impl Search {
    pub(super) fn new(text: &str) -> Self {
        let (mut words, mut word) = (Vec::new(), String::new());
        let mut quoted = false;
        let mut characters = text.chars().peekable();
        while let Some(character) = characters.next() {
            match character {
                '"' => quoted = !quoted,
                '\\' if quoted => {
                    let escaped = characters.next_if(|next| matches!(next, '"' | '\\'));
                    word.push(escaped.unwrap_or('\\'));
                }
                blank if blank.is_whitespace() && !quoted => words.push(std::mem::take(&mut word)),
                other => word.extend(other.to_lowercase()),
            }
        }
        words.push(word);
        words.retain(|word| !word.is_empty());
        Self(words)
    }

    pub(super) fn finds(&self, key: &GroupingKey) -> bool {
        if self.0.is_empty() {
            return true;
        }
        let labels: Vec<_> =
            key.labels().map(|(name, value)| (name.to_lowercase(), value.to_lowercase())).collect();
        self.0.iter().all(|word| {
            labels.iter().any(|(name, value)| {
                let is_label = || word.strip_prefix(name.as_str()).and_then(|rest| rest.strip_prefix('='));
                name.contains(word) || value.contains(word) || is_label() == Some(value)
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_find_groups() {
        let key = GroupingKey::new([
            ("job", "Backup"),
            ("instance", "db1:9100"),
            ("path", "/a b"),
            ("quoted", "x \"y\" \\ z"),
            ("e", ""),
        ])
        .unwrap();
        for (search, expected) in [
            ("", true),
            ("  ", true),
            ("backup", true),
            ("BACK", true),
            ("ckup", true),
            ("db1", true),
            ("db2", false),
            ("instance", true),
            ("inst", true),
            ("backup db1", true),
            ("db1\tbackup", true),
            ("backup db2", false),
            ("job=backup", true),
            ("job=\"Backup\"", true),
            ("job=back", false),
            ("instance=db1:9100 job=backup", true),
            ("path=\"/a b\"", true),
            ("\"/a b\"", true),
            ("\"a  b\"", false),
            ("path=/a", false),
            ("quoted=\"x \\\"y\\\" \\\\ z\"", true),
            ("\"x \\\"y\"", true),
            ("\\ z", true),
            ("e=", true),
            ("job=", false),
            ("e=\"\"", true),
            ("=", false),
            ("\"", true),
            ("\"backup", true),
        ] {
            assert_eq!(Search::new(search).finds(&key), expected, "{search}");
        }
    }

    #[test]
    fn a_value_with_an_equals_sign_is_found_by_its_text() {
        let key = GroupingKey::new([("job", "a=b")]).unwrap();
        for search in ["a=b", "job=a=b", "=b"] {
            assert!(Search::new(search).finds(&key), "{search}");
        }
    }
}
