//! Finished batches on their way to whoever stores them: bounded in bytes.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arrow_array::RecordBatch;

use crate::batch::CaptureLoss;
use crate::tracker;

/// A batch and the table it belongs to.
pub type Finished = (&'static str, RecordBatch);

#[derive(Debug, Default)]
struct State {
    batches: Vec<Finished>,
    bytes: usize,
    ended: bool,
}

/// A bounded queue between the capture thread and one reader.
#[derive(Debug)]
pub(super) struct Queue {
    state: Mutex<State>,
    ready: Condvar,
    budget: usize,
}

impl Queue {
    pub(super) fn new(budget: usize) -> Self {
        Self {
            state: Mutex::default(),
            ready: Condvar::new(),
            budget,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere leaves the list whole: every change is one push or one take.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Bytes up to which batches of `table` are taken: when rows of requests flood the queue, the few rows of the other
    /// tables, and above all what says how many were lost, still have room.
    fn limit(&self, table: &str) -> usize {
        match table {
            tracker::TABLE => self.budget / 4 * 3,
            CaptureLoss::NAME => self.budget,
            _ => self.budget / 8 * 7,
        }
    }

    /// Appends a batch; gives it back when there is no room for it.
    pub(super) fn push(&self, finished: Finished) -> Option<Finished> {
        let bytes = finished.1.get_array_memory_size();
        let mut state = self.lock();
        if state.ended || state.bytes + bytes > self.limit(finished.0) {
            return Some(finished);
        }
        state.bytes += bytes;
        state.batches.push(finished);
        drop(state);
        self.ready.notify_one();
        None
    }

    /// All batches, as soon as there is one; none when time is up or the queue has ended.
    pub(super) fn take(&self, timeout: Duration) -> Vec<Finished> {
        let state = self.lock();
        let (mut state, _) = self
            .ready
            .wait_timeout_while(state, timeout, |state| state.batches.is_empty() && !state.ended)
            .unwrap_or_else(PoisonError::into_inner);
        state.bytes = 0;
        std::mem::take(&mut state.batches)
    }

    /// Nothing more will come.
    pub(super) fn end(&self) {
        self.lock().ended = true;
        self.ready.notify_all();
    }

    pub(super) fn ended(&self) -> bool {
        self.lock().ended
    }

    pub(super) fn bytes(&self) -> usize {
        self.lock().bytes
    }
}
