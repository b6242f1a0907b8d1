//! Runs golden cases through a plugin, natively.

use std::path::Path;

use crate::testing::{Answer, Case, CaseError, Decision, configure, convert, host};
use crate::{Plugin, Problems, Push};

/// Runs one case through a plugin; what comes is to be held against [`Case::outcome`].
///
/// Beside the outcome it checks what the host would: that edits can be applied, come only from a plugin
/// that declares them, that a rejection has a reason, and that codes are those of the manifest.
///
/// # Errors
/// When the push cannot be read, or the plugin breaks the contract.
///
/// ```
/// # use pushgate_plugin::{Manifest, Outcome, Plugin, Problems, Push};
/// # struct Open;
/// # #[derive(serde::Deserialize, schemars::JsonSchema)]
/// # struct NoOptions {}
/// # impl Plugin for Open {
/// #     type Config = NoOptions;
/// #     const MANIFEST: Manifest = Manifest::new("open", "1.0.0", "Accepts everything.").pure();
/// #     fn configure(_: NoOptions) -> Result<Self, Problems> { Ok(Self) }
/// #     fn evaluate(&self, _: &Push) -> Outcome { Outcome::accept() }
/// # }
/// use pushgate_plugin::testing::{Case, run_case};
///
/// let case = Case::parse("--- config\n{}\n--- push\nPUT {job=\"a\"}\nruns 1\n--- outcome\naccept\n")?;
/// assert_eq!(run_case::<Open>(&case)?, case.outcome);
/// # Ok::<(), pushgate_plugin::testing::CaseError>(())
/// ```
pub fn run_case<P: Plugin>(case: &Case) -> Result<String, CaseError> {
    let source = case.push()?;
    host(|host| (host.state, host.counts) = Default::default()); // Nothing of the case before.
    let policy = match configure::<P>(&case.config) {
        Ok(policy) => policy,
        Err(problems) => return Ok(Answer::render_refusal(pairs(problems))),
    };
    let warnings = Answer::render_warnings(pairs(policy.warnings()));
    let evaluate = || {
        let push = Push::from_wire(convert::to_wire(&source, case.method, &case.caller, P::MANIFEST.wants));
        let answer = convert::answer(&source, policy.evaluate(&push).into_wire())?;
        check_contract::<P>(&answer)?;
        check_counters::<P>()?;
        Ok(format!("{warnings}{}", answer.render(&source)))
    };
    let outcome: String = evaluate()?;
    if P::MANIFEST.pure && evaluate()? != outcome {
        return Err(CaseError::new("a pure plugin gave two answers to one push"));
    }
    Ok(outcome)
}

/// Runs every case in the folder `cases` beside a plugin's Cargo.toml, for its one `#[test]`. With
/// `BLESS=1` in the environment it rewrites the outcomes instead.
///
/// # Panics
/// When there is no case, one cannot be run, or an outcome is not the expected one.
///
/// ```no_run
/// # use pushgate_plugin::{Manifest, Outcome, Plugin, Problems, Push};
/// # struct Open;
/// # #[derive(serde::Deserialize, schemars::JsonSchema)]
/// # struct NoOptions {}
/// # impl Plugin for Open {
/// #     type Config = NoOptions;
/// #     const MANIFEST: Manifest = Manifest::new("open", "1.0.0", "Accepts everything.").pure();
/// #     fn configure(_: NoOptions) -> Result<Self, Problems> { Ok(Self) }
/// #     fn evaluate(&self, _: &Push) -> Outcome { Outcome::accept() }
/// # }
/// // In a plugin: #[test] fn cases() { ... }
/// pushgate_plugin::testing::run_cases::<Open>(env!("CARGO_MANIFEST_DIR"));
/// ```
pub fn run_cases<P: Plugin>(package: &str) {
    let folder = Path::new(package).join("cases");
    let bless = std::env::var_os("BLESS").is_some_and(|value| value == "1");
    let cases = Case::read_folder(&folder).unwrap_or_else(|error| panic!("{error}"));
    assert!(!cases.is_empty(), "there is no case in {}", folder.display());
    let mut failures = String::new();
    for (name, mut case) in cases {
        let outcome = run_case::<P>(&case).unwrap_or_else(|error| format!("broken: {error}\n"));
        if outcome == case.outcome {
            continue;
        }
        failures.push_str(&format!("\n{name}: expected\n{}but it came to\n{outcome}", case.outcome));
        if bless {
            case.outcome = outcome;
            let path = folder.join(name);
            std::fs::write(&path, case.to_string())
                .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        }
    }
    assert!(bless || failures.is_empty(), "{failures}\nBLESS=1 rewrites the expected outcomes");
}

fn pairs(problems: Problems) -> impl Iterator<Item = (String, String)> {
    problems.into_wire().into_iter().map(|problem| (problem.pointer, problem.message))
}

/// The host stops a plugin that counts what its manifest does not declare.
fn check_counters<P: Plugin>() -> Result<(), CaseError> {
    let is_declared = |name: &str| P::MANIFEST.counters.iter().any(|counter| counter.name == name);
    match host(|host| host.counts.keys().map(|(name, _)| name.clone()).find(|name| !is_declared(name))) {
        Some(name) => Err(CaseError::new(format!("the manifest has no counter {name:?}"))),
        None => Ok(()),
    }
}

fn check_contract<P: Plugin>(answer: &Answer) -> Result<(), CaseError> {
    if answer.decision == Decision::Mutate && !P::MANIFEST.mutates {
        return Err(CaseError::new("the manifest does not say that the plugin mutates"));
    }
    if answer.decision == Decision::Reject && answer.findings.is_empty() {
        return Err(CaseError::new("a rejection needs a finding"));
    }
    match answer
        .findings
        .iter()
        .find(|finding| !P::MANIFEST.codes.iter().any(|code| covers(code.id(), &finding.code)))
    {
        Some(finding) => Err(CaseError::new(format!("the manifest has no code {:?}", finding.code))),
        None => Ok(()),
    }
}

/// Whether a code of the manifest is the one of a finding, or stands for it as `"<plugin>/*"` does.
fn covers(declared: &str, code: &str) -> bool {
    declared.strip_suffix('*').map_or(declared == code, |start| code.starts_with(start))
}
