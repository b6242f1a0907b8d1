//! What a server that is compatible with the Pushgateway does, as the files below `tests/scenarios` tell it: a
//! scenario is a title, requests, and what must come back.
//!
//! ```text
//! # A comment; so is every line that begins with a hash.
//! flags --push.enable-utf8-names        for the scenarios below, up to the next such line
//!
//! == The last of two labels of one name wins
//! PUT /metrics/job/x/a/1/a/2
//! | m 1
//! -> 200
//! scrape
//! + m{a="2",instance="",job="x"} 1
//! ```
//!
//! Below the title may stand, each on a line of its own:
//!
//! - `fresh`: the scenario needs a process of its own. Otherwise all with the same flags share one, whose groups
//!   are wiped in between, through the admin API; so that is on unless a flag says otherwise.
//! - `only pushgate: REASON` or `only original: REASON`: where the two differ on purpose.
//!
//! Then come the steps. A request is `METHOD TARGET`, perhaps with `HTTP/1.0` behind it, and below it
//!
//! - `Name: value`: a header;
//! - `| text`: a line of the body; `* 500 text`: as many lines, with `<#>` counting from 1; `@ text`: text without a
//!   line feed at the end, with the escapes `\n \r \t \\ \xff`; `x 0a ff`: bytes;
//! - `encode gzip`: what was written of the body since the last such line is compressed. So are `snappy` and
//!   `protobuf`, which reads it as the module of that name says and writes it as a stream of messages; each sets the
//!   header that belongs to it unless there is one. `encode chunked` sends the body in pieces of three bytes;
//! - `cut 3`: the last three bytes of the body are left out; `flip 8`: the lowest bit of the eighth byte from the
//!   end is another one.
//!
//! The answer is `-> 200`, or `-> 301 or 307`, or `-> closed` for none at all. Below it
//!
//! - `Name: value` or `Name: ~ regex`: a header, as a whole; `no Name`: a header that there is not;
//! - `= text`: the whole body, with the escapes of `@`;
//! - `~ regex` and `!~ regex`: somewhere in the body, nowhere in it;
//! - `+ line`: a line of the body; `> line`: the one directly below the line before; `>> line`: one below it. A line
//!   may contain `<now>`, a time of this scenario in seconds, and `<any>`, any number;
//! - `- series`: no line that is this, or this and a value, or a sample of a family of this name;
//! - `keep NAME series`: the value of this series is what `<NAME>` stands for from here on;
//! - `json /pointer VALUE`, `json /pointer ~ regex`, `json /pointer none`: a place in a JSON body.
//!
//! A body that is compressed is decompressed before, one in protobuf is written as it is read, a family a line.
//! After a 202, which says that something is yet to be done, GET is repeated until all is as it should be.
//!
//! Steps of their own are
//!
//! - `scrape`, or `scrape /path`: GET, 200, and the text must be a legal exposition as a whole;
//! - `unharmed`: another group is pushed and scraped, from the first to the last family;
//! - `ended`: the process has ended by itself, without an error.
//!
//! At the end there may be a table. Its scenario is run once for each row, with `<column>` replaced by the cell; a
//! column may be without a use, such as one that says why:
//!
//! ```text
//! where path | labels
//!   /metrics/job/x     | instance="",job="x"
//!   /metrics/job/x/a/  | a="",instance="",job="x"
//! ```
//!
//! The server is pushgate, or another one whose command line, split at blanks, is the value of
//! `PUSHGATE_SCENARIOS_BINARY`: the original, to see that the scenarios are right.

mod body;
mod expectation;
mod exposition;
mod protobuf;
mod read;
mod run;
mod server;

use self::body::Body;
use self::expectation::Expectation;
pub use self::run::{hold, topics};

/// A scenario, or one row of the table of one.
#[derive(Debug)]
struct Scenario {
    /// The line of its title or its row.
    line: usize,
    title: String,
    flags: Vec<String>,
    process: Process,
    /// The only server that it is about.
    only: Option<Kind>,
    steps: Vec<Step>,
}

/// Whose process a scenario runs with.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Process {
    Shared,
    Fresh,
}

/// The two servers that are known.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Pushgate,
    Original,
}

#[derive(Debug)]
struct Step {
    line: usize,
    action: Action,
}

#[derive(Debug)]
enum Action {
    Exchange(Exchange),
    Scrape(Exchange),
    Unharmed,
    Ended,
}

/// A request and what must come back.
#[derive(Debug, Default)]
struct Exchange {
    /// The method, the target and the version.
    request: String,
    headers: Vec<(String, String)>,
    body: Body,
    answers: Vec<Answer>,
    /// Each with its line.
    expectations: Vec<(usize, Expectation)>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Answer {
    Status(u16),
    Closed,
}

/// A mistake in a file of scenarios.
#[derive(Debug)]
struct Mistake {
    line: usize,
    message: String,
}

impl Mistake {
    fn new(line: usize, message: impl Into<String>) -> Self {
        Self { line, message: message.into() }
    }
}
