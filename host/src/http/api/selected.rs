//! `/api/v1/groups`: which groups there are, by selectors, and their removal.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use percent_encoding::percent_decode;
use pushgate_exposition::GroupingKey;
use serde_json::{Map, Value, json};

use crate::config::show_duration;
use crate::http::page::take_in_order;
use crate::selector::{ParseError, Selector};
use crate::store::{GroupInfo, Store};
use crate::telemetry::rfc3339_nano;

/// Selectors of a request.
const MAX_SELECTORS: usize = 32;

/// Groups that an answer names. It counts all.
const MAX_NAMED: usize = 1_000;

/// What a request asks for: `match[]=<selector>`, as often as wanted, and `dry_run=true`.
#[derive(Debug, Default)]
pub(in crate::http) struct Wish {
    selectors: Vec<Selector>,
    /// Whether nothing is to be removed, only told what would be.
    pub(super) is_dry_run: bool,
}

/// What is wrong with a request.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(in crate::http) enum BadWish {
    #[error("{0:?} is no parameter of this; allowed: match[], dry_run")]
    Unknown(String),
    #[error("dry_run is true or false, not {0:?}")]
    DryRun(String),
    #[error("the parameter match[] is not UTF-8")]
    NotUtf8,
    #[error("there are more than {MAX_SELECTORS} parameters match[]; send several requests")]
    TooMany,
    #[error(transparent)]
    Selector(#[from] ParseError),
    #[error(
        "say which groups are to be removed, such as match[]={{job=\"x\"}}; PUT /api/v1/admin/wipe removes all"
    )]
    Nothing,
    #[error(
        "the selector {0:?} demands nothing, so it would remove groups that nobody thinks of; add what a label must be, such \
         as job!=\"\"; PUT /api/v1/admin/wipe removes all groups"
    )]
    Everything(String),
}

impl Wish {
    /// Reads the part of a URL behind the `?`. What is not known is refused: a slip in `dry_run` must not remove anything.
    pub(super) fn parse(query: Option<&str>) -> Result<Self, BadWish> {
        let mut wish = Self::default();
        for pair in query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            match &*decoded(name)? {
                "match[]" if wish.selectors.len() == MAX_SELECTORS => return Err(BadWish::TooMany),
                "match[]" => wish.selectors.push(Selector::parse(&decoded(value)?)?),
                "dry_run" => {
                    wish.is_dry_run = match &*decoded(value)? {
                        "true" | "1" => true,
                        "false" | "0" => false,
                        other => return Err(BadWish::DryRun(shortened(other))),
                    }
                }
                other => return Err(BadWish::Unknown(shortened(other))),
            }
        }
        Ok(wish)
    }

    /// The same for a removal, which must say what it is about.
    pub(super) fn to_delete(query: Option<&str>) -> Result<Self, BadWish> {
        let wish = Self::parse(query)?;
        if wish.selectors.is_empty() {
            return Err(BadWish::Nothing);
        }
        match wish.selectors.iter().find(|selector| !selector.demands_something()) {
            Some(selector) => Err(BadWish::Everything(shortened(&selector.to_string()))),
            None => Ok(wish),
        }
    }

    /// Whether a group is meant; all are, where there is no selector.
    pub(super) fn selects(&self, key: &GroupingKey) -> bool {
        self.selectors.is_empty() || self.selectors.iter().any(|selector| selector.selects(key))
    }

    /// The selectors, for the log.
    pub(super) fn shown(&self) -> String {
        let mut shown = String::new();
        for selector in &self.selectors {
            shown.push_str(if shown.is_empty() { "" } else { " " });
            shown.push_str(&shortened(&selector.to_string()));
        }
        shown
    }
}

/// A form's value, in which a plus is a blank.
fn decoded(text: &str) -> Result<String, BadWish> {
    let bytes: Vec<u8> = percent_decode(text.replace('+', " ").as_bytes()).collect();
    String::from_utf8(bytes).map_err(|_| BadWish::NotUtf8)
}

fn shortened(text: &str) -> String {
    text.chars().take(80).collect()
}

/// The groups that are meant, with all that is known of them but their families.
pub(super) fn list(store: &Store, wish: &Wish, now: SystemTime) -> Value {
    let mut groups = store.groups();
    groups.retain(|group| wish.selects(&group.key));
    let count = groups.len();
    let named = take_in_order(&mut groups, 0..count.min(MAX_NAMED));
    let seconds = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
    let groups: Vec<Value> = named.iter().map(|group| about(group, seconds)).collect();
    json!({ "count": count, "groups": groups })
}

fn about(group: &GroupInfo, now: f64) -> Value {
    let mut about = Map::new();
    let mut put = |name: &str, value: Value| about.insert(name.to_owned(), value);
    put("labels", labels(&group.key));
    put("series", group.series.into());
    put("last_push_successful", group.last_push_successful().into());
    for (name, at) in [("pushed_at", group.times.push), ("failed_at", group.times.failure)] {
        if at > 0.0 {
            put(name, time(at));
        }
    }
    if let Some(lifetime) = &group.lifetime {
        let duration = |duration: Duration| Value::from(show_duration(duration));
        put("ttl", lifetime.ttl().map(duration).unwrap_or_default());
        put("wished_ttl", lifetime.wish().map(duration).unwrap_or_default());
        put("expires_at", lifetime.expires_at().map(time).unwrap_or_default());
        put("stale", lifetime.is_stale(now).into());
    }
    about.into()
}

/// What was removed, or would be.
pub(super) fn removed(keys: &[Arc<GroupingKey>], is_dry_run: bool) -> Value {
    let named: Vec<Value> = keys.iter().take(MAX_NAMED).map(|key| json!({ "labels": labels(key) })).collect();
    json!({ "dry_run": is_dry_run, "count": keys.len(), "groups": named })
}

fn labels(key: &GroupingKey) -> Value {
    key.labels().map(|(name, value)| (name.to_owned(), Value::from(value))).collect::<Map<_, _>>().into()
}

/// A point in time in seconds since 1970, to the millisecond.
fn time(seconds: f64) -> Value {
    let since_1970 = Duration::from_millis((seconds * 1e3).round() as u64);
    rfc3339_nano(UNIX_EPOCH.checked_add(since_1970).unwrap_or(UNIX_EPOCH)).into()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use pushgate_exposition::{Rules, text};

    use super::*;
    use crate::config::Config;
    use crate::journal::InMemory;
    use crate::store::{Arrival, Limits, Mode, OwnFamilies};

    #[test]
    fn a_wish_is_read_as_a_form_is_written() {
        let key = GroupingKey::new([("job", "a b")]).unwrap();
        for (query, is_selected, is_dry_run) in [
            (None, true, false),
            (Some(""), true, false),
            (Some("match[]={job=\"a+b\"}"), true, false),
            (Some("match%5B%5D=%7Bjob%3D%22a%20b%22%7D&dry_run=true"), true, true),
            (Some("match[]={job=~\"a%2Bb\"}&dry_run=1"), false, true),
            (Some("match[]={job=\"x\"}&match[]={job=~\"a.*\"}&dry_run=false"), true, false),
            (Some("dry_run=true&dry_run=0&"), true, false),
        ] {
            let wish = Wish::parse(query).unwrap();
            assert_eq!((wish.selects(&key), wish.is_dry_run), (is_selected, is_dry_run), "{query:?}");
        }
    }

    #[test]
    fn what_is_wrong_removes_nothing() {
        let told = |query: &str| Wish::to_delete(Some(query)).unwrap_err().to_string();
        let all = "; PUT /api/v1/admin/wipe removes all";
        for (query, expected) in [
            ("", format!("say which groups are to be removed, such as match[]={{job=\"x\"}}{all}")),
            (
                "dry_run=true",
                format!("say which groups are to be removed, such as match[]={{job=\"x\"}}{all}"),
            ),
            (
                "match[]={job=\"x\"}&dryrun=true",
                "\"dryrun\" is no parameter of this; allowed: match[], dry_run".into(),
            ),
            ("match={job=\"x\"}", "\"match\" is no parameter of this; allowed: match[], dry_run".into()),
            ("match[]={job=\"x\"}&dry_run=ture", "dry_run is true or false, not \"ture\"".into()),
            ("match[]={job=\"x\"}&dry_run", "dry_run is true or false, not \"\"".into()),
            ("match[]=%FF", "the parameter match[] is not UTF-8".into()),
            ("match[]=", "the selector \"\" is wrong at character 1: expected '{', found the end".into()),
        ] {
            assert_eq!(told(query), expected, "{query}");
        }
        for selector in ["{}", "{job=\"\"}", "{job!=\"x\"}", "{job=~\".*\"}", "{job!~\"x.*\",a=\"\"}"] {
            let query = format!("match[]={{job=\"x\"}}&match[]={selector}");
            assert!(
                told(&query).starts_with(&format!("the selector {selector:?} demands nothing")),
                "{selector}"
            );
            assert!(Wish::parse(Some(&query)).is_ok(), "it can be listed");
        }
        let many = |count: usize| vec!["match[]={job=\"x\"}"; count].join("&");
        assert!(Wish::to_delete(Some(&many(MAX_SELECTORS))).is_ok());
        assert_eq!(Wish::to_delete(Some(&many(MAX_SELECTORS + 1))).unwrap_err(), BadWish::TooMany);
    }

    #[test]
    fn groups_are_listed_in_order_with_what_is_known_of_them() {
        let limits = Limits { groups: 2_000, series: 99 };
        let store = Store::new(limits, OwnFamilies::default(), Box::new(InMemory));
        let rules =
            "[store]\nmax_ttl = '1h'\nstale_after = '1m'\n[[store.jobs]]\njob = 'b.*'\nstale_after = '0s'\n";
        store.retain(Config::parse(rules, Path::new("c.toml")).unwrap().store.retention, 0.0);
        let push = |job: &str, at: f64, wish: Option<u64>| {
            let key = GroupingKey::new([("job", job)]).unwrap();
            let push = text::parse(b"", &key, &Rules::default()).unwrap();
            let wish = wish.map(Duration::from_secs);
            store.push(&push, Mode::Replace, Arrival { at, wish }).unwrap();
        };
        push("b", 5.0, None);
        push("a", 65.5, Some(7_200));
        let now = UNIX_EPOCH + Duration::from_secs(130);
        let listed = |query: Option<&str>| list(&store, &Wish::parse(query).unwrap(), now);
        let b = json!({
            "labels": { "job": "b" }, "series": 0, "last_push_successful": true, "pushed_at": "1970-01-01T00:00:05Z",
        });
        let a = json!({
            "labels": { "job": "a" }, "series": 0, "last_push_successful": true,
            "pushed_at": "1970-01-01T00:01:05.5Z", "ttl": "1h", "wished_ttl": "2h",
            "expires_at": "1970-01-01T01:01:05.5Z", "stale": true,
        });
        assert_eq!(listed(None), json!({ "count": 2, "groups": [a, b] }));
        assert_eq!(listed(Some("match[]={job!=\"a\"}")), json!({ "count": 1, "groups": [b] }));
        for number in 0..MAX_NAMED {
            push(&format!("b{number}"), 5.0, None);
        }
        let all = listed(Some("match[]={job=~\"b.%2B\"}&match[]={job=\"a\"}"));
        assert_eq!(all["count"], MAX_NAMED + 1);
        assert_eq!(all["groups"].as_array().unwrap().len(), MAX_NAMED);
        assert_eq!(all["groups"][1]["labels"]["job"], "b0");
        let keys: Vec<_> = store.groups().into_iter().map(|group| group.key).collect();
        let removed = removed(&keys, true);
        assert_eq!((&removed["dry_run"], &removed["count"]), (&json!(true), &json!(MAX_NAMED + 2)));
        assert_eq!(removed["groups"].as_array().unwrap().len(), MAX_NAMED);
        assert_eq!(removed["groups"][0], json!({ "labels": { "job": "b" } }));
    }
}
