//! The Python module `sylph._native`: thin wrappers over the crates beside it.

mod capture;
mod duckdb;
mod interchange;
mod kernels;
mod row_batch;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

/// Protobuf bytes of a `RowBatchData` message holding `batch`, an Arrow record batch with Sylph's field metadata.
#[pyfunction]
#[pyo3(name = "row_batch", signature = (batch, table_id, eow, eos))]
fn encode_row_batch<'py>(
    py: Python<'py>,
    batch: &Bound<'py, PyAny>,
    table_id: &str,
    eow: bool,
    eos: bool,
) -> PyResult<Bound<'py, PyBytes>> {
    let batch = interchange::batch_from(batch)?;
    let bytes = py
        .detach(|| row_batch::encode(&batch, table_id, eow, eos))
        .map_err(PyValueError::new_err)?;
    Ok(PyBytes::new(py, &bytes))
}

/// The column `v` that a kernel of `sylph.functions.kernels` makes of the columns of `batch`.
#[pyfunction]
fn kernel(py: Python<'_>, name: &str, batch: &Bound<'_, PyAny>) -> PyResult<interchange::ArrowBatch> {
    let batch = interchange::batch_from(batch)?;
    py.detach(|| kernels::run(name, &batch))
        .map(interchange::ArrowBatch)
        .map_err(PyValueError::new_err)
}

/// Makes the functions of `duckdb.rs` known to databases that DuckDB opens from now on. `library`: the path of the loaded
/// DuckDB. `memory`: bytes that the states of all queries together may take. Raises ValueError when it is none that has the
/// C API.
#[pyfunction]
fn register_functions(library: std::ffi::CString, memory: usize) -> PyResult<()> {
    duckdb::register(&library, memory).map_err(PyValueError::new_err)
}

/// Bytes that the states of `register_functions`' aggregates take now.
#[pyfunction]
fn function_memory() -> usize {
    duckdb::held()
}

/// What the kernel allows, each program tried: for `px doctor`. Needs no running capture.
///
/// Keys: kernel, btf, missing_capabilities, programs (object, name, section, refused), chosen (tcp, syscall or None),
/// advice (sentences).
#[pyfunction]
fn probe(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    let report = py.detach(sylph_capture::probe::report);
    let programs = report
        .programs
        .into_iter()
        .map(|program| {
            let entry = PyDict::new(py);
            entry.set_item("object", program.object)?;
            entry.set_item("name", program.name)?;
            entry.set_item("section", program.section)?;
            entry.set_item("refused", program.refused)?;
            Ok(entry)
        })
        .collect::<PyResult<Vec<_>>>()?;
    let probe = PyDict::new(py);
    probe.set_item("kernel", report.kernel)?;
    probe.set_item("btf", report.btf)?;
    probe.set_item("missing_capabilities", report.missing_capabilities)?;
    probe.set_item("programs", programs)?;
    probe.set_item("chosen", report.chosen.map(|method| method.name()))?;
    probe.set_item("advice", report.advice)?;
    Ok(probe)
}

/// Raises CaptureError when this process lacks a capability, or the kernel its description. Loads nothing.
#[pyfunction]
fn check_machine() -> PyResult<()> {
    sylph_capture::kernel::check_machine().map_err(|error| capture::CaptureError::new_err(error.to_string()))
}

#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<interchange::ArrowBatch>()?;
    module.add_class::<capture::Capture>()?;
    module.add("CaptureError", module.py().get_type::<capture::CaptureError>())?;
    module.add_function(wrap_pyfunction!(probe, module)?)?;
    module.add_function(wrap_pyfunction!(check_machine, module)?)?;
    module.add_function(wrap_pyfunction!(encode_row_batch, module)?)?;
    module.add_function(wrap_pyfunction!(kernel, module)?)?;
    module.add_function(wrap_pyfunction!(register_functions, module)?)?;
    module.add_function(wrap_pyfunction!(function_memory, module)?)?;
    Ok(())
}
