//! `conn_stats` from the kernel's totals.

mod support;

use support::{Talk, numbers, schemas, texts};
use sylph_capture::batch::ConnStats;
use sylph_capture::event::{Close, role};
use sylph_capture::loss::{Cause, Losses};
use sylph_capture::stats::{Limits, Peers};

struct Host {
    peers: Peers,
    table: ConnStats,
    losses: Losses,
}

impl Host {
    fn new(limits: Limits) -> Self {
        Self {
            peers: Peers::new(1, limits),
            table: ConnStats::new(&schemas()).unwrap(),
            losses: Losses::default(),
        }
    }

    fn pass(&mut self, open: &[Close]) -> Vec<Vec<i64>> {
        for totals in open {
            self.peers.open(totals, &mut self.losses);
        }
        self.peers.read();
        self.peers.flush(0, &mut self.table);
        let Some(batch) = self.table.finish() else {
            return Vec::new();
        };
        let columns: Vec<_> = [
            "remote_port",
            "conn_open",
            "conn_close",
            "conn_active",
            "bytes_sent",
            "bytes_recv",
        ]
        .iter()
        .map(|name| numbers(&batch, name))
        .collect();
        assert_eq!(texts(&batch, "remote_addr").len(), batch.num_rows());
        (0..batch.num_rows())
            .map(|row| columns.iter().map(|column| column[row]).collect())
            .collect()
    }
}

fn totals(id: u64, sent: u64, received: u64) -> Close {
    let mut talk = Talk::new(id);
    talk.header.tgid = 100;
    talk.header.remote_addr = [10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    Close {
        bytes_sent: sent,
        bytes_received: received,
        ..talk.totals(0)
    }
}

#[test]
fn clients_of_a_server_are_one_row_per_address() {
    let mut host = Host::new(Limits::default());
    assert_eq!(
        host.pass(&[totals(1, 10, 1), totals(2, 20, 2)]),
        [[0, 2, 0, 2, 30, 3]]
    );
}

#[test]
fn counters_grow_and_untouched_pairs_are_silent() {
    let mut host = Host::new(Limits::default());
    host.pass(&[totals(1, 10, 1)]);
    assert!(host.pass(&[totals(1, 10, 1)]).is_empty());
    assert_eq!(host.pass(&[totals(1, 15, 1)]), [[0, 1, 0, 1, 15, 1]]);
    host.peers.close(&totals(1, 16, 2), &mut host.losses);
    assert_eq!(host.pass(&[]), [[0, 1, 1, 0, 16, 2]]);
    assert!(host.pass(&[]).is_empty());
}

#[test]
fn a_connection_between_two_passes_counts() {
    let mut host = Host::new(Limits::default());
    host.peers.close(&totals(1, 7, 8), &mut host.losses);
    assert_eq!(host.pass(&[]), [[0, 1, 1, 0, 7, 8]]);
}

#[test]
fn a_connection_whose_end_was_lost_closes_when_the_kernel_knows_it_no_more() {
    let mut host = Host::new(Limits::default());
    host.pass(&[totals(1, 10, 1)]);
    assert!(host.pass(&[]).is_empty()); // its event may still be in the ring
    assert_eq!(host.pass(&[]), [[0, 1, 1, 0, 10, 1]]);
    assert_eq!(host.peers.len().1, 0);
}

#[test]
fn a_client_keeps_the_port_of_its_peer() {
    let mut host = Host::new(Limits::default());
    let mut open = totals(1, 10, 1);
    open.conn.role = role::CLIENT;
    assert_eq!(host.pass(&[open]), [[40_001, 1, 0, 1, 10, 1]]);
}

#[test]
fn a_connection_that_changes_hands_counts_from_there_for_the_new_process() {
    let mut host = Host::new(Limits::default());
    host.pass(&[totals(1, 10, 1)]);
    let mut moved = totals(1, 15, 4);
    moved.conn.tgid = 200;
    assert_eq!(host.pass(&[moved]), [[0, 1, 1, 0, 10, 1], [0, 1, 0, 1, 5, 3]]);
}

#[test]
fn a_write_that_was_cut_short_does_not_count_twice() {
    let mut host = Host::new(Limits::default());
    host.pass(&[totals(1, 100, 0)]);
    host.pass(&[totals(1, 80, 0)]);
    assert_eq!(host.pass(&[totals(1, 120, 0)]), [[0, 1, 0, 1, 120, 0]]);
}

#[test]
fn pairs_are_bounded_and_the_idle_ones_leave() {
    let mut host = Host::new(Limits {
        pairs: 64,
        connections: 1000,
    });
    for id in 0..1000u64 {
        let mut gone = totals(id, 1, 1);
        gone.conn.remote_addr[1..4].copy_from_slice(&[0, (id >> 8) as u8, id as u8]);
        host.peers.close(&gone, &mut host.losses);
        assert!(host.peers.len().0 <= 64);
    }
    let written = host.pass(&[]).len() as u64;
    assert_eq!(
        written + host.losses.total("conn_stats", Cause::Budget).events,
        1000
    );
}

#[test]
fn connections_over_the_limit_are_counted() {
    let mut host = Host::new(Limits {
        pairs: 10,
        connections: 2,
    });
    assert_eq!(
        host.pass(&[totals(1, 1, 1), totals(2, 1, 1), totals(3, 1, 1)]),
        [[0, 2, 0, 2, 2, 2]]
    );
    assert_eq!(host.losses.total("conn_stats", Cause::Budget).events, 1);
}
