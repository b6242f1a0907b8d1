//! What a scrape shows: the stored families and the gateway's own, in order of their names.

use bytes::Bytes;
use pushgate_exposition::text::encode;

use crate::store::{Chunk, OWN_PREFIX, Store};
use crate::telemetry::Metrics;

/// The text of a scrape. Cannot fail: what is stored was rendered when it was pushed.
pub fn expose(store: &Store, metrics: &Metrics) -> Bytes {
    let snapshot = store.snapshot();
    let mut own = metrics.expose(store.size()).ok();
    let mut text = String::with_capacity(snapshot.text_len() + own.as_ref().map_or(0, String::len));
    for family in snapshot.families() {
        // No stored name begins with the prefix of the own ones, so those stand together, between two others.
        if family.name > OWN_PREFIX {
            text.extend(own.take());
        }
        encode::header(&mut text, family.name, family.help(), family.kind);
        text.extend(family.chunks().map(Chunk::text));
    }
    text.extend(own);
    text.into()
}
