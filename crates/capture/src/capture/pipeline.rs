//! From events to finished batches; the same for what the kernel hands over now and for a recording.

use std::collections::VecDeque;

use super::queue::Finished;
use crate::batch::{CaptureLoss, ConnStats, ProcExitEvents, ProcExitRow, SchemaError, Schemas};
use crate::event::{Close, Event, Exec};
use crate::loss::{Cause, Losses};
use crate::replay::Pass;
use crate::stats::{self, Peers};
use crate::tracker::{self, Tracker};

const MILLISECOND: u64 = 1_000_000;
/// Rows wait at most so long before their batch is finished.
const FLUSH_NS: u64 = 200 * MILLISECOND;
const LOSS_NS: u64 = 1000 * MILLISECOND;
/// The first pass of `conn_stats` does not wait for its whole period.
const FIRST_CONN_STATS_NS: u64 = 1000 * MILLISECOND;
/// Process events kept until someone asks for them.
const MAX_PROCESS_EVENTS: usize = 65_536;

/// What happened to a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProcessChange {
    /// It was born.
    Fork,
    /// It began to run a program.
    Exec,
    /// It ended.
    Exit,
}

impl ProcessChange {
    /// Its name: `fork`, `exec` or `exit`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fork => "fork",
            Self::Exec => "exec",
            Self::Exit => "exit",
        }
    }
}

/// A change of a process, for whoever keeps track of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessEvent {
    /// What happened.
    pub change: ProcessChange,
    /// Process.
    pub pid: u32,
    /// Its parent; 0 where not known.
    pub ppid: u32,
    /// When the process started, clock ticks (1/100 s) since boot.
    pub start_ticks: u64,
    /// When it happened: wall clock, ns.
    pub time_ns: i64,
    /// Short name.
    pub comm: String,
    /// Path given to execve; empty otherwise.
    pub filename: String,
    /// Inode of the cgroup v2 directory; 0 where not known.
    pub cgroup_id: u64,
    /// As in wait(2); 0 before the end.
    pub exit_code: u32,
}

/// Settings of a pipeline.
#[derive(Debug, Clone)]
pub struct Config {
    /// Of the connection tracker.
    pub tracker: tracker::Config,
    /// Of `conn_stats`.
    pub peers: stats::Limits,
    /// How often `conn_stats` is written, ns.
    pub conn_stats_ns: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            tracker: tracker::Config::default(),
            peers: stats::Limits::default(),
            conn_stats_ns: 10_000 * MILLISECOND,
        }
    }
}

/// When something is due.
#[derive(Debug, Clone, Copy)]
struct Due {
    next: u64,
    every: u64,
}

impl Due {
    /// True when it is time; the next time is then a period from now.
    fn is(&mut self, now: u64) -> bool {
        let due = now >= self.next;
        if due {
            self.next = now.saturating_add(self.every);
        }
        due
    }
}

/// Turns events into batches. Its only clock is the one it is told.
pub struct Pipeline {
    asid: u32,
    tracker: Tracker,
    peers: Peers,
    conn_stats: ConnStats,
    exits: ProcExitEvents,
    loss: CaptureLoss,
    processes: VecDeque<ProcessEvent>,
    finished: Vec<Finished>,
    clock: i64,
    flush: Due,
    losses: Due,
    connections: Due,
}

impl Pipeline {
    /// A pipeline that writes tables of the given schemas, starting at `now_ns` of the monotonic clock.
    pub fn new(config: Config, schemas: &Schemas, now_ns: u64) -> Result<Self, SchemaError> {
        Ok(Self {
            asid: config.tracker.asid,
            peers: Peers::new(config.tracker.asid, config.peers),
            tracker: Tracker::new(config.tracker, schemas)?,
            conn_stats: ConnStats::new(schemas)?,
            exits: ProcExitEvents::new(schemas)?,
            loss: CaptureLoss::new(schemas)?,
            processes: VecDeque::new(),
            finished: Vec::new(),
            clock: 0,
            flush: Due {
                next: now_ns.saturating_add(FLUSH_NS),
                every: FLUSH_NS,
            },
            losses: Due {
                next: now_ns.saturating_add(LOSS_NS),
                every: LOSS_NS,
            },
            connections: Due {
                next: now_ns.saturating_add(FIRST_CONN_STATS_NS.min(config.conn_stats_ns)),
                every: config.conn_stats_ns,
            },
        })
    }

    /// Wall clock of a time of the monotonic one. Recordings may hold any number.
    fn wall(&self, monotonic_ns: u64) -> i64 {
        (monotonic_ns as i64).saturating_add(self.clock)
    }

    /// Begins a pass over the ring.
    pub fn begin(&mut self, pass: &Pass) {
        self.clock = pass.clock;
        self.tracker.begin(pass.clock, pass.ring_losses);
    }

    /// Takes one event.
    #[inline]
    pub fn event(&mut self, event: &Event<'_>) {
        match event {
            Event::Data(head, bytes) => self.tracker.data(head, bytes),
            Event::Close(close) => {
                self.tracker.close(close);
                self.peers.close(close, self.tracker.losses());
            }
            Event::Exec(exec) => self.born(ProcessChange::Exec, exec),
            Event::Fork(exec) => self.born(ProcessChange::Fork, exec),
            Event::Exit(exit) => {
                let comm = String::from_utf8_lossy(exit.comm);
                let time = self.wall(exit.time_ns);
                let full = self.exits.push(&ProcExitRow {
                    time_: time,
                    upid: crate::upid(self.asid, exit.tgid, exit.start_ns),
                    exit_code: i64::from(exit.exit_code >> 8 & 0xff),
                    signal: i64::from(exit.exit_code & 0x7f),
                    comm: &comm,
                });
                if full {
                    self.finished
                        .extend(self.exits.finish().map(|batch| (ProcExitEvents::NAME, batch)));
                }
                let comm = comm.into_owned();
                self.process(ProcessEvent {
                    change: ProcessChange::Exit,
                    pid: exit.tgid,
                    ppid: 0,
                    start_ticks: exit.start_ns / crate::TICK_NS,
                    time_ns: time,
                    comm,
                    filename: String::new(),
                    cgroup_id: 0,
                    exit_code: exit.exit_code,
                });
            }
        }
    }

    fn born(&mut self, change: ProcessChange, exec: &Exec<'_>) {
        self.process(ProcessEvent {
            change,
            pid: exec.tgid,
            ppid: exec.ppid,
            start_ticks: exec.start_ns / crate::TICK_NS,
            time_ns: self.wall(exec.time_ns),
            comm: String::from_utf8_lossy(exec.comm).into_owned(),
            filename: String::from_utf8_lossy(exec.filename).into_owned(),
            cgroup_id: exec.cgroup_id,
            exit_code: 0,
        });
    }

    fn process(&mut self, event: ProcessEvent) {
        // Whoever does not ask gets the newest ones.
        if self.processes.len() >= MAX_PROCESS_EVENTS {
            self.processes.pop_front();
            self.tracker.losses().add(0, "processes", Cause::Budget, 1, 0);
        }
        self.processes.push_back(event);
    }

    /// Takes one connection of the kernel's table of open ones.
    pub fn open(&mut self, totals: &Close) {
        self.peers.open(totals, self.tracker.losses());
    }

    /// The kernel's table of open connections has been read: writes `conn_stats`.
    pub fn open_end(&mut self, now_ns: u64) {
        self.peers.read();
        let time = self.wall(now_ns);
        self.peers.flush(time, &mut self.conn_stats);
        self.finished
            .extend(self.conn_stats.finish().map(|batch| (ConnStats::NAME, batch)));
    }

    /// Whether it is time to read the kernel's table of open connections.
    pub fn wants_connections(&mut self, now_ns: u64) -> bool {
        self.connections.is(now_ns)
    }

    /// Lets time pass until `now_ns`: finishes batches that have waited long enough.
    pub fn advance(&mut self, now_ns: u64) {
        self.finished.extend(
            self.tracker
                .take(false)
                .into_iter()
                .map(|batch| (tracker::TABLE, batch)),
        );
        if self.losses.is(now_ns) {
            self.flush_losses(now_ns);
            self.finished
                .extend(self.loss.finish().map(|batch| (CaptureLoss::NAME, batch)));
        }
        if self.flush.is(now_ns) {
            self.tracker.tick(now_ns);
            self.finish_rows();
        }
    }

    /// Ends: everything that is still held becomes a batch.
    pub fn end(&mut self, now_ns: u64) {
        self.tracker.tick(now_ns);
        self.finish_rows();
        self.flush_losses(now_ns);
        self.finished
            .extend(self.loss.finish().map(|batch| (CaptureLoss::NAME, batch)));
    }

    fn flush_losses(&mut self, now_ns: u64) {
        let time = self.wall(now_ns);
        self.tracker.losses().flush(time, &mut self.loss);
    }

    fn finish_rows(&mut self) {
        self.finished.extend(
            self.tracker
                .take(true)
                .into_iter()
                .map(|batch| (tracker::TABLE, batch)),
        );
        self.finished
            .extend(self.exits.finish().map(|batch| (ProcExitEvents::NAME, batch)));
    }

    /// Batches finished since the last call.
    pub fn take(&mut self) -> Vec<Finished> {
        std::mem::take(&mut self.finished)
    }

    /// Changes of processes since the last call, oldest first.
    pub fn take_processes(&mut self) -> VecDeque<ProcessEvent> {
        std::mem::take(&mut self.processes)
    }

    /// Losses counted so far.
    pub fn losses(&mut self) -> &mut Losses {
        self.tracker.losses()
    }

    /// What the tracker did so far.
    pub fn counters(&self) -> tracker::Counters {
        self.tracker.counters()
    }

    /// Pairs and open connections behind `conn_stats`.
    pub fn peers(&self) -> (usize, usize) {
        self.peers.len()
    }
}
