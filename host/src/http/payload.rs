//! The bodies of answers: bytes that are there already, so an answer has a length and cannot fail half way.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};
use hyper::body::{Body, Frame, SizeHint};

/// Plain text for people.
pub(super) const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

/// Chunks that are sent one after the other. A scrape shares its chunks with the store and with other scrapes.
#[derive(Debug, Default)]
pub struct Payload {
    chunks: VecDeque<Bytes>,
    /// Bytes in all chunks that are left.
    length: u64,
}

impl Payload {
    /// How many bytes are left to send.
    pub(super) fn len(&self) -> u64 {
        self.length
    }

    /// The same with another last chunk of the same length.
    pub(super) fn map_last(mut self, change: impl FnOnce(Bytes) -> Bytes) -> Self {
        let last = self.chunks.pop_back().map(change);
        self.chunks.extend(last);
        self
    }

    /// The next chunk, or as much of it as is allowed.
    pub(super) fn take(&mut self, most: usize) -> Option<Bytes> {
        let mut chunk = self.chunks.pop_front()?;
        if chunk.len() > most {
            self.chunks.push_front(chunk.split_off(most));
        }
        self.length -= chunk.len() as u64;
        Some(chunk)
    }
}

impl FromIterator<Bytes> for Payload {
    fn from_iter<I: IntoIterator<Item = Bytes>>(chunks: I) -> Self {
        // hyper takes an empty frame for a mistake.
        let chunks: VecDeque<Bytes> = chunks.into_iter().filter(|chunk| !chunk.is_empty()).collect();
        let length = chunks.iter().map(|chunk| chunk.len() as u64).sum();
        Self { chunks, length }
    }
}

impl From<Bytes> for Payload {
    fn from(chunk: Bytes) -> Self {
        Self::from_iter([chunk])
    }
}

impl Body for Payload {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.take(usize::MAX).map(|chunk| Ok(Frame::data(chunk))))
    }

    fn is_end_stream(&self) -> bool {
        self.chunks.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.length)
    }
}

/// An answer without a body.
pub(super) fn empty(status: StatusCode) -> Response<Payload> {
    let mut response = Response::new(Payload::default());
    *response.status_mut() = status;
    response
}

/// An answer with a body of one piece.
pub(super) fn whole(
    status: StatusCode,
    media_type: HeaderValue,
    body: impl Into<Bytes>,
) -> Response<Payload> {
    let mut response = Response::new(Payload::from(body.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, media_type);
    response
}

#[cfg(test)]
impl Payload {
    /// The chunks, in order.
    pub(super) fn into_chunks(self) -> impl Iterator<Item = Bytes> {
        self.chunks.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    #[test]
    fn a_payload_is_its_chunks_and_knows_what_is_left() {
        let mut payload: Payload = [&b"ab"[..], b"", b"cde"].into_iter().map(Bytes::from_static).collect();
        let mut context = Context::from_waker(Waker::noop());
        let mut next = || match Pin::new(&mut payload).poll_frame(&mut context) {
            Poll::Ready(frame) => (frame.map(|frame| frame.unwrap().into_data().unwrap()), payload.length),
            Poll::Pending => panic!("there is nothing to wait for"),
        };
        assert_eq!(next(), (Some(Bytes::from_static(b"ab")), 3));
        assert_eq!(next(), (Some(Bytes::from_static(b"cde")), 0));
        assert_eq!(next(), (None, 0));
        assert!(payload.is_end_stream());
    }

    #[test]
    fn a_large_chunk_can_be_taken_in_pieces() {
        let mut payload: Payload = [&b"abcde"[..], b"f"].into_iter().map(Bytes::from_static).collect();
        let pieces: Vec<_> =
            std::iter::from_fn(|| payload.take(2).map(|piece| (piece, payload.len()))).collect();
        let expected = [(&b"ab"[..], 4), (b"cd", 2), (b"e", 1), (b"f", 0)];
        assert_eq!(pieces, expected.map(|(piece, left)| (Bytes::from_static(piece), left)));
    }

    #[test]
    fn the_length_is_told_before_the_first_byte() {
        let payload = Payload::from(Bytes::from_static(b"abc"));
        assert_eq!(payload.size_hint().exact(), Some(3));
        assert_eq!(Payload::default().size_hint().exact(), Some(0));
        assert!(Payload::default().is_end_stream());
    }
}
