//! Live capture: one thread that drains the kernel's ring, and hands finished batches over.

mod live;
mod pipeline;
mod queue;
mod samples;
mod time;
mod worker;

use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use std::{fmt, io};

pub use pipeline::{Config, Pipeline, ProcessChange, ProcessEvent};
pub use queue::Finished;
use queue::Queue;

use crate::batch::{
    CaptureLoss, ConnStats, NetworkStats, ProcExitEvents, ProcessStats, SchemaError, Schemas,
};
use crate::event::{Close, Event};
use crate::replay::Recorder;
use crate::tracker;

/// Where events come from: the kernel, or what stands in for it in tests.
pub trait Source: Send + 'static {
    /// Gives every event that is there to `on_event`; never waits. Returns how many.
    fn drain(&mut self, on_event: &mut dyn FnMut(&Event<'_>)) -> usize;
    /// How many DATA events have found the ring full so far.
    ///
    /// # Errors
    /// When the kernel cannot be asked.
    fn ring_losses(&mut self) -> Result<u64, String>;
    /// Totals of every open connection.
    ///
    /// # Errors
    /// When the kernel cannot be asked.
    fn connections(&mut self) -> Result<Vec<Close>, String>;
    /// Everything it counts, by name.
    ///
    /// # Errors
    /// When the kernel cannot be asked.
    fn counters(&mut self) -> Result<Vec<(&'static str, u64)>, String>;
    /// Bytes of the ring in use, and its size.
    fn ring_used(&self) -> (usize, usize);
    /// Renews what it knows of the machine, such as its addresses; called every few seconds.
    ///
    /// # Errors
    /// When that fails.
    fn refresh(&mut self) -> Result<(), String>;
}

/// The tables that a capture fills.
pub const TABLES: [&str; 6] = [
    tracker::TABLE,
    ConnStats::NAME,
    ProcessStats::NAME,
    NetworkStats::NAME,
    ProcExitEvents::NAME,
    CaptureLoss::NAME,
];

/// Settings of a capture.
#[derive(Debug, Clone)]
pub struct Options {
    /// Of the pipeline.
    pub pipeline: Config,
    /// Bytes that finished batches may hold until they are taken; what does not fit is counted as lost.
    pub queue_bytes: usize,
    /// File to record all events into, and its greatest size in bytes.
    pub record: Option<(PathBuf, u64)>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            pipeline: Config::default(),
            queue_bytes: 64 << 20,
            record: None,
        }
    }
}

/// Why a capture could not start or go on.
#[derive(Debug)]
pub enum Error {
    /// A schema is missing or differs.
    Schema(SchemaError),
    /// The recording could not be begun.
    Record(PathBuf, io::Error),
    /// No thread could be made.
    Thread(io::Error),
    /// The kernel stopped to answer.
    Source(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Schema(error) => write!(f, "{error}"),
            Self::Record(path, error) => write!(f, "cannot record to {}: {error}", path.display()),
            Self::Thread(error) => write!(f, "cannot start the capture thread: {error}"),
            Self::Source(error) => write!(f, "capture has stopped: {error}"),
        }
    }
}

impl std::error::Error for Error {}

/// What the capture thread shares with its owner.
struct Shared {
    queue: Queue,
    stop: Mutex<bool>,
    stopped: Condvar,
    stats: Mutex<BTreeMap<String, u64>>,
    processes: Mutex<VecDeque<ProcessEvent>>,
    failure: Mutex<Option<String>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Every change under these locks is one assignment or append: a panic elsewhere leaves them whole.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A running capture. Dropping it ends the thread and, with the source, detaches the programs.
pub struct Capture {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Capture {
    /// Starts to capture from `source` into tables of the given schemas.
    ///
    /// # Errors
    /// When a schema does not fit, the recording cannot be begun, or no thread can be made.
    pub fn start(source: impl Source, options: Options, schemas: &Schemas) -> Result<Self, Error> {
        let pipeline =
            Pipeline::new(options.pipeline.clone(), schemas, time::monotonic()).map_err(Error::Schema)?;
        let samples = samples::Samples::new(options.pipeline.tracker.asid, schemas).map_err(Error::Schema)?;
        let recorder = match &options.record {
            Some((path, max_bytes)) => Some(
                File::create(path)
                    .and_then(|file| Recorder::new(file, options.pipeline.tracker.asid, *max_bytes))
                    .map_err(|error| Error::Record(path.clone(), error))?,
            ),
            None => None,
        };
        let shared = Arc::new(Shared {
            queue: Queue::new(options.queue_bytes),
            stop: Mutex::new(false),
            stopped: Condvar::new(),
            stats: Mutex::default(),
            processes: Mutex::default(),
            failure: Mutex::default(),
        });
        let worker = worker::Worker::new(source, pipeline, samples, recorder, shared.clone());
        let thread = thread::Builder::new()
            .name("sylph-capture".into())
            .spawn(move || worker.run())
            .map_err(Error::Thread)?;
        Ok(Self {
            shared,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// All finished batches, waiting up to `timeout` for the first.
    ///
    /// # Errors
    /// When capture has stopped by itself and everything has been taken.
    pub fn poll(&self, timeout: Duration) -> Result<Vec<Finished>, Error> {
        let batches = self.shared.queue.take(timeout);
        match &*lock(&self.shared.failure) {
            Some(reason) if batches.is_empty() => Err(Error::Source(reason.clone())),
            _ => Ok(batches),
        }
    }

    /// Changes of processes since the last call, oldest first.
    pub fn processes(&self) -> VecDeque<ProcessEvent> {
        std::mem::take(&mut *lock(&self.shared.processes))
    }

    /// What capture does and uses, by name; renewed every 200 ms.
    pub fn stats(&self) -> BTreeMap<String, u64> {
        let mut stats = lock(&self.shared.stats).clone();
        stats.insert("queue.bytes".into(), self.shared.queue.bytes() as u64);
        stats
    }

    /// Whether nothing more will come.
    pub fn ended(&self) -> bool {
        self.shared.queue.ended()
    }

    /// Stops, and waits until the last batches are in the queue.
    pub fn close(&self) {
        *lock(&self.shared.stop) = true;
        self.shared.stopped.notify_all();
        if let Some(thread) = lock(&self.thread).take() {
            // It cannot have panicked: the worker catches that and tells it as a failure.
            drop(thread.join());
        }
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        self.close();
    }
}
