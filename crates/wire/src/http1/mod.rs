//! HTTP/1.0 and HTTP/1.1: framing (RFC 9112), pairing and text rules.

mod record;

pub use record::{Flow, HttpRecord, Limits, Sink, Successor};

use crate::{Segment, Side};

/// Buffers and a cache that all connections of one thread share.
#[derive(Debug, Default)]
pub struct Scratch {}

/// One traced connection.
#[derive(Debug)]
pub struct Connection {
    limits: Limits,
}

impl Connection {
    /// A connection of which nothing was seen yet.
    pub fn new(limits: Limits) -> Self {
        Connection { limits }
    }

    /// Takes captured bytes. The first segment of a direction may start anywhere; one that does not start at position 0
    /// is searched for the first message start.
    pub fn feed(&mut self, scratch: &mut Scratch, segment: &Segment<'_>, sink: &mut impl Sink) -> Flow {
        let _ = (scratch, segment, sink, &self.limits);
        Flow::Http1
    }

    /// Lets time pass: forgets requests that are too old, records responses that do not end. Cheap on an idle connection.
    pub fn expire(&mut self, scratch: &mut Scratch, now_ns: u64, sink: &mut impl Sink) {
        let _ = (scratch, now_ns, sink);
    }

    /// Ends the connection: a response that ends with it is recorded, unanswered requests are lost as `NoResponse`. The
    /// object is as new afterwards.
    pub fn close(&mut self, scratch: &mut Scratch, sink: &mut impl Sink) {
        let _ = (scratch, sink);
    }

    /// Whether no message is in flight: nothing to expire.
    pub fn is_idle(&self) -> bool {
        true
    }
}

/// Names the side if `first_bytes` look like HTTP/1.
pub fn infer(first_bytes: &[u8]) -> Option<Side> {
    let _ = first_bytes;
    None
}
