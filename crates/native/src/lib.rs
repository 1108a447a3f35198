//! The Python module `sylph._native`: thin wrappers over the crates beside it.

use pyo3::prelude::*;

#[pymodule]
fn _native(_module: &Bound<'_, PyModule>) -> PyResult<()> {
    Ok(())
}
