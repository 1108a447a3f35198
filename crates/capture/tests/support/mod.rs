//! What the tests share: schemas as Python declares them, and a conversation as the kernel would report it.
#![allow(dead_code, unreachable_pub)]

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_schema::{DataType, Field, Schema};
use sylph_capture::batch::Schemas;
use sylph_capture::event::{Close, DataHeader, Direction, role};

/// name:kind of every column, as `sylph.tables` declares them.
const TABLES: [(&str, &str); 6] = [
    (
        "http_events",
        "time_:t upid:u remote_addr:s remote_port:i local_addr:s local_port:i trace_role:i encrypted:b major_version:i \
         minor_version:i content_type:i req_headers:s req_method:s req_path:s req_body:s req_body_size:i resp_headers:s \
         resp_status:i resp_message:s resp_body:s resp_body_size:i latency:i",
    ),
    (
        "conn_stats",
        "time_:t upid:u remote_addr:s remote_port:i trace_role:i addr_family:i protocol:i ssl:b conn_open:i \
         conn_close:i conn_active:i bytes_sent:i bytes_recv:i",
    ),
    (
        "process_stats",
        "time_:t upid:u major_faults:i minor_faults:i cpu_utime_ns:i cpu_ktime_ns:i num_threads:i vsize_bytes:i \
         rss_bytes:i rchar_bytes:i wchar_bytes:i read_bytes:i write_bytes:i",
    ),
    (
        "network_stats",
        "time_:t pod_id:s rx_bytes:i rx_packets:i rx_errors:i rx_drops:i tx_bytes:i tx_packets:i tx_errors:i tx_drops:i",
    ),
    ("proc_exit_events", "time_:t upid:u exit_code:i signal:i comm:s"),
    (
        "capture_loss",
        "time_:t upid:u table_name:s cause:s events:i bytes:i",
    ),
];

pub fn field(name: &str, kind: &str) -> Field {
    let (data, arrow) = match kind {
        "t" => ("TIME64NS", DataType::Int64),
        "i" => ("INT64", DataType::Int64),
        "u" => ("UINT128", DataType::FixedSizeBinary(16)),
        "s" => ("STRING", DataType::Utf8),
        "b" => ("BOOLEAN", DataType::Boolean),
        _ => panic!("{kind}"),
    };
    let metadata = HashMap::from([("sylph.data_type".to_owned(), data.to_owned())]);
    Field::new(name, arrow, false).with_metadata(metadata)
}

pub fn schemas() -> Schemas {
    TABLES
        .iter()
        .map(|(table, columns)| {
            let fields: Vec<_> = columns
                .split_whitespace()
                .map(|column| {
                    column
                        .split_once(':')
                        .map(|(name, kind)| field(name, kind))
                        .unwrap()
                })
                .collect();
            ((*table).to_owned(), Arc::new(Schema::new(fields)))
        })
        .collect()
}

pub fn texts<'a>(batch: &'a RecordBatch, column: &str) -> Vec<&'a str> {
    batch
        .column_by_name(column)
        .unwrap()
        .as_string::<i32>()
        .iter()
        .map(|text| text.unwrap())
        .collect()
}

pub fn numbers(batch: &RecordBatch, column: &str) -> Vec<i64> {
    batch
        .column_by_name(column)
        .unwrap()
        .as_primitive::<Int64Type>()
        .values()
        .to_vec()
}

/// An event that owns its bytes.
#[derive(Debug, Clone)]
pub enum Owned {
    Data(DataHeader, Vec<u8>),
    Close(Close),
}

/// A connection of a server, as the kernel follows it.
#[derive(Debug, Clone)]
pub struct Talk {
    pub header: DataHeader,
    pub positions: [u64; 2],
    pub events: Vec<Owned>,
    /// Direction of the requests.
    pub asks: Direction,
    last: Option<Direction>,
}

impl Talk {
    pub fn new(id: u64) -> Self {
        let mut remote_addr = [0; 16];
        remote_addr[..4].copy_from_slice(&[10, 0, (id >> 8) as u8, id as u8]);
        let header = DataHeader {
            direction: Direction::Recv,
            role: role::SERVER,
            protocol: 1,
            family: 1,
            source: 0,
            flags: 0,
            tgid: 100 + (id % 3) as u32,
            tid: 100,
            start_ns: 5_000_000_000,
            time_ns: 1_000_000 * id,
            conn_id: id,
            position: 0,
            length: 0,
            captured: 0,
            exchange: 0,
            tcp_seq: 0,
            local_port: 80,
            remote_port: 40_000 + id as u16,
            netns: 1,
            local_addr: [127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            remote_addr,
        };
        Self {
            header,
            positions: [0; 2],
            events: Vec::new(),
            asks: Direction::Recv,
            last: None,
        }
    }

    /// `length` bytes pass in one call, of which the kernel copies `bytes`.
    pub fn part(&mut self, direction: Direction, bytes: &[u8], length: u32) {
        self.header.time_ns += 1000;
        if direction == self.asks && self.last.is_some_and(|last| last != direction) {
            self.header.exchange += 1;
        }
        self.last = Some(direction);
        let flags = if (bytes.len() as u32) < length { 1 } else { 0 };
        let position = self.positions[direction as usize];
        let captured = bytes.len() as u32;
        let header = DataHeader {
            direction,
            position,
            length,
            captured,
            flags,
            ..self.header
        };
        self.positions[direction as usize] += u64::from(length);
        self.events.push(Owned::Data(header, bytes.to_vec()));
    }

    pub fn recv(&mut self, text: &str) -> &mut Self {
        self.part(Direction::Recv, text.as_bytes(), text.len() as u32);
        self
    }

    pub fn send(&mut self, text: &str) -> &mut Self {
        self.part(Direction::Send, text.as_bytes(), text.len() as u32);
        self
    }

    pub fn totals(&self, lost: u32) -> Close {
        let conn = DataHeader {
            time_ns: self.header.time_ns + 1000,
            length: 0,
            captured: 0,
            ..self.header
        };
        Close {
            conn,
            bytes_sent: self.positions[1],
            bytes_received: self.positions[0],
            exchanges: self.header.exchange,
            lost,
        }
    }

    pub fn close(&mut self) {
        let totals = self.totals(0);
        self.events.push(Owned::Close(totals));
    }
}

pub fn request(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: here\r\n\r\n")
}

pub fn response(body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}
