//! One tracked connection: in which order its events go to the parser, and what is missing between them.

use sylph_wire::{Protocol, Segment, Side, http1};

use super::address::Address;
use super::ledger::Ledger;
use super::rows::{Output, Rows};
use crate::event::{Close, DataHeader, Direction, flag, role};
use crate::loss::Cause;

/// Events held back per connection until the ones before them come.
const MAX_HELD: usize = 16;
/// `DataHeader::source` of bytes from a TLS library.
const SOURCE_TLS: u8 = 2;
/// The next position of a direction that has not carried anything yet.
const UNKNOWN: u64 = u64::MAX;

fn opposite(direction: Direction) -> Direction {
    match direction {
        Direction::Recv => Direction::Send,
        Direction::Send => Direction::Recv,
    }
}

/// What rows say of a connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Info {
    pub(super) id: u64,
    pub(super) upid: u128,
    pub(super) owner: (u32, u64),
    pub(super) remote_addr: Address,
    pub(super) local_addr: Address,
    pub(super) remote_port: u16,
    pub(super) local_port: u16,
    pub(super) role: u8,
    pub(super) encrypted: bool,
}

/// One direction.
#[derive(Debug, Clone, Copy)]
struct Stream {
    /// Position after the last byte.
    next: u64,
    /// Exchange of the last event; -1 before the first.
    exchange: i64,
}

/// What is kept of a connection that was forgotten while it was open.
#[derive(Debug, Clone, Copy)]
pub(super) struct Remains {
    ledger: Ledger,
    exchanges: [i64; 2],
}

impl Remains {
    pub(super) fn ledger(&mut self) -> &mut Ledger {
        &mut self.ledger
    }
}

/// An event that came before its time.
#[derive(Debug)]
struct Held {
    event: DataHeader,
    bytes: Box<[u8]>,
}

/// A connection in the tracker.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) info: Info,
    /// Used since the hand of the clock last passed.
    pub(super) touched: bool,
    /// Listed among those that time can change.
    pub(super) listed: bool,
    pub(super) ledger: Ledger,
    streams: [Stream; 2],
    /// Direction of the requests; none while the bytes have not shown it.
    request_direction: Option<Direction>,
    /// The parser has handed over to another protocol.
    over: bool,
    /// Exchanges below this were settled with something missing: what comes of them is late.
    settled: i64,
    /// Ring losses of all connections when this one was last known to be complete.
    losses_seen: u64,
    midstream: bool,
    /// Why bytes were missing, since the ledger doubts.
    cause: Cause,
    passes_held: u8,
    held: Vec<Held>,
    parser: http1::Connection,
}

impl Connection {
    pub(super) fn new(
        event: &DataHeader,
        asid: u32,
        limits: http1::Limits,
        remains: Option<Remains>,
    ) -> Self {
        let exchanges = remains.map_or([-1; 2], |remains| remains.exchanges);
        let midstream = event.flags & flag::MIDSTREAM != 0 || remains.is_some();
        let mut connection = Self {
            info: Info {
                id: event.conn_id,
                upid: 0,
                owner: (0, 0),
                remote_addr: Address::new(event.family, &event.remote_addr),
                local_addr: Address::new(event.family, &event.local_addr),
                remote_port: event.remote_port,
                local_port: event.local_port,
                role: role::UNKNOWN,
                encrypted: event.source == SOURCE_TLS,
            },
            touched: true,
            listed: false,
            ledger: remains.map_or_else(Ledger::default, |remains| remains.ledger),
            streams: exchanges.map(|exchange| Stream {
                next: UNKNOWN,
                exchange,
            }),
            request_direction: None,
            over: false,
            settled: 0,
            losses_seen: 0,
            midstream,
            cause: Cause::Gap,
            passes_held: 0,
            held: Vec::new(),
            parser: if midstream {
                http1::Connection::mid_stream(limits)
            } else {
                http1::Connection::new(limits)
            },
        };
        connection.own(event, asid);
        connection
    }

    /// The process that used the connection last.
    #[inline]
    pub(super) fn own(&mut self, event: &DataHeader, asid: u32) {
        let owner = (event.tgid, event.start_ns);
        if self.info.owner != owner {
            self.info.owner = owner;
            self.info.upid = crate::upid(asid, event.tgid, event.start_ns);
        }
    }

    pub(super) fn remains(&self) -> Remains {
        Remains {
            ledger: self.ledger,
            exchanges: self.streams.map(|stream| stream.exchange),
        }
    }

    /// Takes an event, or holds it back.
    #[inline]
    pub(super) fn data(&mut self, event: &DataHeader, bytes: &[u8], output: &mut Output) {
        if self.over {
            return;
        }
        let Some(side) = self.side(event, bytes, output) else {
            return;
        };
        if self.held.is_empty() && self.in_turn(event, side) {
            self.deliver(event, bytes, side, output);
        } else {
            self.held.push(Held {
                event: *event,
                bytes: bytes.into(),
            });
            self.release(self.held.len() > MAX_HELD, output);
        }
    }

    /// Which side an event's bytes are. The role is the kernel's; but the first bytes, and where it knows none the next
    /// ones too, tell better.
    fn side(&mut self, event: &DataHeader, bytes: &[u8], output: &mut Output) -> Option<Side> {
        let known = match event.role {
            role::SERVER => Some(Direction::Recv),
            role::CLIENT => Some(Direction::Send),
            _ => self.request_direction,
        };
        let first = (event.position == 0 || self.midstream)
            && self.streams.iter().all(|stream| stream.next == UNKNOWN);
        let direction = if first || known.is_none() {
            match sylph_wire::infer(bytes) {
                Some((Protocol::Http1, Side::Request)) => Some(event.direction),
                Some((Protocol::Http1, Side::Response)) => Some(opposite(event.direction)),
                None => known,
            }
        } else {
            self.request_direction.or(known)
        };
        if direction != self.request_direction {
            if self.request_direction.is_some() {
                self.parser.close(
                    &mut output.scratch,
                    &mut Rows::new(&self.info, &mut self.ledger, &mut output.tables),
                );
                self.streams.swap(0, 1);
            }
            self.request_direction = direction;
        }
        let request = direction?;
        self.info.role = if request == Direction::Recv {
            role::SERVER
        } else {
            role::CLIENT
        };
        Some(if event.direction == request {
            Side::Request
        } else {
            Side::Response
        })
    }

    /// Whether nothing that must come before the event is missing.
    #[inline]
    fn in_turn(&self, event: &DataHeader, side: Side) -> bool {
        !self.jumps(event, side) && !self.turn_missing(event, side)
    }

    /// Whether bytes of the same direction are missing before the event.
    #[inline]
    fn jumps(&self, event: &DataHeader, side: Side) -> bool {
        let next = match self.streams[side as usize].next {
            UNKNOWN if self.midstream => event.position,
            UNKNOWN => 0,
            next => next,
        };
        event.position > next
    }

    /// Whether the other direction lacks the message that must have come before this one.
    #[inline]
    fn turn_missing(&self, event: &DataHeader, side: Side) -> bool {
        let exchange = i64::from(event.exchange);
        let [request, response] = [self.streams[0].exchange, self.streams[1].exchange];
        match side {
            Side::Request => exchange > request && response < exchange - 1,
            // Capture may begin between a request and its response.
            Side::Response => {
                exchange > request && !(event.flags & flag::MIDSTREAM != 0 && exchange == 0 && response <= 0)
            }
        }
    }

    /// Lets held events go: those whose turn has come; all of them if `force`.
    fn release(&mut self, force: bool, output: &mut Output) {
        if self.held.len() > 1 {
            self.held.sort_by_key(|held| held.event.time_ns);
        }
        // Strictly in order of time: what came after a missing piece waits with it.
        let mut released = 0;
        let mut held = std::mem::take(&mut self.held);
        for Held { event, bytes } in &held {
            let Some(side) = self.side(event, bytes, output) else {
                break;
            };
            if !force && !self.in_turn(event, side) {
                break;
            }
            self.deliver(event, bytes, side, output);
            released += 1;
        }
        held.drain(..released);
        self.held = held;
        if self.held.is_empty() {
            self.passes_held = 0;
        }
    }

    fn deliver(&mut self, event: &DataHeader, bytes: &[u8], side: Side, output: &mut Output) {
        let stream = self.streams[side as usize];
        let (position, exchange) = (event.position, i64::from(event.exchange));
        let end = position.saturating_add(u64::from(event.length));
        let known = stream.next != UNKNOWN;
        if exchange < self.settled || (known && end <= stream.next && event.length > 0) {
            output.late += 1;
            return; // its place was given up: it has been counted
        }
        let jump = known && position > stream.next;
        let jumps = self.jumps(event, side);
        let turn = side == Side::Request && exchange > stream.exchange;
        let turn_missing = self.turn_missing(event, side);
        // Missing bytes that end in the same message are a hole in it.
        let hole = jump && !turn_missing && exchange == stream.exchange;
        let lost = jumps || turn_missing || (jump && !hole);

        if lost && (output.losses > self.losses_seen || !self.ledger.doubtful()) {
            self.cause = self.cause(output);
        }
        let cause = self.cause;
        let Self {
            info, ledger, parser, ..
        } = self;
        let mut rows = Rows::new(info, ledger, &mut output.tables);
        if lost {
            rows.ledger.doubt();
        }
        let restart = turn_missing || (jump && !hole) || (turn && rows.ledger.doubtful());
        if restart {
            parser.close(&mut output.scratch, &mut rows);
        }
        if turn {
            if rows.ledger.doubtful() {
                let missing = rows.ledger.settle(exchange as u64);
                rows.count(cause, missing, 0);
                self.settled = exchange;
                if jumps {
                    rows.ledger.doubt(); // the beginning of this request may be missing too
                }
            } else if parser.is_idle() {
                rows.ledger.agree(exchange as u64);
                self.losses_seen = output.losses_before;
            }
        }

        let mut segment = Segment {
            side,
            time_ns: event.time_ns,
            position,
            data: bytes,
            hole: 0,
        };
        if hole {
            let skipped = Segment {
                position: stream.next,
                data: &[],
                hole: position - stream.next,
                ..segment
            };
            parser.feed(&mut output.scratch, &skipped, &mut rows);
        }
        segment.hole = u64::from(event.length).saturating_sub(bytes.len() as u64);
        if event.flags & flag::FAULT != 0 {
            rows.count(Cause::Fault, 0, segment.hole);
        }
        let flow = parser.feed(&mut output.scratch, &segment, &mut rows);
        self.over = flow != http1::Flow::Http1;
        self.streams[side as usize] = Stream {
            next: end,
            exchange: exchange.max(stream.exchange),
        };
    }

    /// Why bytes are missing now.
    fn cause(&self, output: &Output) -> Cause {
        if output.losses > self.losses_seen {
            Cause::RingFull
        } else {
            Cause::Gap
        }
    }

    /// Lets time pass. True while there is something that time can change.
    pub(super) fn tick(&mut self, now_ns: u64, output: &mut Output) -> bool {
        if !self.held.is_empty() {
            self.passes_held += 1;
            self.release(self.passes_held > 1, output);
        }
        if self.over {
            return false;
        }
        self.parser.expire(
            &mut output.scratch,
            now_ns,
            &mut Rows::new(&self.info, &mut self.ledger, &mut output.tables),
        );
        self.waits()
    }

    /// Whether there is something that time can change.
    pub(super) fn waits(&self) -> bool {
        !self.held.is_empty() || (!self.over && !self.parser.is_idle())
    }

    /// Ends the connection, of which the kernel counted all that is in `close`.
    pub(super) fn close(&mut self, close: &Close, output: &mut Output) {
        if close.lost > 0 {
            self.losses_seen = 0; // the count of this pass may be older than the loss
        }
        self.release(true, output);
        if self.over {
            return;
        }
        // Events that the ring had no room for may have been the last ones; then the byte counts say so.
        let totals = [close.bytes_received, close.bytes_sent];
        let request = self.request_direction.unwrap_or(Direction::Recv) as usize;
        let ends = [self.streams[0].next, self.streams[1].next];
        let short = |side: usize, total: u64| ends[side] == UNKNOWN || ends[side] < total;
        let tail = close.lost > 0 && (short(0, totals[request]) || short(1, totals[request ^ 1]));
        let mut rows = Rows::new(&self.info, &mut self.ledger, &mut output.tables);
        if tail {
            rows.ledger.doubt();
        }
        self.parser.close(&mut output.scratch, &mut rows);
        if rows.ledger.doubtful() {
            let missing = rows.ledger.settle(u64::from(close.exchanges) + 1);
            rows.count(
                if close.lost > 0 {
                    Cause::RingFull
                } else {
                    Cause::Gap
                },
                missing,
                0,
            );
        }
    }

    /// Gives the connection up while it is open; what it held is counted as lost to the budget.
    pub(super) fn forget(&mut self, output: &mut Output) {
        self.release(true, output);
        if !self.over {
            let mut rows = Rows::new(&self.info, &mut self.ledger, &mut output.tables);
            rows.evicting = true;
            self.parser.close(&mut output.scratch, &mut rows);
        }
    }
}
