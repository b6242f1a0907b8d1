//! `plugin inspect`: what a plugin file is, before anybody trusts it.

use std::io::Write;
use std::path::Path;

use anyhow::Context as _;
use pushgate_plugin_host::{Description, Manifest};
use serde_json::{Value, json};

use super::conditions::Conditions;
use super::workbench::Workbench;

/// How what a plugin is is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// Writes what a plugin file is and says of itself, and tries it in the place of a policy, if there is one.
///
/// # Errors
/// When it is no plugin, or could not have that place.
pub fn inspect(
    plugin: &Path,
    layout: Layout,
    conditions: &Conditions,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let bench = Workbench::open(plugin, 2, conditions)?;
    let description = bench.describe()?;
    match layout {
        Layout::Text => write!(out, "{}", text(plugin, bench.size(), &description))?,
        Layout::Json => writeln!(out, "{:#}", as_json(bench.size(), &description))?,
    }
    if let Some((policy, config)) = &conditions.policy {
        bench.configure(policy, config).with_context(|| format!("it cannot have the place of '{policy}'"))?;
    }
    Ok(())
}

fn text(plugin: &Path, size: usize, description: &Description) -> String {
    let Description { digest, contract, capabilities, manifest } = description;
    let capabilities: Vec<_> = capabilities.iter().map(|capability| capability.as_str()).collect();
    let list = |words: &[&str]| if words.is_empty() { "nothing".to_owned() } else { words.join(", ") };
    let yes = |yes| if yes { "yes" } else { "no" };
    let mut text = format!("{} {}: {}\n\n", manifest.name, manifest.version, manifest.summary);
    for (name, value) in [
        ("file", plugin.display().to_string()),
        ("size", format!("{size} bytes")),
        ("digest", digest.to_string()),
        ("contract", contract.clone()),
        ("can use", list(&capabilities)),
        ("wants", list(&wanted(manifest))),
        ("mutates", yes(manifest.mutates).to_owned()),
        ("pure", yes(manifest.pure).to_owned()),
    ] {
        text += &format!("{name:10}{value}\n");
    }
    let name = plugin.file_name().unwrap_or_default().to_string_lossy();
    text += &format!(
        "\nin a configuration\n  [[plugin]]\n  name = \"{}\"\n  source = \"{name}\"\n  digest = \"{digest}\"\n",
        manifest.name
    );
    text += &description.grants().map(|line| format!("  {line}\n")).unwrap_or_default();
    text += "\ncodes of its findings\n";
    for code in &manifest.codes {
        text += &format!("  {}: {}\n", code.id, code.meaning);
    }
    if let Some(schema) = &manifest.config_schema {
        text += &format!("\nJSON Schema of its configuration\n{}\n", pretty(schema));
    }
    text
}

fn as_json(size: usize, Description { digest, contract, capabilities, manifest }: &Description) -> Value {
    let capabilities: Vec<_> = capabilities.iter().map(|capability| capability.as_str()).collect();
    let code = |code: &pushgate_plugin_host::Code| json!({"id": code.id, "meaning": code.meaning});
    let schema =
        |schema: &String| serde_json::from_str(schema).unwrap_or_else(|_| Value::from(schema.as_str()));
    json!({
        "name": manifest.name,
        "version": manifest.version,
        "summary": manifest.summary,
        "size": size,
        "digest": digest.to_string(),
        "contract": contract,
        "capabilities": capabilities,
        "wants": wanted(manifest),
        "mutates": manifest.mutates,
        "pure": manifest.pure,
        "codes": manifest.codes.iter().map(code).collect::<Vec<_>>(),
        "config_schema": manifest.config_schema.as_ref().map(schema),
    })
}

/// The columns that cross into the plugin beside those that always do.
fn wanted(manifest: &Manifest) -> Vec<&'static str> {
    let wants = manifest.wants;
    let columns =
        [(wants.help, "help"), (wants.unit, "unit"), (wants.values, "values"), (wants.points, "points")];
    columns.into_iter().filter_map(|(wanted, name)| wanted.then_some(name)).collect()
}

/// A schema as people read it; as it is, if it is no JSON.
fn pretty(schema: &str) -> String {
    serde_json::from_str(schema).map_or_else(|_| schema.to_owned(), |value: Value| format!("{value:#}"))
}
