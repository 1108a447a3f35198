//! Open connections, read from the map that the programs keep (`struct connection` of `bpf/maps.h`).

use libbpf_rs::{MapCore, MapFlags, MapHandle};

use super::Error;
use crate::event::role;

/// One open connection of one process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnTotals {
    /// As in the events.
    pub conn_id: u64,
    /// Process that used it last; 0 while none has.
    pub tgid: u32,
    /// Start of that process, ns since boot.
    pub start_ns: u64,
    /// When it opened, or was first seen; CLOCK_MONOTONIC, ns.
    pub opened_ns: u64,
    /// Own address; IPv4 in the first four bytes.
    pub local_addr: [u8; 16],
    /// Peer's address.
    pub remote_addr: [u8; 16],
    /// Own port.
    pub local_port: u16,
    /// Peer's port.
    pub remote_port: u16,
    /// See [`role`].
    pub role: u8,
    /// `conn_stats.addr_family` code.
    pub family: u8,
    /// `conn_stats.protocol` code; 0 not known.
    pub protocol: u8,
    /// Inode of the network namespace.
    pub netns: u32,
    /// Bytes sent. What a write asks for is counted when it begins, so a write that the kernel cuts short is too high
    /// until the next call; exact when the connection closes.
    pub bytes_sent: u64,
    /// Bytes received; exact after the next call.
    pub bytes_received: u64,
    /// Turns from response back to request.
    pub exchanges: u32,
    /// DATA events of this connection that found the ring full.
    pub lost: u32,
    /// It is older than the agent.
    pub midstream: bool,
}

const VALUE_BYTES: usize = 136;
const OWN: u16 = 2;
const ESTABLISHED: u16 = 8;
const MIDSTREAM: u16 = 1;

fn parse(value: &[u8]) -> Option<ConnTotals> {
    let v: &[u8; VALUE_BYTES] = value.first_chunk()?;
    let u16_at = |at: usize| u16::from_ne_bytes([v[at], v[at + 1]]);
    let u32_at = |at: usize| u32::from_ne_bytes([v[at], v[at + 1], v[at + 2], v[at + 3]]);
    let u64_at = |at: usize| u64::from(u32_at(at)) | u64::from(u32_at(at + 4)) << 32;
    let total = |direction: usize| {
        let ahead = u32_at(48 + 4 * direction).wrapping_sub(u32_at(40 + 4 * direction));
        u64_at(24 + 8 * direction) + u64::from(ahead)
    };
    let address = |at: usize| v[at..at + 16].try_into().unwrap_or_default();
    let flags = u16_at(88);
    if flags & OWN != 0 || flags & ESTABLISHED == 0 {
        return None;
    }
    Some(ConnTotals {
        conn_id: u64_at(0),
        start_ns: u64_at(8),
        opened_ns: u64_at(16),
        bytes_received: total(0),
        bytes_sent: total(1),
        tgid: u32_at(64),
        netns: u32_at(68),
        exchanges: u32_at(72),
        lost: u32_at(76),
        local_port: u16_at(84),
        remote_port: u16_at(86),
        midstream: flags & MIDSTREAM != 0,
        family: v[91],
        role: if v[92] == 0 { role::UNKNOWN } else { v[92] },
        protocol: v[93],
        local_addr: address(100),
        remote_addr: address(116),
    })
}

pub(super) fn read_all(map: &MapHandle) -> Result<Vec<ConnTotals>, Error> {
    let entries = map
        .lookup_batch(4096, MapFlags::ANY, MapFlags::ANY)
        .map_err(|error| Error::Map {
            name: "connections".into(),
            reason: error.to_string(),
        })?;
    Ok(entries.filter_map(|(_, value)| parse(&value)).collect())
}
