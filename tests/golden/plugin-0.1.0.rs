//! Uses everything that `pushgate:plugin@0.1.0` has, and says on each series what it saw.

wit_bindgen::generate!({ path: "wit", world: "plugin" });

use exports::pushgate::plugin::policy::{Code, ConfigProblem, Counter, Guest, Manifest};
use pushgate::plugin::types::{Decision, Edit, Finding, Method, Outcome, Patch, Push, Scope, Symbols};
use pushgate::plugin::{cardinality, clock, log, metrics, state, stored};

struct Golden;

export!(Golden);

const HOUR_MS: u64 = 3_600_000;

impl Guest for Golden {
    fn describe() -> Manifest {
        Manifest {
            name: "golden".to_owned(),
            version: "0.1.0".to_owned(),
            summary: "uses everything that there is".to_owned(),
            config_schema: Some("{\"type\": \"object\"}".to_owned()),
            wants: ["help", "unit", "values", "points"].map(str::to_owned).to_vec(),
            mutates: true,
            pure: false,
            codes: vec![Code { id: "golden/refused".to_owned(), meaning: "the job is 'refused'".to_owned() }],
            counters: vec![Counter {
                name: "golden".to_owned(),
                help: "Pushes by method.".to_owned(),
                labels: vec!["method".to_owned()],
            }],
        }
    }

    fn configure(json: String) -> Result<Vec<ConfigProblem>, Vec<ConfigProblem>> {
        let problem = ConfigProblem { pointer: "/x".to_owned(), message: "there are no settings".to_owned() };
        if json == "{}" { Ok(Vec::new()) } else { Err(vec![problem]) }
    }

    fn evaluate(push: Push) -> Outcome {
        log::log(log::Level::Info, "the golden plugin is asked");
        let method = match push.request.method {
            Method::Put => "put",
            Method::Post => "post",
            Method::Delete => "delete",
        };
        metrics::count("golden", &[method.to_owned()], 1);
        if text(&push.symbols, push.request.job) == "refused" {
            let finding = Finding {
                code: "golden/refused".to_owned(),
                message: "choose another job".to_owned(),
                family: (!push.families.name.is_empty()).then_some(0),
                series: None,
                label: None,
                attributes: vec![("method".to_owned(), method.to_owned())],
            };
            return Outcome { decision: Decision::Reject, findings: vec![finding] };
        }
        if push.request.method == Method::Delete {
            return Outcome { decision: Decision::Accept, findings: Vec::new() };
        }
        let is_frozen = clock::now_ms() == push.request.received_ms;
        let pushes = state::add("pushes", 1, HOUR_MS).unwrap_or(-1);
        let version = state::put("last", method.as_bytes(), None, HOUR_MS).unwrap_or(0);
        let is_kept = state::get("last").is_some_and(|entry| entry.version == version);
        let is_gone = state::remove("last") && state::get("last").is_none();
        let before = stored::own_group().map_or(0, |group| group.series.label_end.len());
        let values = cardinality::values("a");
        let is_known = cardinality::contains("a", "1");
        let points = push.series.point_bound.len();
        let seen = format!(
            "{is_frozen} {pushes} {is_kept} {is_gone} {before} {values} {is_known} {points} {}",
            push.series.value.len()
        );
        // New symbols are numbered after the ones received.
        let new = push.symbols.ends.len() as u32;
        let symbols = Symbols {
            bytes: [b"golden", seen.as_bytes()].concat(),
            ends: vec![6, 6 + seen.len() as u32],
        };
        let edits = vec![Edit::SetLabel((Scope::All, new, new + 1))];
        Outcome { decision: Decision::Mutate(Patch { symbols, edits }), findings: Vec::new() }
    }
}

fn text(symbols: &Symbols, index: u32) -> &str {
    let index = index as usize;
    let start = if index == 0 { 0 } else { symbols.ends[index - 1] as usize };
    std::str::from_utf8(&symbols.bytes[start..symbols.ends[index] as usize]).unwrap_or_default()
}
