//! What the programs count.

use libbpf_rs::{MapCore, MapFlags, MapHandle};

use super::Error;

/// Sums since the start. What was lost is counted by its cause.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Events written to the ring, of all kinds.
    pub events: u64,
    /// Payload bytes written to the ring.
    pub captured_bytes: u64,
    /// DATA events that found the ring full.
    pub ring_full: u64,
    /// Their length as the application saw it.
    pub ring_full_bytes: u64,
    /// CLOSE, EXEC, FORK and EXIT events that found the ring full.
    pub lifecycle_lost: u64,
    /// Payloads that could not be read.
    pub fault: u64,
    /// Bytes not recorded because their message was over its cap.
    pub capped_bytes: u64,
    /// Times a connection found no room to be followed.
    pub connections_full: u64,
    /// Messages on unix sockets, not parsed.
    pub unix_messages: u64,
    /// Their bytes.
    pub unix_bytes: u64,
    /// Ring records of no known kind; never, unless programs and library differ.
    pub unreadable: u64,
}

const FIELDS: usize = 10;

pub(super) fn read(map: &MapHandle) -> Result<Counters, Error> {
    let failed = |reason: String| Error::Map {
        name: "counters".into(),
        reason,
    };
    let per_cpu = map
        .lookup_percpu(&0u32.to_ne_bytes(), MapFlags::ANY)
        .map_err(|error| failed(error.to_string()))?
        .ok_or_else(|| failed("empty".into()))?;
    let mut sums = [0u64; FIELDS];
    for values in per_cpu {
        for (sum, value) in sums.iter_mut().zip(values.chunks_exact(8)) {
            *sum += u64::from_ne_bytes(value.try_into().unwrap_or_default());
        }
    }
    let [
        events,
        captured_bytes,
        ring_full,
        ring_full_bytes,
        lifecycle_lost,
        fault,
        capped_bytes,
        connections_full,
        unix_messages,
        unix_bytes,
    ] = sums;
    Ok(Counters {
        events,
        captured_bytes,
        ring_full,
        ring_full_bytes,
        lifecycle_lost,
        fault,
        capped_bytes,
        connections_full,
        unix_messages,
        unix_bytes,
        unreadable: 0,
    })
}
