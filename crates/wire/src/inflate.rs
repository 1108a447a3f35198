//! Bounded inflating of captured, often cut, gzip and deflate bodies.

use flate2::{Decompress, FlushDecompress, Status};

/// An inflater whose window is kept from one body to the next.
#[derive(Debug, Default)]
pub(crate) struct Inflater {
    raw: Option<Box<Decompress>>,
}

/// Why nothing came out.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Corrupt;

impl Inflater {
    /// Inflates `input` (gzip member) until `out`, emptied first, holds `cap` bytes. `Ok(true)`: that was all of it.
    pub(crate) fn gzip(&mut self, input: &[u8], cap: usize, out: &mut Vec<u8>) -> Result<bool, Corrupt> {
        self.run(gzip_payload(input)?, cap, out)
    }

    /// As `gzip`, for `Content-Encoding: deflate`: a zlib stream, or raw deflate as some servers send.
    pub(crate) fn deflate(&mut self, input: &[u8], cap: usize, out: &mut Vec<u8>) -> Result<bool, Corrupt> {
        let payload = match input {
            [method, flags, rest @ ..]
                if method & 0x0f == 8
                    && flags & 0x20 == 0
                    && u16::from_be_bytes([*method, *flags]) % 31 == 0 =>
            {
                rest
            }
            _ => input,
        };
        self.run(payload, cap, out)
    }

    fn run(&mut self, input: &[u8], cap: usize, out: &mut Vec<u8>) -> Result<bool, Corrupt> {
        let raw = self.raw.get_or_insert_with(|| Box::new(Decompress::new(false)));
        raw.reset(false);
        out.clear();
        out.reserve_exact(cap);
        let room = out.capacity().min(cap);
        let mut read = 0;
        loop {
            // `decompress_vec` fills the spare capacity, which may be larger than `cap`; the caller's cut handles that.
            let before = (raw.total_in(), raw.total_out());
            let status = raw
                .decompress_vec(&input[read..], out, FlushDecompress::None)
                .map_err(|_| Corrupt)?;
            read = usize::try_from(raw.total_in()).map_err(|_| Corrupt)?;
            if status == Status::StreamEnd {
                return Ok(true);
            }
            if out.len() >= room || (raw.total_in(), raw.total_out()) == before {
                return Ok(false);
            }
        }
    }
}

/// What follows the header of a gzip member (RFC 1952). A header that is cut leaves nothing.
fn gzip_payload(input: &[u8]) -> Result<&[u8], Corrupt> {
    const HCRC: u8 = 2;
    const EXTRA: u8 = 4;
    const NAME: u8 = 8;
    const COMMENT: u8 = 16;
    let magic = [0x1f, 0x8b, 8];
    let shown = input.len().min(magic.len());
    if input[..shown] != magic[..shown] {
        return Err(Corrupt);
    }
    let Some((head, mut rest)) = input.split_at_checked(10) else {
        return Ok(&[]);
    };
    let flags = head[3];
    if flags & EXTRA != 0 {
        let Some((length, after)) = rest.split_first_chunk() else {
            return Ok(&[]);
        };
        rest = after
            .get(usize::from(u16::from_le_bytes(*length))..)
            .unwrap_or_default();
    }
    for flag in [NAME, COMMENT] {
        if flags & flag != 0 {
            let end = memchr::memchr(0, rest).map_or(rest.len(), |at| at + 1);
            rest = &rest[end..];
        }
    }
    if flags & HCRC != 0 {
        rest = rest.get(2..).unwrap_or_default();
    }
    Ok(rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write};
    use std::io::Write;

    fn zip(input: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::GzBuilder::new()
            .filename("f")
            .comment("c")
            .extra(b"x".to_vec())
            .write(Vec::new(), Compression::default());
        encoder.write_all(input).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn gzip_whole_cut_and_capped() {
        let text = b"hello hello hello hello, inflated".repeat(20);
        let zipped = zip(&text);
        let (mut inflater, mut out) = (Inflater::default(), Vec::new());
        assert_eq!(inflater.gzip(&zipped, 4096, &mut out), Ok(true));
        assert_eq!(out, text);
        assert_eq!(
            inflater.gzip(&zipped[..zipped.len() - 20], 4096, &mut out),
            Ok(false)
        );
        assert!(text.starts_with(&out));
        assert_eq!(inflater.gzip(b"plainly not", 4096, &mut out), Err(Corrupt));
        for cut in 0..zipped.len() {
            assert!(
                inflater.gzip(&zipped[..cut], 4096, &mut out).is_ok(),
                "cut at {cut}"
            );
            assert!(text.starts_with(&out));
        }
    }

    #[test]
    fn a_bomb_stays_small() {
        let zipped = zip(&vec![0; 50 << 20]);
        let (mut inflater, mut out) = (Inflater::default(), Vec::new());
        assert_eq!(inflater.gzip(&zipped, 600, &mut out), Ok(false));
        assert!(out.len() >= 600 && out.capacity() < 10_000);
    }

    #[test]
    fn deflate_both_ways() {
        let (mut inflater, mut out) = (Inflater::default(), Vec::new());
        let mut zlib = write::ZlibEncoder::new(Vec::new(), Compression::best());
        zlib.write_all(b"some text").unwrap();
        assert_eq!(inflater.deflate(&zlib.finish().unwrap(), 99, &mut out), Ok(true));
        assert_eq!(out, b"some text");
        let mut raw = write::DeflateEncoder::new(Vec::new(), Compression::best());
        raw.write_all(b"some text").unwrap();
        assert_eq!(inflater.deflate(&raw.finish().unwrap(), 99, &mut out), Ok(true));
        assert_eq!(out, b"some text");
    }
}
