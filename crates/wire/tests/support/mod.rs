//! What the tests of all protocols share: a sink that remembers, and cases as text.
#![allow(dead_code, reason = "each test binary uses its part")]

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sylph_wire::http1::{Connection, Flow, HttpRecord, Limits, Scratch, Sink};
use sylph_wire::{Cause, Segment, Side};

/// Remembers everything.
#[derive(Debug, Default, PartialEq, Eq, Clone)]
pub(crate) struct Log {
    pub(crate) records: Vec<Value>,
    pub(crate) losses: BTreeMap<&'static str, (u64, u64)>,
}

impl Log {
    /// Messages counted as lost.
    pub(crate) fn lost(&self) -> u64 {
        self.losses.values().map(|(messages, _)| messages).sum()
    }

    pub(crate) fn lost_by(&self, cause: Cause) -> u64 {
        self.losses
            .get(cause.as_str())
            .map_or(0, |(messages, _)| *messages)
    }

    pub(crate) fn paths(&self) -> Vec<&str> {
        self.records
            .iter()
            .map(|r| r["req_path"].as_str().unwrap())
            .collect()
    }

    pub(crate) fn to_json(&self) -> Value {
        let losses: BTreeMap<_, _> = self
            .losses
            .iter()
            .map(|(cause, (messages, bytes))| (*cause, json!({"messages": messages, "bytes": bytes})))
            .collect();
        json!({"records": self.records, "losses": losses})
    }
}

impl Sink for Log {
    fn record(&mut self, r: &HttpRecord<'_>) {
        self.records.push(json!({
            "request_time_ns": r.request_time_ns, "response_time_ns": r.response_time_ns, "latency_ns": r.latency_ns,
            "major_version": r.major_version, "minor_version": r.minor_version, "content_type": r.content_type,
            "req_headers": r.req_headers, "req_method": r.req_method, "req_path": r.req_path,
            "req_body": r.req_body, "req_body_size": r.req_body_size,
            "resp_headers": r.resp_headers, "resp_status": r.resp_status, "resp_message": r.resp_message,
            "resp_body": r.resp_body, "resp_body_size": r.resp_body_size,
        }));
    }

    fn loss(&mut self, cause: Cause, messages: u64, bytes: u64) {
        let entry = self.losses.entry(cause.as_str()).or_default();
        entry.0 += messages;
        entry.1 += bytes;
    }
}

/// A connection with everything it needs, its streams' positions kept.
pub(crate) struct Tap {
    pub(crate) connection: Connection,
    pub(crate) scratch: Scratch,
    pub(crate) log: Log,
    pub(crate) flow: Flow,
    position: [u64; 2],
    pub(crate) time_ns: u64,
}

impl Tap {
    pub(crate) fn new(connection: Connection) -> Self {
        let (scratch, log) = Default::default();
        Tap {
            connection,
            scratch,
            log,
            flow: Flow::Http1,
            position: [0, 0],
            time_ns: 0,
        }
    }

    pub(crate) fn whole() -> Self {
        Self::new(Connection::new(Limits::default()))
    }

    pub(crate) fn bytes(&mut self, side: Side, data: &[u8], hole: u64) {
        let position = self.position[side as usize];
        let segment = Segment {
            side,
            time_ns: self.time_ns,
            position,
            data,
            hole,
        };
        self.flow = self.connection.feed(&mut self.scratch, &segment, &mut self.log);
        self.position[side as usize] += data.len() as u64 + hole;
    }

    pub(crate) fn request(&mut self, data: impl AsRef<[u8]>) {
        self.bytes(Side::Request, data.as_ref(), 0);
    }

    pub(crate) fn response(&mut self, data: impl AsRef<[u8]>) {
        self.bytes(Side::Response, data.as_ref(), 0);
    }

    pub(crate) fn gap(&mut self, side: Side, count: u64) {
        self.position[side as usize] += count;
    }

    pub(crate) fn expire(&mut self) {
        self.connection
            .expire(&mut self.scratch, self.time_ns, &mut self.log);
    }

    pub(crate) fn close(&mut self) {
        self.connection.close(&mut self.scratch, &mut self.log);
    }
}

/// One line of a case.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Bytes(Side, Vec<u8>),
    Gap(Side, u64),
    Hole(Side, u64),
    Time(u64),
    Expire,
    Close,
    MidStream,
}

/// Reads a case. Its lines: `> bytes` of a request, `< bytes` of a response, both with Rust's escapes and `*N` before
/// bytes to be repeated; `gap > N`, `hole < N`; `time MS`; `expire`; `close`; `mid-stream`; `#` a comment.
pub(crate) fn parse_case(text: &str) -> Vec<Step> {
    let side = |word: &str| {
        if word == ">" {
            Side::Request
        } else {
            Side::Response
        }
    };
    let step = |line: &str| {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            ">" | "<" => Step::Bytes(side(word), unescape(rest)),
            "gap" | "hole" => {
                let (of, count) = rest.split_once(' ').unwrap();
                let count = count.parse().unwrap();
                if word == "gap" {
                    Step::Gap(side(of), count)
                } else {
                    Step::Hole(side(of), count)
                }
            }
            "time" => Step::Time(rest.parse::<u64>().unwrap() * 1_000_000),
            "expire" => Step::Expire,
            "close" => Step::Close,
            "mid-stream" => Step::MidStream,
            _ => panic!("cannot read {line:?}"),
        }
    };
    text.lines()
        .filter(|l| !l.is_empty() && !l.starts_with('#'))
        .map(step)
        .collect()
}

fn unescape(text: &str) -> Vec<u8> {
    if let Some(rest) = text.strip_prefix('*') {
        let (count, rest) = rest.split_once(' ').unwrap();
        return unescape(rest).repeat(count.parse().unwrap());
    }
    let mut out = Vec::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            continue;
        }
        out.push(match chars.next() {
            Some('r') => b'\r',
            Some('n') => b'\n',
            Some('t') => b'\t',
            Some('0') => 0,
            Some('\\') => b'\\',
            Some('x') => u8::from_str_radix(&chars.by_ref().take(2).collect::<String>(), 16).unwrap(),
            other => panic!("no such escape: {other:?}"),
        });
    }
    out
}

/// Runs a case, its bytes fed in pieces of at most `piece` bytes.
pub(crate) fn run_case(steps: &[Step], piece: usize) -> (Log, Flow) {
    let mut tap = Tap::whole();
    for step in steps {
        match step {
            Step::Bytes(side, data) => data.chunks(piece).for_each(|data| tap.bytes(*side, data, 0)),
            Step::Gap(side, count) => tap.gap(*side, *count),
            Step::Hole(side, count) => tap.bytes(*side, b"", *count),
            Step::Time(ns) => tap.time_ns = *ns,
            Step::Expire => tap.expire(),
            Step::Close => tap.close(),
            Step::MidStream => tap.connection = Connection::mid_stream(Limits::default()),
        }
    }
    (tap.log, tap.flow)
}
