//! The program behind `cargo xtask bench`, and the empty server that it compares with.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a tool talks to the person who started it")]

mod arguments;

use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::Context as _;
use pushgate_bench::cores::Cores;
use pushgate_bench::machine::{Machine, load_average};
use pushgate_bench::results::Results;
use pushgate_bench::server::Programs;
use pushgate_bench::{floor, inside, plot, pushes, report, scrapes};
use xtask::{guests, workspace};

use self::arguments::{Arguments, Task};

/// Where the committed results are.
const RESULTS: &str = "host/crates/bench/results";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let result = match Task::read(&words) {
        Ok(Task::Floor(address)) => floor::serve(address),
        Ok(Task::Measure(arguments)) => measure(&arguments),
        Ok(Task::Render) => render(),
        Ok(Task::Help) => {
            println!("{}", arguments::USAGE);
            Ok(())
        }
        Err(problem) => {
            eprintln!("{problem}\n{}", arguments::USAGE);
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn measure(arguments: &Arguments) -> anyhow::Result<()> {
    let plan = &arguments.plan;
    let machine = Machine::here();
    let scratch = std::env::temp_dir().join(format!("pushgate-bench-{}", std::process::id()));
    fs::create_dir_all(&scratch).with_context(|| scratch.display().to_string())?;
    let programs = Programs {
        gateway: arguments.gateway.clone(),
        reference: arguments.reference.clone(),
        own: std::env::current_exe().context("the path of this program")?,
        plugins: workspace::path(guests::PLUGINS.output),
        scratch: scratch.clone(),
        cores: Cores::divide()?,
    };
    let mut results = Results {
        machine,
        pinned: programs.cores.are_pinned(),
        plan: plan.name.to_owned(),
        seconds: plan.duration.as_secs_f64(),
        rounds: plan.rounds,
        reference: arguments.reference.as_deref().map(version),
        load_average: load_average(),
        note: arguments.note.clone(),
        ..Results::default()
    };
    let measured = all(&programs, arguments, &mut results);
    // What servers leave is theirs; nobody needs it any more.
    let _ = fs::remove_dir_all(&scratch);
    measured?;
    println!("{}", report::markdown(&results));
    if let Some(file) = &arguments.json {
        fs::write(file, json(&results)?).with_context(|| file.display().to_string())?;
    }
    if arguments.write {
        write(&workspace::path(RESULTS).join("results.json"), &json(&results)?)?;
        render()?;
    }
    Ok(())
}

fn all(programs: &Programs, arguments: &Arguments, results: &mut Results) -> anyhow::Result<()> {
    let plan = &arguments.plan;
    eprintln!("bench: inside the process");
    results.inside = inside::measure(programs, plan)?;
    for shape in &plan.shapes {
        eprintln!("bench: pushes, {shape:?}");
        results.pushes.push(pushes::measure(programs, plan, *shape)?);
    }
    for series in &plan.scraped {
        eprintln!("bench: scrapes of {series} series");
        let (rows, memory) = scrapes::measure(programs, plan, *series)?;
        results.scrapes.extend(rows);
        results.memory.push(memory);
    }
    Ok(())
}

/// Writes tables and plots of the committed results anew.
fn render() -> anyhow::Result<()> {
    let folder = workspace::path(RESULTS);
    let file = folder.join("results.json");
    let text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
    let results: Results = serde_json::from_str(&text).with_context(|| file.display().to_string())?;
    for (name, picture) in plot::plots(&results) {
        write(&folder.join(name), &picture)?;
    }
    let file = workspace::path("PERFORMANCE.md");
    let document = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
    write(&file, &report::insert(&document, &results).context("PERFORMANCE.md has no marks")?)
}

fn write(file: &Path, text: &str) -> anyhow::Result<()> {
    fs::write(file, text).with_context(|| file.display().to_string())
}

fn json(results: &Results) -> anyhow::Result<String> {
    Ok(serde_json::to_string_pretty(results).context("the results")? + "\n")
}

/// The version that the original tells, such as `1.11.2`.
fn version(program: &Path) -> String {
    let output = Command::new(program).arg("--version").output();
    let text = output.map(|output| [output.stdout, output.stderr].concat()).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    text.split("version ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap_or("unknown").to_owned()
}
