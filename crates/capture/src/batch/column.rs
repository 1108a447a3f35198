//! Columns under construction, one type for each of Sylph's data types that capture writes.

use std::mem;
use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, FixedSizeBinaryArray, Int64Array, StringArray};
use arrow_buffer::{BooleanBuffer, BooleanBufferBuilder, Buffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::{DataType, Field};

pub(super) const DATA_TYPE: &str = "sylph.data_type";

/// Compares a field with a column: the column's kind when they differ.
pub(super) type Check = fn(&Field) -> Option<&'static str>;

/// Values of one column, until they are handed over as an Arrow array.
pub trait Column: Default {
    /// What is pushed.
    type Value<'a>: Copy;
    /// Name of the data type in `sylph.tables.types`.
    const KIND: &'static str;
    /// The Arrow type that holds it.
    const ARROW: DataType;

    /// Appends a value.
    fn push(&mut self, value: Self::Value<'_>);
    /// Bytes of the values.
    fn bytes(&self) -> usize;
    /// Hands the values over; room for as many is made for the next batch.
    fn finish(&mut self) -> ArrayRef;

    /// The column's kind, if `field` is of another.
    fn check(field: &Field) -> Option<&'static str> {
        let same = *field.data_type() == Self::ARROW
            && field
                .metadata()
                .get(DATA_TYPE)
                .is_some_and(|kind| kind == Self::KIND);
        (!same).then_some(Self::KIND)
    }
}

/// Takes the values out, without the room that they did not use: what a batch holds is what it is charged for. Room for
/// as many again is made, and for a while for as many as the longest of the last batches had: growing costs a copy, room
/// that is never touched costs nothing.
fn take<T>(values: &mut Vec<T>) -> Vec<T> {
    let (length, capacity) = (values.len(), values.capacity());
    let room = Vec::with_capacity((length + length / 8).max(capacity - capacity / 8));
    let mut taken = mem::replace(values, room);
    if taken.capacity() - taken.len() > taken.len() / 8 {
        taken.shrink_to_fit();
    }
    taken
}

/// Whole numbers.
#[derive(Debug, Default)]
pub struct Int64(Vec<i64>);

impl Column for Int64 {
    type Value<'a> = i64;
    const KIND: &'static str = "INT64";
    const ARROW: DataType = DataType::Int64;

    #[inline]
    fn push(&mut self, value: i64) {
        self.0.push(value);
    }

    fn bytes(&self) -> usize {
        self.0.len() * 8
    }

    fn finish(&mut self) -> ArrayRef {
        Arc::new(Int64Array::new(ScalarBuffer::from(take(&mut self.0)), None))
    }
}

/// Wall-clock times in ns since the epoch.
#[derive(Debug, Default)]
pub struct Time64(Int64);

impl Column for Time64 {
    type Value<'a> = i64;
    const KIND: &'static str = "TIME64NS";
    const ARROW: DataType = DataType::Int64;

    #[inline]
    fn push(&mut self, value: i64) {
        self.0.push(value);
    }

    fn bytes(&self) -> usize {
        self.0.bytes()
    }

    fn finish(&mut self) -> ArrayRef {
        self.0.finish()
    }
}

/// Identifiers of 128 bits, held big-endian.
#[derive(Debug, Default)]
pub struct Uint128(Vec<u8>);

impl Column for Uint128 {
    type Value<'a> = u128;
    const KIND: &'static str = "UINT128";
    const ARROW: DataType = DataType::FixedSizeBinary(16);

    #[inline]
    fn push(&mut self, value: u128) {
        self.0.extend_from_slice(&value.to_be_bytes());
    }

    fn bytes(&self) -> usize {
        self.0.len()
    }

    fn finish(&mut self) -> ArrayRef {
        Arc::new(FixedSizeBinaryArray::new(
            16,
            Buffer::from_vec(take(&mut self.0)),
            None,
        ))
    }
}

/// Truth values.
#[derive(Debug)]
pub struct Boolean(BooleanBufferBuilder);

impl Default for Boolean {
    fn default() -> Self {
        Self(BooleanBufferBuilder::new(0))
    }
}

impl Column for Boolean {
    type Value<'a> = bool;
    const KIND: &'static str = "BOOLEAN";
    const ARROW: DataType = DataType::Boolean;

    #[inline]
    fn push(&mut self, value: bool) {
        self.0.append(value);
    }

    fn bytes(&self) -> usize {
        self.0.len().div_ceil(8)
    }

    fn finish(&mut self) -> ArrayRef {
        let values: BooleanBuffer = self.0.finish();
        Arc::new(BooleanArray::new(values, None))
    }
}

/// Text.
#[derive(Debug)]
pub struct Text {
    ends: Vec<i32>,
    bytes: Vec<u8>,
}

impl Default for Text {
    fn default() -> Self {
        Self {
            ends: vec![0],
            bytes: Vec::new(),
        }
    }
}

impl Column for Text {
    type Value<'a> = &'a str;
    const KIND: &'static str = "STRING";
    const ARROW: DataType = DataType::Utf8;

    #[inline]
    fn push(&mut self, value: &str) {
        self.bytes.extend_from_slice(value.as_bytes());
        // Fits: a batch is finished at MAX_BYTES plus what BYTES_CHECK rows can hold.
        self.ends.push(self.bytes.len() as i32);
    }

    fn bytes(&self) -> usize {
        self.bytes.len() + self.ends.len() * 4
    }

    fn finish(&mut self) -> ArrayRef {
        let ends = OffsetBuffer::new(ScalarBuffer::from(take(&mut self.ends)));
        self.ends.push(0);
        let bytes = Buffer::from_vec(take(&mut self.bytes));
        // SAFETY: every end follows a whole &str, so the bytes between two ends are UTF-8; OffsetBuffer::new has
        // checked that the ends only grow, and the last is the number of bytes.
        Arc::new(unsafe { StringArray::new_unchecked(ends, bytes, None) })
    }
}
