//! Answers what no plugin may answer, or more than it may; which nonsense it is, the job of the push says. Other jobs
//! are accepted.
//!
//! Written against the bare contract, because the SDK cannot say any of this.

// The macro looks for `world plugin` there; there is no other copy of the contract.
wit_bindgen::generate!({ path: "../../../wit", world: "plugin" });

use exports::pushgate::plugin::policy::{Code, ConfigProblem, Guest, Manifest};
use pushgate::plugin::log;
use pushgate::plugin::types::{Decision, Edit, Finding, Label, Outcome, Patch, Push, Scope, Symbols};

struct Nonsense;

export!(Nonsense);

/// No push of the tests has that many symbols, families or series.
const OUT_OF_RANGE: u32 = 1_000_000;

impl Guest for Nonsense {
    fn describe() -> Manifest {
        Manifest {
            name: "nonsense".to_owned(),
            version: "0.1.0".to_owned(),
            summary: "answers what no plugin may answer".to_owned(),
            config_schema: None,
            wants: Vec::new(),
            mutates: true,
            pure: false,
            codes: vec![Code {
                id: "nonsense/known".to_owned(),
                meaning: "the only one it may use".to_owned(),
            }],
            counters: Vec::new(),
        }
    }

    fn configure(_json: String) -> Result<Vec<ConfigProblem>, Vec<ConfigProblem>> {
        Ok(Vec::new())
    }

    fn evaluate(push: Push) -> Outcome {
        // New symbols are numbered after the ones received.
        let new = push.symbols.ends.len() as u32;
        let known = push.request.job;
        let (decision, findings) = match symbol(&push.symbols, push.request.job) {
            "symbol-out-of-range" => (edit(Edit::SetLabel((Scope::All, OUT_OF_RANGE, known))), Vec::new()),
            "family-out-of-range" => (edit(Edit::RenameFamily((OUT_OF_RANGE, known))), Vec::new()),
            "series-out-of-range" => (edit(Edit::Drop(Scope::Series(OUT_OF_RANGE))), Vec::new()),
            "illegal-label-name" => (edit_with("a-b", Edit::SetLabel((Scope::All, new, known))), Vec::new()),
            "reserved-label-name" => (edit_with("__a", Edit::SetLabel((Scope::All, new, known))), Vec::new()),
            "illegal-family-name" => (edit_with("9lives", Edit::RenameFamily((0, new))), Vec::new()),
            "no-job" => (edit_with("job", Edit::DropGroupingLabel(new)), Vec::new()),
            "empty-job" => {
                (edit_with("job", Edit::SetGroupingLabel(Label { name: new, value: 0 })), Vec::new())
            }
            "symbols-out-of-range" => {
                (answer(Symbols { bytes: vec![b'a'], ends: vec![OUT_OF_RANGE] }), Vec::new())
            }
            "symbols-not-utf8" => (answer(Symbols { bytes: vec![0xff], ends: vec![1] }), Vec::new()),
            "reject-without-a-reason" => (Decision::Reject, Vec::new()),
            "unknown-code" => (Decision::Reject, vec![finding("nonsense/unknown")]),
            "duplicate-series" => (edit_with("x", Edit::DropLabel((Scope::All, new))), Vec::new()),
            "ends-go-backwards" => (answer(Symbols { bytes: b"ab".to_vec(), ends: vec![2, 1] }), Vec::new()),
            other => much(other),
        };
        Outcome { decision, findings }
    }
}

/// As much of something as the job says: `edits-1000` are a thousand.
fn much(job: &str) -> (Decision, Vec<Finding>) {
    let (what, count) = job.rsplit_once('-').unwrap_or((job, ""));
    let count = count.parse().unwrap_or(0);
    let reject = |finding: Finding| (Decision::Reject, vec![finding]);
    let letters = || "m".repeat(count);
    match what {
        "findings" => (Decision::Reject, vec![finding("nonsense/known"); count]),
        "message" => reject(Finding { message: letters(), ..finding("nonsense/known") }),
        "code" => reject(finding(&letters())),
        "edits" => {
            // Each touches every series and changes nothing.
            let edits = vec![Edit::DropLabel((Scope::All, 0)); count];
            let symbols = Symbols { bytes: Vec::new(), ends: Vec::new() };
            (Decision::Mutate(Patch { symbols, edits }), Vec::new())
        }
        "symbols" => (answer(Symbols { bytes: Vec::new(), ends: vec![0; count] }), Vec::new()),
        "symbol-length" => {
            (answer(Symbols { bytes: letters().into_bytes(), ends: vec![count as u32] }), Vec::new())
        }
        "data" => (answer(Symbols { bytes: letters().into_bytes(), ends: Vec::new() }), Vec::new()),
        "lines" => {
            (0..count).for_each(|line| log::log(log::Level::Info, &format!("line {line} of {count}")));
            (Decision::Accept, Vec::new())
        }
        _ => (Decision::Accept, Vec::new()),
    }
}

fn symbol(symbols: &Symbols, index: u32) -> &str {
    let index = index as usize;
    let start = if index == 0 { 0 } else { symbols.ends[index - 1] as usize };
    std::str::from_utf8(&symbols.bytes[start..symbols.ends[index] as usize]).expect("the host promises UTF-8")
}

fn edit(edit: Edit) -> Decision {
    Decision::Mutate(Patch { symbols: Symbols { bytes: Vec::new(), ends: Vec::new() }, edits: vec![edit] })
}

fn edit_with(symbol: &str, edit: Edit) -> Decision {
    let symbols = Symbols { bytes: symbol.as_bytes().to_vec(), ends: vec![symbol.len() as u32] };
    Decision::Mutate(Patch { symbols, edits: vec![edit] })
}

fn answer(symbols: Symbols) -> Decision {
    Decision::Mutate(Patch { symbols, edits: Vec::new() })
}

fn finding(code: &str) -> Finding {
    Finding {
        code: code.to_owned(),
        message: "a secret of the plugin".to_owned(),
        family: None,
        series: None,
        label: None,
        attributes: Vec::new(),
    }
}
