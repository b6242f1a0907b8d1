//! The only reader of request bodies: capped as sent, capped when decompressed, and done in time.

mod coding;
mod zstd;

use std::io::{self, Read};
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http::header::EXPECT;
use http_body_util::BodyExt as _;
use hyper::body::Body;
use tokio::time::timeout;

use self::coding::Coding;
use super::in_flight::{Held, InFlight};
use crate::config::{ByteSize, Config};
use crate::ingest::{Busy, Turns};
use crate::telemetry::{Limit, LimitMetrics};

/// Memory that is taken at once for a body whose length was announced; the announcement may be a lie.
const FIRST_ALLOCATION: usize = 64 << 10;

/// What is decompressed right away; more of it is left to the blocking pool. It takes about 0.3 ms.
const INLINE: usize = 256 << 10;

/// What is decompressed at a time on the blocking pool, and asked room for before.
const STEP: usize = 4 << 20;

/// Bytes of each body that are not counted among those under way, so that small pushes never wait for large ones. A push
/// from a job is seldom larger. What they take together is bounded by the connections.
const UNCOUNTED: usize = 16 << 10;

/// How long a body waits for room among those under way.
const MAX_WAIT: Duration = Duration::from_secs(5);

/// How long a refused body is still read, so that a client which sends before it listens gets its answer
/// instead of a reset connection.
const LINGER: Duration = Duration::from_secs(2);

/// Reads bodies within the limits of the configuration.
#[derive(Debug)]
pub(super) struct BodyReader {
    sent: ByteSize,
    decompressed: ByteSize,
    timeout: Duration,
    /// All bodies under way.
    in_flight: InFlight,
    /// For decompressions on the blocking pool.
    turns: Arc<Turns>,
}

/// Why there is no body.
#[derive(Debug, thiserror::Error)]
pub(super) enum BodyError {
    /// More bytes were sent, or announced, than are taken.
    #[error("the body is larger than {limit} (push.max_body)")]
    TooLarge { limit: ByteSize },
    /// The body would grow to more bytes than are taken.
    #[error("the decompressed body is larger than {limit} (push.max_decompressed)")]
    DecompressedTooLarge { limit: ByteSize },
    /// The body is not compressed as it says.
    #[error("the body is not {coding}, as its Content-Encoding says: {error}")]
    Corrupt { coding: &'static str, error: io::Error },
    /// The body did not arrive in time.
    #[error("the body took longer than {} ms to arrive (web.body_timeout)", limit.as_millis())]
    Late { limit: Duration },
    /// The connection broke, or what came was no legal chunk.
    #[error("the body broke off")]
    Broken,
    /// There was no room for it beside others.
    #[error("too much is being pushed at the same time (push.max_in_flight)")]
    NoRoom,
    /// Others were decompressed all the time.
    #[error("too many large pushes came at the same time (push.max_concurrent)")]
    Busy(Busy),
}

impl BodyReader {
    pub(super) fn new(config: &Config, turns: Arc<Turns>, limits: Arc<LimitMetrics>) -> Self {
        Self {
            in_flight: InFlight::new(config.push.max_in_flight, Limit::InFlight, limits),
            turns,
            sent: config.push.max_body,
            decompressed: config.push.max_decompressed,
            timeout: config.web.body_timeout,
        }
    }

    /// The body, decompressed when the headers say so. It counts as under way until the last copy of it is gone.
    pub(super) async fn read<B>(&self, headers: &HeaderMap, body: B) -> Result<Bytes, BodyError>
    where
        B: Body<Data = Bytes> + Send + Unpin + 'static,
    {
        let mut held = self.in_flight.hold();
        let sent = self.receive(headers, body, &mut held).await?;
        let whole = match Coding::of(headers) {
            Some(coding) => self.inflate(coding, sent, &mut held).await?,
            None => sent,
        };
        Ok(held.until_dropped(whole))
    }

    async fn receive<B>(&self, headers: &HeaderMap, mut body: B, held: &mut Held) -> Result<Bytes, BodyError>
    where
        B: Body<Data = Bytes> + Send + Unpin + 'static,
    {
        let late = BodyError::Late { limit: self.timeout };
        let received = timeout(self.timeout, receive(&mut body, self.sent, held)).await.unwrap_or(Err(late));
        if matches!(received, Err(BodyError::TooLarge { .. } | BodyError::NoRoom)) {
            linger(headers, body);
        }
        received
    }

    async fn inflate(&self, coding: Coding, sent: Bytes, held: &mut Held) -> Result<Bytes, BodyError> {
        let length = sent.len();
        let mut inflation = Inflation::new(coding, sent, self.decompressed);
        let mut is_whole = inflation.advance(INLINE)?;
        room(held, length + inflation.inflated.len()).await?;
        if !is_whole {
            let _turn = self.turns.next().await.map_err(BodyError::Busy)?;
            while !is_whole {
                let step = STEP.min(inflation.room());
                room(held, length + inflation.inflated.len() + step).await?;
                let further = move || inflation.advance(step).map(|is_whole| (is_whole, inflation));
                // The task is neither aborted nor does it panic; should it ever, the client is the wrong one to tell.
                let further = tokio::task::spawn_blocking(further).await;
                let failed =
                    |error| BodyError::Corrupt { coding: coding.name(), error: io::Error::other(error) };
                (is_whole, inflation) = further.map_err(failed)??;
            }
        }
        let inflated = Bytes::from(inflation.inflated);
        held.shrink_to(inflated.len().saturating_sub(UNCOUNTED));
        Ok(inflated)
    }
}

/// Has a body of that many bytes counted, when there is room for it.
async fn room(held: &mut Held, length: usize) -> Result<(), BodyError> {
    match length.saturating_sub(UNCOUNTED) {
        0 => Ok(()),
        counted => timeout(MAX_WAIT, held.grow_to(counted)).await.map_err(|_| BodyError::NoRoom),
    }
}

async fn receive<B: Body<Data = Bytes> + Unpin>(
    body: &mut B,
    limit: ByteSize,
    held: &mut Held,
) -> Result<Bytes, BodyError> {
    let most = limit.as_usize();
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if announced > most {
        return Err(BodyError::TooLarge { limit });
    }
    let mut received = Bytes::new();
    let mut joined = BytesMut::new();
    while let Some(frame) = body.frame().await {
        // Trailers say nothing that a push needs.
        let Ok(chunk) = frame.map_err(|_| BodyError::Broken)?.into_data() else { continue };
        let before = received.len().max(joined.len());
        if chunk.len() > most.saturating_sub(before) {
            return Err(BodyError::TooLarge { limit });
        }
        room(held, before + chunk.len()).await?;
        if received.is_empty() && joined.is_empty() {
            // Most bodies are one chunk, which is taken as it is.
            received = chunk;
        } else {
            if joined.is_empty() {
                joined.reserve(announced.clamp(received.len(), FIRST_ALLOCATION.max(received.len())));
                joined.extend_from_slice(&received);
            }
            joined.extend_from_slice(&chunk);
        }
    }
    Ok(if joined.is_empty() { received } else { joined.freeze() })
}

/// Goes on reading a body that nobody wants, for a while: a client that is still sending would take the end of its stream
/// for the end of everything, and not look at the answer.
pub(super) fn linger<B>(headers: &HeaderMap, body: B)
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
{
    // A client that asked first has not sent anything yet, and reading would invite it to.
    if !body.is_end_stream() && !headers.contains_key(EXPECT) {
        tokio::spawn(timeout(LINGER, discard(body)));
    }
}

async fn discard<B: Body<Data = Bytes> + Unpin>(mut body: B) {
    while let Some(Ok(_)) = body.frame().await {}
}

/// A decompression that can be left and taken up again on another thread.
struct Inflation {
    coding: Coding,
    decoder: Box<dyn Read + Send>,
    inflated: Vec<u8>,
    limit: ByteSize,
}

impl Inflation {
    fn new(coding: Coding, sent: Bytes, limit: ByteSize) -> Self {
        Self { coding, decoder: coding.decoder(sent), inflated: Vec::new(), limit }
    }

    /// What may still come. One byte more than is taken tells a body of just that size from a larger one.
    fn room(&self) -> usize {
        self.limit.as_usize().saturating_add(1).saturating_sub(self.inflated.len())
    }

    /// Goes on for at most `step` bytes; whether the end was reached.
    fn advance(&mut self, step: usize) -> Result<bool, BodyError> {
        let limit = self.limit.as_usize();
        let step = step.min(self.room());
        let mut part = self.decoder.by_ref().take(step as u64);
        let read = part.read_to_end(&mut self.inflated);
        let read = read.map_err(|error| BodyError::Corrupt { coding: self.coding.name(), error })?;
        if self.inflated.len() > limit {
            return Err(BodyError::DecompressedTooLarge { limit: self.limit });
        }
        Ok(read < step)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::io::Write as _;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use http::header::CONTENT_ENCODING;
    use hyper::body::{Frame, SizeHint};
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};

    use super::*;
    use crate::http::payload::Payload;

    /// Chunks of unknown total length, and then an end, an error or silence.
    struct Chunks(VecDeque<Bytes>, End);

    #[derive(Clone, Copy)]
    enum End {
        Orderly,
        Broken,
        Never,
    }

    impl Body for Chunks {
        type Data = Bytes;
        type Error = ();

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, ()>>> {
            match (self.0.pop_front(), self.1) {
                (Some(chunk), _) => Poll::Ready(Some(Ok(Frame::data(chunk)))),
                (None, End::Orderly) => Poll::Ready(None),
                (None, End::Broken) => Poll::Ready(Some(Err(()))),
                (None, End::Never) => Poll::Pending,
            }
        }

        fn size_hint(&self) -> SizeHint {
            SizeHint::default()
        }
    }

    fn chunks(parts: &[&[u8]], end: End) -> Chunks {
        Chunks(parts.iter().map(|part| Bytes::copy_from_slice(part)).collect(), end)
    }

    fn reader(sent: u64, decompressed: u64) -> BodyReader {
        let mut config = Config::default();
        config.push.max_body = ByteSize::bytes(sent);
        config.push.max_decompressed = ByteSize::bytes(decompressed);
        config.web.body_timeout = Duration::from_millis(20);
        BodyReader::new(&config, Turns::new(1, Arc::default()), Arc::default())
    }

    fn encoded(encoding: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_ENCODING, encoding.parse().unwrap());
        headers
    }

    fn gzip(plain: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    fn snappy(plain: &[u8]) -> Vec<u8> {
        let mut encoder = snap::write::FrameEncoder::new(Vec::new());
        encoder.write_all(plain).unwrap();
        encoder.into_inner().unwrap()
    }

    fn zstd(plain: &[u8]) -> Vec<u8> {
        compress_to_vec(plain, CompressionLevel::Fastest)
    }

    type Pack = fn(&[u8]) -> Vec<u8>;
    const CODINGS: [(&str, Pack); 3] = [("gzip", gzip), ("snappy", snappy), ("zstd", zstd)];

    async fn read(reader: &BodyReader, headers: &HeaderMap, body: Chunks) -> Result<Vec<u8>, String> {
        reader.read(headers, body).await.map(Vec::from).map_err(|error| error.to_string())
    }

    #[tokio::test]
    async fn a_body_is_its_chunks() {
        let none = HeaderMap::new();
        for parts in ["", "abc", "a||bc", "|abc", "a|b|c"] {
            let parts: Vec<&[u8]> = parts.split('|').map(str::as_bytes).collect();
            let body = read(&reader(3, 3), &none, chunks(&parts, End::Orderly)).await;
            assert_eq!(body, Ok(parts.concat()));
        }
    }

    #[tokio::test]
    async fn a_body_has_a_size_as_it_is_sent() {
        let none = HeaderMap::new();
        let refused = Err("the body is larger than 3B (push.max_body)".to_owned());
        assert_eq!(
            read(&reader(3, 9), &none, chunks(&[b"ab", b"c"], End::Orderly)).await,
            Ok(b"abc".to_vec())
        );
        assert_eq!(read(&reader(3, 9), &none, chunks(&[b"abcd"], End::Orderly)).await, refused);
        assert_eq!(read(&reader(3, 9), &none, chunks(&[b"ab", b"cd"], End::Never)).await, refused);
        let announced = Payload::from(Bytes::from_static(b"abcd"));
        assert!(matches!(reader(3, 9).read(&none, announced).await, Err(BodyError::TooLarge { .. })));
    }

    #[tokio::test]
    async fn compression_is_undone_whatever_its_parts_and_chunks() {
        for (name, pack) in CODINGS {
            let parts = [pack(b"first "), pack(b""), pack(b"second")].concat();
            let (head, tail) = parts.split_at(7);
            for encoding in [name, &name.to_ascii_uppercase()] {
                let body = chunks(&[head, tail], End::Orderly);
                let read = read(&reader(999, 12), &encoded(encoding), body).await;
                assert_eq!(read, Ok(b"first second".to_vec()), "{encoding}");
            }
        }
    }

    #[tokio::test]
    async fn a_body_has_a_size_when_it_is_decompressed() {
        // Below, at and above what is decompressed inline.
        let cases = [4, INLINE, 3 * INLINE].into_iter().flat_map(|size| CODINGS.map(|coding| (size, coding)));
        for (size, (name, pack)) in cases {
            let plain = vec![b'x'; size];
            let packed = pack(&plain);
            let at = reader(99_999, size as u64);
            assert_eq!(read(&at, &encoded(name), chunks(&[&packed], End::Orderly)).await, Ok(plain));
            let past = reader(99_999, size as u64 - 1);
            let error = read(&past, &encoded(name), chunks(&[&packed], End::Orderly)).await.unwrap_err();
            assert!(error.starts_with("the decompressed body is larger than "), "{error}");
            assert!(error.ends_with(" (push.max_decompressed)"), "{error}");
        }
    }

    #[tokio::test]
    async fn what_is_not_compressed_as_it_says_is_refused() {
        for (name, pack) in CODINGS {
            let whole = pack(b"metric 1\n");
            let cut = &whole[..whole.len() - 1];
            let mut corrupt = whole.clone();
            // The first byte of the checksum of gzip; of the data otherwise.
            let at = if name == "gzip" { 8 } else { 6 };
            let at = corrupt.len() - at;
            corrupt[at] ^= 1;
            let trailing = [&whole[..], b"junk"].concat();
            for body in [b"metric 1\n", cut, &corrupt, &trailing] {
                let body = chunks(&[body], End::Orderly);
                let error = read(&reader(999, 999), &encoded(name), body).await.unwrap_err();
                assert!(error.starts_with(&format!("the body is not {name}, as its ")), "{error}");
            }
        }
    }

    #[tokio::test]
    async fn nothing_is_a_body_for_snappy_alone() {
        for (name, expected) in [("gzip", false), ("snappy", true), ("zstd", false)] {
            let body = chunks(&[], End::Orderly);
            assert_eq!(read(&reader(9, 9), &encoded(name), body).await.is_ok(), expected, "{name}");
        }
    }

    #[tokio::test]
    async fn any_other_encoding_is_read_as_it_is() {
        for encoding in ["identity", "br", "gzip, br", "x-gzip", "zstd,gzip"] {
            let body = chunks(&[b"abc"], End::Orderly);
            assert_eq!(
                read(&reader(9, 9), &encoded(encoding), body).await,
                Ok(b"abc".to_vec()),
                "{encoding}"
            );
        }
    }

    #[tokio::test]
    async fn all_bodies_together_have_a_size_of_which_small_ones_are_no_part() {
        let limits = Arc::<LimitMetrics>::default();
        let mut config = Config::default();
        config.push.max_in_flight = ByteSize::mib(1);
        config.web.body_timeout = Duration::from_secs(60);
        let reader = BodyReader::new(&config, Turns::new(1, Arc::default()), limits.clone());
        let none = HeaderMap::new();
        let body = |length: usize| chunks(&[&vec![b'x'; length]], End::Orderly);
        let half = reader.read(&none, body(UNCOUNTED + (512 << 10))).await.unwrap();
        let other = reader.read(&none, body(UNCOUNTED + (512 << 10))).await.unwrap();
        assert_eq!(limits.used(Limit::InFlight), 1 << 20);
        let small = reader.read(&none, body(UNCOUNTED)).await.unwrap();
        assert_eq!(small.len(), UNCOUNTED);
        let error = reader.read(&none, body(UNCOUNTED + 1)).await.unwrap_err().to_string();
        assert_eq!(error, "too much is being pushed at the same time (push.max_in_flight)");
        // It waits for those before it.
        let waiting = reader.read(&none, body(UNCOUNTED + 1));
        let (waited, ()) = tokio::join!(waiting, async { drop(half) });
        assert_eq!(waited.unwrap().len(), UNCOUNTED + 1);
        drop((other, small));
        assert_eq!(limits.used(Limit::InFlight), 0);
    }

    #[tokio::test]
    async fn a_body_counts_with_what_it_is_decompressed_to() {
        let limits = Arc::<LimitMetrics>::default();
        let reader = BodyReader::new(&Config::default(), Turns::new(1, Arc::default()), limits.clone());
        for size in [4 * UNCOUNTED, INLINE + 5, 2 * STEP + 5] {
            let packed = gzip(&vec![b'x'; size]);
            let body = reader.read(&encoded("gzip"), chunks(&[&packed], End::Orderly)).await.unwrap();
            assert_eq!(limits.used(Limit::InFlight), (size - UNCOUNTED) as u64);
            drop(body);
            assert_eq!(limits.used(Limit::InFlight), 0);
        }
    }

    #[tokio::test]
    async fn a_body_that_does_not_come_is_not_waited_for() {
        let none = HeaderMap::new();
        let late = "the body took longer than 20 ms to arrive (web.body_timeout)".to_owned();
        assert_eq!(read(&reader(9, 9), &none, chunks(&[b"abc"], End::Never)).await, Err(late));
        let broken = "the body broke off".to_owned();
        assert_eq!(read(&reader(9, 9), &none, chunks(&[b"abc"], End::Broken)).await, Err(broken));
    }
}
