//! The capture thread.

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use super::pipeline::Pipeline;
use super::queue::Finished;
use super::samples::Samples;
use super::{Shared, Source, lock, time};
use crate::batch::ConnStats;
use crate::clock::Clock;
use crate::loss::Cause;
use crate::replay::{Pass, Recorder};

const MILLISECOND: u64 = 1_000_000;
/// How often figures are published while there is traffic; without any, each second.
const STATS_NS: u64 = 200 * MILLISECOND;
const SECOND_NS: u64 = 1_000 * MILLISECOND;
const REFRESH_NS: u64 = 10_000 * MILLISECOND;
/// Longest and shortest pause between two passes.
const MAX_PAUSE_NS: u64 = 100 * MILLISECOND;
const MIN_PAUSE_NS: u64 = MILLISECOND;
/// A pass should find about this part of the ring in use: little enough for the caches and for a burst.
const RING_PART: u64 = 32;
/// Process events wait in the worker's queue and in the shared one; this bounds the latter.
const MAX_PROCESS_EVENTS: usize = 65_536;

pub(super) struct Worker<S> {
    source: S,
    pipeline: Pipeline,
    samples: Samples,
    clock: Clock,
    recorder: Option<Recorder<File>>,
    shared: Arc<Shared>,
    pass: Pass,
    events: u64,
    passes: u64,
    /// Counters of the source that have been turned into losses.
    lifecycle_lost: u64,
    connections_full: u64,
    pause: u64,
    sampled: Vec<Finished>,
}

impl<S: Source> Worker<S> {
    pub(super) fn new(
        source: S,
        pipeline: Pipeline,
        samples: Samples,
        recorder: Option<Recorder<File>>,
        shared: Arc<Shared>,
    ) -> Self {
        let clock = Clock::now();
        Self {
            source,
            pipeline,
            samples,
            clock,
            recorder,
            shared,
            pass: Pass {
                now_ns: time::monotonic(),
                clock: clock.wall(0),
                ring_losses: 0,
            },
            events: 0,
            passes: 0,
            lifecycle_lost: 0,
            connections_full: 0,
            pause: MIN_PAUSE_NS,
            sampled: Vec::new(),
        }
    }

    /// Runs until it is told to stop, or the source fails.
    pub(super) fn run(mut self) {
        let outcome = catch_unwind(AssertUnwindSafe(|| self.work()));
        let failure = match outcome {
            Ok(Ok(())) => None,
            Ok(Err(reason)) => Some(reason),
            Err(_) => Some("an internal error (a bug: please report it with the log)".to_owned()),
        };
        *lock(&self.shared.failure) = failure;
        self.shared.queue.end();
    }

    fn work(&mut self) -> Result<(), String> {
        let (mut second, mut refresh, mut stats) = (0, self.pass.now_ns + REFRESH_NS, 0);
        let mut published = 0;
        loop {
            let stop = *lock(&self.shared.stop);
            self.pass()?;
            let now = self.pass.now_ns;
            if self.pipeline.wants_connections(now) {
                self.connections(now)?;
            }
            if now >= second {
                second = now + SECOND_NS;
                self.each_second()?;
            }
            if now >= refresh {
                refresh = now + REFRESH_NS;
                self.source.refresh()?;
            }
            self.pipeline.advance(now);
            if stop {
                self.pipeline.end(now);
            }
            self.hand_over();
            if stop {
                // What found no room just now is to be told, too.
                self.pipeline.end(now);
                self.hand_over();
            }
            if now >= stats && (self.events != published || now >= stats + SECOND_NS) || stop {
                stats = now + STATS_NS;
                published = self.events;
                self.publish()?;
            }
            if stop {
                if let Some(recorder) = &mut self.recorder {
                    recorder
                        .finish()
                        .map_err(|error| format!("the recording could not be written: {error}"))?;
                }
                return Ok(());
            }
            self.rest();
        }
    }

    /// One pass over the ring; decides how long to pause after it.
    fn pass(&mut self) -> Result<(), String> {
        let before = self.pass.now_ns;
        self.pass.now_ns = time::monotonic();
        let (used, size) = self.source.ring_used();
        if used > 0 {
            self.pass.ring_losses = self.source.ring_losses()?;
        }
        self.pipeline.begin(&self.pass);
        let Self {
            source,
            pipeline,
            recorder,
            pass,
            ..
        } = self;
        let mut failed = None;
        if let Some(open) = recorder {
            match open.pass(pass) {
                Ok(true) => {}
                Ok(false) => failed = Some(open.finish().err()),
                Err(error) => failed = Some(Some(error)),
            }
        }
        let events = source.drain(&mut |event| {
            pipeline.event(event);
            if let (Some(open), None) = (recorder.as_mut(), &failed) {
                match open.event(event) {
                    Ok(true) => {}
                    Ok(false) => failed = Some(open.finish().err()),
                    Err(error) => failed = Some(Some(error)),
                }
            }
        });
        if let Some(error) = failed {
            self.recorder = None; // full, or not writable: capture goes on
            if let Some(error) = error {
                return Err(format!("the recording could not be written: {error}"));
            }
        }
        self.events += events as u64;
        self.passes += 1;
        self.pause = if events == 0 {
            (self.pause * 2).min(MAX_PAUSE_NS)
        } else {
            let elapsed = (self.pass.now_ns - before).max(1);
            let target = size as u64 / RING_PART;
            (target.saturating_mul(elapsed) / (used as u64).max(1)).clamp(MIN_PAUSE_NS, MAX_PAUSE_NS)
        };
        Ok(())
    }

    fn connections(&mut self, now: u64) -> Result<(), String> {
        for totals in self.source.connections()? {
            self.pipeline.open(&totals);
            if let Some(recorder) = &mut self.recorder {
                recorder
                    .open(&totals)
                    .map_err(|error| format!("the recording could not be written: {error}"))?;
            }
        }
        if let Some(recorder) = &mut self.recorder {
            recorder
                .open_end()
                .map_err(|error| format!("the recording could not be written: {error}"))?;
        }
        self.pipeline.open_end(now);
        Ok(())
    }

    fn each_second(&mut self) -> Result<(), String> {
        self.clock.refresh();
        self.pass.clock = self.clock.wall(0);
        let now = self.clock.wall(self.pass.now_ns);
        self.samples.take(now, &mut self.sampled);
        let counters = self.source.counters()?;
        let counted = |name: &str| {
            counters
                .iter()
                .find(|(n, _)| *n == name)
                .map_or(0, |(_, value)| *value)
        };
        let (lifecycle, full) = (counted("lifecycle_lost"), counted("connections_full"));
        let losses = self.pipeline.losses();
        losses.add(
            0,
            "lifecycle",
            Cause::RingFull,
            lifecycle - self.lifecycle_lost,
            0,
        );
        losses.add(0, ConnStats::NAME, Cause::Budget, full - self.connections_full, 0);
        (self.lifecycle_lost, self.connections_full) = (lifecycle, full);
        Ok(())
    }

    /// Finished batches to the queue; what has no room there is lost.
    fn hand_over(&mut self) {
        for finished in self.pipeline.take().into_iter().chain(self.sampled.drain(..)) {
            if let Some((table, batch)) = self.shared.queue.push(finished) {
                let bytes = batch.get_array_memory_size() as u64;
                self.pipeline
                    .losses()
                    .add(0, table, Cause::Budget, batch.num_rows() as u64, bytes);
            }
        }
        let mut fresh = self.pipeline.take_processes();
        if !fresh.is_empty() {
            let mut processes = lock(&self.shared.processes);
            processes.append(&mut fresh);
            let over = processes.len().saturating_sub(MAX_PROCESS_EVENTS);
            processes.drain(..over);
            drop(processes);
            self.pipeline
                .losses()
                .add(0, "processes", Cause::Budget, over as u64, 0);
        }
    }

    fn publish(&mut self) -> Result<(), String> {
        let tracker = self.pipeline.counters();
        let (pairs, open) = self.pipeline.peers();
        let (used, size) = self.source.ring_used();
        let mut stats: std::collections::BTreeMap<String, u64> = [
            ("thread.cpu_ns", time::thread_cpu()),
            ("thread.passes", self.passes),
            ("thread.pause_ns", self.pause),
            ("ring.used_bytes", used as u64),
            ("ring.size_bytes", size as u64),
            ("events", self.events),
            ("tracker.rows", tracker.rows),
            ("tracker.connections", tracker.connections as u64),
            ("tracker.evicted", tracker.evicted),
            ("tracker.late_events", tracker.late),
            ("tracker.bytes", tracker.bytes as u64),
            ("conn_stats.pairs", pairs as u64),
            ("conn_stats.connections", open as u64),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
        for (name, value) in self.source.counters()? {
            stats.insert(format!("kernel.{name}"), value);
        }
        for (table, cause, count) in self.pipeline.losses().totals() {
            stats.insert(format!("loss.{table}.{}", cause.name()), count.events);
            if count.bytes > 0 {
                stats.insert(format!("loss_bytes.{table}.{}", cause.name()), count.bytes);
            }
        }
        *lock(&self.shared.stats) = stats;
        Ok(())
    }

    fn rest(&self) {
        let stop = lock(&self.shared.stop);
        if !*stop {
            let pause = Duration::from_nanos(self.pause);
            drop(
                self.shared
                    .stopped
                    .wait_timeout(stop, pause)
                    .unwrap_or_else(PoisonError::into_inner),
            );
        }
    }
}
