//! Recordings: the same batches from the same events, and nothing worse than an error from a file that lies.

mod support;

use arrow_array::RecordBatch;
use proptest::prelude::*;
use support::{Owned, Talk, request, response, schemas};
use sylph_capture::capture::{Config, Pipeline};
use sylph_capture::event::{Event, Exec, Exit};
use sylph_capture::replay::{Entry, Error, Pass, Recorder, Replay};

const MILLISECOND: u64 = 1_000_000;

fn recording() -> Vec<u8> {
    let mut file = Vec::new();
    let mut recorder = Recorder::new(&mut file, 9, 1 << 20).unwrap();
    let mut talk = Talk::new(1);
    for n in 0..20 {
        talk.recv(&request(&format!("/{n}"))).send(&response("hello"));
    }
    talk.close();
    let exec = Exec {
        tgid: 5,
        ppid: 1,
        netns: 2,
        start_ns: 3,
        time_ns: 4,
        cgroup_id: 6,
        comm: b"sh",
        filename: b"/bin/sh",
    };
    let exit = Exit {
        tgid: 5,
        start_ns: 3,
        time_ns: 9,
        exit_code: 256,
        comm: b"sh",
    };
    recorder
        .event(&Event::Fork(&Exec {
            filename: b"",
            ..exec
        }))
        .unwrap();
    recorder.event(&Event::Exec(&exec)).unwrap();
    for (index, event) in talk.events.iter().enumerate() {
        let now_ns = index as u64 * 100 * MILLISECOND;
        recorder
            .pass(&Pass {
                now_ns,
                clock: 1 << 60,
                ring_losses: 0,
            })
            .unwrap();
        match event {
            Owned::Data(header, bytes) => recorder.event(&Event::Data(header, bytes)).unwrap(),
            Owned::Close(close) => recorder.event(&Event::Close(close)).unwrap(),
        };
        if index % 10 == 0 {
            recorder.open(&talk.totals(0)).unwrap();
            recorder.open_end().unwrap();
        }
    }
    recorder.event(&Event::Exit(&exit)).unwrap();
    recorder.finish().unwrap();
    drop(recorder);
    file
}

fn run(file: &[u8]) -> Result<Vec<(&'static str, RecordBatch)>, Error> {
    let mut replay = Replay::new(file)?;
    let mut config = Config::default();
    config.tracker.asid = replay.asid();
    let mut pipeline = Pipeline::new(config, &schemas(), 0).unwrap();
    let mut now = 0;
    let outcome = loop {
        let next = replay.next(&mut |entry| match entry {
            Entry::Pass(pass) => {
                now = pass.now_ns;
                pipeline.advance(now);
                pipeline.begin(&pass);
            }
            Entry::Event(event) => pipeline.event(&event),
            Entry::Open(totals) => pipeline.open(totals),
            Entry::OpenEnd => pipeline.open_end(now),
        });
        match next {
            Ok(true) => {}
            Ok(false) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    pipeline.end(now);
    outcome.map(|()| pipeline.take())
}

#[test]
fn the_same_recording_gives_the_same_batches() {
    let file = recording();
    let (one, other) = (run(&file).unwrap(), run(&file).unwrap());
    assert_eq!(one, other);
    let rows = |table| {
        one.iter()
            .filter(|(name, _)| *name == table)
            .map(|(_, batch)| batch.num_rows())
            .sum::<usize>()
    };
    assert_eq!(rows("http_events"), 20);
    assert_eq!(rows("proc_exit_events"), 1);
    assert!(rows("conn_stats") > 0);
    assert_eq!(rows("capture_loss"), 0);
}

#[test]
fn a_recording_ends_before_it_is_too_long() {
    let mut file = Vec::new();
    let mut recorder = Recorder::new(&mut file, 1, 100).unwrap();
    let written = (0..100)
        .take_while(|_| recorder.pass(&Pass::default()).unwrap())
        .count();
    recorder.finish().unwrap();
    drop(recorder);
    assert_eq!(written, 2);
    assert!(file.len() <= 100);
    assert!(run(&file).is_ok());
}

#[test]
fn another_file_is_refused() {
    assert!(matches!(Replay::new(&b""[..]), Err(Error::NotARecording)));
    assert!(matches!(
        Replay::new(&b"GET / HTTP/1.1\r\n\r\n"[..]),
        Err(Error::NotARecording)
    ));
    assert!(matches!(
        Replay::new(&b"SYLPHREC\x02\0\0\0\0\0\0\0"[..]),
        Err(Error::Version(2))
    ));
}

#[test]
fn a_torn_file_says_where() {
    let file = recording();
    for end in 17..file.len() {
        match run(&file[..end]) {
            Ok(_) => {} // between two entries
            Err(Error::Torn(at)) => assert!(at < end as u64),
            Err(other) => panic!("{other}"),
        }
    }
}

#[test]
fn an_entry_longer_than_any_event_is_not_read() {
    let mut file = recording()[..16].to_vec();
    file.extend_from_slice(&u32::MAX.to_le_bytes());
    file.push(1);
    assert!(matches!(run(&file), Err(Error::Corrupt { at: 16, .. })));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn damage_ends_in_an_error_or_in_batches(changes in prop::collection::vec((0usize..6000, any::<u8>()), 1..20)) {
        let mut file = recording();
        for (at, byte) in changes {
            let at = at % file.len();
            file[at] = byte;
        }
        if let Ok(batches) = run(&file) {
            for (_, batch) in batches {
                for column in batch.columns() {
                    column.to_data().validate_full().unwrap();
                }
            }
        }
    }
}
