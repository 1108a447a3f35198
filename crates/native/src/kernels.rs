//! Columns through the functions of `sylph-kernels`.

use std::sync::Arc;

use arrow_array::builder::{BinaryBuilder, StringBuilder};
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, ArrayRef, BooleanArray, Int64Array, RecordBatch, StringArray};
use arrow_buffer::{Buffer, OffsetBuffer, ScalarBuffer};
use sylph_kernels::{cidr, embedding, endpoints, hex, kmeans, pii, pprof, quantiles, sql, uri};

type Result<T> = std::result::Result<T, String>;

fn column<T>(batch: &RecordBatch, at: usize, cast: impl FnOnce(&dyn Array) -> Option<&T>) -> Result<&T> {
    let column = batch
        .columns()
        .get(at)
        .ok_or_else(|| format!("argument {at} is missing"))?;
    if column.null_count() > 0 {
        return Err(format!("argument {at} has nulls"));
    }
    cast(column).ok_or_else(|| format!("argument {at} cannot be {}", column.data_type()))
}

fn text(batch: &RecordBatch, at: usize) -> Result<&StringArray> {
    column(batch, at, |column| column.as_string_opt())
}

fn int(batch: &RecordBatch, at: usize) -> Result<&Int64Array> {
    column(batch, at, |column| column.as_primitive_opt::<Int64Type>())
}

/// A text for each row; `of` appends it to what the rows before made.
fn texts(rows: usize, mut of: impl FnMut(usize, &mut String)) -> Result<ArrayRef> {
    let mut text = String::with_capacity(rows * 16);
    let mut ends = Vec::with_capacity(rows + 1);
    ends.push(0);
    for row in 0..rows {
        of(row, &mut text);
        ends.push(i32::try_from(text.len()).map_err(|_| "the texts of one batch exceed 2 GB".to_owned())?);
    }
    let ends = OffsetBuffer::new(ScalarBuffer::from(ends));
    let array = StringArray::try_new(ends, Buffer::from_vec(text.into_bytes()), None);
    array
        .map(|array| Arc::new(array) as ArrayRef)
        .map_err(|error| error.to_string())
}

/// What was made of the latest text of a column whose rows are mostly the same.
struct Latest<'a, T> {
    text: Option<&'a str>,
    made: T,
    make: fn(&str) -> T,
}

impl<'a, T: Default> Latest<'a, T> {
    fn new(make: fn(&str) -> T) -> Self {
        Self {
            text: None,
            made: T::default(),
            make,
        }
    }

    fn of(&mut self, text: &'a str) -> &T {
        if self.text != Some(text) {
            self.made = (self.make)(text);
            self.text = Some(text);
        }
        &self.made
    }
}

/// Rows of a list column, each as an array of its elements.
fn lists(batch: &RecordBatch, at: usize) -> Result<impl Iterator<Item = ArrayRef> + '_> {
    let lists = column(batch, at, |column| column.as_list_opt::<i32>())?;
    Ok((0..lists.len()).map(|row| lists.value(row)))
}

fn strings(array: &dyn Array) -> Result<impl Iterator<Item = &str>> {
    Ok(array
        .as_string_opt::<i32>()
        .ok_or("a list does not hold strings")?
        .iter()
        .flatten())
}

fn profiles(batch: &RecordBatch) -> Result<ArrayRef> {
    let mut out = StringBuilder::new();
    for rows in lists(batch, 0)? {
        let rows = rows.as_struct_opt().ok_or("a list does not hold rows")?;
        let [stacks, counts, periods] = rows.columns() else {
            return Err("a row has not three columns".into());
        };
        let stacks = stacks.as_string_opt::<i32>().ok_or("a stack is not a string")?;
        let counts = counts
            .as_primitive_opt::<Int64Type>()
            .ok_or("a count is no integer")?;
        let periods = periods
            .as_primitive_opt::<Int64Type>()
            .ok_or("a period is no integer")?;
        let rows = (0..stacks.len()).map(|row| (stacks.value(row), counts.value(row), periods.value(row)));
        out.append_value(pprof::profile(rows));
    }
    Ok(Arc::new(out.finish()))
}

fn compute(name: &str, batch: &RecordBatch) -> Result<ArrayRef> {
    let rows = batch.num_rows();
    let of_text = |function: fn(&str, &mut String)| -> Result<ArrayRef> {
        let text = text(batch, 0)?;
        texts(rows, |row, out| function(text.value(row), out))
    };
    match name {
        "bytes_to_hex" => of_text(hex::bytes_to_hex),
        "hex_to_ascii" => of_text(hex::hex_to_ascii),
        "uri_parse" => of_text(uri::uri_parse),
        "redact_pii_best_effort" => of_text(pii::redact),
        "encode_sentence_piece" => of_text(embedding::encode),
        "text_embedding" => of_text(embedding::embed),
        "normalize_pgsql" => {
            let (query, command) = (text(batch, 0)?, text(batch, 1)?);
            texts(rows, |row, out| {
                sql::normalize_pgsql(query.value(row), command.value(row), out)
            })
        }
        "normalize_mysql" => {
            let (query, command) = (text(batch, 0)?, int(batch, 1)?);
            texts(rows, |row, out| {
                sql::normalize_mysql(query.value(row), command.value(row), out)
            })
        }
        "cidrs_contain_ip" => {
            let (cidrs, ip) = (text(batch, 0)?, text(batch, 1)?);
            let mut ranges = Latest::new(cidr::Ranges::parse);
            let contained = (0..rows).map(|row| Some(ranges.of(cidrs.value(row)).contain(ip.value(row))));
            Ok(Arc::new(contained.collect::<BooleanArray>()))
        }
        "match_endpoint" => {
            let (path, template) = (text(batch, 0)?, text(batch, 1)?);
            let matches = (0..rows).map(|row| Some(endpoints::matches(path.value(row), template.value(row))));
            Ok(Arc::new(matches.collect::<BooleanArray>()))
        }
        "predict_request_path_cluster" => {
            let (path, clusters) = (text(batch, 0)?, text(batch, 1)?);
            let mut latest = Latest::new(endpoints::Clusters::parse);
            texts(rows, |row, out| {
                latest.of(clusters.value(row)).predict(path.value(row), out)
            })
        }
        "kmeans_inference" => {
            let (point, model) = (text(batch, 0)?, text(batch, 1)?);
            let mut latest = Latest::new(kmeans::Model::parse);
            let clusters = (0..rows).map(|row| latest.of(model.value(row)).infer(point.value(row)));
            Ok(Arc::new(clusters.collect::<Int64Array>()))
        }
        "build_request_path_clusters" => {
            let mut out = StringBuilder::new();
            for paths in lists(batch, 0)? {
                let mut clusters = endpoints::Clusters::default();
                strings(&paths)?.for_each(|path| clusters.add(path));
                out.append_value(clusters.to_json());
            }
            Ok(Arc::new(out.finish()))
        }
        "kmeans_fit" => {
            let k = int(batch, 1)?;
            let mut out = StringBuilder::new();
            for (row, points) in lists(batch, 0)?.enumerate() {
                out.append_value(kmeans::Model::fit(strings(&points)?, k.value(row)).to_json());
            }
            Ok(Arc::new(out.finish()))
        }
        "pprof_profile" => profiles(batch),
        "lighten_digests" => {
            let digests = column(batch, 0, |column| column.as_binary_opt::<i32>())?;
            let (mut out, mut bytes) = (BinaryBuilder::new(), Vec::new());
            for row in 0..rows {
                bytes.clear();
                quantiles::lighten(digests.value(row), &mut bytes)?;
                out.append_value(&bytes);
            }
            Ok(Arc::new(out.finish()))
        }
        _ => Err(format!("there is no kernel {name:?}")),
    }
}

/// The column `v` that the kernel `name` makes of the columns of `batch`.
pub(crate) fn run(name: &str, batch: &RecordBatch) -> Result<RecordBatch> {
    let result = compute(name, batch).map_err(|error| format!("kernel {name}: {error}"))?;
    RecordBatch::try_from_iter([("v", result)]).map_err(|error| error.to_string())
}
