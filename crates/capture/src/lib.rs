//! Loads the kernel programs, drains their rings, tracks connections and builds Arrow batches.

pub mod batch;
pub mod capture;
pub mod clock;
pub mod event;
pub mod kernel;
pub mod loss;
pub mod probe;
pub mod procfs;
pub mod replay;
pub mod stats;
pub mod tracker;

/// Ticks of the clock in which a process's start is counted (USER_HZ), in ns.
const TICK_NS: u64 = 10_000_000;

/// Cluster-unique id of a process: agent's short id, pid, and start in clock ticks since boot.
pub fn upid(asid: u32, pid: u32, start_ns: u64) -> u128 {
    u128::from(asid) << 96 | u128::from(pid) << 64 | u128::from(start_ns / TICK_NS)
}
