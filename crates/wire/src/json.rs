//! JSON text under construction, in a buffer that is used again.

use std::ops::Range;

use crate::lanes::{self, LANES};
use crate::text;

/// A piece of text that is copied as a whole, whatever its length: shorter than finding out how much to copy.
pub(crate) type Piece = [u8; 64];

/// A name, as the first `length` bytes of a piece that ends in a quotation mark, and its value: a range of some data.
pub(crate) struct Pair<'a> {
    pub(crate) piece: &'a Piece,
    pub(crate) length: usize,
    pub(crate) value: Range<usize>,
    /// The value needs no escapes.
    pub(crate) plain: bool,
}

/// A text; its buffer is never shrunk, so nothing is zeroed twice.
#[derive(Debug, Default)]
pub(crate) struct Json {
    buffer: Vec<u8>,
    at: usize,
    escaped: Vec<u8>,
}

impl Json {
    pub(crate) fn clear(&mut self) {
        self.at = 0;
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.buffer[..self.at]
    }

    pub(crate) fn len(&self) -> usize {
        self.at
    }

    /// Makes room for `more` bytes.
    #[inline(always)]
    fn reserve(&mut self, more: usize) {
        if self.buffer.len() < self.at + more {
            self.grow(more);
        }
    }

    #[cold]
    fn grow(&mut self, more: usize) {
        self.buffer.resize((self.at + more).next_power_of_two(), 0);
    }

    /// Adds what needs no escapes.
    pub(crate) fn push(&mut self, plain: &[u8]) {
        self.reserve(plain.len());
        self.buffer[self.at..self.at + plain.len()].copy_from_slice(plain);
        self.at += plain.len();
    }

    /// Replaces the first byte.
    pub(crate) fn set_first(&mut self, byte: u8) {
        if let Some(first) = self.buffer.first_mut() {
            *first = byte;
        }
    }

    /// Adds `pairs`, whose values are in `data`, until there are more than `cap` bytes. `values` is the bytes of all values.
    #[inline(always)]
    pub(crate) fn push_pairs<'a>(
        &mut self,
        data: &[u8],
        cap: usize,
        values: usize,
        pairs: impl ExactSizeIterator<Item = Pair<'a>>,
    ) {
        // For each, a piece, an end and as much as is copied too much.
        let room = (pairs.len() + 1) * (2 * size_of::<Piece>()) + 2 * values;
        self.reserve(room);
        let (mut out, mut at) = (&mut self.buffer[..], self.at);
        for Pair {
            piece,
            length,
            value,
            plain,
        } in pairs
        {
            if at > cap {
                break;
            }
            let to = &mut out[at..];
            if length <= 32 {
                if let (Some(to), Some(from)) = (to.first_chunk_mut::<32>(), piece.first_chunk()) {
                    *to = *from;
                }
            } else if let Some(to) = to.first_chunk_mut() {
                *to = *piece;
            }
            at += length;
            if !plain {
                self.at = at;
                self.string(data, value);
                self.reserve(room);
                (out, at) = (&mut self.buffer[..], self.at);
                continue;
            }
            let (to, size) = (&mut out[at..], value.len());
            match (
                size,
                to.first_chunk_mut::<32>(),
                data[value.start..].first_chunk(),
            ) {
                (0..=32, Some(to), Some(from)) => *to = *from,
                _ => to[..size].copy_from_slice(&data[value]),
            }
            to[size] = b'"';
            at += size + 1;
        }
        self.at = at;
    }

    /// Adds `range` of `data` as the rest of a string, with the quotation mark that ends it.
    pub(crate) fn finish_string(&mut self, data: &[u8], range: Range<usize>) {
        self.reserve(2 * range.len() + LANES + 1);
        self.string(data, range);
    }

    /// As `finish_string`. There is room: an escape is two bytes, but for those that `push_others` makes room for.
    #[inline(always)]
    fn string(&mut self, data: &[u8], range: Range<usize>) {
        let Range { mut start, end } = range;
        let (out, mut at) = (&mut self.buffer[..], self.at);
        while start < end {
            let lanes = lanes::load(data, start);
            let left = end - start;
            let marks = lanes::not_plain(&lanes) & lanes::first(left);
            if let Some(to) = out[at..].first_chunk_mut() {
                *to = lanes;
            }
            if marks == 0 {
                at += left.min(LANES);
                start += LANES;
                continue;
            }
            let plain = marks.trailing_zeros() as usize;
            at += plain;
            start += plain;
            match data[start] {
                mark @ (b'"' | b'\\') => {
                    if let Some(to) = out[at..].first_chunk_mut() {
                        *to = [b'\\', mark];
                    }
                    at += 2;
                    start += 1;
                }
                _ => {
                    self.at = at;
                    return self.push_others(&data[start..end]);
                }
            }
        }
        out[at] = b'"';
        self.at = at + 1;
    }

    /// Adds the rest of a string that starts with a control character or with what is not ASCII.
    #[cold]
    fn push_others(&mut self, bytes: &[u8]) {
        let mut escaped = std::mem::take(&mut self.escaped);
        escaped.clear();
        text::push_json(&mut escaped, bytes);
        escaped.push(b'"');
        self.push(&escaped);
        self.escaped = escaped;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn string(data: &[u8], range: Range<usize>) -> Vec<u8> {
        let mut json = Json::default();
        json.push(b"\"");
        json.finish_string(data, range);
        json.bytes().to_vec()
    }

    #[test]
    fn escapes_at_every_place() {
        for length in 0..50 {
            for byte in [b'"', b'\\', 0x7f, b'\n', 0, 0xc3, b' '] {
                let mut data = vec![b'x'; length];
                data.push(byte);
                data.extend_from_slice(b"yz");
                let mut expected = b"\"".to_vec();
                text::push_json(&mut expected, &data[..length + 2]);
                expected.push(b'"');
                assert_eq!(string(&data, 0..length + 2), expected);
            }
        }
        assert_eq!(string(b"abc", 1..1), b"\"\"");
    }

    #[test]
    fn pieces() {
        let mut json = Json::default();
        let pair = |piece, length, value: Range<usize>| Pair {
            piece,
            length,
            plain: value == (1..2),
            value,
        };
        let pairs = [pair(&[b'a'; 64], 3, 1..2), pair(&[b'b'; 64], 60, 0..0)];
        json.push_pairs(b"xyz", 99, 1, pairs.into_iter());
        json.set_first(b'{');
        assert_eq!(json.bytes(), [&b"{aay\""[..], &[b'b'; 60], b"\""].concat());
        json.clear();
        assert_eq!(json.len(), 0);
    }

    proptest! {
        #[test]
        fn any_text_reads_back(text in "(?s).{0,100}", before in 0..20_usize) {
            let data = [&vec![b'"'; before], text.as_bytes(), b"\"\\"].concat();
            let json = string(&data, before..before + text.len());
            prop_assert_eq!(serde_json::from_slice::<String>(&json).unwrap(), text);
        }
    }
}
