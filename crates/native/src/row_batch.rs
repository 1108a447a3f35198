//! Arrow batches to protobuf `RowBatchData` of the public API, field numbers as in its `vizierapi.proto`.
//!
//! Writes what protobuf's own encoder would: fields by number, defaults left out, numbers packed.

use std::borrow::Cow;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type, TimestampNanosecondType};
use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, Field, TimeUnit};

const DATA_TYPE: &str = "sylph.data_type";

// Field numbers shifted to tags: number << 3 | wire type (0 varint, 1 fixed64, 2 length-delimited).
const BATCH_COLUMN: u8 = 1 << 3 | 2;
const BATCH_ROWS: u8 = 2 << 3;
const BATCH_END_OF_WINDOW: u8 = 3 << 3;
const BATCH_END_OF_STREAM: u8 = 4 << 3;
const BATCH_TABLE: u8 = 5 << 3 | 2;
const DATA: u8 = 1 << 3 | 2;
const UINT128_LOW: u8 = 1 << 3;
const UINT128_HIGH: u8 = 2 << 3;

const COLUMN_BOOLEAN: u8 = 1;
const COLUMN_INT64: u8 = 2;
const COLUMN_UINT128: u8 = 3;
const COLUMN_TIME64NS: u8 = 4;
const COLUMN_FLOAT64: u8 = 5;
const COLUMN_STRING: u8 = 6;

/// Protobuf bytes of `batch`; a null becomes its type's default, since the API has no nulls.
///
/// Fails when a field carries no Sylph type, or one that its Arrow type cannot hold.
pub(crate) fn encode(
    batch: &RecordBatch,
    table: &str,
    end_of_window: bool,
    end_of_stream: bool,
) -> Result<Vec<u8>, String> {
    let mut columns = Vec::with_capacity(batch.num_columns());
    let mut size = 64 + table.len();
    for (field, array) in batch.schema_ref().fields().iter().zip(batch.columns()) {
        let column = Column::new(field, array.as_ref())?;
        let length = column.length();
        size += length + 16;
        columns.push((column, length));
    }
    let mut out = Vec::with_capacity(size);
    for (column, length) in &columns {
        // Column { oneof: XColumn { data } }
        let inner = if column.packed() && *length > 0 {
            1 + varint_length(*length as u64) + length
        } else {
            *length
        };
        out.push(BATCH_COLUMN);
        varint(&mut out, (1 + varint_length(inner as u64) + inner) as u64);
        out.push(column.number() << 3 | 2);
        varint(&mut out, inner as u64);
        if column.packed() && *length > 0 {
            out.push(DATA);
            varint(&mut out, *length as u64);
        }
        column.write(&mut out);
    }
    for (tag, value) in [
        (BATCH_ROWS, batch.num_rows() as u64),
        (BATCH_END_OF_WINDOW, u64::from(end_of_window)),
        (BATCH_END_OF_STREAM, u64::from(end_of_stream)),
    ] {
        if value != 0 {
            out.push(tag);
            varint(&mut out, value);
        }
    }
    if !table.is_empty() {
        bytes(&mut out, BATCH_TABLE, table.as_bytes());
    }
    Ok(out)
}

enum Column<'a> {
    Boolean(&'a arrow_array::BooleanArray),
    Integer(u8, Cow<'a, [i64]>),
    Uint128(&'a arrow_array::FixedSizeBinaryArray),
    Float(Cow<'a, [f64]>),
    String(&'a arrow_array::StringArray),
    LargeString(&'a arrow_array::LargeStringArray),
    StringView(&'a arrow_array::StringViewArray),
}

impl<'a> Column<'a> {
    fn new(field: &Field, array: &'a dyn Array) -> Result<Self, String> {
        let name = field.name();
        let Some(kind) = field.metadata().get(DATA_TYPE) else {
            return Err(format!(
                "column {name:?} has no {DATA_TYPE} in its field metadata; build its schema with sylph.tables.types.arrow_schema"
            ));
        };
        Ok(match (kind.as_str(), array.data_type()) {
            ("BOOLEAN", DataType::Boolean) => Self::Boolean(array.as_boolean()),
            ("INT64", DataType::Int64) => Self::Integer(COLUMN_INT64, integers(array)),
            ("TIME64NS", DataType::Int64) => Self::Integer(COLUMN_TIME64NS, integers(array)),
            ("TIME64NS", DataType::Timestamp(TimeUnit::Nanosecond, _)) => {
                let values = array.as_primitive::<TimestampNanosecondType>();
                Self::Integer(COLUMN_TIME64NS, no_nulls(values.values(), array))
            }
            ("UINT128", DataType::FixedSizeBinary(16)) => Self::Uint128(array.as_fixed_size_binary()),
            ("FLOAT64", DataType::Float64) => {
                Self::Float(no_nulls(array.as_primitive::<Float64Type>().values(), array))
            }
            ("STRING", DataType::Utf8) => Self::String(array.as_string()),
            ("STRING", DataType::LargeUtf8) => Self::LargeString(array.as_string()),
            ("STRING", DataType::Utf8View) => Self::StringView(array.as_string_view()),
            (kind, held) => {
                return Err(format!(
                    "column {name:?} is declared {kind}, which Arrow type {held} does not hold"
                ));
            }
        })
    }

    /// Field number in the oneof of `Column`.
    fn number(&self) -> u8 {
        match self {
            Self::Boolean(_) => COLUMN_BOOLEAN,
            Self::Integer(number, _) => *number,
            Self::Uint128(_) => COLUMN_UINT128,
            Self::Float(_) => COLUMN_FLOAT64,
            Self::String(_) | Self::LargeString(_) | Self::StringView(_) => COLUMN_STRING,
        }
    }

    fn packed(&self) -> bool {
        matches!(self, Self::Boolean(_) | Self::Integer(..) | Self::Float(_))
    }

    /// Bytes that `write` will write.
    fn length(&self) -> usize {
        match self {
            Self::Boolean(values) => values.len(),
            Self::Integer(_, values) => values.iter().map(|value| varint_length(*value as u64)).sum(),
            Self::Uint128(values) => (0..values.len())
                .map(|row| {
                    let inner = uint128_length(uint128(values, row));
                    1 + varint_length(inner as u64) + inner
                })
                .sum(),
            Self::Float(values) => values.len() * 8,
            Self::String(values) => values.iter().map(string_length).sum(),
            Self::LargeString(values) => values.iter().map(string_length).sum(),
            Self::StringView(values) => values.iter().map(string_length).sum(),
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Boolean(values) => out.extend(values.iter().map(|value| u8::from(value == Some(true)))),
            Self::Integer(_, values) => values.iter().for_each(|value| varint(out, *value as u64)),
            Self::Uint128(values) => (0..values.len()).for_each(|row| {
                let (high, low) = uint128(values, row);
                out.push(DATA);
                varint(out, uint128_length((high, low)) as u64);
                for (tag, half) in [(UINT128_LOW, low), (UINT128_HIGH, high)] {
                    if half != 0 {
                        out.push(tag);
                        varint(out, half);
                    }
                }
            }),
            Self::Float(values) => values
                .iter()
                .for_each(|value| out.extend_from_slice(&value.to_le_bytes())),
            Self::String(values) => values.iter().for_each(|value| string(out, value)),
            Self::LargeString(values) => values.iter().for_each(|value| string(out, value)),
            Self::StringView(values) => values.iter().for_each(|value| string(out, value)),
        }
    }
}

fn integers(array: &dyn Array) -> Cow<'_, [i64]> {
    no_nulls(array.as_primitive::<Int64Type>().values(), array)
}

/// `values` with zero in place of what is null.
fn no_nulls<'a, T: Copy + Default>(values: &'a [T], array: &dyn Array) -> Cow<'a, [T]> {
    match array.nulls().filter(|nulls| nulls.null_count() > 0) {
        None => Cow::Borrowed(values),
        Some(nulls) => values
            .iter()
            .zip(nulls)
            .map(|(value, valid)| if valid { *value } else { T::default() })
            .collect(),
    }
}

/// High and low half of a big-endian value.
fn uint128(values: &arrow_array::FixedSizeBinaryArray, row: usize) -> (u64, u64) {
    if values.is_null(row) {
        return (0, 0);
    }
    let value = values
        .value(row)
        .iter()
        .fold(0u128, |value, byte| value << 8 | u128::from(*byte));
    ((value >> 64) as u64, value as u64)
}

fn uint128_length((high, low): (u64, u64)) -> usize {
    [high, low]
        .iter()
        .filter(|half| **half != 0)
        .map(|half| 1 + varint_length(*half))
        .sum()
}

fn string_length(value: Option<&str>) -> usize {
    let length = value.unwrap_or_default().len();
    1 + varint_length(length as u64) + length
}

fn string(out: &mut Vec<u8>, value: Option<&str>) {
    bytes(out, DATA, value.unwrap_or_default().as_bytes());
}

fn bytes(out: &mut Vec<u8>, tag: u8, value: &[u8]) {
    out.push(tag);
    varint(out, value.len() as u64);
    out.extend_from_slice(value);
}

fn varint_length(value: u64) -> usize {
    (64 - (value | 1).leading_zeros() as usize).div_ceil(7)
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    if value < 0x80 {
        out.push(value as u8);
        return;
    }
    let mut buffer = [0u8; 10];
    let mut length = 0;
    while value >= 0x80 {
        buffer[length] = value as u8 | 0x80;
        value >>= 7;
        length += 1;
    }
    buffer[length] = value as u8;
    out.extend_from_slice(&buffer[..=length]);
}
