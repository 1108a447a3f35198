//! `conn_stats`: bytes and connections between a process and each of its peers, cumulative.
//!
//! The kernel counts; this adds up what it reports: its table of open connections at every pass, and the totals of each
//! connection that closed.

use rustc_hash::FxHashMap;

use crate::batch::{ConnStats, ConnStatsRow};
use crate::event::{Close, role};
use crate::loss::{Cause, Losses};
use crate::tracker::Address;

const PROTOCOL_TLS: u8 = 13;
/// Passes that an open connection may be missing from the kernel's table before it counts as closed; at the first, the
/// event that says so may still be in the ring.
const MISSING_PASSES: u8 = 2;

/// A process and one of its peers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Pair {
    upid: u128,
    address: [u8; 16],
    /// 0 when the process is the server: its clients' ports are many and mean nothing.
    port: u16,
    family: u8,
    role: u8,
}

#[derive(Debug, Clone, Copy, Default)]
struct Totals {
    protocol: u8,
    ssl: bool,
    touched: bool,
    /// Pass in which it was last touched.
    pass: u64,
    opened: u64,
    closed: u64,
    sent: u64,
    received: u64,
}

/// An open connection, as last reported.
#[derive(Debug, Clone, Copy)]
struct Open {
    pair: Pair,
    sent: u64,
    received: u64,
    missing: u8,
    present: bool,
}

/// Limits of `conn_stats`.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Pairs of a process and a peer; the longest untouched without an open connection leave first.
    pub pairs: usize,
    /// Open connections; more are counted as lost.
    pub connections: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            pairs: 32_768,
            connections: 131_072,
        }
    }
}

/// Adds up connections by process and peer.
#[derive(Debug)]
pub struct Peers {
    asid: u32,
    limits: Limits,
    pairs: FxHashMap<Pair, Totals>,
    open: FxHashMap<u64, Open>,
    pass: u64,
}

impl Peers {
    /// None known yet; `asid` is the agent's short id.
    pub fn new(asid: u32, limits: Limits) -> Self {
        Self {
            asid,
            limits,
            pairs: FxHashMap::default(),
            open: FxHashMap::default(),
            pass: 0,
        }
    }

    /// Pairs and open connections that are known.
    pub fn len(&self) -> (usize, usize) {
        (self.pairs.len(), self.open.len())
    }

    /// One entry of the kernel's table of open connections.
    pub fn open(&mut self, totals: &Close, losses: &mut Losses) {
        self.update(totals, losses);
    }

    /// The kernel's table has been read to its end: what is in it no more has closed.
    pub fn read(&mut self) {
        let pairs = &mut self.pairs;
        let pass = self.pass;
        self.open.retain(|_, open| {
            if std::mem::take(&mut open.present) {
                open.missing = 0;
                return true;
            }
            open.missing += 1;
            let keep = open.missing < MISSING_PASSES;
            if !keep {
                close(pairs, &open.pair, pass);
            }
            keep
        });
    }

    /// A connection closed.
    pub fn close(&mut self, totals: &Close, losses: &mut Losses) {
        self.update(totals, losses);
        if let Some(open) = self.open.remove(&totals.conn.conn_id) {
            close(&mut self.pairs, &open.pair, self.pass);
        }
    }

    fn update(&mut self, totals: &Close, losses: &mut Losses) {
        let conn = &totals.conn;
        if conn.tgid == 0 || !matches!(conn.family, 1 | 2) {
            return; // no process has used it yet, or it is not IP
        }
        let pair = Pair {
            upid: crate::upid(self.asid, conn.tgid, conn.start_ns),
            address: conn.remote_addr,
            port: if conn.role == role::SERVER {
                0
            } else {
                conn.remote_port
            },
            family: conn.family,
            role: conn.role,
        };
        let before = self.open.get(&conn.conn_id).copied();
        if before.is_none() && self.open.len() >= self.limits.connections {
            losses.add(
                pair.upid,
                ConnStats::NAME,
                Cause::Budget,
                1,
                totals.bytes_sent.saturating_add(totals.bytes_received),
            );
            return;
        }
        let known = before.filter(|open| open.pair == pair);
        if let (Some(open), None) = (before, known) {
            // Another process uses it now, or its role became known: what comes counts for the new pair.
            close(&mut self.pairs, &open.pair, self.pass);
        }
        if !self.pairs.contains_key(&pair) && self.pairs.len() >= self.limits.pairs {
            self.trim(losses);
        }
        let (sent, received) = before.map_or((0, 0), |open| (open.sent, open.received));
        let total = self.pairs.entry(pair).or_default();
        let news = known.is_none() || totals.bytes_sent > sent || totals.bytes_received > received;
        total.opened += u64::from(known.is_none());
        total.sent = total.sent.saturating_add(totals.bytes_sent.saturating_sub(sent));
        total.received = total
            .received
            .saturating_add(totals.bytes_received.saturating_sub(received));
        if conn.protocol != 0 {
            total.protocol = conn.protocol;
        }
        total.ssl |= conn.protocol == PROTOCOL_TLS;
        if news {
            total.touched = true;
            total.pass = self.pass;
        }
        // A write that was cut short is reported too high for a while: never count backwards.
        let (sent, received) = (sent.max(totals.bytes_sent), received.max(totals.bytes_received));
        self.open.insert(
            conn.conn_id,
            Open {
                pair,
                sent,
                received,
                missing: 0,
                present: true,
            },
        );
    }

    /// Makes room: an eighth of the pairs that have no open connection leave, those untouched for longest first.
    fn trim(&mut self, losses: &mut Losses) {
        let mut idle: Vec<(u64, Pair)> = self
            .pairs
            .iter()
            .filter(|(_, total)| total.opened == total.closed)
            .map(|(pair, total)| (total.pass, *pair))
            .collect();
        let leave = (self.limits.pairs / 8).max(1);
        if idle.len() > leave {
            idle.select_nth_unstable_by_key(leave, |(pass, _)| *pass);
            idle.truncate(leave);
        }
        for (_, pair) in idle {
            // Only what was not written yet is lost; a pair that returns begins at zero again.
            if self.pairs.remove(&pair).is_some_and(|total| total.touched) {
                losses.add(pair.upid, ConnStats::NAME, Cause::Budget, 1, 0);
            }
        }
    }

    /// Writes the pairs that were touched since the last time, as of `time` (wall clock, ns). True: the batch is full.
    pub fn flush(&mut self, time: i64, into: &mut ConnStats) -> bool {
        self.pass += 1;
        let mut touched: Vec<_> = self.pairs.iter_mut().filter(|(_, total)| total.touched).collect();
        touched.sort_unstable_by_key(|(pair, _)| (pair.upid, pair.address, pair.port, pair.role));
        let mut full = false;
        for (pair, total) in touched {
            total.touched = false;
            full = into.push(&ConnStatsRow {
                time_: time,
                upid: pair.upid,
                remote_addr: Address::new(pair.family, &pair.address).as_str(),
                remote_port: i64::from(pair.port),
                trace_role: i64::from(pair.role),
                addr_family: i64::from(pair.family),
                protocol: i64::from(total.protocol),
                ssl: total.ssl,
                conn_open: total.opened as i64,
                conn_close: total.closed as i64,
                conn_active: total.opened as i64 - total.closed as i64,
                bytes_sent: total.sent as i64,
                bytes_recv: total.received as i64,
            }) || full;
        }
        full
    }
}

fn close(pairs: &mut FxHashMap<Pair, Totals>, pair: &Pair, pass: u64) {
    if let Some(total) = pairs.get_mut(pair) {
        total.closed += 1;
        total.touched = true;
        total.pass = pass;
    }
}
