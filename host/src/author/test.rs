//! `plugin test`: golden cases through the built plugin, as a gateway would run it.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use pushgate_plugin_host::{Chain, LoadError, Request, Step};

use super::Answer;
use super::build::build;
use super::case::{self, Case};
use super::conditions::Conditions;
use super::difference::difference;
use super::workbench::{self, Workbench};

/// What becomes of a case whose outcome is not the one expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expectations {
    /// It has failed.
    Hold,
    /// The file is rewritten.
    Bless,
}

/// A configured plugin and what it remarks on its configuration, or why there is none; in the words of a case.
type Policy = Result<(String, Chain), String>;

/// Runs cases through a plugin file, or the plugin of a project, which is built first. Writes a line for each. Without
/// `cases` they are those of the project, or in the folder `cases` of where this runs.
///
/// # Errors
/// When there are no cases, one cannot be read, or there is no plugin.
pub fn test(
    subject: &Path,
    cases: Option<&Path>,
    expectations: Expectations,
    conditions: &Conditions,
    out: &mut dyn Write,
) -> anyhow::Result<Answer> {
    let (plugin, own_cases) = if subject.is_dir() {
        let plugin = build(subject, out)?;
        writeln!(out)?;
        (plugin, subject.join("cases"))
    } else {
        (subject.to_owned(), PathBuf::from("cases"))
    };
    run_all(&plugin, cases.unwrap_or(&own_cases), expectations, conditions, out)
}

fn run_all(
    plugin: &Path,
    cases: &Path,
    expectations: Expectations,
    conditions: &Conditions,
    out: &mut dyn Write,
) -> anyhow::Result<Answer> {
    let cases = Case::read_folder(cases)?;
    // Room for an instance of every case, and for the one that tries a configuration.
    let bench = Workbench::open(plugin, cases.len() + 1, conditions)?;
    let description = bench.describe()?;
    let manifest = &description.manifest;
    // Those that keep nothing between pushes may have a configuration in common, which many cases do.
    let mut policies: BTreeMap<&str, Policy> = BTreeMap::new();
    // One of the others is kept until the next is there, or each would be compiled anew.
    let mut in_use: Option<Policy> = None;
    let (mut failed, mut blessed) = (0, 0);
    for case in &cases {
        if !manifest.pure {
            let before = std::mem::take(&mut policies).into_values().find(Result::is_ok);
            in_use = before.or(in_use);
        }
        let policy = match policies.entry(&case.config) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(configure(&bench, &manifest.name, &case.config)?),
        };
        let mut outcome = run(policy, case);
        if manifest.pure && run(policy, case) != outcome {
            outcome.push_str("fault: a pure plugin gave two answers to one push\n");
        }
        if outcome == case.outcome {
            writeln!(out, "ok       {}", case.name)?;
        } else if expectations == Expectations::Bless {
            case.bless(&outcome)?;
            blessed += 1;
            writeln!(out, "blessed  {}", case.name)?;
        } else {
            failed += 1;
            writeln!(out, "FAILED   {}: expected (-), but it came to (+)", case.name)?;
            for line in difference(&case.outcome, &outcome).lines() {
                writeln!(out, "         {line}")?;
            }
        }
    }
    let passed = cases.len() - failed - blessed;
    match (failed, blessed) {
        (0, 0) => writeln!(out, "{passed} passed")?,
        (0, _) => writeln!(out, "{passed} passed, {blessed} blessed: review them like code")?,
        _ => writeln!(out, "{passed} passed, {failed} failed; --bless rewrites what is expected")?,
    }
    if conditions.policy.is_none()
        && let Some(line) = description.grants()
    {
        writeln!(out, "its [[plugin]] has to say {line}")?;
    }
    Ok(if failed == 0 { Answer::Yes } else { Answer::No })
}

fn configure(bench: &Workbench<'_>, name: &str, config: &str) -> anyhow::Result<Policy> {
    Ok(match bench.configure(name, config) {
        Ok(plugin) => Ok((case::warnings(plugin.warnings()), workbench::alone(plugin))),
        Err(LoadError::Config(problems)) => Err(case::refusal(&problems)),
        // Then no case can be run.
        Err(error @ LoadError::NotGranted { .. }) => return Err(error).context("the plugin cannot be used"),
        Err(error) => Err(format!("cannot be loaded: {error}\n")),
    })
}

/// What the case comes to.
fn run(policy: &Policy, case: &Case) -> String {
    let (warnings, chain) = match policy {
        Ok(policy) => policy,
        Err(refusal) => return refusal.clone(),
    };
    let mut push = case.push.clone();
    let request = Request { id: "test", method: case.method, received_ms: 0, attributes: &case.caller };
    let verdict = chain.run(&mut push, request);
    let findings: String = verdict.findings.iter().map(case::finding).collect();
    let outcome = match verdict.reports.first().map(|report| &report.step) {
        Some(Step::Mutated) => format!("mutate\n{findings}{}", case::push(&push)),
        Some(Step::Rejected) => format!("reject\n{findings}"),
        Some(Step::Fault(fault)) => format!("fault: {fault}\n"),
        _ => format!("accept\n{findings}"),
    };
    format!("{warnings}{outcome}")
}
