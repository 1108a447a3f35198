//! One direction of a connection: where in which message its next byte is.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::cache::Hint;
use super::chunked::Chunked;
use super::headers::is_field;
use super::start::{self, StartLine};
use crate::Side;

/// What the next byte belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// A head, or the empty lines before it.
    Head,
    /// A body of known length.
    Length { left: u64 },
    /// A chunked body.
    Chunked(Chunked),
    /// A body that the connection's end ends.
    UntilClose,
    /// Nothing known: look for the next message.
    Lost,
}

/// A direction's state. It owns a buffer only while a head or a line is incomplete.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) state: State,
    /// Position of the next byte; unset before the first segment.
    pub(super) position: Option<u64>,
    /// Time of the segment with the head's first byte.
    pub(super) head_ns: u64,
    /// The beginning of an incomplete head or, in `Lost`, line.
    pub(super) partial: Vec<u8>,
    /// Where in `partial` its last, incomplete line starts.
    line: usize,
    /// The head was found by searching: all its lines must be good.
    pub(super) strict: bool,
    /// A message was seen: what cannot be read now is an error, not the middle of something older.
    pub(super) synced: bool,
    /// The request whose head is arriving was answered, and counted as lost, already.
    pub(super) counted: bool,
    /// The response's request is unknown; if it was HEAD, there is no body: a status line comes
    /// next, of which so many bytes were held back.
    pub(super) maybe_head: Option<u8>,
    pub(super) hint: Hint,
}

/// Result of looking for a head's end.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Scan {
    /// It ends here.
    Complete(usize),
    /// It does not end in these bytes; the last line starts here.
    Incomplete(usize),
    /// The line that starts here cannot be in a head.
    Bad(usize),
}

/// Longest line searched for a start, and a bit.
const LONGEST_LINE: usize = 16 << 10;

impl Stream {
    pub(super) fn new(synced: bool) -> Self {
        Stream {
            state: if synced { State::Head } else { State::Lost },
            position: None,
            head_ns: 0,
            partial: Vec::new(),
            line: 0,
            strict: false,
            synced,
            counted: false,
            maybe_head: None,
            hint: 0,
        }
    }

    /// Whether a part of a head has arrived.
    pub(super) fn in_head(&self) -> bool {
        self.state == State::Head && !self.partial.is_empty()
    }

    /// Looks for the end of the head that `buffer` starts with, from the line at `from`.
    pub(super) fn scan(&self, side: Side, buffer: &[u8], from: usize) -> Scan {
        let mut line = from;
        for at in memchr::memchr_iter(b'\n', &buffer[from..]) {
            let end = from + at + 1;
            let text = &buffer[line..end];
            if line == 0 {
                if StartLine::parse(side, text).is_none() {
                    return Scan::Bad(0);
                }
            } else if matches!(text, b"\n" | b"\r\n") {
                return Scan::Complete(end);
            } else if (self.strict || start::hints(side, text)) && !is_field(text) {
                return Scan::Bad(line);
            }
            line = end;
        }
        Scan::Incomplete(line)
    }

    /// Adds `data`, which brings no line end that completes the head, to the partial head.
    pub(super) fn keep(&mut self, data: &[u8], line: usize) {
        self.partial.extend_from_slice(data);
        self.line = line;
    }

    /// Adds the next line of `data` to the partial head and looks at it: how many bytes were used, and the result.
    pub(super) fn scan_line(&mut self, side: Side, data: &[u8]) -> (usize, Scan) {
        let Some(end) = memchr::memchr(b'\n', data) else {
            self.partial.extend_from_slice(data);
            return (data.len(), Scan::Incomplete(self.line));
        };
        self.partial.extend_from_slice(&data[..=end]);
        let scan = self.scan(side, &self.partial, self.line);
        if let Scan::Incomplete(line) = scan {
            self.line = line;
        }
        (end + 1, scan)
    }

    /// A head is complete.
    pub(super) fn head_found(&mut self) {
        self.line = 0;
        self.strict = false;
        self.synced = true;
    }

    /// Gives the head or body at hand up and searches. True if that head itself was found by searching.
    pub(super) fn lose(&mut self) -> bool {
        self.state = State::Lost;
        self.line = 0;
        self.maybe_head = None;
        std::mem::take(&mut self.strict)
    }

    /// How many bytes of whole lines `data` starts with that name no version, and so start no message.
    fn dull(data: &[u8]) -> Option<usize> {
        static VERSION: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"HTTP/1."));
        let before = VERSION.find(data).map_or(data, |at| &data[..at]);
        memchr::memrchr(b'\n', before).map(|end| end + 1)
    }

    /// Searches the next line of `data` for the start of a message: how many bytes were used up. Having found one, the
    /// state is `Head`.
    pub(super) fn search(&mut self, side: Side, data: &[u8], time_ns: u64) -> usize {
        if self.partial.is_empty()
            && let Some(dull) = Self::dull(data)
        {
            return dull;
        }
        let Some(end) = memchr::memchr(b'\n', data) else {
            self.partial
                .extend_from_slice(&data[data.len().saturating_sub(LONGEST_LINE)..]);
            if self.partial.len() > 2 * LONGEST_LINE {
                self.partial.drain(..self.partial.len() - LONGEST_LINE);
            }
            return data.len();
        };
        let (found, used) = if self.partial.is_empty() {
            let line = &data[..=end];
            match start::find(side, line) {
                Some(at) => (true, at),
                None => (false, end + 1),
            }
        } else {
            self.partial.extend_from_slice(&data[..=end]);
            match start::find(side, &self.partial) {
                Some(at) => {
                    self.partial.drain(..at);
                    self.line = self.partial.len();
                    (true, end + 1)
                }
                None => {
                    self.partial.clear();
                    (false, end + 1)
                }
            }
        };
        if found {
            self.state = State::Head;
            self.strict = true;
            self.head_ns = time_ns;
        }
        used
    }
}
