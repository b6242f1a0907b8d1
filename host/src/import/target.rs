//! The gateway that groups are imported into.

use anyhow::Context as _;
use http::header::CONTENT_TYPE;
use pushgate_exposition::protobuf;
use ureq::Agent;

use super::Group;
use crate::http::{RESTORE, path_of};
use crate::remote::{self, GatewayUrl};

/// The pushgate that groups are imported into.
#[derive(Debug)]
pub struct Target {
    url: GatewayUrl,
    agent: Agent,
}

/// What the target said to a group.
pub(super) enum Answer {
    Stored,
    Present,
    Refused(String),
}

impl Target {
    /// The pushgate at that address.
    pub fn new(url: GatewayUrl) -> Self {
        Self { url, agent: remote::agent() }
    }

    /// Stores a group that is not there yet.
    pub(super) fn restore(&self, group: &Group) -> anyhow::Result<Answer> {
        let path = format!("/metrics/{}", path_of(&group.key));
        let times = format!("push={:?}, failure={:?}", group.times.push, group.times.failure);
        let request = self.url.put(&self.agent, &path);
        let request = request.header(CONTENT_TYPE, protobuf::CONTENT_TYPE).header(RESTORE, times);
        let response = request.send(&group.body[..]).with_context(|| format!("cannot reach {}", self.url))?;
        let status = response.status().as_u16();
        let why = || remote::reason(response.into_body());
        Ok(match status {
            200 | 202 => Answer::Stored,
            409 => Answer::Present,
            400 | 413 | 422 | 429 => Answer::Refused(why()),
            403 => anyhow::bail!("{} refuses to import: {}", self.url, why()),
            _ => anyhow::bail!("{} answers {status}: {}", self.url, why()),
        })
    }
}
