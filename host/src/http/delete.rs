//! DELETE of a group. A body that comes with it is not looked at.

use std::time::SystemTime;

use bytes::Bytes;
use http::request::Parts;
use http::{Response, StatusCode};

use super::Http;
use super::error::Failure;
use super::payload::{self, Payload};
use super::push::parent;
use crate::ingest::{BodyFormat, Method, PushRequest};

/// 202, which clients of the original Pushgateway check for, whether or not there was such a group.
pub(super) async fn delete(
    http: &Http,
    path: &[u8],
    id: &str,
    head: &Parts,
) -> Result<Response<Payload>, Failure> {
    let request = PushRequest {
        method: Method::Delete,
        key: http.grouping_key(path)?,
        format: BodyFormat::Text,
        body: Bytes::new(),
        received_at: SystemTime::now(),
        restore: None,
        id: id.to_owned(),
        parent: parent(&head.headers),
    };
    http.ingest.push(request).await.map_err(|error| http.not_taken(error, id))?;
    Ok(payload::empty(StatusCode::ACCEPTED))
}
