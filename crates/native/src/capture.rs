//! `Capture`: live capture as a Python object.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pyo3::create_exception;
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use sylph_capture::batch::Schemas;
use sylph_capture::capture::{self, Options};
use sylph_capture::kernel::{self, Kernel, Method};

use crate::interchange::{ArrowBatch, schema_from};

create_exception!(
    sylph._native,
    CaptureError,
    PyRuntimeError,
    "Capture cannot start or go on; the message says why and what to do."
);

/// Longest wait between two looks for a signal such as Ctrl-C.
const SIGNAL_CHECK: Duration = Duration::from_millis(100);
/// What a connection costs at most while nothing of it is in flight, for the share of memory that connections get.
const CONNECTION_BYTES: usize = 1024;

type ProcessTuple = (&'static str, u32, u32, u64, i64, String, String, u64, u32);

fn failed(error: impl std::fmt::Display) -> PyErr {
    CaptureError::new_err(error.to_string())
}

fn refused(what: &str) -> PyErr {
    PyValueError::new_err(what.to_owned())
}

fn method_named(name: &str) -> PyResult<Method> {
    [Method::Auto, Method::Tcp, Method::Syscall]
        .into_iter()
        .find(|method| method.name() == name)
        .ok_or_else(|| PyValueError::new_err(format!("method must be auto, tcp or syscall, not {name:?}")))
}

/// Live capture on this host: a thread of its own drains the kernel and builds batches, without the GIL.
///
/// `schemas` are Arrow schemas with Sylph's field metadata, by table. `asid` is the agent's short id. `memory` bounds,
/// in bytes, finished batches and followed connections; `ring_bytes` is the kernel's buffer, `event_bytes` and
/// `message_bytes` what is copied of one call and of one message. `record` names a file that gets all events, at most
/// `record_bytes` of them.
///
/// Raises CaptureError when the kernel refuses, ValueError for a setting or schema that cannot be.
#[pyclass(frozen, module = "sylph._native")]
pub(crate) struct Capture {
    inner: capture::Capture,
    method: Method,
    fallback: Option<String>,
    programs: Vec<String>,
}

#[pymethods]
impl Capture {
    #[new]
    #[pyo3(signature = (
        schemas, *, method="auto", asid, ring_bytes=32 << 20, event_bytes=16 << 10, message_bytes=32 << 10,
        max_body_bytes=512, trace_clients=false, memory=64 << 20, max_connections=65_536, conn_stats_period=10.0,
        record=None, record_bytes=1 << 30
    ))]
    #[expect(clippy::too_many_arguments, reason = "keyword arguments of Python")]
    fn new(
        py: Python<'_>,
        schemas: &Bound<'_, PyDict>,
        method: &str,
        asid: u32,
        ring_bytes: u32,
        event_bytes: u32,
        message_bytes: u32,
        max_body_bytes: usize,
        trace_clients: bool,
        memory: usize,
        max_connections: u32,
        conn_stats_period: f64,
        record: Option<PathBuf>,
        record_bytes: u64,
    ) -> PyResult<Self> {
        let method = method_named(method)?;
        if !(0.1..=86_400.0).contains(&conn_stats_period) {
            return Err(refused("conn_stats_period must be between 0.1 and 86400 seconds"));
        }
        if !(1 << 20..=1 << 40).contains(&memory) {
            return Err(refused("memory must be between 1 MiB and 1 TiB"));
        }
        if !(4096..=1 << 30).contains(&ring_bytes) {
            return Err(refused("ring_bytes must be between 4096 and 1 GiB"));
        }
        if !(64..=kernel::MAX_EVENT_BYTES).contains(&event_bytes) || message_bytes < event_bytes {
            return Err(PyValueError::new_err(format!(
                "event_bytes must be between 64 and {}, and message_bytes at least as many",
                kernel::MAX_EVENT_BYTES
            )));
        }
        if max_connections == 0 {
            return Err(refused("max_connections must be at least 1"));
        }
        let schemas: Schemas = schemas
            .iter()
            .map(|(name, schema)| Ok((name.extract()?, Arc::new(schema_from(&schema)?))))
            .collect::<PyResult<_>>()?;

        let mut options = Options {
            queue_bytes: memory / 2,
            ..Options::default()
        };
        options.record = record.map(|path| (path, record_bytes));
        options.pipeline.conn_stats_ns = (conn_stats_period * 1e9) as u64;
        let tracker = &mut options.pipeline.tracker;
        tracker.asid = asid;
        tracker.connections = (memory / 4 / CONNECTION_BYTES).clamp(64, max_connections as usize);
        tracker.http.body_text = max_body_bytes;
        tracker.http.pending_bytes = tracker.http.pending_bytes.min(memory / 64);
        let config = kernel::Config {
            method,
            ring_bytes,
            event_bytes,
            message_bytes,
            trace_clients,
            max_connections,
            ..kernel::Config::default()
        };
        py.detach(|| {
            let kernel = Kernel::start(&config).map_err(failed)?;
            let (method, fallback) = (kernel.method(), kernel.fallback().map(str::to_owned));
            let programs = kernel.programs();
            let inner = capture::Capture::start(kernel, options, &schemas).map_err(|error| match error {
                capture::Error::Schema(error) => PyValueError::new_err(error.to_string()),
                other => failed(other),
            })?;
            Ok(Self {
                inner,
                method,
                fallback,
                programs,
            })
        })
    }

    /// The way in use: `tcp` or `syscall`.
    #[getter]
    fn method(&self) -> &'static str {
        self.method.name()
    }

    /// Why `method="auto"` did not take the tcp way; None where it did, or was not asked to choose.
    #[getter]
    fn fallback(&self) -> Option<&str> {
        self.fallback.as_deref()
    }

    /// Names of the programs in the kernel.
    #[getter]
    fn programs(&self) -> Vec<String> {
        self.programs.clone()
    }

    /// Names of the tables that it fills.
    #[getter]
    fn tables(&self) -> Vec<&'static str> {
        capture::TABLES.to_vec()
    }

    /// Finished batches as (table, batch); waits up to `timeout` seconds for the first.
    ///
    /// After `close`, gives what is left, then nothing. Raises CaptureError when capture has stopped by itself.
    fn poll(&self, py: Python<'_>, timeout: f64) -> PyResult<Vec<(&'static str, ArrowBatch)>> {
        let timeout = Duration::try_from_secs_f64(timeout.min(86_400.0))
            .map_err(|_| refused("timeout must be a number of seconds, at least 0"))?;
        let end = Instant::now() + timeout;
        loop {
            let slice = end.saturating_duration_since(Instant::now()).min(SIGNAL_CHECK);
            let batches = py.detach(|| self.inner.poll(slice)).map_err(failed)?;
            if !batches.is_empty() || self.inner.ended() || Instant::now() >= end {
                return Ok(batches
                    .into_iter()
                    .map(|(table, batch)| (table, ArrowBatch(batch)))
                    .collect());
            }
            py.check_signals()?;
        }
    }

    /// Process events since the last call, oldest first:
    /// (kind, pid, ppid, start_ticks, time_ns, comm, filename, cgroup_id, exit_code).
    ///
    /// kind is `fork`, `exec` or `exit`; start_ticks are 1/100 s since boot; exit_code is as in wait(2).
    fn processes(&self) -> Vec<ProcessTuple> {
        self.inner
            .processes()
            .into_iter()
            .map(|event| {
                (
                    event.change.name(),
                    event.pid,
                    event.ppid,
                    event.start_ticks,
                    event.time_ns,
                    event.comm,
                    event.filename,
                    event.cgroup_id,
                    event.exit_code,
                )
            })
            .collect()
    }

    /// What capture does and uses, by name; renewed every 200 ms.
    fn stats(&self) -> BTreeMap<String, u64> {
        self.inner.stats()
    }

    /// Stops capturing and detaches the programs; the last batches can still be polled. More than once is fine.
    fn stop(&self, py: Python<'_>) {
        py.detach(|| self.inner.close());
    }

    /// As `stop`; what was not polled is dropped.
    fn close(&self, py: Python<'_>) {
        py.detach(|| {
            self.inner.close();
            drop(self.inner.poll(Duration::ZERO));
        });
    }

    fn __enter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, py: Python<'_>, _exception: &Bound<'_, PyAny>) {
        self.close(py);
    }
}
