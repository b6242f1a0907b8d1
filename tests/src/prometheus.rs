//! A real Prometheus that scrapes a gateway.

use std::net::SocketAddr;
use std::process::Command;

use serde_json::Value;

use crate::http::Request;
use crate::process::{Server, finish};
use crate::tools::{Tool, require};
use crate::{Folder, poll};

/// The server, with a data folder and a port of its own.
#[derive(Debug)]
pub struct Prometheus {
    server: Server,
    address: SocketAddr,
}

/// Labels of a series, sorted by name, and its value.
pub type Sample = (Vec<(String, String)>, f64);

impl Prometheus {
    /// Starts it with these scrape configurations (YAML, a list); `None` skips the test, see [`require`].
    pub fn start(scrape_configs: &str) -> Option<Self> {
        let program = require(Tool::Prometheus)?;
        let folder = Folder::new();
        let config =
            format!("global: {{scrape_interval: 1s, scrape_timeout: 1s}}\nscrape_configs:\n{scrape_configs}");
        let config = folder.write("prometheus.yml", config);
        let mut command = Command::new(program);
        command.arg(format!("--config.file={}", config.display()));
        command.arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()));
        command.arg("--web.listen-address=127.0.0.1:0");
        let mut server = Server::start("prometheus", command, folder);
        let address = server.await_line("listens", |line| {
            let (_, rest) = line.split_once("msg=\"Listening on\"")?;
            let (_, address) = rest.split_once("address=")?;
            address.split(' ').next()?.parse().ok()
        });
        server.await_line("is ready", |line| {
            line.contains("Server is ready to receive web requests").then_some(())
        });
        Some(Self { server, address })
    }

    /// Waits until it has scraped the job `times` times, with success.
    pub fn await_scrapes(&self, job: &str, times: u32) {
        let query = format!("sum_over_time(up{{job=\"{job}\"}}[1h]) >= {times}");
        poll::until(format!("{job} is scraped {times} times"), || {
            (!self.query(&query).is_empty()).then_some(())
        });
    }

    /// An instant query: the series that result.
    #[track_caller]
    pub fn query(&self, promql: &str) -> Vec<Sample> {
        let path = format!("/api/v1/query?query={}", percent_encoded(promql));
        let answer = Request::new(self.address, "GET", &path).send().expect(200);
        let answer: Value = serde_json::from_str(answer.text()).unwrap();
        let result = answer["data"]["result"].as_array().unwrap_or_else(|| panic!("{promql}: {answer}"));
        let mut samples: Vec<Sample> = result.iter().map(sample).collect();
        samples.sort_by(|one, other| one.0.cmp(&other.0));
        samples
    }

    /// Whether it takes that for a selector of series; else why not.
    ///
    /// # Errors
    /// What it says.
    pub fn check_selector(&self, selector: &str) -> Result<(), String> {
        let path = format!("/api/v1/series?start=0&end=1&match[]={}", percent_encoded(selector));
        let answer = Request::new(self.address, "GET", &path).send();
        if answer.status == 200 { Ok(()) } else { Err(answer.text().to_owned()) }
    }

    /// Everything it has printed.
    pub fn log(&self) -> String {
        self.server.log()
    }
}

fn sample(result: &Value) -> Sample {
    let labels = result["metric"].as_object().unwrap();
    let mut labels: Vec<_> =
        labels.iter().map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect();
    labels.sort();
    let value = result["value"][1].as_str().unwrap().parse().unwrap();
    (labels, value)
}

/// A text as a part of a URL.
pub fn percent_encoded(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}

/// What `promtool check metrics` finds in an exposition, one finding a line; `None` skips the test.
pub fn promtool_check_metrics(exposition: &str) -> Option<Vec<String>> {
    let program = require(Tool::Promtool)?;
    let finished = finish(Command::new(program).args(["check", "metrics"]), exposition.as_bytes());
    Some(finished.stdout.lines().chain(finished.stderr.lines()).map(str::to_owned).collect())
}

/// Runs `promtool check rules` over a file; `None` skips the test.
pub fn promtool_check_rules(file: &std::path::Path) -> Option<crate::process::Finished> {
    let program = require(Tool::Promtool)?;
    Some(finish(Command::new(program).args(["check", "rules"]).arg(file), b""))
}

/// Runs `promtool check config` over a file; `None` skips the test.
pub fn promtool_check_config(file: &std::path::Path) -> Option<crate::process::Finished> {
    let program = require(Tool::Promtool)?;
    Some(finish(Command::new(program).args(["check", "config"]).arg(file), b""))
}
