//! Protocol parsers: bytes in, records out. No operating system, no Python, no `unsafe`.
//!
//! One protocol is one module (`http1`), one test file and one fixture folder. Each module offers
//! - `Connection`: the state of one traced connection. `feed` takes a [`Segment`] of captured bytes, `expire` lets time
//!   pass, `close` ends the connection. An idle connection owns no buffers.
//! - `Sink`: where finished records and counted losses go. Records are borrowed; nothing is allocated per record.
//! - `Scratch`: buffers shared by all connections of a thread.
//! - `Limits`: what bounds memory and text.
//!
//! Accounting: every message a parser saw ends in exactly one record or in exactly one [`Cause`].
#![forbid(unsafe_code)]

pub mod http1;
mod inflate;
mod json;
mod lanes;
mod text;

/// Which half of an exchange a stream of bytes carries. A server *receives* requests, a client *sends* them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// Bytes from the client to the server.
    Request,
    /// Bytes from the server to the client.
    Response,
}

/// Captured bytes of one direction of a connection, as one event brought them.
///
/// Segments of one direction come in order of position; a request's segment comes before its response's.
#[derive(Clone, Copy, Debug)]
pub struct Segment<'a> {
    /// Direction.
    pub side: Side,
    /// When the bytes passed, ns; any clock, the same for all segments.
    pub time_ns: u64,
    /// Bytes this direction carried before `data`. A jump forward is a gap: bytes that were lost. Bytes from before the
    /// expected position are taken as seen already.
    pub position: u64,
    /// The captured bytes.
    pub data: &'a [u8],
    /// Bytes that passed after `data` but were not captured, on purpose (a cap). The next position is
    /// `position + data.len() + hole`. Inside a body a hole costs nothing but text.
    pub hole: u64,
}

/// Why messages are missing from the records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cause {
    /// Captured bytes were missing.
    Gap,
    /// Bytes that are not the protocol.
    ParseError,
    /// A request that got no response before it expired or the connection closed.
    NoResponse,
    /// A response whose request was not seen.
    NoRequest,
    /// A limit on memory was reached.
    Budget,
}

impl Cause {
    /// The cause's name in the table `capture_loss`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Cause::Gap => "gap",
            Cause::ParseError => "parse_error",
            Cause::NoResponse => "no_response",
            Cause::NoRequest => "no_request",
            Cause::Budget => "budget",
        }
    }
}

/// A protocol this crate parses. The discriminant is the code in `conn_stats.protocol`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Protocol {
    /// HTTP/1.0 and HTTP/1.1.
    Http1 = 1,
}

/// Names the protocol that the first bytes of one direction belong to, and the side they are; `None` if none is known.
///
/// Sixteen bytes suffice. Fewer may give `None` where more would not.
pub fn infer(first_bytes: &[u8]) -> Option<(Protocol, Side)> {
    http1::infer(first_bytes).map(|side| (Protocol::Http1, side))
}
