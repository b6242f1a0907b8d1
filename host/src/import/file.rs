//! Groups from a persistence file.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use pushgate_exposition::{Names, Rules, protobuf};

use super::Group;
use crate::persistence::{groups as groups_of, parts, times};

/// The groups of a file. Those whose labels are no grouping key go to `refused`.
pub(super) fn groups(path: &Path, refused: &mut Vec<String>) -> anyhow::Result<Vec<Group>> {
    let bytes = fs::read(path).with_context(|| format!("cannot read '{}'", path.display()))?;
    let stored = groups_of(&bytes).with_context(|| format!("'{}' cannot be imported", path.display()))?;
    let rules = Rules { names: Names::Utf8, ..Rules::default() };
    let mut groups = Vec::with_capacity(stored.len());
    for group in &stored {
        let parts = match parts(group) {
            Ok(parts) => parts,
            Err(error) => {
                refused.push(error.to_string());
                continue;
            }
        };
        // What is wrong with the families the target will say.
        let push = protobuf::parse(&parts.body, &parts.key, &rules);
        let times = push.map(|push| times(&push)).unwrap_or_default();
        groups.push(Group { key: parts.key, times, body: parts.body });
    }
    Ok(groups)
}
