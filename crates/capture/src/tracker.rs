//! From events to rows: the connections being followed, in bounded memory.

mod address;
mod connection;
mod ledger;
mod rows;
mod slots;

use std::collections::VecDeque;

use arrow_array::RecordBatch;
use rustc_hash::FxHashMap;
use sylph_wire::http1;

use crate::batch::{HttpEvents, SchemaError, Schemas};
use crate::event::{Close, DataHeader};
use crate::loss::{Cause, Losses};
pub use address::Address;
use connection::{Connection, Remains};
use rows::{Output, Tables};
use slots::Slots;

/// The table that it fills.
pub const TABLE: &str = HttpEvents::NAME;

const PROTOCOL_HTTP: u8 = 1;
/// What is remembered of forgotten connections, so that their messages are not counted twice.
const MAX_REMAINS: usize = 65_536;

/// Limits of a tracker.
#[derive(Debug, Clone)]
pub struct Config {
    /// Agent's short id: the highest 32 bits of every upid.
    pub asid: u32,
    /// How many connections are followed at a time.
    pub connections: usize,
    /// Limits of each connection's parser.
    pub http: http1::Limits,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            asid: 0,
            connections: 32_768,
            http: http1::Limits::default(),
        }
    }
}

/// What a tracker did since it was made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Rows of `http_events`.
    pub rows: u64,
    /// Connections being followed.
    pub connections: usize,
    /// Connections given up for lack of room.
    pub evicted: u64,
    /// Events that came after their place was given up.
    pub late: u64,
    /// Bytes in rows that are not yet handed out.
    pub bytes: usize,
}

/// Follows connections and turns their bytes into rows.
///
/// Times are of the monotonic clock, in ns.
pub struct Tracker {
    config: Config,
    connections: Slots,
    output: Output,
    /// Connections that time can change.
    waiting: Vec<u64>,
    remains: FxHashMap<u64, Remains>,
    remains_order: VecDeque<u64>,
    evicted: u64,
}

impl Tracker {
    /// A tracker that writes `http_events` with the schema given for it.
    pub fn new(config: Config, schemas: &Schemas) -> Result<Self, SchemaError> {
        Ok(Self {
            connections: Slots::new(config.connections),
            output: Output {
                tables: Tables {
                    http: HttpEvents::new(schemas)?,
                    full: Vec::new(),
                    losses: Losses::default(),
                    clock: 0,
                    rows: 0,
                },
                scratch: http1::Scratch::default(),
                losses: 0,
                losses_before: 0,
                late: 0,
            },
            waiting: Vec::new(),
            remains: FxHashMap::default(),
            remains_order: VecDeque::new(),
            evicted: 0,
            config,
        })
    }

    /// Begins a pass over the ring: `clock` is wall clock minus monotonic clock in ns, `ring_losses` how many events
    /// have found the ring full so far.
    pub fn begin(&mut self, clock: i64, ring_losses: u64) {
        self.output.tables.clock = clock;
        self.output.losses_before = self.output.losses;
        self.output.losses = ring_losses;
    }

    /// Takes the `bytes` that a connection carried.
    #[inline]
    pub fn data(&mut self, event: &DataHeader, bytes: &[u8]) {
        // No connection carries so much; a damaged recording may say so.
        if event.protocol != PROTOCOL_HTTP || event.position > i64::MAX as u64 {
            return;
        }
        let slot = match self.connections.find(event.conn_id) {
            Some(slot) => slot,
            None => self.open(event),
        };
        let connection = &mut self.connections[slot];
        connection.touched = true;
        connection.own(event, self.config.asid);
        connection.data(event, bytes, &mut self.output);
        if !connection.listed && connection.waits() {
            connection.listed = true;
            self.waiting.push(event.conn_id);
        }
    }

    fn open(&mut self, event: &DataHeader) -> usize {
        if self.connections.is_full()
            && let Some(mut victim) = self
                .connections
                .victim()
                .and_then(|id| self.connections.remove(id))
        {
            victim.forget(&mut self.output);
            self.remember(victim.info.id, victim.remains());
            self.evicted += 1;
        }
        let remains = self.remains.remove(&event.conn_id);
        self.connections.insert(Connection::new(
            event,
            self.config.asid,
            self.config.http,
            remains,
        ))
    }

    fn remember(&mut self, id: u64, remains: Remains) {
        self.remains.insert(id, remains);
        self.remains_order.push_back(id);
        while self.remains_order.len() > MAX_REMAINS {
            if let Some(oldest) = self.remains_order.pop_front() {
                self.remains.remove(&oldest);
            }
        }
    }

    /// Takes the end of a connection.
    pub fn close(&mut self, close: &Close) {
        let id = close.conn.conn_id;
        if let Some(mut connection) = self.connections.remove(id) {
            connection.close(close, &mut self.output);
            return;
        }
        let remains = self.remains.remove(&id);
        // Nothing of it came here: it was not to be recorded, unless the ring had no room for its events.
        if close.conn.protocol == PROTOCOL_HTTP && close.lost > 0 {
            let passed = u64::from(close.exchanges) + 1;
            let missing = remains.map_or(passed, |mut remains| remains.ledger().settle(passed));
            let upid = crate::upid(self.config.asid, close.conn.tgid, close.conn.start_ns);
            self.output
                .tables
                .losses
                .add(upid, HttpEvents::NAME, Cause::RingFull, missing, 0);
        }
    }

    /// Lets time pass: to be called every few hundred milliseconds, between passes.
    pub fn tick(&mut self, now_ns: u64) {
        let mut waiting = std::mem::take(&mut self.waiting);
        waiting.retain(|id| {
            let Some(slot) = self.connections.find(*id) else {
                return false;
            };
            let connection = &mut self.connections[slot];
            connection.listed = connection.tick(now_ns, &mut self.output);
            connection.listed
        });
        self.waiting = waiting;
    }

    /// Hands out batches of `http_events`: the full ones, and with `all` the one under construction too.
    pub fn take(&mut self, all: bool) -> Vec<RecordBatch> {
        let mut batches = std::mem::take(&mut self.output.tables.full);
        if all {
            batches.extend(self.output.tables.http.finish());
        }
        batches
    }

    /// Losses counted so far.
    pub fn losses(&mut self) -> &mut Losses {
        &mut self.output.tables.losses
    }

    /// What was done so far.
    pub fn counters(&self) -> Counters {
        Counters {
            rows: self.output.tables.rows,
            connections: self.connections.len(),
            evicted: self.evicted,
            late: self.output.late,
            bytes: self.output.tables.http.bytes(),
        }
    }
}
