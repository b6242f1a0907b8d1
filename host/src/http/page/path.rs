//! The URL of a group: what a DELETE of it goes to.

use pushgate_exposition::GroupingKey;

use crate::http::path_of;

/// Bytes of a path that are put on a page. A longer one would be refused on its way by most proxies.
const MAX_PATH: usize = 16 << 10;

/// The path of a group, relative to a page: every value as base64, since a slash, a dot or an empty value would
/// otherwise not arrive as it is. `None` when it is too long.
pub(super) fn of(key: &GroupingKey) -> Option<String> {
    let length: usize = key.labels().map(|(name, value)| name.len() + value.len()).sum();
    if length > MAX_PATH / 2 {
        return None;
    }
    let path = format!("metrics/{}", path_of(key));
    (path.len() <= MAX_PATH).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use pushgate_exposition::Names;

    use crate::http::grouping_path::grouping_key;

    fn key(labels: &[(&str, &str)]) -> GroupingKey {
        GroupingKey::new(labels.iter().copied()).unwrap()
    }

    #[test]
    fn a_path_leads_to_its_group() {
        for labels in [
            &[("job", "x")][..],
            &[("job", "x"), ("instance", "")],
            &[("job", "a/b"), ("path", "/var/tmp"), ("empty", "")],
            &[("job", ".."), ("l", "%2F?#&+ \n\"<ä")],
        ] {
            let key = key(labels);
            let path = of(&key).unwrap();
            let read = grouping_key(path.strip_prefix("metrics/").unwrap().as_bytes(), Names::Utf8);
            assert_eq!(read.unwrap().unwrap(), key, "{path}");
            assert!(
                path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/@=_-".contains(&byte)),
                "{path}"
            );
        }
        assert_eq!(of(&key(&[("job", "x"), ("a", "")])).unwrap(), "metrics/job@base64/eA/a@base64/=");
    }

    #[test]
    fn a_path_that_nobody_would_take_is_none() {
        assert!(of(&key(&[("job", &"x".repeat(MAX_PATH / 2 - 3))])).is_some());
        assert!(of(&key(&[("job", &"x".repeat(MAX_PATH / 2 - 2))])).is_none());
    }
}
