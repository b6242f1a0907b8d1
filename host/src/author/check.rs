//! `check`: a payload through the configured chain, without a gateway that serves.

use std::fs::File;
use std::io::{self, Read as _, Write};
use std::path::PathBuf;
use std::time::SystemTime;

use anyhow::Context as _;
use bytes::Bytes;
use pushgate_exposition::GroupingKey;
use pushgate_exposition::text::encode;

use super::Answer;
use crate::config::{Config, Problems};
use crate::gateway::Gateway;
use crate::http;
use crate::ingest::{BodyFormat, IngestError, Method, PushRequest};
use crate::store::GroupSnapshot;

/// What is pushed, and where to.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    /// The group.
    pub key: GroupingKey,
    /// The file with the body; standard input if none.
    pub file: Option<PathBuf>,
    /// What the body is.
    pub format: BodyFormat,
    /// What is known of whoever pushes, by name.
    pub caller: Vec<(String, String)>,
    /// Whether what the push has become is wanted.
    pub shown: Shown,
}

/// What is told of a push that is accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// Warnings of policies.
    Findings,
    /// And what a scrape would show of it.
    Result,
}

impl Check {
    /// Pushes to a gateway that stores nothing beyond this, and writes what its client would be told.
    ///
    /// # Errors
    /// When the configuration or the file cannot be used, or a plugin fails.
    pub fn run(
        &self,
        (mut config, problems): (Config, Problems),
        out: &mut dyn Write,
    ) -> anyhow::Result<Answer> {
        // What is stored and who may enter is nothing to a check, and need not be there where one runs.
        config.persistence.file = None;
        config.web.config_file = None;
        config.capture.file = None;
        config.traces.endpoint = None;
        for (name, _) in &self.caller {
            config.caller.find(name).map_err(|problem| anyhow::anyhow!("--caller={name}: {problem}"))?;
        }
        let body = self.body(config.push.max_decompressed.as_usize() as u64)?;
        let gateway = Gateway::load((config, problems))?;
        let taken = gateway.take(&PushRequest {
            method: Method::Put,
            key: self.key.clone(),
            format: self.format,
            body,
            received_at: SystemTime::now(),
            restore: None,
            wish: None,
            id: "check".to_owned(),
            parent: None,
            attributes: self.caller.clone(),
        });
        let told = http::told(&taken);
        match taken {
            Ok(_) => {
                out.write_all(told.as_bytes())?;
                if self.shown == Shown::Result {
                    gateway.stored().iter().try_for_each(|group| out.write_all(show(group).as_bytes()))?;
                }
                Ok(Answer::Yes)
            }
            Err(
                IngestError::Fault { .. }
                | IngestError::Busy(_)
                | IngestError::Full { .. }
                | IngestError::JobFull(_),
            ) => {
                anyhow::bail!("{}", told.trim_end())
            }
            Err(_) => {
                out.write_all(told.as_bytes())?;
                Ok(Answer::No)
            }
        }
    }

    /// One byte more than is allowed is enough to be told so.
    fn body(&self, limit: u64) -> anyhow::Result<Bytes> {
        let mut body = Vec::new();
        let (name, read) = match &self.file {
            Some(file) => (
                file.display().to_string(),
                File::open(file).and_then(|file| file.take(limit + 1).read_to_end(&mut body)),
            ),
            None => ("standard input".to_owned(), io::stdin().take(limit + 1).read_to_end(&mut body)),
        };
        let length = read.with_context(|| format!("cannot read '{name}'"))?;
        anyhow::ensure!(
            length as u64 <= limit,
            "'{name}' has more than {limit} bytes (push.max_decompressed)"
        );
        Ok(body.into())
    }
}

/// The group as a scrape shows it, but for the times of its pushes.
fn show(group: &GroupSnapshot) -> String {
    let mut text = String::new();
    for family in &group.families {
        encode::header(&mut text, &family.name, family.chunk.help(), family.kind);
        text.push_str(family.chunk.text());
    }
    text
}
