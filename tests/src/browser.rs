//! A real browser: Chromium without a window, driven by WebDriver. <https://www.w3.org/TR/webdriver2/>
//!
//! Of the protocol only what the tests need is here: some twenty lines of JSON, for which a client library would bring
//! an HTTP stack of its own.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use xtask::workspace;

use crate::http::Request;
use crate::process::Server;
use crate::tools::{Tool, require};
use crate::{Folder, poll};

/// Keys as WebDriver names them.
#[expect(missing_docs, reason = "the names stand on the keys")]
pub mod key {
    pub const TAB: char = '\u{e004}';
    pub const ENTER: char = '\u{e007}';
    pub const ESCAPE: char = '\u{e00c}';
}

/// A browser with one page, in a profile of its own. Ends when it is dropped.
#[derive(Debug)]
pub struct Browser {
    address: SocketAddr,
    session: String,
    /// Ends behind the session, which takes the browser with it.
    _driver: Server,
}

/// Starts the driver, and tells its port. It takes one that is free in IPv6 and ends when that is not so in IPv4; then it
/// is started again.
fn start_driver(program: &Path) -> (Server, u16) {
    for _ in 0..20 {
        let mut command = Command::new(program);
        command.arg("--port=0");
        let mut driver = Server::start("chromedriver", command, Folder::new());
        let port = driver.await_line("listens", |line| {
            if line.contains("port not available") {
                return Some(None);
            }
            let (_, port) = line.split_once("started successfully on port ")?;
            Some(Some(port.trim_end_matches('.').parse::<u16>().ok()?))
        });
        if let Some(port) = port {
            return (driver, port);
        }
    }
    panic!("chromedriver has found no free port in 20 tries");
}

impl Browser {
    /// `None` skips the test, see [`require`].
    pub fn require() -> Option<Self> {
        let (driver, port) = start_driver(&require(Tool::Chromium)?);
        let profile = driver.folder().path().join("profile");
        let options = json!({
            // Tests run as root in containers, where Chromium's own sandbox cannot.
            "args": ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--no-proxy-server",
                format!("--user-data-dir={}", profile.display())],
            "perfLoggingPrefs": {"enableNetwork": true},
        });
        let capabilities = json!({
            "goog:chromeOptions": options,
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
        });
        let mut browser =
            Self { address: (Ipv4Addr::LOCALHOST, port).into(), session: String::new(), _driver: driver };
        let session = browser.post("", &json!({"capabilities": {"alwaysMatch": capabilities}}));
        browser.session = format!("/{}", session["sessionId"].as_str().unwrap());
        browser.resize(1_280, 1_000);
        Some(browser)
    }

    /// Opens a page and waits until it is loaded.
    pub fn open(&self, url: &str) {
        self.post("/url", &json!({"url": url}));
    }

    /// Runs the body of a function in the page. A promise that it returns is waited for.
    pub fn run(&self, script: &str) -> Value {
        self.post("/execute/sync", &json!({"script": script, "args": []}))
    }

    /// The value of an expression, as text.
    pub fn text(&self, expression: &str) -> String {
        self.run(&format!("return String({expression})")).as_str().unwrap().to_owned()
    }

    /// Waits until an expression is true, also while another page is being loaded.
    pub fn until(&self, expression: &str) {
        let is_true = format!("try {{ return Boolean({expression}) }} catch {{ return false }}");
        poll::until(expression, || (self.run(&is_true) == true).then_some(()));
    }

    /// Presses keys, one after the other, wherever the focus is.
    pub fn press(&self, keys: impl IntoIterator<Item = char>) {
        let strokes = keys.into_iter().flat_map(|key| {
            [json!({"type": "keyDown", "value": key}), json!({"type": "keyUp", "value": key})]
        });
        let strokes: Vec<_> = strokes.collect();
        self.post("/actions", &json!({"actions": [{"type": "key", "id": "keyboard", "actions": strokes}]}));
    }

    /// The size of the page, in pixels.
    pub fn resize(&self, width: u32, height: u32) {
        let size = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600});
        self.develop("Emulation.setDeviceMetricsOverride", &size);
    }

    /// Whether the system is `light` or `dark`.
    pub fn prefer(&self, scheme: &str) {
        let feature = json!({"name": "prefers-color-scheme", "value": scheme});
        self.develop("Emulation.setEmulatedMedia", &json!({"features": [feature]}));
    }

    /// Keeps a picture of what is seen as `target/screenshots/<name>.png`, for people.
    pub fn picture(&self, name: &str) -> PathBuf {
        let folder = workspace::path("target/screenshots");
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join(format!("{name}.png"));
        let png = self.send("GET", "/screenshot", None);
        std::fs::write(&file, STANDARD.decode(png.as_str().unwrap()).unwrap()).unwrap();
        file
    }

    /// What the browser has complained of since this was last asked: scripts that failed, what the page's policy
    /// forbids, files that are not there.
    pub fn complaints(&self) -> Vec<String> {
        let log = self.post("/se/log", &json!({"type": "browser"}));
        log.as_array().unwrap().iter().map(|entry| entry["message"].as_str().unwrap().to_owned()).collect()
    }

    /// The URLs that were asked for since this was last asked, without those of the browser's own pages.
    pub fn requested(&self) -> Vec<String> {
        let log = self.post("/se/log", &json!({"type": "performance"}));
        let url = |entry: &Value| {
            let event: Value = serde_json::from_str(entry["message"].as_str()?).ok()?;
            let event = &event["message"];
            let is_request = event["method"] == "Network.requestWillBeSent";
            is_request.then(|| event["params"]["request"]["url"].as_str().map(str::to_owned))?
        };
        let urls = log.as_array().unwrap().iter().filter_map(url);
        urls.filter(|url| !url.starts_with("chrome:")).collect()
    }

    fn develop(&self, command: &str, parameters: &Value) {
        self.post("/goog/cdp/execute", &json!({"cmd": command, "params": parameters}));
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        self.send("POST", path, Some(body.to_string()))
    }

    fn send(&self, method: &str, path: &str, body: Option<String>) -> Value {
        let request = Request::new(self.address, method, &format!("/session{}{path}", self.session));
        let request = match body {
            Some(body) => request.body(body),
            None => request,
        };
        let answer = request.send();
        let mut json: Value = serde_json::from_str(answer.text()).unwrap();
        assert_eq!(answer.status, 200, "{method} {path}: {json}");
        json["value"].take()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The driver, which is killed, would leave the browser behind. A test that has failed must not panic again.
        let _ = TcpStream::connect(self.address).and_then(|mut connection| {
            connection.set_read_timeout(Some(poll::PATIENCE))?;
            let (session, address) = (&self.session, self.address);
            write!(connection, "DELETE /session{session} HTTP/1.1\r\nHost: {address}\r\n\r\n")?;
            // The first byte of the answer comes when the browser has ended.
            connection.read(&mut [0])
        });
    }
}
