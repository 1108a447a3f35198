//! Arrow batches of the tables that capture fills.
//!
//! The tables are declared in Python (`sylph.tables`); their schemas are handed over at the start and compared with
//! what the builders here write, so that neither side can drift from the other unseen.

mod column;
mod tables;

use std::collections::HashMap;
use std::fmt;

use arrow_schema::{Schema, SchemaRef};

pub use column::{Boolean, Column, Int64, Text, Time64, Uint128};
pub use tables::*;

/// A batch is finished when it has this many rows.
pub const MAX_ROWS: usize = 8192;
/// A batch is finished when it holds this many bytes.
pub const MAX_BYTES: usize = 4 << 20;
/// How many rows pass between two looks at the bytes held.
const BYTES_CHECK: usize = 64;

/// Arrow schemas by table name.
pub type Schemas = HashMap<String, SchemaRef>;

/// A schema that is missing, or differs from what capture writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaError(String);

impl fmt::Display for SchemaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for SchemaError {}

/// The schema of `table`, if it has exactly `columns` (name and data type) in this order.
fn checked(
    schemas: &Schemas,
    table: &str,
    columns: &[(&str, column::Check)],
) -> Result<SchemaRef, SchemaError> {
    let Some(schema) = schemas.get(table) else {
        return Err(SchemaError(format!("no schema was given for table {table:?}")));
    };
    differences(schema, columns).map_or_else(
        || Ok(schema.clone()),
        |what| Err(SchemaError(format!("table {table:?}: {what}"))),
    )
}

fn differences(schema: &Schema, columns: &[(&str, column::Check)]) -> Option<String> {
    for (index, (name, check)) in columns.iter().enumerate() {
        let Some(field) = schema.fields().get(index) else {
            return Some(format!(
                "capture writes column {name:?}, which the schema does not have"
            ));
        };
        if field.name() != name {
            return Some(format!(
                "column {index} is {:?} in the schema, but capture writes {name:?}",
                field.name()
            ));
        }
        if let Some(kind) = check(field) {
            return Some(format!(
                "column {name:?} is {} ({}) in the schema, but capture writes {kind}",
                field
                    .metadata()
                    .get(column::DATA_TYPE)
                    .map_or("of no Sylph type", String::as_str),
                field.data_type(),
            ));
        }
    }
    schema.fields().get(columns.len()).map(|field| {
        format!(
            "the schema has column {:?}, which capture does not write",
            field.name()
        )
    })
}

/// Declares a table: the row that is pushed, and the builder that collects rows into batches.
macro_rules! table {
    (
        $(#[$doc:meta])*
        $builder:ident of $row:ident, $name:literal {
            $($column:ident : $kind:ident,)*
        }
    ) => {
        #[doc = concat!("One row of `", $name, "`.")]
        #[derive(Debug, Clone, Copy)]
        #[expect(missing_docs, reason = "columns are described in sylph.tables")]
        pub struct $row<'a> {
            $(pub $column: <$kind as $crate::batch::Column>::Value<'a>,)*
        }

        $(#[$doc])*
        pub struct $builder {
            schema: ::arrow_schema::SchemaRef,
            rows: usize,
            $($column: $kind,)*
        }

        impl $builder {
            /// Name of the table.
            pub const NAME: &'static str = $name;

            /// An empty builder; fails when the table's schema is not the one it writes.
            pub fn new(schemas: &$crate::batch::Schemas) -> Result<Self, $crate::batch::SchemaError> {
                let schema = $crate::batch::checked(
                    schemas,
                    $name,
                    &[$((stringify!($column), <$kind as $crate::batch::Column>::check as _),)*],
                )?;
                Ok(Self { schema, rows: 0, $($column: $kind::default(),)* })
            }

            /// Appends a row; true when the batch is full and should be finished.
            #[inline]
            pub fn push(&mut self, row: &$row<'_>) -> bool {
                $($crate::batch::Column::push(&mut self.$column, row.$column);)*
                self.rows += 1;
                self.rows >= $crate::batch::MAX_ROWS
                    || (self.rows.is_multiple_of($crate::batch::BYTES_CHECK)
                        && self.bytes() >= $crate::batch::MAX_BYTES)
            }

            /// Bytes held by rows that are not finished.
            pub fn bytes(&self) -> usize {
                0 $(+ $crate::batch::Column::bytes(&self.$column))*
            }

            /// The rows pushed so far as a batch; none when there are none.
            pub fn finish(&mut self) -> Option<::arrow_array::RecordBatch> {
                if ::std::mem::take(&mut self.rows) == 0 {
                    return None;
                }
                let columns = vec![$($crate::batch::Column::finish(&mut self.$column),)*];
                Some(
                    ::arrow_array::RecordBatch::try_new(self.schema.clone(), columns)
                        .expect("columns were compared with the schema, and have one value a row"),
                )
            }
        }
    };
}
pub(crate) use table;
