//! The scrape: everything there is in one of the formats, as it is or compressed.

use std::io::{self, Write as _};
use std::sync::Arc;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderValue, VARY};
use http::{HeaderMap, Response, StatusCode};
use pushgate_exposition::{Escaping, Names};
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use tokio::sync::Semaphore;
use tracing::{error, warn};

use super::Http;
use super::accept::{Coding, coding};
use super::answers::Answer;
use super::caller::Peer;
use super::error::Failure;
use super::negotiate::negotiate;
use super::payload::{self, Payload};
use crate::exposition::{Exposition, Format, GzipCache};

/// Up to this many bytes of text are rendered and compressed right away, which takes some 0.1 ms.
const INLINE: usize = 32 << 10;

/// Up to this many bytes are put together right away when nothing is to be done with them: 0.1 ms as well.
const INLINE_COPY: usize = 512 << 10;

/// Scrapes rendered or compressed at the same time on the blocking pool. One takes a core, and pushes need some as well;
/// further ones wait, which a scraper with a timeout of seconds does not notice.
static RENDERING: Semaphore = Semaphore::const_new(2);

/// How a scrape is answered.
#[derive(Clone, Copy, Debug)]
struct Form {
    format: Format,
    escaping: Escaping,
    coding: Coding,
}

pub(super) async fn scrape(
    http: &Http,
    headers: &HeaderMap,
    peer: &Peer,
) -> Result<Response<Payload>, Failure> {
    let exposition = Exposition::new(&http.store, &http.metrics);
    if let Some(reason) = exposition.unsound() {
        return Err(Failure::Unsound(reason.to_owned()));
    }
    let (format, escaping) = negotiate(headers, http.openmetrics_scrapes);
    let form = Form { format, escaping, coding: coding(headers) };
    let is_copy =
        form.format == Format::Text && form.coding == Coding::Identity && http.names == Names::Classic;
    let inline = if is_copy { INLINE_COPY } else { INLINE };
    let room = http.answers.begin(exposition.size(), peer.seat.presence()).await;
    answer(exposition, form, inline, room.ok_or(Failure::TooManyScrapes)?, &http.gzip).await
}

async fn answer(
    exposition: Exposition,
    form: Form,
    inline: usize,
    room: Answer,
    cache: &Arc<GzipCache>,
) -> Result<Response<Payload>, Failure> {
    let (body, encoding) = if exposition.size() <= inline {
        render(&exposition, form, cache)
    } else {
        let _permit = RENDERING.acquire().await;
        let cache = cache.clone();
        let task = tokio::task::spawn_blocking(move || render(&exposition, form, &cache)).await;
        task.map_err(|panic| {
            error!(%panic, "a scrape could not be rendered");
            Failure::Internal
        })?
    };
    let mut response = payload::empty(StatusCode::OK);
    *response.body_mut() = room.with(Payload::from(body));
    if let Ok(media_type) = HeaderValue::try_from(form.format.media_type(form.escaping)) {
        response.headers_mut().insert(CONTENT_TYPE, media_type);
    }
    response.headers_mut().insert(VARY, HeaderValue::from_static("Accept, Accept-Encoding"));
    response.headers_mut().extend(encoding.map(|encoding| (CONTENT_ENCODING, encoding)));
    Ok(response)
}

/// The exposition, compressed if that is wanted; should compressing fail, which it has no reason to, as it is.
fn render(exposition: &Exposition, form: Form, cache: &GzipCache) -> (Bytes, Option<HeaderValue>) {
    let plain = || exposition.render(form.format, form.escaping);
    let (compressed, name) = match form.coding {
        Coding::Identity => return (plain(), None),
        Coding::Gzip if form.format == Format::Text => (exposition.render_gzip(form.escaping, cache), "gzip"),
        Coding::Gzip => (gzip(&plain()), "gzip"),
        Coding::Zstd => (Ok(zstd(&plain())), "zstd"),
    };
    match compressed {
        Ok(compressed) => (compressed, Some(HeaderValue::from_static(name))),
        Err(error) => {
            warn!(%error, "a scrape could not be compressed");
            (plain(), None)
        }
    }
}

/// Level 1: four times as fast as the usual 6, for less than twice the bytes.
fn gzip(plain: &[u8]) -> io::Result<Bytes> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(plain)?;
    encoder.finish().map(Bytes::from)
}

/// About as small as zstd's own level 1.
fn zstd(plain: &[u8]) -> Bytes {
    compress_to_vec(plain, CompressionLevel::Fastest).into()
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn zstd_has_the_same_bytes() {
        for plain in [&b""[..], b"a 1\n", &b"metric 1\n".repeat(9_999)] {
            let mut unpacked = Vec::new();
            let packed = zstd(plain);
            ruzstd::decoding::StreamingDecoder::new(&*packed).unwrap().read_to_end(&mut unpacked).unwrap();
            assert_eq!(unpacked, plain);
        }
    }

    #[test]
    fn gzip_is_one_member_with_the_same_bytes() {
        for plain in [&b""[..], b"a 1\n", &b"metric 1\n".repeat(9_999)] {
            let packed = gzip(plain).unwrap();
            let mut unpacked = Vec::new();
            flate2::bufread::GzDecoder::new(&*packed).read_to_end(&mut unpacked).unwrap();
            assert_eq!(unpacked, plain);
        }
    }
}
