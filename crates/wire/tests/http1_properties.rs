//! What holds for all traffic: splits do not matter, gaps are recovered from, and the accounts balance.

mod support;

use proptest::prelude::*;
use support::Tap;
use sylph_wire::Side;

#[derive(Debug, Clone)]
enum Framing {
    Length,
    Chunked(usize),
    Empty204,
}

/// An exchange; its number is in the path and in the response's reason.
#[derive(Debug, Clone)]
struct Exchange {
    head: bool,
    interim: bool,
    upload: Option<(Framing, Vec<u8>)>,
    framing: Framing,
    body: Vec<u8>,
    headers: Vec<(String, String)>,
    line_end: &'static str,
}

fn framed(out: &mut Vec<u8>, framing: &Framing, body: &[u8], end: &str, bodiless: bool) {
    match framing {
        Framing::Length => out.extend(format!("Content-Length: {}{end}{end}", body.len()).bytes()),
        Framing::Chunked(_) => out.extend(format!("Transfer-Encoding: chunked{end}{end}").bytes()),
        Framing::Empty204 => return out.extend(end.bytes()),
    }
    match framing {
        _ if bodiless => {}
        Framing::Chunked(size) => {
            for chunk in body.chunks(*size) {
                out.extend(format!("{:x};x=y{end}", chunk.len()).bytes());
                out.extend(chunk);
                out.extend(end.bytes());
            }
            out.extend(format!("0{end}T: v{end}{end}").bytes());
        }
        _ => out.extend(body),
    }
}

impl Exchange {
    fn request(&self, number: usize) -> Vec<u8> {
        let end = self.line_end;
        let method = if self.head { "HEAD" } else { "POST" };
        let mut out = format!("{method} /{number} HTTP/1.1{end}").into_bytes();
        self.headers
            .iter()
            .for_each(|(name, value)| out.extend(format!("{name}: {value}{end}").bytes()));
        match &self.upload {
            Some((framing, body)) => framed(&mut out, framing, body, end, false),
            None => out.extend(end.bytes()),
        }
        out
    }

    fn response(&self, number: usize) -> Vec<u8> {
        let end = self.line_end;
        let mut out = Vec::new();
        if self.interim {
            out.extend(format!("HTTP/1.1 100 Continue{end}{end}").bytes());
        }
        let status = if matches!(self.framing, Framing::Empty204) {
            204
        } else {
            200
        };
        out.extend(format!("HTTP/1.1 {status} {number}{end}Content-Type: text/plain{end}").bytes());
        framed(&mut out, &self.framing, &self.body, end, self.head);
        out
    }
}

fn exchange() -> impl Strategy<Value = Exchange> {
    // Bodies without the text of a start line: that would be one, to whoever has lost the framing.
    let body = || prop::collection::vec(prop::sample::select(b"abc \r\n\xff\xc3{}01;:".to_vec()), 0..900);
    let framing = || prop_oneof![Just(Framing::Length), (1_usize..300).prop_map(Framing::Chunked)];
    let headers = prop::collection::vec(("[A-Za-z-]{1,12}", "[ -~]{0,20}"), 0..6).prop_map(|mut headers| {
        headers.retain(|(name, _)| name.len() < 7 || !name.eq_ignore_ascii_case("upgrade"));
        headers
    });
    (
        any::<bool>(),
        any::<bool>(),
        prop::option::of((framing(), body())),
        prop_oneof![4 => framing(), 1 => Just(Framing::Empty204)],
        body(),
        headers,
        prop_oneof![4 => Just("\r\n"), 1 => Just("\n")],
    )
        .prop_map(|(head, interim, upload, framing, body, headers, line_end)| {
            let upload = upload.filter(|_| !head);
            Exchange {
                head,
                interim,
                upload,
                framing,
                body,
                headers,
                line_end,
            }
        })
}

/// Feeds exchanges, one after the other or all requests first; `cut` says how long the pieces are, in turn.
fn run(exchanges: &[Exchange], pipelined: bool, cut: &[usize]) -> support::Log {
    let mut tap = Tap::whole();
    let mut cuts = cut.iter().cycle();
    let mut feed = |tap: &mut Tap, side, mut data: &[u8]| {
        tap.time_ns += 1;
        while !data.is_empty() {
            let now = data.len().min(cuts.next().copied().unwrap_or(usize::MAX));
            tap.bytes(side, &data[..now], 0);
            data = &data[now..];
        }
    };
    if pipelined {
        let all: Vec<u8> = exchanges
            .iter()
            .enumerate()
            .flat_map(|(n, e)| e.request(n))
            .collect();
        feed(&mut tap, Side::Request, &all);
        let all: Vec<u8> = exchanges
            .iter()
            .enumerate()
            .flat_map(|(n, e)| e.response(n))
            .collect();
        feed(&mut tap, Side::Response, &all);
    } else {
        for (n, e) in exchanges.iter().enumerate() {
            feed(&mut tap, Side::Request, &e.request(n));
            feed(&mut tap, Side::Response, &e.response(n));
        }
    }
    tap.close();
    tap.log
}

fn pairs_match(log: &support::Log) -> bool {
    log.records
        .iter()
        .all(|r| r["req_path"].as_str().unwrap()[1..] == *r["resp_message"].as_str().unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn splits_do_not_matter(
        exchanges in prop::collection::vec(exchange(), 1..5),
        pipelined: bool,
        cut in prop::collection::vec(1_usize..60, 1..20),
    ) {
        let whole = run(&exchanges, pipelined, &[]);
        prop_assert_eq!(whole.records.len(), exchanges.len());
        prop_assert_eq!(whole.lost(), 0);
        prop_assert!(pairs_match(&whole));
        for (record, exchange) in whole.records.iter().zip(&exchanges) {
            let sent = if exchange.head || matches!(exchange.framing, Framing::Empty204) { 0 } else { exchange.body.len() };
            prop_assert_eq!(record["resp_body_size"].as_u64().unwrap(), sent as u64);
            let headers: serde_json::Value = serde_json::from_str(record["req_headers"].as_str().unwrap()).unwrap();
            for (name, value) in &exchange.headers {
                let found = headers.as_object().unwrap().iter().find(|(k, _)| k.eq_ignore_ascii_case(name)).unwrap().1;
                let value = serde_json::Value::from(value.trim());
                prop_assert!(*found == value || found.as_array().is_some_and(|a| a.contains(&value)));
            }
        }
        prop_assert_eq!(run(&exchanges, pipelined, &cut), whole);
    }

    #[test]
    fn a_gap_is_recovered_from_and_accounted_for(
        exchanges in prop::collection::vec(exchange(), 3..8),
        requests: bool,
        start in 0.0..1.0_f64,
        length in 1_usize..3000,
    ) {
        // What is missing of one direction: `gap` bytes from `from` on.
        let (side, other) = if requests { (Side::Request, Side::Response) } else { (Side::Response, Side::Request) };
        let bytes = |n: usize, side| if side == Side::Request { exchanges[n].request(n) } else { exchanges[n].response(n) };
        let total: usize = (0..exchanges.len()).map(|n| bytes(n, side).len()).sum();
        let from = (start * total as f64) as usize;
        let until = (from + length).min(total);
        let (mut tap, mut position, mut touched) = (Tap::whole(), 0, 0);
        for n in 0..exchanges.len() {
            for turn in [Side::Request, Side::Response] {
                tap.time_ns += 10;
                let data = bytes(n, turn);
                if turn == other {
                    tap.bytes(turn, &data, 0);
                    continue;
                }
                let end = position + data.len();
                let (a, b) = (from.clamp(position, end), until.clamp(position, end));
                if a < b {
                    touched = n;
                }
                if a > position {
                    tap.bytes(turn, &data[..a - position], 0);
                }
                tap.gap(turn, (b - a) as u64);
                if b < end {
                    tap.bytes(turn, &data[b - position..], 0);
                }
                position = end;
            }
        }
        tap.close();
        let log = tap.log;
        prop_assert_eq!(log.records.len() as u64 + log.lost(), exchanges.len() as u64, "{:#?}", log);
        prop_assert!(pairs_match(&log), "{:#?}", log);
        for n in touched + 1..exchanges.len() {
            prop_assert!(log.paths().contains(&format!("/{n}").as_str()), "/{} is missing: {:#?}", n, log);
        }
    }

    #[test]
    fn garbage_stays_bounded(parts in prop::collection::vec((any::<bool>(), prop::collection::vec(any::<u8>(), 0..2000), 0_u64..50), 0..40)) {
        let mut tap = Tap::whole();
        for (request, data, hole) in parts {
            tap.bytes(if request { Side::Request } else { Side::Response }, &data, hole);
            prop_assert!(tap.connection.memory() < 300 << 10);
        }
        tap.close();
        prop_assert_eq!(tap.connection.memory(), 0);
    }
}

#[test]
fn an_endless_head_or_line_stays_bounded_and_linear() {
    for line in [
        &b"A: b\r\n"[..],
        b"no line end",
        b"GET / HTTP/1.1\r\nA: b\r\n",
        b"HTTP/1.1 200 OK\r\n",
        b" HTTP/1.1",
        b"\n",
    ] {
        for side in [Side::Request, Side::Response] {
            let mut tap = Tap::whole();
            let data = line.repeat((4 << 20) / line.len());
            for piece in data.chunks(1000) {
                tap.bytes(side, piece, 0);
                assert!(
                    tap.connection.memory() < 300 << 10,
                    "{} bytes",
                    tap.connection.memory()
                );
            }
        }
    }
}

#[test]
fn requests_without_responses_stay_within_the_budget() {
    let mut tap = Tap::whole();
    for n in 0..50_000 {
        tap.request(format!("GET /{n} HTTP/1.1\r\nX: {n}\r\n\r\n"));
    }
    assert!(
        tap.connection.memory() < 2 << 20,
        "{} bytes",
        tap.connection.memory()
    );
    for n in 0..50_000 {
        tap.response(format!("HTTP/1.1 200 {n}\r\nContent-Length: 0\r\n\r\n"));
    }
    assert_eq!(tap.log.records.len() as u64 + tap.log.lost(), 50_000);
    assert!(pairs_match(&tap.log) && tap.log.records.len() >= 1000);
}
