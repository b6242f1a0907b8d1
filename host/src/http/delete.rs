//! DELETE of a group. A body that comes with it is not looked at.

use std::time::SystemTime;

use bytes::Bytes;
use http::{Response, StatusCode};

use super::Http;
use super::caller::Caller;
use super::error::Failure;
use super::payload::{self, Payload};
use super::push::parent;
use crate::ingest::{BodyFormat, Method, PushRequest};

/// 202, which clients of the original Pushgateway check for, whether or not there was such a group.
pub(super) async fn delete(
    http: &Http,
    path: &[u8],
    id: &str,
    caller: Caller<'_>,
) -> Result<Response<Payload>, Failure> {
    let policies = http.ingest.policies();
    let request = PushRequest {
        method: Method::Delete,
        key: http.grouping_key(path)?,
        format: BodyFormat::Text,
        body: Bytes::new(),
        received_at: SystemTime::now(),
        restore: None,
        wish: None,
        id: id.to_owned(),
        parent: parent(caller.headers),
        attributes: caller.attributes(&policies.told),
    };
    http.ingest.push(policies, request).await.map_err(|error| http.not_taken(error, id))?;
    Ok(payload::empty(StatusCode::ACCEPTED))
}
