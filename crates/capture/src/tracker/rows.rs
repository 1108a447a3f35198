//! What the parsers find, written to the tables.

use arrow_array::RecordBatch;
use sylph_wire::http1::{self, HttpRecord};

use super::connection::Info;
use super::ledger::Ledger;
use crate::batch::{HttpEvents, HttpRow};
use crate::loss::{Cause, Losses};

/// Where everything goes that comes out of connections.
pub(super) struct Output {
    pub(super) tables: Tables,
    pub(super) scratch: http1::Scratch,
    /// Events lost to a full ring, as of this pass and the one before.
    pub(super) losses: u64,
    pub(super) losses_before: u64,
    /// Events whose place had been given up when they came.
    pub(super) late: u64,
}

/// The tables under construction.
pub(super) struct Tables {
    pub(super) http: HttpEvents,
    pub(super) full: Vec<RecordBatch>,
    pub(super) losses: Losses,
    /// Wall clock minus monotonic clock, ns.
    pub(super) clock: i64,
    pub(super) rows: u64,
}

/// Writes rows and losses of one connection.
pub(super) struct Rows<'a> {
    info: &'a Info,
    pub(super) ledger: &'a mut Ledger,
    tables: &'a mut Tables,
    /// The connection is given up for lack of room.
    pub(super) evicting: bool,
}

impl<'a> Rows<'a> {
    pub(super) fn new(info: &'a Info, ledger: &'a mut Ledger, tables: &'a mut Tables) -> Self {
        Self {
            info,
            ledger,
            tables,
            evicting: false,
        }
    }

    /// Counts messages that the ledger has accounted for.
    pub(super) fn count(&mut self, cause: Cause, messages: u64, bytes: u64) {
        self.tables
            .losses
            .add(self.info.upid, HttpEvents::NAME, cause, messages, bytes);
    }
}

impl http1::Sink for Rows<'_> {
    #[inline]
    fn record(&mut self, record: &HttpRecord<'_>) {
        self.ledger.row();
        self.tables.rows += 1;
        let full = self.tables.http.push(&HttpRow {
            time_: (record.response_time_ns as i64).saturating_add(self.tables.clock),
            upid: self.info.upid,
            remote_addr: self.info.remote_addr.as_str(),
            remote_port: i64::from(self.info.remote_port),
            local_addr: self.info.local_addr.as_str(),
            local_port: i64::from(self.info.local_port),
            trace_role: i64::from(self.info.role),
            encrypted: self.info.encrypted,
            major_version: record.major_version,
            minor_version: record.minor_version,
            content_type: record.content_type,
            req_headers: record.req_headers,
            req_method: record.req_method,
            req_path: record.req_path,
            req_body: record.req_body,
            req_body_size: record.req_body_size,
            resp_headers: record.resp_headers,
            resp_status: record.resp_status,
            resp_message: record.resp_message,
            resp_body: record.resp_body,
            resp_body_size: record.resp_body_size,
            latency: record.latency_ns,
        });
        if full {
            self.tables.full.extend(self.tables.http.finish());
        }
    }

    fn loss(&mut self, cause: sylph_wire::Cause, messages: u64, bytes: u64) {
        let cause = match cause {
            _ if self.evicting => Cause::Budget,
            sylph_wire::Cause::Gap => Cause::Gap,
            sylph_wire::Cause::ParseError => Cause::ParseError,
            sylph_wire::Cause::NoResponse => Cause::NoResponse,
            sylph_wire::Cause::NoRequest => Cause::NoRequest,
            sylph_wire::Cause::Budget => Cause::Budget,
        };
        let messages = if self.ledger.lost(messages) { messages } else { 0 };
        self.count(cause, messages, bytes);
    }
}
