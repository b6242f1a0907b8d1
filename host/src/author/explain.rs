//! `plugin explain CODE`: what a code means.

use std::io::Write;

use pushgate_plugin_host::{Chain, Code, Plugin};

use super::Answer;
use crate::config::{Config, Mode, Problems};
use crate::policies;

/// Writes what the configured plugins say of a code.
///
/// # Errors
/// When the configuration or a plugin cannot be used.
pub fn explain(
    code: &str,
    (config, mut problems): (Config, Problems),
    out: &mut dyn Write,
) -> anyhow::Result<Answer> {
    let mut asked = config.clone();
    for policy in asked.chain.iter_mut().filter(|policy| policy.mode == Mode::Off) {
        policy.mode = Mode::Monitor; // Those that rest are not in a chain.
    }
    let chain = policies::load(&asked, &mut problems)?;
    problems.or(())?;
    let mut answer = Answer::No;
    let is_listed = codes(&chain).any(|(listed, _)| listed.id == code);
    let is_asked = |listed: &Code| if is_listed { listed.id == code } else { listed.covers(code) };
    for (Code { id, meaning }, plugin) in codes(&chain).filter(|(listed, _)| is_asked(listed)) {
        let manifest = plugin.manifest();
        writeln!(out, "{id}: {meaning}")?;
        writeln!(out, "found by {} {}: {}", manifest.name, manifest.version, manifest.summary)?;
        if let Some(policy) = config.chain.iter().find(|policy| policy.name == plugin.name()) {
            let (mode, line) = (policy.mode.as_str(), policy.lines.entry);
            writeln!(
                out,
                "which is the policy '{}' (line {line}, mode {mode}), configured with",
                policy.name
            )?;
            writeln!(out, "{:#}", policy.config)?;
        }
        answer = Answer::Yes;
    }
    if answer == Answer::No {
        writeln!(out, "no configured plugin has the code '{code}'; there are")?;
        for (Code { id, meaning }, _) in codes(&chain) {
            writeln!(out, "  {id}: {meaning}")?;
        }
    }
    Ok(answer)
}

fn codes(chain: &Chain) -> impl Iterator<Item = (&Code, &Plugin)> {
    chain.plugins().flat_map(|plugin| plugin.manifest().codes.iter().map(move |code| (code, plugin)))
}
