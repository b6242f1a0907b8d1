//! Steps of a task: each prints one line before it starts, and says which command failed and what to do about it.

use std::process::{Command, Stdio};

use crate::failure::{Context as _, Failure, Result};

/// Prints one line about what is being done.
pub fn say(line: &str) {
    println!("xtask: {line}");
}

/// Runs a command whose output the user wants to see.
pub fn run(what: &str, command: &mut Command) -> Result {
    say(what);
    let status = command.status().context(|| format!("{what}: {}", shown(command)))?;
    if status.success() {
        return Ok(());
    }
    Err(Failure::new(format!("{what}: `{}` failed ({status})", shown(command))))
}

/// Runs a command whose output only matters when it fails, and returns what it printed.
pub fn run_quietly(what: &str, command: &mut Command) -> Result<String> {
    say(what);
    output(command).map_err(|failure| Failure::new(format!("{what}: {failure}")))
}

/// What a command prints on its standard output; no line of our own.
pub fn output(command: &mut Command) -> Result<String> {
    let output = command.stdin(Stdio::null()).output().context(|| shown(command))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    Err(Failure::new(format!("`{}` failed ({})\n{}", shown(command), output.status, text.trim_end())))
}

/// Runs all of them even when some fail, so that one broken thing does not hide the next one.
pub fn run_all(steps: impl IntoIterator<Item = (String, Command)>) -> Result {
    let failures: Vec<String> = steps
        .into_iter()
        .filter_map(|(what, mut command)| run(&what, &mut command).err())
        .map(|failure| failure.to_string())
        .collect();
    if failures.is_empty() { Ok(()) } else { Err(Failure::new(failures.join("\n"))) }
}

/// A command as one would type it. The folder and the path of the program are left out.
fn shown(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program());
    let program = program.file_name().unwrap_or(command.get_program());
    std::iter::once(program)
        .chain(command.get_args())
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_failure_names_the_command_and_shows_what_it_printed() {
        let failure =
            run_quietly("try", &mut shell("echo out; echo err >&2; exit 3")).unwrap_err().to_string();
        assert_eq!(failure, "try: `sh -c echo out; echo err >&2; exit 3` failed (exit status: 3)\nout\nerr");
    }

    #[test]
    fn a_missing_program_is_named() {
        let failure = run("try", &mut Command::new("/nowhere/no-such-program")).unwrap_err().to_string();
        assert!(failure.starts_with("try: no-such-program: "), "{failure}");
    }

    #[test]
    fn all_steps_run_although_the_first_fails() {
        let steps = [("one".to_owned(), shell("exit 1")), ("two".to_owned(), shell("exit 2"))];
        let failure = run_all(steps).unwrap_err().to_string();
        assert_eq!(failure.lines().count(), 2, "{failure}");
    }
}
