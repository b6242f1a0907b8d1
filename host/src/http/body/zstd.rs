//! zstd as a stream of bytes. A body may be several frames, one behind the other, which the decoder leaves to its user.

use std::io::{self, Read};

use bytes::buf::Reader;
use bytes::{Buf as _, Bytes};
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

/// The most memory that a frame may ask for to look back: what every receiver of the encoding has to have.
/// <https://www.rfc-editor.org/rfc/rfc9659>
const MAX_WINDOW: u64 = 8 << 20;

pub(super) struct ZstdDecoder {
    sent: Reader<Bytes>,
    decoder: FrameDecoder,
    /// Whether a frame was begun and its end not seen yet.
    in_frame: bool,
    /// Whether there was a frame at all: no bytes are no zstd.
    began: bool,
}

impl ZstdDecoder {
    pub(super) fn new(sent: Bytes) -> Self {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(MAX_WINDOW);
        Self { sent: sent.reader(), decoder, in_frame: false, began: false }
    }

    /// Begins the next frame; whether there is one.
    fn begin(&mut self) -> io::Result<bool> {
        while self.sent.get_ref().has_remaining() || !self.began {
            self.began = true;
            match self.decoder.reset(&mut self.sent) {
                Ok(()) => return Ok(true),
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                    length,
                    ..
                })) => self.skip(length)?,
                Err(error) => return Err(io::Error::new(io::ErrorKind::InvalidData, error)),
            }
        }
        Ok(false)
    }

    /// Passes over a frame that is for others.
    fn skip(&mut self, length: u32) -> io::Result<()> {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length > self.sent.get_ref().remaining() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.sent.get_mut().advance(length);
        Ok(())
    }

    fn end(&mut self) -> io::Result<()> {
        self.in_frame = false;
        let (sent, calculated) =
            (self.decoder.get_checksum_from_data(), self.decoder.get_calculated_checksum());
        if sent.is_some() && sent != calculated {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the checksum is another one"));
        }
        Ok(())
    }
}

impl Read for ZstdDecoder {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if !self.in_frame {
                if !self.begin()? {
                    return Ok(0);
                }
                self.in_frame = true;
            }
            while self.decoder.can_collect() == 0 && !self.decoder.is_finished() {
                let step = BlockDecodingStrategy::UptoBlocks(1);
                let decoded = self.decoder.decode_blocks(&mut self.sent, step);
                decoded.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
            }
            let read = self.decoder.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            self.end()?;
        }
    }
}

#[cfg(test)]
mod tests {
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};

    use super::*;

    fn read(sent: &[u8]) -> io::Result<Vec<u8>> {
        let mut plain = Vec::new();
        ZstdDecoder::new(Bytes::copy_from_slice(sent)).read_to_end(&mut plain)?;
        Ok(plain)
    }

    fn frame(plain: &[u8]) -> Vec<u8> {
        compress_to_vec(plain, CompressionLevel::Fastest)
    }

    #[test]
    fn a_body_is_all_its_frames() {
        let skipped = [&0x184D_2A53_u32.to_le_bytes()[..], &3_u32.to_le_bytes(), b"abc"].concat();
        let large = b"metric 1\n".repeat(99_999);
        for (body, plain) in [
            (frame(b"a 1\n"), b"a 1\n".to_vec()),
            (frame(b""), Vec::new()),
            (skipped.clone(), Vec::new()),
            ([frame(b"a 1\n"), skipped, frame(b""), frame(b"b 1\n")].concat(), b"a 1\nb 1\n".to_vec()),
            (frame(&large), large.clone()),
        ] {
            assert_eq!(read(&body).unwrap(), plain);
        }
    }

    #[test]
    fn what_is_no_zstd_is_an_error() {
        let whole = frame(b"metric 1\nmetric 2\n");
        let mut corrupt = whole.clone();
        *corrupt.last_mut().unwrap() ^= 1;
        let long_skip = [&0x184D_2A50_u32.to_le_bytes()[..], &u32::MAX.to_le_bytes(), b"abc"].concat();
        let trailing = [&whole[..], b"junk"].concat();
        for body in [b"" as &[u8], b"a 1\n", &whole[..whole.len() - 1], &corrupt, &long_skip, &trailing] {
            assert!(read(body).is_err(), "{body:?}");
        }
    }

    #[test]
    fn a_frame_that_looks_back_too_far_is_refused() {
        // A window of 8 MiB and one of the next size, and a last block that is raw and empty.
        let frame = |window: u8| [&0xFD2F_B528_u32.to_le_bytes()[..], &[0, window, 1, 0, 0]].concat();
        assert_eq!(read(&frame(13 << 3)).unwrap(), b"");
        assert!(read(&frame(13 << 3 | 1)).is_err());
        assert!(read(&frame(u8::MAX)).is_err());
    }
}
