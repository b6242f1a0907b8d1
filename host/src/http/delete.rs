//! DELETE of a group. A body that comes with it is not looked at.

use std::time::SystemTime;

use bytes::Bytes;
use http::{Response, StatusCode};
use pushgate_exposition::GroupingKey;

use super::Http;
use super::error::Failure;
use super::payload::{self, Payload};
use crate::ingest::{Method, PushRequest};

/// 202, which clients of the original Pushgateway check for, whether or not there was such a group.
pub(super) async fn delete(http: &Http, key: GroupingKey, id: &str) -> Result<Response<Payload>, Failure> {
    let request = PushRequest {
        method: Method::Delete,
        key,
        body: Bytes::new(),
        received_at: SystemTime::now(),
        id: id.to_owned(),
    };
    http.ingest.push(request).await?;
    Ok(payload::empty(StatusCode::ACCEPTED))
}
