//! Events as the kernel lays them out; the inverse of `event::read`.

use crate::event::{Close, DataHeader, Event, Exec, Exit};

const DATA: u8 = 1;
const CLOSE: u8 = 2;
const EXEC: u8 = 3;
const EXIT: u8 = 4;
const FORK: u8 = 5;

/// Appends the ring record of `event`.
pub fn encode(event: &Event<'_>, out: &mut Vec<u8>) {
    match event {
        Event::Data(head, bytes) => {
            header(
                DATA,
                &DataHeader {
                    captured: bytes.len() as u32,
                    ..**head
                },
                out,
            );
            out.extend_from_slice(bytes);
        }
        Event::Close(close) => totals(close, out),
        Event::Exec(exec) => process(EXEC, exec, out),
        Event::Fork(exec) => process(FORK, exec, out),
        Event::Exit(exit) => ended(exit, out),
    }
}

fn header(kind: u8, head: &DataHeader, out: &mut Vec<u8>) {
    out.extend_from_slice(&[
        kind,
        head.direction as u8,
        head.role,
        head.protocol,
        head.family,
        head.source,
    ]);
    out.extend_from_slice(&head.flags.to_ne_bytes());
    for number in [head.tgid, head.tid] {
        out.extend_from_slice(&number.to_ne_bytes());
    }
    for number in [head.start_ns, head.time_ns, head.conn_id, head.position] {
        out.extend_from_slice(&number.to_ne_bytes());
    }
    for number in [head.length, head.captured, head.exchange, head.tcp_seq] {
        out.extend_from_slice(&number.to_ne_bytes());
    }
    for number in [head.local_port, head.remote_port] {
        out.extend_from_slice(&number.to_ne_bytes());
    }
    out.extend_from_slice(&head.netns.to_ne_bytes());
    out.extend_from_slice(&head.local_addr);
    out.extend_from_slice(&head.remote_addr);
}

fn totals(close: &Close, out: &mut Vec<u8>) {
    header(CLOSE, &close.conn, out);
    for number in [close.bytes_sent, close.bytes_received] {
        out.extend_from_slice(&number.to_ne_bytes());
    }
    for number in [close.exchanges, close.lost] {
        out.extend_from_slice(&number.to_ne_bytes());
    }
}

fn process(kind: u8, exec: &Exec<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(&[kind, 0, 0, 0]);
    for number in [exec.tgid, exec.ppid, exec.netns] {
        out.extend_from_slice(&number.to_ne_bytes());
    }
    for number in [exec.start_ns, exec.time_ns, exec.cgroup_id] {
        out.extend_from_slice(&number.to_ne_bytes());
    }
    text(exec.comm, 16, out);
    text(exec.filename, 256, out);
}

fn ended(exit: &Exit<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(&[EXIT, 0, 0, 0]);
    out.extend_from_slice(&exit.tgid.to_ne_bytes());
    for number in [exit.start_ns, exit.time_ns] {
        out.extend_from_slice(&number.to_ne_bytes());
    }
    out.extend_from_slice(&exit.exit_code.to_ne_bytes());
    text(exit.comm, 16, out);
    out.extend_from_slice(&[0; 4]); // the struct's tail padding
}

/// NUL-terminated text in a field of `size` bytes.
fn text(value: &[u8], size: usize, out: &mut Vec<u8>) {
    let value = &value[..value.len().min(size - 1)];
    out.extend_from_slice(value);
    out.resize(out.len() + size - value.len(), 0);
}
