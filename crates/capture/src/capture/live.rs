//! The kernel as a source of events.

use super::Source;
use crate::event::{Close, DataHeader, Direction, Event, flag};
use crate::kernel::{ConnTotals, Kernel};

impl Source for Kernel {
    fn drain(&mut self, on_event: &mut dyn FnMut(&Event<'_>)) -> usize {
        Kernel::drain(self, &mut |event| on_event(&event))
    }

    fn ring_losses(&mut self) -> Result<u64, String> {
        Ok(Kernel::counters(self)
            .map_err(|error| error.to_string())?
            .ring_full)
    }

    fn connections(&mut self) -> Result<Vec<Close>, String> {
        let open = Kernel::connections(self).map_err(|error| error.to_string())?;
        Ok(open.iter().map(totals).collect())
    }

    fn counters(&mut self) -> Result<Vec<(&'static str, u64)>, String> {
        let counters = Kernel::counters(self).map_err(|error| error.to_string())?;
        Ok(vec![
            ("events", counters.events),
            ("captured_bytes", counters.captured_bytes),
            ("ring_full", counters.ring_full),
            ("ring_full_bytes", counters.ring_full_bytes),
            ("lifecycle_lost", counters.lifecycle_lost),
            ("fault", counters.fault),
            ("capped_bytes", counters.capped_bytes),
            ("connections_full", counters.connections_full),
            ("unix_messages", counters.unix_messages),
            ("unix_bytes", counters.unix_bytes),
            ("unreadable", counters.unreadable),
        ])
    }

    fn ring_used(&self) -> (usize, usize) {
        Kernel::ring_used(self)
    }

    fn refresh(&mut self) -> Result<(), String> {
        self.refresh_addresses().map_err(|error| error.to_string())
    }
}

/// An open connection as its CLOSE event would tell it now.
fn totals(open: &ConnTotals) -> Close {
    Close {
        conn: DataHeader {
            direction: Direction::Recv,
            role: open.role,
            protocol: open.protocol,
            family: open.family,
            source: 0,
            flags: if open.midstream { flag::MIDSTREAM } else { 0 },
            tgid: open.tgid,
            tid: 0,
            start_ns: open.start_ns,
            time_ns: open.opened_ns,
            conn_id: open.conn_id,
            position: 0,
            length: 0,
            captured: 0,
            exchange: open.exchanges,
            tcp_seq: 0,
            local_port: open.local_port,
            remote_port: open.remote_port,
            netns: open.netns,
            local_addr: open.local_addr,
            remote_addr: open.remote_addr,
        },
        bytes_sent: open.bytes_sent,
        bytes_received: open.bytes_received,
        exchanges: open.exchanges,
        lost: open.lost,
    }
}
