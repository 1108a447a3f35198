//! The chunked transfer coding (RFC 9112 7.1), one byte range at a time.

/// Where in the coding a stream is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Chunked {
    /// In a chunk's size, with `digits` digits read.
    Size { size: u64, digits: u8 },
    /// After the size: extension, up to the line's end.
    Extension { size: u64 },
    /// In a chunk's data.
    Data { left: u64 },
    /// In the line end after the data.
    DataEnd,
    /// In the trailers, `line` bytes into a line (carriage returns not counted), after `total` bytes of trailers.
    Trailer { line: u32, total: u32 },
}

/// What the next bytes are.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// So many bytes of framing.
    Framing(usize),
    /// So many bytes of body.
    Body(usize),
    /// So many bytes of framing, and the body has ended.
    End(usize),
    /// The bytes are not chunked.
    Broken,
}

/// Trailers longer than this are no trailers.
const LONGEST_TRAILERS: u32 = 64 << 10;

impl Chunked {
    pub(super) const START: Chunked = Chunked::Size { size: 0, digits: 0 };

    /// Takes a step into `data`, which is not empty.
    pub(super) fn step(&mut self, data: &[u8]) -> Step {
        match self {
            Chunked::Size { size, digits } => {
                for (at, &byte) in data.iter().enumerate() {
                    if let Some(digit) = (byte as char).to_digit(16) {
                        if *digits == 15 {
                            return Step::Broken;
                        }
                        *size = *size << 4 | u64::from(digit);
                        *digits += 1;
                        continue;
                    }
                    if *digits == 0 || !matches!(byte, b'\r' | b'\n' | b';' | b' ' | b'\t') {
                        return Step::Broken;
                    }
                    *self = Chunked::Extension { size: *size };
                    return Step::Framing(at);
                }
                Step::Framing(data.len())
            }
            Chunked::Extension { size } => {
                let Some(end) = memchr::memchr(b'\n', data) else {
                    return Step::Framing(data.len());
                };
                *self = match *size {
                    0 => Chunked::Trailer { line: 0, total: 0 },
                    left => Chunked::Data { left },
                };
                Step::Framing(end + 1)
            }
            Chunked::Data { left } => {
                let now = usize::try_from(*left).map_or(data.len(), |left| left.min(data.len()));
                *left -= now as u64;
                if *left == 0 {
                    *self = Chunked::DataEnd;
                }
                Step::Body(now)
            }
            Chunked::DataEnd => match data[0] {
                b'\r' => Step::Framing(1),
                b'\n' => {
                    *self = Chunked::START;
                    Step::Framing(1)
                }
                _ => Step::Broken,
            },
            Chunked::Trailer { line, total } => {
                let end = memchr::memchr(b'\n', data);
                let seen = &data[..end.unwrap_or(data.len())];
                *line = line.saturating_add(seen.iter().filter(|&&b| b != b'\r').count() as u32);
                *total = total.saturating_add(seen.len() as u32 + 1);
                match end {
                    _ if *total > LONGEST_TRAILERS => Step::Broken,
                    None => Step::Framing(data.len()),
                    Some(end) if *line == 0 => Step::End(end + 1),
                    Some(end) => {
                        *line = 0;
                        Step::Framing(end + 1)
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(mut data: &[u8]) -> Option<(Vec<u8>, usize)> {
        let (mut state, mut body, total) = (Chunked::START, Vec::new(), data.len());
        while !data.is_empty() {
            let used = match state.step(data) {
                Step::Framing(n) => n,
                Step::Body(n) => {
                    body.extend_from_slice(&data[..n]);
                    n
                }
                Step::End(n) => return Some((body, total - data.len() + n)),
                Step::Broken => return None,
            };
            data = &data[used..];
        }
        None
    }

    #[test]
    fn extensions_trailers_and_lone_line_feeds() {
        let whole = b"3;a=\"b\"\r\nabc\r\n00A \r\n0123456789\r\n0\r\nX: y\r\nZ: \r\n\r\n";
        assert_eq!(decode(whole), Some((b"abc0123456789".to_vec(), whole.len())));
        assert_eq!(decode(b"1\na\n0\n\nHTTP"), Some((b"a".to_vec(), 7)));
    }

    #[test]
    fn refuses_what_is_not_chunked() {
        for bad in [
            &b"\r\n"[..],
            b"g\r\n",
            b"1234567890123456\r\n",
            b"1\r\nab\r\n",
            b"-1\r\n",
        ] {
            assert_eq!(decode(bad), None, "{}", bad.escape_ascii());
        }
    }
}
