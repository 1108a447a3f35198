//! HTTP/1.0 and HTTP/1.1: framing (RFC 9112), pairing and text rules.
//!
//! Choices where the bytes leave one:
//! - A message's time is that of the segment with its first byte, so latency is time to first byte.
//! - Transfer-Encoding wins over Content-Length. Lengths that conflict, or a request whose last coding is not chunked,
//!   leave the body unframed: the message is recorded and the next one searched for.
//! - Interim responses (1xx but 101) are passed over. 101 and an accepted CONNECT are recorded at once and end the parser.
//! - Body sizes count bytes on the wire without chunk framing, also of compressed bodies.
//! - A response is recorded when its body ends. One that does not end is recorded by `expire`: event streams
//!   `Limits::stream_ns` after the head, others when quiet for `quiet_ns` or older than `message_age_ns`, with the size so far.
//! - Bytes lost inside a body of known length cost nothing. Others end the message at hand, and the next is searched for
//!   at line starts and ends. The module `pairing` says which request a response then answers.

mod body;
mod cache;
mod chunked;
mod connection;
mod exchange;
mod facts;
mod gap;
mod head;
mod headers;
mod message;
mod names;
mod pairing;
mod record;
mod start;
mod stream;

pub use connection::Connection;
pub use record::{Flow, HttpRecord, Limits, Sink, Successor};

use crate::Side;
use crate::json::Json;

/// Buffers and a cache that all connections of one thread share.
#[derive(Debug, Default)]
pub struct Scratch {
    pool: message::Pool,
    cache: cache::Cache,
    /// Of requests and of responses.
    names: [names::Names; 2],
    fields: Vec<headers::Field>,
    json: Json,
    unpack: body::Unpack,
    req_body: String,
    resp_body: String,
}

/// Names the side if `first_bytes` look like HTTP/1.
pub fn infer(first_bytes: &[u8]) -> Option<Side> {
    start::infer(first_bytes)
}
