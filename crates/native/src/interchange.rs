//! Arrow over the C data interface: batches and schemas in from Python and out to it, without copying.

use std::ffi::CStr;

use arrow_array::ffi::{FFI_ArrowArray, FFI_ArrowSchema, from_ffi, to_ffi};
use arrow_array::{Array, RecordBatch, StructArray};
use arrow_schema::Schema;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyTuple};

const ARRAY: &CStr = c"arrow_array";
const SCHEMA: &CStr = c"arrow_schema";

fn invalid(error: impl std::fmt::Display) -> PyErr {
    PyValueError::new_err(format!("Arrow data that cannot be used: {error}"))
}

/// The schema of an object that has `__arrow_c_schema__`, such as a `pyarrow.Schema`.
pub(crate) fn schema_from(object: &Bound<'_, PyAny>) -> PyResult<Schema> {
    let capsule = object.call_method0("__arrow_c_schema__").map_err(|_| {
        PyTypeError::new_err(format!(
            "expected an Arrow schema such as pyarrow.Schema, got {object}"
        ))
    })?;
    let capsule = capsule.cast::<PyCapsule>()?;
    let pointer = capsule.pointer_checked(Some(SCHEMA))?.cast::<FFI_ArrowSchema>();
    // SAFETY: the name says that the capsule owns an ArrowSchema; it outlives this borrow.
    Schema::try_from(unsafe { pointer.as_ref() }).map_err(invalid)
}

/// The batch of an object that has `__arrow_c_array__`, such as a `pyarrow.RecordBatch`; shares its buffers.
pub(crate) fn batch_from(object: &Bound<'_, PyAny>) -> PyResult<RecordBatch> {
    let pair = object.call_method0("__arrow_c_array__").map_err(|_| {
        PyTypeError::new_err(format!(
            "expected an Arrow record batch such as pyarrow.RecordBatch, got {}",
            object.get_type()
        ))
    })?;
    let (schema, array): (Bound<'_, PyCapsule>, Bound<'_, PyCapsule>) = pair.cast::<PyTuple>()?.extract()?;
    let schema = schema.pointer_checked(Some(SCHEMA))?.cast::<FFI_ArrowSchema>();
    let array = array.pointer_checked(Some(ARRAY))?.cast::<FFI_ArrowArray>();
    // SAFETY: the names say what the capsules own; `from_raw` takes the array and leaves a released one behind, as
    // the interface asks of a consumer.
    let data =
        unsafe { from_ffi(FFI_ArrowArray::from_raw(array.as_ptr()), schema.as_ref()) }.map_err(invalid)?;
    if !matches!(data.data_type(), arrow_schema::DataType::Struct(_)) {
        return Err(PyTypeError::new_err(
            "expected an Arrow record batch, got an array of one column",
        ));
    }
    let columns = StructArray::from(data);
    if columns.null_count() > 0 {
        return Err(PyValueError::new_err(
            "a record batch cannot have rows that are null as a whole",
        ));
    }
    Ok(RecordBatch::from(columns))
}

/// A finished batch on its way to Python.
///
/// Speaks the Arrow PyCapsule interface: `pyarrow.record_batch(batch)` takes it over without copying.
#[pyclass(frozen, module = "sylph._native")]
pub(crate) struct ArrowBatch(pub(crate) RecordBatch);

#[pymethods]
impl ArrowBatch {
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_array__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<(Bound<'py, PyCapsule>, Bound<'py, PyCapsule>)> {
        // The interface lets a producer ignore a request that it cannot fulfil.
        drop(requested_schema);
        let (array, _) = to_ffi(&StructArray::from(self.0.clone()).into_data()).map_err(invalid)?;
        Ok((
            self.__arrow_c_schema__(py)?,
            PyCapsule::new_with_value(py, array, ARRAY)?,
        ))
    }

    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        let schema = FFI_ArrowSchema::try_from(self.0.schema_ref().as_ref()).map_err(invalid)?;
        PyCapsule::new_with_value(py, schema, SCHEMA)
    }

    /// Rows in the batch.
    #[getter]
    fn num_rows(&self) -> usize {
        self.0.num_rows()
    }

    /// Bytes that its buffers hold.
    #[getter]
    fn nbytes(&self) -> usize {
        self.0.get_array_memory_size()
    }

    fn __len__(&self) -> usize {
        self.0.num_rows()
    }
}
