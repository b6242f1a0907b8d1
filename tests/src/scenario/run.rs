//! Runs the scenarios of a topic and tells all that do not hold.

use std::fs;

use xtask::workspace;

use super::expectation::{self, Knowledge};
use super::server::{self, Server};
use super::{Action, Answer, Exchange, Process, Scenario, exposition, read};
use crate::http::Request;
use crate::poll;

/// Where the files are, in the repository.
const FOLDER: &str = "tests/scenarios";

/// The names of the files, without `.txt`.
pub fn topics() -> Vec<String> {
    let files = fs::read_dir(workspace::path(FOLDER)).unwrap();
    let mut topics: Vec<String> = files
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .map(|name| name.strip_suffix(".txt").expect("only files of scenarios are there").to_owned())
        .collect();
    topics.sort();
    topics
}

/// Runs the scenarios of one file. Goes on after a failure, and panics with all of them in the end.
pub fn hold(topic: &str) {
    let file = format!("{FOLDER}/{topic}.txt");
    let text = fs::read_to_string(workspace::path(&file)).unwrap();
    let scenarios =
        read::read(&text).unwrap_or_else(|mistake| panic!("{file}:{}: {}", mistake.line, mistake.message));
    let kind = server::kind();
    let (applying, others): (Vec<_>, Vec<_>) =
        scenarios.iter().partition(|scenario| scenario.only.is_none_or(|only| only == kind));
    let mut servers = Servers::default();
    let failures: Vec<String> = applying
        .iter()
        .filter_map(|scenario| {
            let failure = servers.run(scenario).err()?;
            Some(format!("{file}:{}: {}\n    {failure}", scenario.line, scenario.title))
        })
        .collect();
    println!(
        "{file}: {} of {} hold; {} are about another server",
        applying.len() - failures.len(),
        applying.len(),
        others.len()
    );
    assert!(failures.is_empty(), "{} scenarios do not hold:\n{}", failures.len(), failures.join("\n"));
}

/// The processes that are running, each with its flags.
#[derive(Default)]
struct Servers<'s>(Vec<(&'s [String], Server)>);

impl<'s> Servers<'s> {
    fn run(&mut self, scenario: &'s Scenario) -> Result<(), String> {
        let shared = self.0.iter().position(|(flags, _)| *flags == scenario.flags);
        let shared =
            shared.filter(|_| scenario.process == Process::Shared).map(|place| self.0.remove(place).1);
        let mut server = shared.unwrap_or_else(|| Server::start(&scenario.flags));
        let result = run(scenario, &mut server);
        // A process that cannot be made like new is not used again.
        if scenario.process == Process::Shared && server.wipe(prefix(&scenario.flags)) {
            self.0.push((&scenario.flags, server));
        }
        result
    }
}

/// What the flags put before all paths.
fn prefix(flags: &[String]) -> &str {
    flags
        .iter()
        .find_map(|flag| flag.strip_prefix("--web.route-prefix="))
        .unwrap_or_default()
        .trim_end_matches('/')
}

fn run(scenario: &Scenario, server: &mut Server) -> Result<(), String> {
    let mut knowledge = Knowledge::new();
    let mut is_pending = false;
    for step in &scenario.steps {
        let result = match &step.action {
            Action::Ended => server.ended(),
            Action::Unharmed => unharmed(server),
            Action::Exchange(exchange) | Action::Scrape(exchange) => {
                let is_scrape = matches!(step.action, Action::Scrape(_));
                let mut once = || exchange_once(exchange, is_scrape, server, &mut knowledge);
                let mut result = once();
                if let Err(_) = result
                    && is_pending
                    && exchange.request.starts_with("GET ")
                {
                    result = poll::within(poll::SOON, || once().ok()).map_or_else(&mut once, Ok);
                }
                result.map(|status| is_pending |= status == Some(202))
            }
        };
        result.map_err(|failure| format!("step in line {}: {failure}", step.line))?;
    }
    Ok(())
}

fn exchange_once(
    exchange: &Exchange,
    is_scrape: bool,
    server: &Server,
    knowledge: &mut Knowledge,
) -> Result<Option<u16>, String> {
    let address = server.address();
    let mut request =
        Request::with_line(address, &exchange.request.replace("<address>", &address.to_string()));
    for (name, value) in &exchange.headers {
        request = request.header(name, value);
    }
    let (body, headers) = exchange.body.finish();
    for (name, value) in headers {
        if !exchange.headers.iter().any(|(other, _)| other.eq_ignore_ascii_case(name)) {
            request = request.header(name, value);
        }
    }
    let is_without_body = exchange.body.is_absent() && !exchange.request.starts_with('P');
    let is_chunked = headers.contains(&("Transfer-Encoding", "chunked"));
    let request = match () {
        () if is_without_body => request,
        () if is_chunked => request.framed_body(body),
        () => request.body(body),
    };
    let response = match request.try_send() {
        Ok(response) => response,
        Err(_) if exchange.answers.contains(&Answer::Closed) => return Ok(None),
        Err(failure) => return Err(failure),
    };
    if !exchange.answers.contains(&Answer::Status(response.status)) {
        let body = String::from_utf8_lossy(&response.body).chars().take(2000).collect::<String>();
        return Err(format!("the answer is {} and not {:?}: {body}", response.status, exchange.answers));
    }
    expectation::check(&exchange.expectations, &response, knowledge)?;
    if is_scrape {
        exposition::check(&expectation::readable(&response)?)?;
    }
    Ok(Some(response.status))
}

/// Another group can be pushed, and a scrape goes on to the last family.
fn unharmed(server: &Server) -> Result<(), String> {
    let push = Request::new(server.address(), "PUT", "/metrics/job/bystander")
        .body("aa_first 1\nzz_last 2\n")
        .try_send()?;
    if ![200, 202].contains(&push.status) {
        return Err(format!("another group is refused, {}: {}", push.status, push.text()));
    }
    let scrape = Request::new(server.address(), "GET", "/metrics").try_send()?;
    let text = expectation::readable(&scrape)?;
    if scrape.status != 200 {
        return Err(format!("the scrape is a {}: {text}", scrape.status));
    }
    for line in [r#"aa_first{instance="",job="bystander"} 1"#, r#"zz_last{instance="",job="bystander"} 2"#] {
        if !text.lines().any(|other| other == line) {
            return Err(format!("the scrape has no `{line}`"));
        }
    }
    exposition::check(&text)
}
