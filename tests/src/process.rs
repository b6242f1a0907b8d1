//! Programs that a test starts.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};

use crate::{Folder, poll};

/// A server that runs beside the test, in a folder of its own. Ends, by its id, when it is dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    name: &'static str,
    log: PathBuf,
    folder: Folder,
}

impl Server {
    /// Starts it. What it prints goes to a file rather than a pipe, so that it never waits for a reader.
    pub fn start(name: &'static str, mut command: Command, folder: Folder) -> Self {
        let log = folder.path().join(format!("{name}.log"));
        let output = File::create(&log).unwrap();
        command.current_dir(folder.path()).stdin(Stdio::null());
        command.stdout(output.try_clone().unwrap()).stderr(output);
        let child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        Self { child, name, log, folder }
    }

    /// Everything it has printed so far.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap()).into_owned()
    }

    /// Waits until a line of the log answers. Panics, and shows the log, when the server has ended before that.
    pub fn await_line<T>(&mut self, what: &str, find: impl Fn(&str) -> Option<T>) -> T {
        let found = self.await_line_or_end(what, find);
        found.unwrap_or_else(|status| {
            panic!("{} has ended ({status}) before: {what}\n{}", self.name, self.log())
        })
    }

    /// Waits until a line of the log answers, or until the server has ended.
    pub fn await_line_or_end<T>(
        &mut self,
        what: &str,
        find: impl Fn(&str) -> Option<T>,
    ) -> Result<T, ExitStatus> {
        poll::until(format!("{}: {what}", self.name), || {
            // Looked at before the log: what a server prints last is in the log by then.
            let ended = self.child.try_wait().unwrap();
            let log = self.log();
            // The last line may be half written.
            let whole = log.rfind('\n').map_or("", |end| &log[..end]);
            whole.lines().find_map(&find).map(Ok).or(ended.map(Err))
        })
    }

    /// The folder that it runs in.
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    /// Its id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to read its configuration again, the way a service manager does.
    pub fn hang_up(&self) {
        self.signal("-HUP");
    }

    /// Asks it to end, the way a service manager does, and waits for nothing.
    pub fn ask_to_end(&self) {
        self.signal("-TERM");
    }

    fn signal(&self, signal: &str) {
        let status = Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap();
        assert!(status.success());
    }

    /// Asks it to end, the way a service manager does, and waits until it has.
    pub fn terminate(&mut self) -> ExitStatus {
        self.signal("-TERM");
        self.await_end()
    }

    /// Waits until it has ended.
    pub fn await_end(&mut self) -> ExitStatus {
        poll::until(format!("{} ends", self.name), || self.child.try_wait().unwrap())
    }
}

impl Server {
    /// Ends it as a crash does, and gives its folder to the next one.
    pub fn kill(mut self) -> Folder {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.take_folder()
    }

    /// The folder, for a server that goes on where this one ended.
    pub fn take_folder(&mut self) -> Folder {
        std::mem::take(&mut self.folder)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail only when it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            // Not `eprintln!`: only what goes through the test's own capture is shown with the test.
            println!("--- log of {}, in {}\n{}", self.name, self.folder.path().display(), self.log());
        }
    }
}

/// How a command ended and what it said.
#[derive(Debug)]
pub struct Finished {
    /// Its exit code; -1 when a signal ended it.
    pub code: i32,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

/// Runs a command to its end, with `input` as its standard input.
pub fn finish(command: &mut Command, input: &[u8]) -> Finished {
    let folder = Folder::new();
    let input = folder.write("input", input);
    command.stdin(File::open(input).unwrap());
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    Finished {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}
