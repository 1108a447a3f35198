//! `process_stats` and `network_stats`: what `/proc` says, every second.

use std::collections::BTreeSet;

use super::queue::Finished;
use crate::TICK_NS;
use crate::batch::{NetworkStats, NetworkStatsRow, ProcessStats, ProcessStatsRow, SchemaError, Schemas};
use crate::procfs::{self, Sampler};

/// Samples between two searches for network namespaces: a search looks at every process.
const NAMESPACES_EVERY: u32 = 10;

/// Takes samples of the whole host.
pub(super) struct Samples {
    asid: u32,
    sampler: Sampler,
    /// A process of each network namespace, and the namespace's inode.
    namespaces: Vec<(u32, u32)>,
    until_search: u32,
    processes: ProcessStats,
    networks: NetworkStats,
}

impl Samples {
    pub(super) fn new(asid: u32, schemas: &Schemas) -> Result<Self, SchemaError> {
        Ok(Self {
            asid,
            sampler: Sampler::default(),
            namespaces: Vec::new(),
            until_search: 0,
            processes: ProcessStats::new(schemas)?,
            networks: NetworkStats::new(schemas)?,
        })
    }

    /// A sample as of `time` (wall clock, ns).
    pub(super) fn take(&mut self, time: i64, finished: &mut Vec<Finished>) {
        for sample in self.sampler.processes() {
            let full = self.processes.push(&ProcessStatsRow {
                time_: time,
                upid: crate::upid(self.asid, sample.pid, sample.start_ticks * TICK_NS),
                major_faults: sample.major_faults,
                minor_faults: sample.minor_faults,
                cpu_utime_ns: sample.cpu_utime_ns,
                cpu_ktime_ns: sample.cpu_ktime_ns,
                num_threads: sample.num_threads,
                vsize_bytes: sample.vsize_bytes,
                rss_bytes: sample.rss_bytes,
                rchar_bytes: sample.rchar_bytes,
                wchar_bytes: sample.wchar_bytes,
                read_bytes: sample.read_bytes,
                write_bytes: sample.write_bytes,
            });
            if full {
                finished.extend(self.processes.finish().map(|batch| (ProcessStats::NAME, batch)));
            }
        }
        finished.extend(self.processes.finish().map(|batch| (ProcessStats::NAME, batch)));
        self.networks(time);
        finished.extend(self.networks.finish().map(|batch| (NetworkStats::NAME, batch)));
    }

    fn networks(&mut self, time: i64) {
        if self.until_search == 0 {
            self.until_search = NAMESPACES_EVERY;
            self.namespaces = procfs::namespaces();
        }
        self.until_search -= 1;
        let mut gone = BTreeSet::new();
        for &(pid, netns) in &self.namespaces {
            let Some(sample) = procfs::network(pid, netns) else {
                gone.insert(netns);
                continue;
            };
            self.networks.push(&NetworkStatsRow {
                time_: time,
                pod_id: &netns.to_string(),
                rx_bytes: sample.rx_bytes,
                rx_packets: sample.rx_packets,
                rx_errors: sample.rx_errors,
                rx_drops: sample.rx_drops,
                tx_bytes: sample.tx_bytes,
                tx_packets: sample.tx_packets,
                tx_errors: sample.tx_errors,
                tx_drops: sample.tx_drops,
            });
        }
        if !gone.is_empty() {
            // The process has ended; another one may keep the namespace alive.
            self.namespaces.retain(|(_, netns)| !gone.contains(netns));
            self.until_search = 0;
        }
    }
}
