//! Uses every interface of the host, as its configuration says, and tells what came of it as labels of the push.

use std::time::{Duration, UNIX_EPOCH};

use pushgate_plugin::state::{self, StateError};
use pushgate_plugin::{
    Counter, Edits, Manifest, Outcome, Plugin, Problems, Push, Scope, cardinality, clock, stored,
};

const TOLD: Counter = Counter::new("told", "What it was told to count.", &["team", "zone"]);
const PUSHES: Counter = Counter::new("pushes", "Pushes that it has seen.", &[]);
const UNDECLARED: Counter = Counter::new("undeclared", "Not in the manifest.", &[]);
/// As the manifest does not declare it.
const TOLD_OTHERWISE: Counter = Counter::new("told", "", &["team"]);

#[derive(serde::Deserialize, schemars::JsonSchema)]
pub struct Capable {
    /// What to do with a push, one after the other; the label `r0` says what came of the first, and so on.
    #[serde(default)]
    steps: Vec<Step>,
    /// Look at the clock while it is configured, which it must not.
    #[serde(default)]
    early: bool,
}

#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "do")]
pub enum Step {
    Now,
    /// Adds to `told`.
    Count {
        team: String,
        by: u64,
    },
    CountUndeclared,
    CountOtherwise,
    Get {
        key: String,
    },
    Put {
        key: String,
        value: String,
        ttl_ms: u64,
    },
    /// Puts a value of so many bytes under each of so many keys.
    Fill {
        key: String,
        entries: u32,
        bytes: usize,
    },
    /// Reads, and puts the value unless somebody else did; `twice` by what was read first.
    PutUnchanged {
        key: String,
        value: String,
        twice: bool,
    },
    Add {
        key: String,
        by: i64,
        ttl_ms: u64,
    },
    Remove {
        key: String,
    },
    OwnGroup,
    OwnSeries,
    Values {
        label: String,
    },
    Contains {
        label: String,
        value: String,
    },
    Grow {
        label: String,
        values: Vec<String>,
    },
    KeptSeries,
    /// Asks the host so many times.
    Ask {
        times: u32,
    },
}

impl Plugin for Capable {
    type Config = Self;
    const MANIFEST: Manifest = Manifest::new("capable", "0.1.0", "Uses every interface of the host.")
        .mutates()
        .counters(&[TOLD, PUSHES]);

    fn configure(config: Self) -> Result<Self, Problems> {
        if config.early {
            clock::now();
        }
        Ok(config)
    }

    fn evaluate(&self, push: &Push) -> Outcome {
        PUSHES.add(&[], 1);
        let mut edits = Edits::new(push);
        for (number, step) in self.steps.iter().enumerate() {
            edits.set_label(Scope::All, &format!("r{number}"), &*step.take(push));
        }
        if edits.is_empty() { Outcome::accept() } else { Outcome::mutate(edits) }
    }
}

impl Step {
    fn take(&self, push: &Push) -> String {
        match self {
            Self::Now => {
                assert_eq!(clock::now(), push.received_at());
                clock::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()).to_string()
            }
            Self::Count { team, by } => told(|| TOLD.add(&[team, "eu"], *by)),
            Self::CountUndeclared => told(|| UNDECLARED.add(&[], 1)),
            Self::CountOtherwise => told(|| TOLD_OTHERWISE.add(&["a"], 1)),
            Self::Get { key } => state::get(key).map_or_else(
                || "none".to_owned(),
                |entry| String::from_utf8_lossy(&entry.value).into_owned(),
            ),
            Self::Put { key, value, ttl_ms } => {
                written(state::put(key, value.as_bytes(), Duration::from_millis(*ttl_ms)).map(|_| "put"))
            }
            Self::Fill { key, entries, bytes } => {
                let value = vec![b'v'; *bytes];
                let mut put = (0..*entries).map(|number| state::put(&format!("{key}{number}"), &value, HOUR));
                written(put.find_map(Result::err).map_or(Ok("put"), Err))
            }
            Self::PutUnchanged { key, value, twice } => {
                let before = state::get(key);
                let put =
                    || state::put_unchanged(key, value.as_bytes(), before.as_ref(), HOUR).map(|_| "put");
                let first = put();
                written(if *twice { put() } else { first })
            }
            Self::Add { key, by, ttl_ms } => written(state::add(key, *by, Duration::from_millis(*ttl_ms))),
            Self::Remove { key } => state::remove(key).to_string(),
            Self::OwnGroup => stored::own_group().map_or_else(|| "none".to_owned(), |group| describe(&group)),
            Self::OwnSeries => stored::own_group().map_or(0, |group| group.series_count()).to_string(),
            Self::Values { label } => cardinality::values(label).to_string(),
            Self::Contains { label, value } => cardinality::contains(label, value).to_string(),
            Self::Grow { label, values } => {
                let values: Vec<&str> = values.iter().map(String::as_str).collect();
                let growth = cardinality::grow(label, &values);
                format!("{} {:?}", growth.values, growth.known)
            }
            Self::KeptSeries => cardinality::kept_series().to_string(),
            Self::Ask { times } => (0..*times).map(|_| cardinality::values("x")).sum::<u64>().to_string(),
        }
    }
}

const HOUR: Duration = Duration::from_secs(3_600);

fn told(tell: impl FnOnce()) -> String {
    tell();
    "told".to_owned()
}

fn written<T: ToString>(result: Result<T, StateError>) -> String {
    match result {
        Ok(answer) => answer.to_string(),
        Err(StateError::OverQuota) => "over-quota".to_owned(),
        Err(StateError::Conflict) => "conflict".to_owned(),
    }
}

/// `{host=db1,job=x} runs{team=a}=1 ..`: the key, and each series with its value.
fn describe(group: &Push) -> String {
    let mut labels: Vec<_> =
        group.grouping().map(|label| format!("{}={}", label.name(), label.value())).collect();
    labels.sort();
    let series = group.series().map(|series| {
        let labels: Vec<_> =
            series.labels().map(|label| format!("{}={}", label.name(), label.value())).collect();
        let value = series.value().unwrap_or(f64::NAN);
        format!(" {}{{{}}}={value}", series.family().name(), labels.join(","))
    });
    format!("{{{}}}{}", labels.join(","), series.collect::<String>())
}

pushgate_plugin::register!(Capable);
