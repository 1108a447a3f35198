//! Runs bytes of any kind as captured traffic and checks what must always hold. Shared with the fuzz target.

use sylph_wire::http1::{Connection, Flow, HttpRecord, Limits, Scratch, Sink};
use sylph_wire::{Cause, Segment, Side};

struct Check {
    limits: Limits,
    rows: u64,
    lost: u64,
}

impl Sink for Check {
    fn record(&mut self, record: &HttpRecord<'_>) {
        const MARK: usize = "... [TRUNCATED]".len();
        self.rows += 1;
        for body in [record.req_body, record.resp_body] {
            assert!(body.len() <= self.limits.body_text.max(40) + MARK);
        }
        for headers in [record.req_headers, record.resp_headers] {
            assert!(headers.len() <= self.limits.header_text + MARK);
            assert!(headers.starts_with('{') && (headers.ends_with('}') || headers.ends_with("[TRUNCATED]")));
        }
        for text in [record.req_method, record.req_path, record.resp_message] {
            assert!(text.len() <= self.limits.text + MARK);
        }
        assert!(record.latency_ns >= 0 && record.req_body_size >= 0 && record.resp_body_size >= 0);
        assert!((100..1000).contains(&record.resp_status));
    }

    fn loss(&mut self, _: Cause, messages: u64, _: u64) {
        self.lost += messages;
    }
}

/// Reads `input` as operations: a byte with the side (bit 0) and the kind (bits 1 and 2: data, hole, gap, time), two
/// bytes with a length, little-endian, and the data.
pub(crate) fn drive(mut input: &[u8]) {
    let limits = Limits {
        head: 4096,
        pending_bytes: 32 << 10,
        ..Limits::default()
    };
    let (mut connection, mut scratch) = (Connection::new(limits), Scratch::default());
    let mut sink = Check {
        limits,
        rows: 0,
        lost: 0,
    };
    let (mut positions, mut time_ns, mut fed) = ([0_u64; 2], 0, 0_u64);
    while let [control, low, high, rest @ ..] = input {
        let (count, side) = (u64::from(u16::from_le_bytes([*low, *high])), control & 1);
        let data = match control >> 1 & 3 {
            0 => &rest[..rest.len().min(count as usize)],
            _ => &[],
        };
        input = &rest[data.len()..];
        let position = &mut positions[usize::from(side)];
        let mut hole = 0;
        match control >> 1 & 3 {
            1 => hole = count,
            2 => *position += count,
            3 => {
                time_ns += count * 100_000_000;
                connection.expire(&mut scratch, time_ns, &mut sink);
                continue;
            }
            _ => {}
        }
        let side = if side == 0 { Side::Request } else { Side::Response };
        let flow = connection.feed(
            &mut scratch,
            &Segment {
                side,
                time_ns,
                position: *position,
                data,
                hole,
            },
            &mut sink,
        );
        *position += data.len() as u64 + hole;
        fed += data.len() as u64;
        assert!(
            connection.memory() <= (1 << 20),
            "{} bytes held",
            connection.memory()
        );
        if flow != Flow::Http1 {
            break;
        }
    }
    connection.close(&mut scratch, &mut sink);
    assert!(connection.is_idle() && connection.memory() == 0);
    // A request or a response needs bytes.
    assert!(
        sink.rows + sink.lost <= fed + 1,
        "{} rows and {} lost of {fed} bytes",
        sink.rows,
        sink.lost
    );
}
