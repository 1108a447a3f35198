//! Builders against schemas.

mod support;

use std::sync::Arc;

use arrow_schema::Schema;
use support::{field, numbers, schemas, texts};
use sylph_capture::batch::{CaptureLoss, LossRow, MAX_BYTES, MAX_ROWS, ProcExitEvents, ProcExitRow, Schemas};

fn row(comm: &str) -> ProcExitRow<'_> {
    ProcExitRow {
        time_: 1,
        upid: 1 << 64 | 2,
        exit_code: 3,
        signal: 4,
        comm,
    }
}

fn refusal(change: impl Fn(&mut Schemas)) -> String {
    let mut schemas = schemas();
    change(&mut schemas);
    ProcExitEvents::new(&schemas)
        .err()
        .map(|error| error.to_string())
        .unwrap_or_default()
}

fn set(schemas: &mut Schemas, columns: &[(&str, &str)]) {
    let fields: Vec<_> = columns.iter().map(|(name, kind)| field(name, kind)).collect();
    schemas.insert("proc_exit_events".into(), Arc::new(Schema::new(fields)));
}

#[test]
fn rows_become_columns_and_the_builder_starts_anew() {
    let mut table = ProcExitEvents::new(&schemas()).unwrap();
    assert!(table.finish().is_none());
    for round in 0..3 {
        for comm in ["nginx", "", "größe"] {
            assert!(!table.push(&row(comm)));
        }
        let batch = table.finish().unwrap();
        assert_eq!(texts(&batch, "comm"), ["nginx", "", "größe"], "round {round}");
        assert_eq!(numbers(&batch, "signal"), [4, 4, 4]);
        batch
            .column_by_name("comm")
            .unwrap()
            .to_data()
            .validate_full()
            .unwrap();
        assert!(table.finish().is_none());
    }
}

#[test]
fn a_batch_is_full_at_its_rows() {
    let mut table = ProcExitEvents::new(&schemas()).unwrap();
    let full: Vec<_> = (0..MAX_ROWS).map(|_| table.push(&row("x"))).collect();
    assert_eq!(full.iter().position(|full| *full), Some(MAX_ROWS - 1));
}

#[test]
fn a_batch_is_full_at_its_bytes() {
    let mut table = ProcExitEvents::new(&schemas()).unwrap();
    let text = "x".repeat(20_000);
    let rows = (1..).find(|_| table.push(&row(&text))).unwrap();
    assert!(rows < MAX_BYTES / 20_000 + 65, "{rows}");
}

#[test]
fn a_batch_holds_no_more_memory_than_its_rows() {
    let mut table = CaptureLoss::new(&schemas()).unwrap();
    for _ in 0..5000 {
        table.push(&LossRow {
            time_: 0,
            upid: 0,
            table_name: "t",
            cause: "gap",
            events: 1,
            bytes: 1,
        });
    }
    table.finish();
    table.push(&LossRow {
        time_: 0,
        upid: 0,
        table_name: "t",
        cause: "gap",
        events: 1,
        bytes: 1,
    });
    // The room made for another 5000 rows is not the batch's.
    assert!(table.finish().unwrap().get_array_memory_size() < 4096);
}

#[test]
fn a_schema_that_differs_is_refused_by_name() {
    let good = [
        ("time_", "t"),
        ("upid", "u"),
        ("exit_code", "i"),
        ("signal", "i"),
        ("comm", "s"),
    ];
    assert_eq!(refusal(|schemas| set(schemas, &good)), "");
    assert!(refusal(|schemas| drop(schemas.remove("proc_exit_events"))).contains("no schema was given"));
    assert!(refusal(|schemas| set(schemas, &good[..4])).contains("capture writes column \"comm\""));
    let longer = [&good[..], &[("extra", "i")]].concat();
    assert!(refusal(|schemas| set(schemas, &longer)).contains("the schema has column \"extra\""));
    let renamed = [&good[..4], &[("command", "s")]].concat();
    assert!(refusal(|schemas| set(schemas, &renamed)).contains("column 4 is \"command\""));
    let retyped = [&[("time_", "i")], &good[1..]].concat();
    assert!(refusal(|schemas| set(schemas, &retyped)).contains("capture writes TIME64NS"));
}
