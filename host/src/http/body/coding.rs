//! How a body was compressed, and how that is undone.

use std::io::Read;

use bytes::{Buf as _, Bytes};
use flate2::bufread::MultiGzDecoder;
use http::HeaderMap;
use http::header::CONTENT_ENCODING;

use super::zstd::ZstdDecoder;

/// The encodings that are undone: those of the original Pushgateway, and zstd.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    /// Any number of gzip members.
    Gzip,
    /// Snappy's framing format. Remote write uses the other one, without frames.
    Snappy,
    /// Any number of zstd frames.
    Zstd,
}

impl Coding {
    /// The encoding that the headers name. The whole value must be the word: a list of encodings is one that is not
    /// known, and what is not known is read as it is, as the original does; what it hides is then no metrics.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let value = headers.get(CONTENT_ENCODING)?.as_bytes();
        let all = [Self::Gzip, Self::Snappy, Self::Zstd];
        all.into_iter().find(|coding| value.eq_ignore_ascii_case(coding.name().as_bytes()))
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Snappy => "snappy",
            Self::Zstd => "zstd",
        }
    }

    /// The body as it was. None of the decoders needs more than a few MiB of its own, whatever it is given.
    pub(super) fn decoder(self, sent: Bytes) -> Box<dyn Read + Send> {
        match self {
            Self::Gzip => Box::new(MultiGzDecoder::new(sent.reader())),
            Self::Snappy => Box::new(snap::read::FrameDecoder::new(sent.reader())),
            Self::Zstd => Box::new(ZstdDecoder::new(sent)),
        }
    }
}
