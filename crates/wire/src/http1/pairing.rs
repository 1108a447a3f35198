//! Which request a response answers. HTTP/1 has no identifiers: order is all there is, and lost bytes break it.

use std::collections::VecDeque;

use super::message::{Message, Pool};
use super::record::{Limits, Sink};
use crate::Cause;

/// What waits for a response.
#[derive(Debug)]
enum Waiting {
    Request(Box<Message>),
    /// So many requests that were counted as lost already; their responses are passed over.
    Counted(u32),
    /// Bytes of the requests' direction were lost here, and with them any number of requests, of which `known` are
    /// certain and not yet counted.
    Gap {
        known: u32,
    },
}

/// What a response answers.
#[derive(Debug)]
pub(super) enum Answered {
    Request(Box<Message>),
    /// A request that was counted as lost before.
    Counted,
    /// A request that was not seen; it has been counted as lost now.
    Unseen,
}

/// The requests of a connection that wait for their responses.
#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: VecDeque<Waiting>,
    requests: usize,
    bytes: usize,
    /// Responses were lost since the last pairing.
    responses_lost: bool,
    /// A request was once sent before its predecessor was answered, so that times do not tell what belongs together.
    pipelined: bool,
    /// Requests that were counted as lost, whose responses may still come.
    credit: u64,
}

impl Queue {
    /// Whether no request waits.
    pub(super) fn is_idle(&self) -> bool {
        self.requests == 0
    }

    /// Whether nothing at all waits.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Bytes on the heap.
    pub(super) fn memory(&self) -> usize {
        self.bytes + self.waiting.capacity() * size_of::<Waiting>()
    }

    /// Adds a request; false if the budget does not allow it and it was counted instead.
    pub(super) fn push(
        &mut self,
        request: Box<Message>,
        limits: &Limits,
        pool: &mut Pool,
        sink: &mut impl Sink,
    ) -> bool {
        let cost = request.cost();
        if self.requests >= limits.pending_requests || self.bytes + cost > limits.pending_bytes {
            sink.loss(Cause::Budget, 1, request.wire_bytes());
            pool.give(request);
            self.push_counted();
            return false;
        }
        if self.requests == 0 {
            // A client that waited for its responses has waited in vain for the others.
            self.credit = 0;
        }
        self.requests += 1;
        self.bytes += cost;
        self.waiting.push_back(Waiting::Request(request));
        true
    }

    /// Adds a request that was counted as lost.
    pub(super) fn push_counted(&mut self) {
        if let Some(Waiting::Counted(n)) = self.waiting.back_mut() {
            *n = n.saturating_add(1);
        } else {
            self.waiting.push_back(Waiting::Counted(1));
        }
    }

    /// Notes lost bytes between the last request and the next, `known` requests among them.
    pub(super) fn push_gap(&mut self, known: u32) {
        if let Some(Waiting::Gap { known: before }) = self.waiting.back_mut() {
            *before = before.saturating_add(known);
        } else {
            self.waiting.push_back(Waiting::Gap { known });
        }
    }

    /// Notes that responses may have been lost.
    pub(super) fn responses_lost(&mut self) {
        self.responses_lost = true;
    }

    /// The request that was pushed last, if it still waits.
    pub(super) fn last(&mut self) -> Option<&mut Message> {
        match self.waiting.back_mut() {
            Some(Waiting::Request(request)) => Some(request),
            _ => None,
        }
    }

    /// Takes the request that a response of `time_ns` answers.
    pub(super) fn answer(&mut self, time_ns: u64, pool: &mut Pool, sink: &mut impl Sink) -> Answered {
        if std::mem::take(&mut self.responses_lost) {
            self.drop_unanswerable(time_ns, pool, sink);
        }
        loop {
            match self.waiting.front_mut() {
                None => {
                    if self.credit > 0 {
                        self.credit -= 1;
                        return Answered::Counted;
                    }
                    sink.loss(Cause::NoRequest, 1, 0);
                    return Answered::Unseen;
                }
                Some(Waiting::Request(request)) => {
                    if self.credit > 0 && time_ns < request.time_ns {
                        self.credit -= 1;
                        return Answered::Counted;
                    }
                    self.credit = 0;
                    let Some(request) = self.pop_request() else {
                        continue;
                    };
                    if let Some(Waiting::Request(next)) = self.waiting.front() {
                        self.pipelined |= next.time_ns < time_ns;
                    }
                    return Answered::Request(request);
                }
                Some(Waiting::Counted(n)) => {
                    *n -= 1;
                    if *n == 0 {
                        self.waiting.pop_front();
                    }
                    return Answered::Counted;
                }
                Some(Waiting::Gap { known }) => {
                    let lost = *known;
                    let passed = match self.waiting.get(1) {
                        None => false,
                        Some(Waiting::Request(next)) => next.time_ns <= time_ns,
                        Some(_) => true,
                    };
                    if passed {
                        self.waiting.pop_front();
                        if lost > 0 {
                            sink.loss(Cause::Gap, u64::from(lost), 0);
                        }
                        continue;
                    }
                    if let Some(Waiting::Gap { known }) = self.waiting.front_mut() {
                        *known = lost.saturating_sub(1);
                    }
                    sink.loss(Cause::Gap, 1, 0);
                    return Answered::Unseen;
                }
            }
        }
    }

    /// After lost responses: on a connection where each request waits for the last response, the response at hand
    /// answers the youngest request that is older than it. Where requests are pipelined nothing tells, and none of them
    /// becomes a record.
    fn drop_unanswerable(&mut self, time_ns: u64, pool: &mut Pool, sink: &mut impl Sink) {
        let candidate = |w: &Waiting| matches!(w, Waiting::Request(r) if r.time_ns <= time_ns);
        let Some(youngest) = self.waiting.iter().rposition(candidate) else {
            return;
        };
        let at = |index: usize| match &self.waiting[index] {
            Waiting::Request(request) => Some(request.time_ns),
            _ => None,
        };
        let rivals = self.waiting.iter().filter(|w| candidate(w)).count() - 1;
        let ambiguous = rivals > 0 && (self.pipelined || (youngest > 0 && at(youngest - 1) == at(youngest)));
        self.pipelined |= ambiguous;
        let count = if ambiguous { youngest + 1 } else { youngest };
        let mut lost = 0;
        for _ in 0..count {
            match self.waiting.front() {
                Some(Waiting::Request(_)) => {
                    if let Some(request) = self.pop_request() {
                        pool.give(request);
                    }
                    lost += 1;
                    self.credit += 1;
                }
                Some(Waiting::Counted(n)) => {
                    self.credit += u64::from(*n);
                    self.waiting.pop_front();
                }
                Some(Waiting::Gap { known }) => {
                    lost += u64::from(*known);
                    self.credit += u64::from(*known);
                    self.waiting.pop_front();
                }
                None => {}
            }
        }
        if lost > 0 {
            sink.loss(Cause::Gap, lost, 0);
        }
    }

    /// Counts the front request as lost with a response that could not be read, or that response if none waits.
    pub(super) fn response_unreadable(
        &mut self,
        cause: Cause,
        bytes: u64,
        pool: &mut Pool,
        sink: &mut impl Sink,
    ) {
        match self.waiting.front() {
            Some(Waiting::Request(_)) => {
                if let Some(request) = self.pop_request() {
                    pool.give(request);
                }
                self.credit += 1;
            }
            Some(Waiting::Counted(_)) => return sink.loss(cause, 0, bytes),
            _ => {}
        }
        sink.loss(cause, 1, bytes);
    }

    fn pop_request(&mut self) -> Option<Box<Message>> {
        match self.waiting.pop_front() {
            Some(Waiting::Request(request)) => {
                self.requests -= 1;
                self.bytes = self.bytes.saturating_sub(request.cost());
                Some(request)
            }
            _ => None,
        }
    }

    /// Counts requests older than `oldest_ns` as unanswered; their places are kept.
    pub(super) fn expire(&mut self, oldest_ns: u64, pool: &mut Pool, sink: &mut impl Sink) {
        if self.requests == 0 {
            // Nothing is kept for long on a connection that has nothing to say.
            if self.waiting.is_empty() && self.waiting.capacity() > 0 {
                self.waiting = VecDeque::new();
            }
            return;
        }
        for waiting in &mut self.waiting {
            match waiting {
                Waiting::Request(request) if request.time_ns < oldest_ns => {
                    sink.loss(Cause::NoResponse, 1, request.wire_bytes());
                    self.requests -= 1;
                    self.bytes = self.bytes.saturating_sub(request.cost());
                    if let Waiting::Request(request) = std::mem::replace(waiting, Waiting::Counted(1)) {
                        pool.give(request);
                    }
                }
                Waiting::Request(_) => break,
                Waiting::Counted(_) | Waiting::Gap { .. } => {}
            }
        }
    }

    /// Counts all that waits.
    pub(super) fn close(&mut self, pool: &mut Pool, sink: &mut impl Sink) {
        for waiting in std::mem::take(self).waiting {
            match waiting {
                Waiting::Request(request) => {
                    sink.loss(Cause::NoResponse, 1, request.wire_bytes());
                    pool.give(request);
                }
                Waiting::Gap { known } if known > 0 => sink.loss(Cause::Gap, u64::from(known), 0),
                Waiting::Gap { .. } | Waiting::Counted(_) => {}
            }
        }
    }
}
