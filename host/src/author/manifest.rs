//! A crate's manifest without the workspace that it is a part of.

/// Sections that have no meaning to who only depends on a crate.
const DROPPED: [&str; 3] = ["[dev-dependencies]", "[lints]", "[[bench]]"];

/// The manifest with what it takes from its workspace's written out. `root` leads from the crate to the folder of the
/// workspace. Both are our own files, where each entry is a line.
pub(super) fn standalone(manifest: &str, workspace: &str, root: &str) -> String {
    let mut text = String::new();
    let mut is_dropped = false;
    for line in manifest.lines() {
        if line.starts_with('[') {
            is_dropped = DROPPED.contains(&line);
        }
        if !is_dropped {
            text += &inherit(line, workspace, root);
            text.push('\n');
        }
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

/// The line with the workspace's value, if that is where it has one from.
fn inherit(line: &str, workspace: &str, root: &str) -> String {
    let value = |name: &str| {
        let line = workspace.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(" = "));
        line.unwrap_or_default().replace("path = \"", &format!("path = \"{root}/"))
    };
    if let Some(name) = line.strip_suffix(".workspace = true") {
        return format!("{name} = {}", value(name));
    }
    match line.split_once(" = { workspace = true") {
        Some((name, rest)) => {
            let value = value(name);
            let inner = value.strip_prefix("{ ").and_then(|value| value.strip_suffix(" }"));
            let inner = inner.map_or_else(|| format!("version = {value}"), str::to_owned);
            format!("{name} = {{ {inner}{rest}")
        }
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_from_the_workspace_is_written_out() {
        let workspace = "[workspace.package]\nversion = \"0.1.0\"\n[workspace.dependencies]\nours = { path = \"x/ours\" }\n\
                         plain = \"1\"\nlong = { version = \"2\", features = [\"a\"] }\n";
        let manifest = "[package]\nname = \"c\"\nversion.workspace = true\n\n[dependencies]\nours.workspace = true\n\
                        plain = { workspace = true, optional = true }\nlong = { workspace = true, optional = true }\n\n\
                        [dev-dependencies]\ngone.workspace = true\n\n[lints]\nworkspace = true\n";
        assert_eq!(
            standalone(manifest, workspace, "../.."),
            "[package]\nname = \"c\"\nversion = \"0.1.0\"\n\n[dependencies]\nours = { path = \"../../x/ours\" }\n\
             plain = { version = \"1\", optional = true }\n\
             long = { version = \"2\", features = [\"a\"], optional = true }\n"
        );
    }
}
