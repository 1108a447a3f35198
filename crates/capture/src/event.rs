//! What kernel programs hand over, as `bpf/events.h` lays it out.

/// Direction of the bytes of a [`DataHeader`], seen from the process that is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Direction {
    /// The process received them.
    Recv = 0,
    /// The process sent them.
    Send = 1,
}

/// Role codes of `conn_stats.trace_role`.
pub mod role {
    /// It opened the connection or sends the requests.
    pub const CLIENT: u8 = 1;
    /// It accepted the connection or answers the requests.
    pub const SERVER: u8 = 2;
    /// Not known (yet).
    pub const UNKNOWN: u8 = 4;
}

/// Bits of [`DataHeader::flags`].
pub mod flag {
    /// `captured < length`: the cap per event or per message.
    pub const TRUNCATED: u16 = 1;
    /// Bytes of this direction before this event were skipped because of the cap per message.
    pub const CAPPED: u16 = 2;
    /// The bytes could not be read.
    pub const FAULT: u16 = 4;
    /// The connection is older than the agent.
    pub const MIDSTREAM: u16 = 8;
}

/// Header of a DATA event: all that is needed to make rows of its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DataHeader {
    /// Direction seen from the recorded process.
    pub direction: Direction,
    /// See [`role`].
    pub role: u8,
    /// `conn_stats.protocol` code that the kernel inferred.
    pub protocol: u8,
    /// `conn_stats.addr_family` code: 1 IPv4, 2 IPv6.
    pub family: u8,
    /// 0 tcp way, 1 syscall way, 2 TLS.
    pub source: u8,
    /// See [`flag`].
    pub flags: u16,
    /// Process.
    pub tgid: u32,
    /// Thread.
    pub tid: u32,
    /// Start of the process, ns since boot.
    pub start_ns: u64,
    /// CLOCK_MONOTONIC, ns.
    pub time_ns: u64,
    /// Never reused while the agent runs.
    pub conn_id: u64,
    /// Bytes this direction carried before this event.
    pub position: u64,
    /// Bytes of this event as the application saw it.
    pub length: u32,
    /// How many of them follow; the rest is a hole that ends at `position + length`.
    pub captured: u32,
    /// How often the direction turned from response back to request.
    pub exchange: u32,
    /// Sequence number of the first byte; 0 in the syscall way.
    pub tcp_seq: u32,
    /// Own port.
    pub local_port: u16,
    /// Peer's port.
    pub remote_port: u16,
    /// Inode of the network namespace.
    pub netns: u32,
    /// Own address; IPv4 in the first four bytes.
    pub local_addr: [u8; 16],
    /// Peer's address; IPv4 in the first four bytes.
    pub remote_addr: [u8; 16],
}

/// A connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Close {
    /// The connection; `length` and `captured` are 0, `direction` has no meaning, `flags` only [`flag::MIDSTREAM`].
    pub conn: DataHeader,
    /// All bytes the process sent, recorded or not.
    pub bytes_sent: u64,
    /// All bytes the process received, recorded or not.
    pub bytes_received: u64,
    /// Turns from response back to request.
    pub exchanges: u32,
    /// DATA events of this connection that found the ring full.
    pub lost: u32,
}

/// A process began to run a program ([`Event::Exec`]) or was born ([`Event::Fork`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exec<'a> {
    /// Process.
    pub tgid: u32,
    /// Its parent.
    pub ppid: u32,
    /// Inode of the network namespace.
    pub netns: u32,
    /// Start of the process, ns since boot.
    pub start_ns: u64,
    /// CLOCK_MONOTONIC, ns.
    pub time_ns: u64,
    /// Inode of the cgroup v2 directory.
    pub cgroup_id: u64,
    /// Short name.
    pub comm: &'a [u8],
    /// Path given to execve, cut at 255 bytes; empty for a fork.
    pub filename: &'a [u8],
}

/// A process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exit<'a> {
    /// Process.
    pub tgid: u32,
    /// Start of the process, ns since boot.
    pub start_ns: u64,
    /// CLOCK_MONOTONIC, ns.
    pub time_ns: u64,
    /// As in wait(2): `status << 8 | signal`.
    pub exit_code: u32,
    /// Short name of the group leader.
    pub comm: &'a [u8],
}

/// One event from the ring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event<'a> {
    /// Bytes of a connection.
    Data(&'a DataHeader, &'a [u8]),
    /// A connection ended.
    Close(&'a Close),
    /// A process began to run a program.
    Exec(&'a Exec<'a>),
    /// A process was born.
    Fork(&'a Exec<'a>),
    /// A process ended.
    Exit(&'a Exit<'a>),
}

const DATA: u8 = 1;
const CLOSE: u8 = 2;
const EXEC: u8 = 3;
const EXIT: u8 = 4;
const FORK: u8 = 5;

/// Size of `struct sylph_data`.
pub const HEADER_BYTES: usize = 104;
const CLOSE_BYTES: usize = HEADER_BYTES + 24;
const EXEC_BYTES: usize = 312;
const EXIT_BYTES: usize = 48;

fn u16_at(b: &[u8], at: usize) -> u16 {
    u16::from_ne_bytes([b[at], b[at + 1]])
}

fn u32_at(b: &[u8], at: usize) -> u32 {
    u32::from_ne_bytes([b[at], b[at + 1], b[at + 2], b[at + 3]])
}

fn u64_at(b: &[u8], at: usize) -> u64 {
    u64::from(u32_at(b, at)) | u64::from(u32_at(b, at + 4)) << 32
}

fn address_at(b: &[u8], at: usize) -> [u8; 16] {
    let mut address = [0; 16];
    address.copy_from_slice(&b[at..at + 16]);
    address
}

fn text(b: &[u8]) -> &[u8] {
    &b[..b.iter().position(|&c| c == 0).unwrap_or(b.len())]
}

fn header(b: &[u8; HEADER_BYTES]) -> DataHeader {
    DataHeader {
        direction: if b[1] == 0 {
            Direction::Recv
        } else {
            Direction::Send
        },
        role: b[2],
        protocol: b[3],
        family: b[4],
        source: b[5],
        flags: u16_at(b, 6),
        tgid: u32_at(b, 8),
        tid: u32_at(b, 12),
        start_ns: u64_at(b, 16),
        time_ns: u64_at(b, 24),
        conn_id: u64_at(b, 32),
        position: u64_at(b, 40),
        length: u32_at(b, 48),
        captured: u32_at(b, 52),
        exchange: u32_at(b, 56),
        tcp_seq: u32_at(b, 60),
        local_port: u16_at(b, 64),
        remote_port: u16_at(b, 66),
        netns: u32_at(b, 68),
        local_addr: address_at(b, 72),
        remote_addr: address_at(b, 88),
    }
}

/// Reads one ring record and gives it to `on_event`. `false`: a record of no known kind or too short, not given.
pub fn read(record: &[u8], on_event: &mut dyn FnMut(Event<'_>)) -> bool {
    let Some(&kind) = record.first() else { return false };
    match kind {
        DATA => {
            let Some((head, rest)) = record.split_first_chunk::<HEADER_BYTES>() else {
                return false;
            };
            let head = header(head);
            let Some(bytes) = rest.get(..head.captured as usize) else {
                return false;
            };
            on_event(Event::Data(&head, bytes));
        }
        CLOSE => {
            let Some((head, rest)) = record.split_first_chunk::<HEADER_BYTES>() else {
                return false;
            };
            if record.len() < CLOSE_BYTES {
                return false;
            }
            on_event(Event::Close(&Close {
                conn: header(head),
                bytes_sent: u64_at(rest, 0),
                bytes_received: u64_at(rest, 8),
                exchanges: u32_at(rest, 16),
                lost: u32_at(rest, 20),
            }));
        }
        EXEC | FORK => {
            if record.len() < EXEC_BYTES {
                return false;
            }
            let exec = Exec {
                tgid: u32_at(record, 4),
                ppid: u32_at(record, 8),
                netns: u32_at(record, 12),
                start_ns: u64_at(record, 16),
                time_ns: u64_at(record, 24),
                cgroup_id: u64_at(record, 32),
                comm: text(&record[40..56]),
                filename: text(&record[56..312]),
            };
            on_event(if kind == EXEC {
                Event::Exec(&exec)
            } else {
                Event::Fork(&exec)
            });
        }
        EXIT => {
            if record.len() < EXIT_BYTES {
                return false;
            }
            on_event(Event::Exit(&Exit {
                tgid: u32_at(record, 4),
                start_ns: u64_at(record, 8),
                time_ns: u64_at(record, 16),
                exit_code: u32_at(record, 24),
                comm: text(&record[28..44]),
            }));
        }
        _ => return false,
    }
    true
}
