//! Speed of the HTTP/1 parser on stored bytes, one core: `cargo bench -p sylph-wire`.
//!
//! Heads: rows per second, records fully built. Baseline: httparse over the same bytes, which only finds the fields.
//! Bodies: GB per second. Baseline: copying the same bytes. Each figure is the median of interleaved rounds.

use std::fmt::Write;
use std::hint::black_box;
use std::sync::LazyLock;
use std::time::Instant;

use sylph_wire::http1::{Connection, HttpRecord, Limits, Scratch, Sink};
use sylph_wire::{Cause, Segment, Side};

const ROUNDS: usize = 15;
const EXCHANGES: usize = 20_000;
/// Times the stored bytes are parsed per round: the clock of CPU time ticks in milliseconds.
const REPEATS: usize = 8;

#[derive(Default)]
struct Count {
    rows: u64,
    bytes: u64,
    lost: u64,
}

impl Sink for Count {
    fn record(&mut self, record: &HttpRecord<'_>) {
        let record = black_box(record);
        self.rows += 1;
        self.bytes += (record.req_headers.len() + record.resp_headers.len() + record.resp_body.len()) as u64;
    }

    fn loss(&mut self, _: Cause, messages: u64, _: u64) {
        self.lost += messages;
    }
}

/// A request or response in the bytes of all.
struct Piece {
    side: Side,
    start: usize,
    end: usize,
}

/// Stored traffic: `unique` in which values of most headers differ from one exchange to the next.
fn traffic(unique: bool) -> (Vec<u8>, Vec<Piece>) {
    let (mut bytes, mut pieces) = (String::new(), Vec::new());
    let mut add = |side, text: &str, bytes: &mut String| {
        let start = bytes.len();
        bytes.push_str(text);
        pieces.push(Piece {
            side,
            start,
            end: bytes.len(),
        });
    };
    for n in 0..EXCHANGES {
        let mark = if unique { n.wrapping_mul(2_654_435_761) } else { 0 };
        let mut text = String::new();
        write!(
            text,
            "GET /api/v1/items/{n}?page=2 HTTP/1.1\r\nHost: shop.example:8080\r\nUser-Agent: wrk/4.1.0\r\n\
             Accept: application/json\r\nAccept-Encoding: gzip, deflate\r\nX-Request-Id: 7f3a-{mark:016x}\r\n\r\n"
        )
        .unwrap();
        add(Side::Request, &text, &mut bytes);
        text.clear();
        write!(
            text,
            "HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: Sun, 22 Nov 2026 14:{:02}:{:02} GMT\r\n\
             Content-Type: application/json\r\nContent-Length: 27\r\nLast-Modified: Sat, 21 Nov 2026 10:00:00 GMT\r\n\
             Connection: keep-alive\r\nETag: \"{mark:016x}\"\r\nAccept-Ranges: bytes\r\n\r\n{{\"id\": 12345, \"name\": \"abc\"}}",
            mark % 60,
            mark % 59,
        )
        .unwrap();
        add(Side::Response, &text[..text.len() - 1], &mut bytes);
    }
    (bytes.into_bytes(), pieces)
}

/// Seconds this thread has run: other work on the machine counts less than in elapsed time.
fn cpu_seconds() -> f64 {
    let schedstat = std::fs::read_to_string("/proc/thread-self/schedstat").expect("schedstat of Linux");
    schedstat
        .split(' ')
        .next()
        .and_then(|ns| ns.parse::<f64>().ok())
        .expect("run time in ns")
        / 1e9
}

/// Seconds that passed, for what is too short for that clock.
fn elapsed_seconds() -> f64 {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    START.elapsed().as_secs_f64()
}

/// Runs both, taking turns, and returns the median seconds of each.
fn pairs(clock: fn() -> f64, mut ours: impl FnMut(), mut baseline: impl FnMut()) -> (f64, f64) {
    let timed = |run: &mut dyn FnMut()| {
        let start = clock();
        run();
        clock() - start
    };
    let (mut a, mut b): (Vec<f64>, Vec<f64>) = (0..ROUNDS)
        .map(|_| (timed(&mut ours), timed(&mut baseline)))
        .unzip();
    a.sort_by(f64::total_cmp);
    b.sort_by(f64::total_cmp);
    (a[ROUNDS / 2], b[ROUNDS / 2])
}

/// Feeds the stored traffic once, dealt out to so many connections.
#[inline(never)]
fn rows(bytes: &[u8], pieces: &[Piece], connections: usize, scratch: &mut Scratch) {
    let mut taps: Vec<_> = (0..connections)
        .map(|_| (Connection::new(Limits::default()), [0_u64; 2]))
        .collect();
    let mut sink = Count::default();
    for (n, piece) in pieces.iter().enumerate() {
        let (connection, positions) = &mut taps[n / 2 % connections];
        let data = &bytes[piece.start..piece.end];
        let position = &mut positions[piece.side as usize];
        let segment = Segment {
            side: piece.side,
            time_ns: n as u64,
            position: *position,
            data,
            hole: 0,
        };
        *position += data.len() as u64;
        black_box(connection.feed(scratch, &segment, &mut sink));
    }
    assert_eq!((sink.rows, sink.lost), (EXCHANGES as u64, 0));
}

fn heads(name: &str, unique: bool, connections: usize) {
    let (bytes, pieces) = traffic(unique);
    let mut scratch = Scratch::default();
    let (ours, baseline) = pairs(
        cpu_seconds,
        || (0..REPEATS).for_each(|_| rows(&bytes, &pieces, connections, &mut scratch)),
        || {
            for _ in 0..REPEATS {
                for piece in &pieces {
                    let mut fields = [httparse::EMPTY_HEADER; 16];
                    let data = &bytes[piece.start..piece.end];
                    match piece.side {
                        Side::Request => {
                            let mut request = httparse::Request::new(&mut fields);
                            assert!(request.parse(data).is_ok_and(|s| s.is_complete()));
                            black_box(&request);
                        }
                        Side::Response => {
                            let mut response = httparse::Response::new(&mut fields);
                            assert!(response.parse(data).is_ok_and(|s| s.is_complete()));
                            black_box(&response);
                        }
                    }
                }
            }
        },
    );
    let (rate, mega) = (
        (EXCHANGES * REPEATS) as f64 / 1e6,
        (bytes.len() * REPEATS) as f64 / 1e6,
    );
    println!(
        "{name:<44} {:>6.2} M rows/s {:>7.0} MB/s   httparse alone {:>6.2} M pairs/s",
        rate / ours,
        mega / ours,
        rate / baseline
    );
}

fn bodies(name: &str, head: &str, segment: &[u8]) {
    const SEGMENTS: usize = 16384;
    let mut scratch = Scratch::default();
    let mut target = vec![0; segment.len()];
    let (ours, baseline) = pairs(
        elapsed_seconds,
        || {
            let (mut connection, mut sink) = (Connection::new(Limits::default()), Count::default());
            let mut position = [0; 2];
            let mut feed = |side, data: &[u8]| {
                let at: &mut u64 = &mut position[side as usize];
                connection.feed(
                    &mut scratch,
                    &Segment {
                        side,
                        time_ns: 1,
                        position: *at,
                        data,
                        hole: 0,
                    },
                    &mut sink,
                );
                *at += data.len() as u64;
            };
            feed(Side::Request, b"GET / HTTP/1.1\r\n\r\n");
            feed(Side::Response, head.as_bytes());
            for _ in 0..SEGMENTS {
                feed(Side::Response, black_box(segment));
            }
            connection.close(&mut scratch, &mut sink);
            assert_eq!((sink.rows, sink.lost), (1, 0));
        },
        || {
            for _ in 0..SEGMENTS {
                target.copy_from_slice(black_box(segment));
                black_box(&target);
            }
        },
    );
    let giga = (segment.len() * SEGMENTS) as f64 / 1e9;
    println!(
        "{name:<44} {:>8.1} GB/s                memcpy {:>6.1} GB/s",
        giga / ours,
        giga / baseline
    );
}

fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["same", ..] => return heads("same headers, 1 connection", false, 1),
        ["unique", ..] => return heads("every header block new, 1 connection", true, 1),
        // To count instructions: `valgrind --tool=callgrind --toggle-collect='*rows*'`.
        ["once", kind, ..] => {
            let (bytes, pieces) = traffic(kind == "unique");
            return rows(&bytes, &pieces, 1, &mut Scratch::default());
        }
        _ => {}
    }
    heads("same headers, 1 connection", false, 1);
    heads("same headers, 1000 connections", false, 1000);
    heads("every header block new, 1 connection", true, 1);
    heads("every header block new, 1000 connections", true, 1000);
    let text = "{\"some\": \"json\", \"value\": 12345},\n".repeat(900);
    let chunk = |size: usize| format!("{size:x}\r\n{}\r\n", &text[..size]);
    bodies(
        "body, content-length",
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 99999999999\r\n\r\n",
        text.as_bytes(),
    );
    let chunked = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n";
    bodies("body, chunks of 16 KiB", chunked, chunk(16 << 10).as_bytes());
    bodies(
        "body, chunks of 1 KiB",
        chunked,
        chunk(1 << 10).repeat(16).as_bytes(),
    );
    bodies(
        "body, until close",
        "HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n",
        text.as_bytes(),
    );
    bodies(
        "searching for the next message",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        text.as_bytes(),
    );
}
