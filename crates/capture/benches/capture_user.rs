//! The user-space path from ring records in memory to finished batches, in ns of CPU time per row of `http_events`.
//!
//! Baselines, measured in the same run on the same bytes: reading the records alone, and the HTTP parser alone.

#[path = "../tests/support/mod.rs"]
mod support;

use std::hint::black_box;

use support::{Owned, Talk, schemas};
use sylph_capture::capture::{Config, Pipeline};
use sylph_capture::event::{self, Direction, Event};
use sylph_capture::replay::{Pass, encode};
use sylph_wire::http1::{Connection, HttpRecord, Limits, Scratch, Sink};
use sylph_wire::{Cause, Segment, Side};

const CONNECTIONS: u64 = 64;
const EXCHANGES: usize = 500;
const ROUNDS: usize = 15;
const REQUEST: &str =
    "GET /api/v1/items/4711?page=2 HTTP/1.1\r\nHost: shop.example\r\nUser-Agent: wrk\r\nAccept: */*\r\n\r\n";
const RESPONSE: &str = "HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: Sun, 22 Nov 2026 15:24:08 GMT\r\nContent-Type: \
                        application/json\r\nContent-Length: 24\r\nConnection: keep-alive\r\n\r\n{\"id\":1,\"name\":\"sylph1\"}\n";

/// Ring records, connections taking turns as they do on a busy server.
fn records() -> Vec<Vec<u8>> {
    let mut talks: Vec<_> = (0..CONNECTIONS).map(Talk::new).collect();
    let mut records = Vec::new();
    for _ in 0..EXCHANGES {
        for talk in &mut talks {
            talk.recv(REQUEST).send(RESPONSE);
            for event in talk.events.drain(..) {
                let mut record = Vec::new();
                match &event {
                    Owned::Data(header, bytes) => encode(&Event::Data(header, bytes), &mut record),
                    Owned::Close(close) => encode(&Event::Close(close), &mut record),
                }
                records.push(record);
            }
        }
    }
    records
}

/// Every record read, nothing done with it.
fn read_only(records: &[Vec<u8>]) -> u64 {
    let mut bytes = 0;
    for record in records {
        event::read(record, &mut |event| {
            if let Event::Data(header, _) = event {
                bytes += u64::from(header.captured);
            }
        });
    }
    black_box(bytes);
    EXCHANGES as u64 * CONNECTIONS
}

struct Count(u64);

impl Sink for Count {
    fn record(&mut self, record: &HttpRecord<'_>) {
        black_box(record);
        self.0 += 1;
    }

    fn loss(&mut self, _: Cause, _: u64, _: u64) {}
}

/// Records read and parsed; rows are counted only.
fn parse_only(records: &[Vec<u8>]) -> u64 {
    let mut connections: Vec<_> = (0..CONNECTIONS)
        .map(|_| Connection::new(Limits::default()))
        .collect();
    let (mut scratch, mut count) = (Scratch::default(), Count(0));
    for record in records {
        event::read(record, &mut |event| {
            if let Event::Data(header, data) = event {
                let side = if header.direction == Direction::Recv {
                    Side::Request
                } else {
                    Side::Response
                };
                let segment = Segment {
                    side,
                    time_ns: header.time_ns,
                    position: header.position,
                    data,
                    hole: 0,
                };
                connections[header.conn_id as usize].feed(&mut scratch, &segment, &mut count);
            }
        });
    }
    count.0
}

/// The whole path: read, track, parse, build batches.
fn whole(records: &[Vec<u8>]) -> u64 {
    let mut pipeline =
        Pipeline::new(Config::default(), &schemas(), 0).expect("schemas are those of the tables");
    let mut rows = 0;
    let mut now_ns = 0;
    // About what a pass finds at 100 k requests/s.
    for pass in records.chunks(1000) {
        now_ns += 5_000_000;
        pipeline.begin(&Pass {
            now_ns,
            clock: 0,
            ring_losses: 0,
        });
        for record in pass {
            event::read(record, &mut |event| pipeline.event(&event));
        }
        pipeline.advance(now_ns);
        rows += pipeline
            .take()
            .iter()
            .map(|(_, batch)| batch.num_rows() as u64)
            .sum::<u64>();
    }
    pipeline.end(now_ns);
    rows + pipeline
        .take()
        .iter()
        .map(|(_, batch)| batch.num_rows() as u64)
        .sum::<u64>()
}

/// Runs over ring records; how many rows.
type Case = fn(&[Vec<u8>]) -> u64;

/// CPU time of this thread in ns: other work on the machine does not count.
fn cpu_ns() -> u64 {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `time` is a valid timespec, and the clock exists on every Linux.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

fn main() {
    let records = records();
    let expected = EXCHANGES as u64 * CONNECTIONS;
    let cases: [(&str, Case); 3] = [
        ("records read (baseline)", read_only),
        ("records read and parsed (baseline)", parse_only),
        ("whole path: read, track, parse, build", whole),
    ];
    let mut times = cases.map(|_| Vec::with_capacity(ROUNDS));
    // `cargo bench ... -- whole` runs one case, for a profiler.
    let only = std::env::args()
        .nth(1)
        .filter(|argument| !argument.starts_with('-'))
        .unwrap_or_default();
    for _ in 0..ROUNDS {
        for ((name, case), times) in cases.iter().zip(&mut times) {
            if !name.contains(&only) {
                continue;
            }
            let start = cpu_ns();
            assert_eq!(case(&records), expected);
            times.push((cpu_ns() - start) as f64 / expected as f64);
        }
    }
    println!(
        "capture_user: {expected} requests on {CONNECTIONS} connections, {} B a request, CPU time, median of {ROUNDS} interleaved rounds",
        REQUEST.len() + RESPONSE.len()
    );
    for ((name, _), times) in cases
        .iter()
        .zip(&mut times)
        .filter(|(_, times)| !times.is_empty())
    {
        times.sort_by(f64::total_cmp);
        println!("  {name:<40} {:>7.0} ns/row", times[ROUNDS / 2]);
    }
}
