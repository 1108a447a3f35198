//! Recordings of what the kernel handed over, to run the same events again without a kernel.
//!
//! A file begins with the 8 bytes `SYLPHREC`, a version and the agent's short id (u32 each). Entries follow: length of
//! the payload (u32), one byte that says what it is, the payload. All numbers little-endian.

mod encode;

use std::fmt;
use std::io::{self, BufReader, BufWriter, Read, Write};

pub use encode::encode;

use crate::event::{self, Event};

const MAGIC: &[u8; 8] = b"SYLPHREC";
const VERSION: u32 = 1;
/// Longest payload; the kernel's events are shorter.
const MAX_PAYLOAD: usize = 1 << 20;

const EVENT: u8 = 1;
const PASS: u8 = 2;
const OPEN: u8 = 3;
const OPEN_END: u8 = 4;

/// When a pass over the ring began.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pass {
    /// Monotonic clock, ns.
    pub now_ns: u64,
    /// Wall clock minus monotonic clock, ns.
    pub clock: i64,
    /// Events that have found the ring full so far.
    pub ring_losses: u64,
}

/// One entry of a recording.
#[derive(Debug)]
pub enum Entry<'a> {
    /// A pass over the ring begins.
    Pass(Pass),
    /// An event from the ring.
    Event(Event<'a>),
    /// A connection in the kernel's table of open ones.
    Open(&'a event::Close),
    /// The table has been read to its end.
    OpenEnd,
}

/// Why a recording cannot be read (further).
#[derive(Debug)]
pub enum Error {
    /// It does not begin as a recording does.
    NotARecording,
    /// It was written by a newer version.
    Version(u32),
    /// An entry that cannot be; `at` is its offset in bytes.
    Corrupt {
        /// Offset in bytes.
        at: u64,
        /// What is wrong.
        what: &'static str,
    },
    /// The file ends within an entry, at this offset: whoever wrote it did not finish.
    Torn(u64),
    /// Reading failed.
    Io(io::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotARecording => f.write_str("this is not a recording made by Sylph"),
            Self::Version(version) => {
                write!(
                    f,
                    "the recording has version {version}; this program reads version {VERSION}"
                )
            }
            Self::Corrupt { at, what } => write!(f, "the recording is damaged at byte {at}: {what}"),
            Self::Torn(at) => write!(f, "the recording ends within an entry at byte {at}"),
            Self::Io(error) => write!(f, "the recording cannot be read: {error}"),
        }
    }
}

impl std::error::Error for Error {}

/// Writes a recording of at most so many bytes.
pub struct Recorder<W: Write> {
    out: BufWriter<W>,
    room: u64,
    buffer: Vec<u8>,
}

impl<W: Write> Recorder<W> {
    /// Begins a recording that ends before it is longer than `max_bytes`.
    pub fn new(out: W, asid: u32, max_bytes: u64) -> io::Result<Self> {
        let mut out = BufWriter::with_capacity(1 << 20, out);
        out.write_all(MAGIC)?;
        out.write_all(&VERSION.to_le_bytes())?;
        out.write_all(&asid.to_le_bytes())?;
        Ok(Self {
            out,
            room: max_bytes.saturating_sub(16),
            buffer: Vec::new(),
        })
    }

    /// Writes that a pass begins. This and the others return false when there is no more room.
    pub fn pass(&mut self, pass: &Pass) -> io::Result<bool> {
        self.buffer.clear();
        self.buffer.extend_from_slice(&pass.now_ns.to_le_bytes());
        self.buffer.extend_from_slice(&pass.clock.to_le_bytes());
        self.buffer.extend_from_slice(&pass.ring_losses.to_le_bytes());
        self.entry(PASS)
    }

    /// Writes an event.
    pub fn event(&mut self, event: &Event<'_>) -> io::Result<bool> {
        self.buffer.clear();
        encode(event, &mut self.buffer);
        self.entry(EVENT)
    }

    /// Writes an entry of the table of open connections.
    pub fn open(&mut self, totals: &event::Close) -> io::Result<bool> {
        self.buffer.clear();
        encode(&Event::Close(totals), &mut self.buffer);
        self.entry(OPEN)
    }

    /// Writes that the table has ended.
    pub fn open_end(&mut self) -> io::Result<bool> {
        self.buffer.clear();
        self.entry(OPEN_END)
    }

    fn entry(&mut self, tag: u8) -> io::Result<bool> {
        let size = self.buffer.len() as u64 + 5;
        if size > self.room {
            self.room = 0;
            return Ok(false);
        }
        self.room -= size;
        self.out.write_all(&(self.buffer.len() as u32).to_le_bytes())?;
        self.out.write_all(&[tag])?;
        self.out.write_all(&self.buffer)?;
        Ok(true)
    }

    /// Writes what is still buffered.
    pub fn finish(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Reads a recording; trusts nothing in it.
pub struct Replay<R: Read> {
    input: BufReader<R>,
    at: u64,
    asid: u32,
    buffer: Vec<u8>,
}

impl<R: Read> Replay<R> {
    /// Reads the beginning of a recording.
    pub fn new(input: R) -> Result<Self, Error> {
        let mut input = BufReader::with_capacity(1 << 20, input);
        let mut head = [0; 16];
        input.read_exact(&mut head).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => Error::NotARecording,
            _ => Error::Io(error),
        })?;
        let word = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        if head[..8] != *MAGIC {
            return Err(Error::NotARecording);
        }
        if word(8) != VERSION {
            return Err(Error::Version(word(8)));
        }
        Ok(Self {
            input,
            at: 16,
            asid: word(12),
            buffer: Vec::new(),
        })
    }

    /// Short id of the agent that recorded.
    pub fn asid(&self) -> u32 {
        self.asid
    }

    /// Gives the next entry to `on_entry`. False at the end.
    pub fn next(&mut self, on_entry: &mut dyn FnMut(Entry<'_>)) -> Result<bool, Error> {
        let mut head = [0; 5];
        match self.fill(&mut head)? {
            0 => return Ok(false),
            5 => {}
            _ => return Err(Error::Torn(self.at)),
        }
        let length = u32::from_le_bytes([head[0], head[1], head[2], head[3]]) as usize;
        if length > MAX_PAYLOAD {
            return Err(self.corrupt("an entry is longer than any event"));
        }
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.resize(length, 0);
        let filled = self.fill(&mut buffer);
        let result = match filled {
            Ok(filled) if filled < length => Err(Error::Torn(self.at)),
            Ok(_) => self.entry(head[4], &buffer, on_entry),
            Err(error) => Err(error),
        };
        self.buffer = buffer;
        self.at += 5 + length as u64;
        result.map(|()| true)
    }

    fn entry(&self, tag: u8, payload: &[u8], on_entry: &mut dyn FnMut(Entry<'_>)) -> Result<(), Error> {
        match tag {
            EVENT => {
                if !event::read(payload, &mut |event| on_entry(Entry::Event(event))) {
                    return Err(self.corrupt("an event of no known kind, or too short"));
                }
            }
            PASS => {
                let number = |index: usize| {
                    payload
                        .get(index * 8..index * 8 + 8)
                        .and_then(|b| b.try_into().ok())
                        .map(u64::from_le_bytes)
                };
                let (Some(now_ns), Some(clock), Some(ring_losses)) = (number(0), number(1), number(2)) else {
                    return Err(self.corrupt("a pass that is too short"));
                };
                on_entry(Entry::Pass(Pass {
                    now_ns,
                    clock: clock as i64,
                    ring_losses,
                }));
            }
            OPEN => {
                let mut close = false;
                let known = event::read(payload, &mut |event| {
                    if let Event::Close(totals) = event {
                        close = true;
                        on_entry(Entry::Open(totals));
                    }
                });
                if !known || !close {
                    return Err(self.corrupt("an open connection that is none"));
                }
            }
            OPEN_END => on_entry(Entry::OpenEnd),
            _ => return Err(self.corrupt("an entry of no known kind")),
        }
        Ok(())
    }

    fn corrupt(&self, what: &'static str) -> Error {
        Error::Corrupt { at: self.at, what }
    }

    /// Reads until `buffer` is full or the input ends; how many bytes.
    fn fill(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.input.read(&mut buffer[filled..]) {
                Ok(0) => break,
                Ok(n) => filled += n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::Io(error)),
            }
        }
        Ok(filled)
    }
}
