//! What was seen but became no row: counted by process, table and cause, written to `capture_loss` each second.

use rustc_hash::FxHashMap;

use crate::batch::{CaptureLoss, LossRow};

/// How many (process, table, cause) are counted apart between two flushes; more are counted without a process.
const MAX_KEYS: usize = 4096;

/// Why something is in no table; the names are `sylph.tables.enums.LOSS_CAUSE`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cause {
    /// The ring had no room.
    RingFull,
    /// Bytes are missing although the ring had room.
    Gap,
    /// A limit of memory was reached.
    Budget,
    /// The bytes are not what the protocol says.
    ParseError,
    /// The message was cut by the cap on its bytes in such a way that it could not be read.
    Capped,
    /// The connection ended before the response.
    NoResponse,
    /// A response whose request was not seen.
    NoRequest,
    /// The kernel could not read the bytes.
    Fault,
}

impl Cause {
    /// Text of the `cause` column.
    pub fn name(self) -> &'static str {
        match self {
            Self::RingFull => "ring_full",
            Self::Gap => "gap",
            Self::Budget => "budget",
            Self::ParseError => "parse_error",
            Self::Capped => "capped",
            Self::NoResponse => "no_response",
            Self::NoRequest => "no_request",
            Self::Fault => "fault",
        }
    }
}

/// Messages (or rows) and bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// Messages or rows.
    pub events: u64,
    /// Bytes, where known.
    pub bytes: u64,
}

/// Losses since the last flush.
#[derive(Debug, Default)]
pub struct Losses {
    counts: FxHashMap<(u128, &'static str, Cause), Count>,
    totals: FxHashMap<(&'static str, Cause), Count>,
}

impl Losses {
    /// Counts `events` messages and `bytes` bytes of the process `upid` (0: none can be named) missing in `table`.
    pub fn add(&mut self, upid: u128, table: &'static str, cause: Cause, events: u64, bytes: u64) {
        if events == 0 && bytes == 0 {
            return;
        }
        let key = (upid, table, cause);
        let known = self.counts.len() < MAX_KEYS || self.counts.contains_key(&key);
        let key = if known { key } else { (0, table, cause) };
        for count in [
            self.counts.entry(key).or_default(),
            self.totals.entry((table, cause)).or_default(),
        ] {
            count.events = count.events.saturating_add(events);
            count.bytes = count.bytes.saturating_add(bytes);
        }
    }

    /// Writes what was counted since the last flush, as of `time` (wall clock, ns).
    pub fn flush(&mut self, time: i64, into: &mut CaptureLoss) {
        let mut counts: Vec<_> = self.counts.drain().collect();
        counts.sort_unstable_by_key(|((upid, table, cause), _)| (*upid, *table, cause.name()));
        for ((upid, table_name, cause), count) in counts {
            into.push(&LossRow {
                time_: time,
                upid,
                table_name,
                cause: cause.name(),
                events: count.events as i64,
                bytes: count.bytes as i64,
            });
        }
    }

    /// Everything counted for `table` and `cause` since the start.
    pub fn total(&self, table: &str, cause: Cause) -> Count {
        self.totals
            .iter()
            .filter(|((t, c), _)| *t == table && *c == cause)
            .fold(Count::default(), |_, (_, count)| *count)
    }

    /// All totals since the start.
    pub fn totals(&self) -> impl Iterator<Item = (&'static str, Cause, Count)> + '_ {
        self.totals
            .iter()
            .map(|((table, cause), count)| (*table, *cause, *count))
    }
}
