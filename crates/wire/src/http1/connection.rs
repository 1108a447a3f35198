//! A connection: both streams, the requests that wait and the response at hand.

use super::Scratch;
use super::chunked::Step;
use super::exchange::{Exchange, Upload};
use super::message::Message;
use super::pairing::Queue;
use super::record::{Flow, Limits, Sink};
use super::stream::{State, Stream};
use crate::{Cause, Segment, Side};

/// One traced connection.
#[derive(Debug)]
pub struct Connection {
    pub(super) limits: Limits,
    pub(super) requests: Stream,
    pub(super) responses: Stream,
    pub(super) queue: Queue,
    /// The exchange whose response is at hand; none while that response is one to pass over.
    pub(super) open: Option<Exchange>,
    pub(super) upload: Upload,
    pub(super) flow: Flow,
    from_start: bool,
}

/// How a response starts, as far as it is always the same.
const STATUS_LINE: &[u8] = b"HTTP/1.";

impl Connection {
    /// A connection seen from its first byte on. Directions that do not start at position 0 start mid-stream.
    pub fn new(limits: Limits) -> Self {
        Self::with_start(limits, true)
    }

    /// A connection older than its capture: its first bytes may be the middle of a message, wherever they say to be.
    pub fn mid_stream(limits: Limits) -> Self {
        Self::with_start(limits, false)
    }

    fn with_start(limits: Limits, from_start: bool) -> Self {
        Connection {
            limits,
            requests: Stream::new(from_start),
            responses: Stream::new(from_start),
            queue: Queue::default(),
            open: None,
            upload: Upload::None,
            flow: Flow::Http1,
            from_start,
        }
    }

    /// Takes captured bytes.
    pub fn feed(&mut self, scratch: &mut Scratch, segment: &Segment<'_>, sink: &mut impl Sink) -> Flow {
        if self.flow != Flow::Http1 {
            return self.flow;
        }
        let Segment {
            side,
            time_ns,
            position,
            mut data,
            mut hole,
        } = *segment;
        let stream = self.stream(side);
        let expected = match stream.position {
            Some(expected) => expected,
            None => {
                if position > 0 {
                    *stream = Stream::new(false);
                }
                stream.position = Some(position);
                if side == Side::Response && stream.state == State::Lost {
                    // Requests seen so far may have been answered before.
                    self.queue.responses_lost();
                }
                position
            }
        };
        if position > expected {
            self.skip(scratch, side, position - expected, true, sink);
        } else if position < expected {
            let seen = expected - position;
            let seen_data = usize::try_from(seen).map_or(data.len(), |n| n.min(data.len()));
            data = &data[seen_data..];
            hole = hole.saturating_sub(seen - seen_data as u64);
        }
        if side == Side::Response
            && let Some(open) = &mut self.open
        {
            open.last_ns = time_ns;
        }
        while !data.is_empty() && self.flow == Flow::Http1 {
            let used = self.consume(scratch, side, time_ns, data, sink);
            let stream = self.stream(side);
            stream.position = stream.position.map(|p| p.wrapping_add(used as u64));
            data = &data[used..];
        }
        if hole > 0 && self.flow == Flow::Http1 {
            self.skip(scratch, side, hole, false, sink);
        }
        if let Flow::HandedOver {
            request_position,
            response_position,
            ..
        } = &mut self.flow
        {
            // Both held how many bytes before the stream's position the new protocol starts.
            let start = |s: &Stream, back: u64| s.position.unwrap_or(0).wrapping_sub(back);
            *request_position = start(&self.requests, *request_position);
            *response_position = start(&self.responses, *response_position);
        }
        self.flow
    }

    /// Lets time pass: forgets requests that are too old, records responses that do not end. Cheap on an idle connection.
    pub fn expire(&mut self, scratch: &mut Scratch, now_ns: u64, sink: &mut impl Sink) {
        if let Some(open) = &self.open {
            let quiet = if self.responses.state == State::Lost {
                self.limits.stream_ns
            } else {
                self.limits.quiet_ns
            };
            let passed = |since: u64, limit: u64| now_ns.saturating_sub(since) >= limit;
            if passed(open.last_ns, quiet)
                || passed(open.response.time_ns, self.limits.message_age_ns)
                || (open.response.facts.endless && passed(open.response.time_ns, self.limits.stream_ns))
            {
                self.finish_exchange(scratch, sink);
            }
        }
        self.queue.expire(
            now_ns.saturating_sub(self.limits.message_age_ns),
            &mut scratch.pool,
            sink,
        );
    }

    /// Ends the connection: a response that ends with it is recorded, unanswered requests are lost as `NoResponse`. The
    /// object is as new afterwards.
    pub fn close(&mut self, scratch: &mut Scratch, sink: &mut impl Sink) {
        self.finish_exchange(scratch, sink);
        let cut = |s: &Stream| s.synced && s.in_head() && !s.counted;
        if self.flow == Flow::Http1 && cut(&self.requests) {
            sink.loss(Cause::NoResponse, 1, self.requests.partial.len() as u64);
        }
        if self.flow == Flow::Http1 && cut(&self.responses) && self.queue.is_empty() {
            sink.loss(Cause::NoRequest, 1, self.responses.partial.len() as u64);
        }
        self.queue.close(&mut scratch.pool, sink);
        for stream in [&mut self.requests, &mut self.responses] {
            scratch.pool.give_bytes(std::mem::take(&mut stream.partial));
        }
        *self = Self::with_start(self.limits, self.from_start);
    }

    /// Whether no message is in flight: nothing to expire.
    pub fn is_idle(&self) -> bool {
        self.open.is_none() && self.queue.is_idle()
    }

    /// Bytes on the heap that this connection holds, not what it shares with others.
    pub fn memory(&self) -> usize {
        let open = self
            .open
            .as_ref()
            .map_or(0, |open| open.request.cost() + open.response.cost());
        self.requests.partial.capacity() + self.responses.partial.capacity() + self.queue.memory() + open
    }

    pub(super) fn stream(&mut self, side: Side) -> &mut Stream {
        match side {
            Side::Request => &mut self.requests,
            Side::Response => &mut self.responses,
        }
    }

    /// The message whose body is passing on `side`, if it is wanted.
    pub(super) fn message(&mut self, side: Side) -> Option<&mut Message> {
        match (side, self.upload) {
            (Side::Response, _) => self.open.as_mut().map(|open| &mut *open.response),
            (Side::Request, Upload::None) => None,
            (Side::Request, Upload::Waiting) => self.queue.last(),
            (Side::Request, Upload::Answered) => self.open.as_mut().map(|open| &mut *open.request),
        }
    }

    /// Takes some of `data`, which is not empty: how many bytes.
    fn consume(
        &mut self,
        scratch: &mut Scratch,
        side: Side,
        time_ns: u64,
        data: &[u8],
        sink: &mut impl Sink,
    ) -> usize {
        let stream = self.stream(side);
        if let Some(seen) = stream.maybe_head {
            let rest = &STATUS_LINE[usize::from(seen)..];
            let same = rest.iter().zip(data).take_while(|(a, b)| a == b).count();
            if same == rest.len() {
                stream.maybe_head = None;
                stream.state = State::Head;
                stream.head_ns = time_ns;
                stream.partial = scratch.pool.bytes();
                stream.keep(STATUS_LINE, 0);
                return same;
            }
            if same == data.len() {
                stream.maybe_head = Some(seen + same as u8);
                return same;
            }
            self.settle(scratch, side, sink);
            return 0;
        }
        match stream.state {
            State::Head => self.head(scratch, side, time_ns, data, sink),
            State::Length { left } => {
                let now = usize::try_from(left).map_or(data.len(), |left| left.min(data.len()));
                self.body(scratch, side, &data[..now]);
                match left - now as u64 {
                    0 => self.finish_body(scratch, side, sink),
                    left => self.stream(side).state = State::Length { left },
                }
                now
            }
            State::Chunked(mut chunked) => {
                let step = chunked.step(data);
                self.stream(side).state = State::Chunked(chunked);
                match step {
                    Step::Framing(used) => used,
                    Step::Body(used) => {
                        self.body(scratch, side, &data[..used]);
                        used
                    }
                    Step::End(used) => {
                        self.finish_body(scratch, side, sink);
                        used
                    }
                    Step::Broken => {
                        sink.loss(Cause::ParseError, 0, 0);
                        self.finish_body(scratch, side, sink);
                        self.lose_framing(side, 0);
                        0
                    }
                }
            }
            State::UntilClose => {
                self.body(scratch, side, data);
                data.len()
            }
            State::Lost => {
                if stream.partial.capacity() == 0 {
                    stream.partial = scratch.pool.bytes();
                }
                let used = stream.search(side, data, time_ns);
                if stream.partial.is_empty() {
                    scratch.pool.give_bytes(std::mem::take(&mut stream.partial));
                }
                if let Some(message) = self.message(side) {
                    // The rest of a chunked body with a hole; its framing is counted in.
                    message.body.skip(used as u64);
                }
                used
            }
        }
    }

    /// Decides that a body that may not be there is there: takes what was held back of it.
    pub(super) fn settle(&mut self, scratch: &mut Scratch, side: Side, sink: &mut impl Sink) {
        if let Some(seen) = self.stream(side).maybe_head.take() {
            let mut held = &STATUS_LINE[..usize::from(seen)];
            while !held.is_empty() {
                let used = self.consume(scratch, side, 0, held, sink);
                held = &held[used..];
            }
        }
    }

    fn body(&mut self, scratch: &mut Scratch, side: Side, data: &[u8]) {
        // `message` borrows all of self, the pool is elsewhere.
        if let Some(message) = self.message(side) {
            if message.body.wants() && message.body.kept.capacity() == 0 {
                message.body.kept = scratch.pool.bytes();
            }
            message.body.push(data);
        }
    }

    pub(super) fn finish_body(&mut self, scratch: &mut Scratch, side: Side, sink: &mut impl Sink) {
        self.stream(side).state = State::Head;
        match side {
            Side::Request => self.upload = Upload::None,
            Side::Response => self.finish_exchange(scratch, sink),
        }
    }

    /// What follows on `side` is unknown. Of a request stream, `known` requests were lost for certain.
    pub(super) fn lose_framing(&mut self, side: Side, known: u32) {
        self.stream(side).lose();
        match side {
            Side::Request => {
                self.upload = Upload::None;
                self.queue.push_gap(known);
            }
            Side::Response => self.queue.responses_lost(),
        }
    }

    /// After requests were taken off the queue: if the one with the passing body is gone, it is now at `place`.
    pub(super) fn check_upload(&mut self, place: Upload) {
        if self.upload == Upload::Waiting && self.queue.is_empty() {
            self.upload = place;
        }
    }
}
