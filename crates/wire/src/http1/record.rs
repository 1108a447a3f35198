//! What the parser hands out.

use crate::Cause;

/// One request and its response: the protocol's columns of `http_events`, texts capped and valid UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HttpRecord<'a> {
    /// Time of the segment that brought the first byte of the request.
    pub request_time_ns: u64,
    /// Time of the segment that brought the first byte of the (final) response; `time_`.
    pub response_time_ns: u64,
    /// `response_time_ns - request_time_ns`, never negative: time to first byte.
    pub latency_ns: i64,
    /// 1.
    pub major_version: i64,
    /// Minor version of the response.
    pub minor_version: i64,
    /// Class of the response's payload: 0 unknown, 1 JSON.
    pub content_type: i64,
    /// JSON object: names as sent, sorted without regard to case, a repeated name has an array of values.
    pub req_headers: &'a str,
    /// Method.
    pub req_method: &'a str,
    /// Request target with its query, as sent.
    pub req_path: &'a str,
    /// Body text: inflated, URL-decoded if a form.
    pub req_body: &'a str,
    /// Bytes of the body on the wire, without chunk framing, before inflating.
    pub req_body_size: i64,
    /// As `req_headers`.
    pub resp_headers: &'a str,
    /// Status code.
    pub resp_status: i64,
    /// Reason phrase.
    pub resp_message: &'a str,
    /// Body text, or a marker such as `<removed: non-text content-type>`.
    pub resp_body: &'a str,
    /// As `req_body_size`.
    pub resp_body_size: i64,
}

/// Receives what a connection's parser finds.
pub trait Sink {
    /// One exchange, finished. The texts are valid during the call.
    fn record(&mut self, record: &HttpRecord<'_>);

    /// `messages` exchanges will never be records, and `bytes` bytes belong to no record. Either may be 0.
    fn loss(&mut self, cause: Cause, messages: u64, bytes: u64);
}

/// What bounds a connection's memory and a record's texts. Sizes in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Text kept of a body; longer is cut and marked.
    pub body_text: usize,
    /// Text kept of headers (the JSON).
    pub header_text: usize,
    /// Text kept of path and reason phrase.
    pub text: usize,
    /// Longest head (start line and headers) that is parsed; a longer one is lost as `Budget`.
    pub head: usize,
    /// Bytes kept for requests waiting for their responses, per connection.
    pub pending_bytes: usize,
    /// Requests waiting for their responses, per connection.
    pub pending_requests: usize,
    /// A request unanswered for so long is lost as `NoResponse`; a response still running is recorded as it is.
    pub message_age_ns: u64,
    /// A response whose body brought no byte for so long is recorded as it is.
    pub quiet_ns: u64,
    /// An endless response (`text/event-stream`, `multipart/x-mixed-replace`) is recorded so long after its head.
    pub stream_ns: u64,
}

impl Default for Limits {
    fn default() -> Self {
        const SECOND: u64 = 1_000_000_000;
        Limits {
            body_text: 512,
            header_text: 8192,
            text: 1024,
            head: 64 << 10,
            pending_bytes: 1 << 20,
            pending_requests: 1024,
            message_age_ns: 60 * SECOND,
            quiet_ns: 5 * SECOND,
            stream_ns: SECOND / 2,
        }
    }
}

/// What a connection turned into; its parser has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Successor {
    /// `101 Switching Protocols` to `websocket`.
    WebSocket,
    /// `101` to `h2c`, or HTTP/2's preface.
    Http2,
    /// `CONNECT` accepted: any protocol, or TLS.
    Tunnel,
    /// `101` to something else.
    Other,
}

/// Whether a connection still speaks HTTP/1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// Go on feeding.
    Http1,
    /// The protocol has changed. Stop feeding; further bytes are ignored.
    HandedOver {
        /// To what.
        successor: Successor,
        /// Position of the first byte of the new protocol in the requests' direction.
        request_position: u64,
        /// The same in the responses' direction.
        response_position: u64,
    },
}
