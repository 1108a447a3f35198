//! From a complete head to a record: the request is queued, the response finds it, the sink gets both.

use std::sync::Arc;

use super::Scratch;
use super::body::Body;
use super::cache::{self, Block};
use super::chunked::Chunked;
use super::connection::Connection;
use super::facts::{Content, Facts, Length, Upgrade};
use super::headers;
use super::message::Message;
use super::pairing::Answered;
use super::record::{Flow, HttpRecord, Sink, Successor};
use super::start::{RequestLine, StatusLine};
use super::stream::{State, Stream};
use crate::{Side, text};

/// A request, and as much of its response as passed.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) request: Box<Message>,
    pub(super) response: Box<Message>,
    /// Time of the response's last byte so far.
    pub(super) last_ns: u64,
}

/// Where the request is whose body is passing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Upload {
    /// Nowhere: no body is passing, or its request was recorded or lost already.
    None,
    /// Last in the queue.
    Waiting,
    /// In the exchange whose response is at hand.
    Answered,
}

/// A head, its start line apart.
pub(super) struct Head<'a> {
    pub(super) size: u64,
    pub(super) fields: &'a [u8],
    pub(super) headers: Headers,
}

/// What was done about a head's headers.
pub(super) enum Headers {
    Unread,
    /// They are the block that the names of their side have just read.
    Read,
    Known(Arc<Block>),
}

impl Connection {
    pub(super) fn request(
        &mut self,
        scratch: &mut Scratch,
        line: &RequestLine<'_>,
        head: Head<'_>,
        sink: &mut impl Sink,
    ) {
        if line.major == 2 {
            self.hand_over(Successor::Http2, head.size);
            return;
        }
        if self.responses.state == State::Lost {
            // Whoever asks again has the rest of the last answer.
            self.finish_exchange(scratch, sink);
        }
        let size = head.size;
        let mut request = scratch.pool.message();
        let mut text = std::mem::take(&mut request.text);
        text::push_capped(&mut text, line.method, self.limits.text, false);
        let method_end = text.len() as u32;
        text::push_capped(&mut text, line.target, self.limits.text, false);
        let start_end = text.len() as u32;
        let (block, facts) = self.headers(scratch, Side::Request, head, &mut text);
        *request = Message {
            time_ns: self.requests.head_ns,
            head: size,
            text,
            method_end,
            start_end,
            block,
            minor: line.minor,
            status: 0,
            facts,
            body: Body::new(Side::Request, &facts, self.limits.body_text),
        };
        let counted = std::mem::take(&mut self.requests.counted);
        let kept = !counted && self.queue.push(request, &self.limits, &mut scratch.pool, sink);
        let state = match facts.length {
            _ if facts.chunked => State::Chunked(Chunked::START),
            _ if facts.unframed => return self.lose_framing(Side::Request, 0),
            Length::Conflict => return self.lose_framing(Side::Request, 0),
            Length::Unset | Length::Known(0) => return,
            Length::Known(left) => State::Length { left },
        };
        self.requests.state = state;
        self.upload = if kept { Upload::Waiting } else { Upload::None };
    }

    pub(super) fn response(
        &mut self,
        scratch: &mut Scratch,
        line: &StatusLine<'_>,
        head: Head<'_>,
        sink: &mut impl Sink,
    ) {
        if line.status < 200 && line.status != 101 {
            return;
        }
        self.finish_exchange(scratch, sink);
        let time_ns = self.responses.head_ns;
        let request = match self.queue.answer(time_ns, &mut scratch.pool, sink) {
            Answered::Request(request) => Some(request),
            Answered::Counted => None,
            Answered::Unseen => {
                // If a request is just arriving, it is the one that was answered and counted.
                self.requests.counted = self.requests.synced && self.requests.in_head();
                None
            }
        };
        self.check_upload(if request.is_some() {
            Upload::Answered
        } else {
            Upload::None
        });
        let size = head.size;
        let mut response = scratch.pool.message();
        let mut text = std::mem::take(&mut response.text);
        text::push_capped(&mut text, line.reason, self.limits.text, false);
        let start_end = text.len() as u32;
        let (block, facts) = self.headers(scratch, Side::Response, head, &mut text);
        *response = Message {
            time_ns,
            head: size,
            text,
            method_end: 0,
            start_end,
            block,
            minor: line.minor,
            status: line.status,
            facts,
            body: Body::new(Side::Response, &facts, self.limits.body_text),
        };
        let method = request.as_ref().map(|request| request.method());
        let bodiless = matches!(line.status, 101 | 204 | 304) || method == Some("HEAD");
        let tunnel = method == Some("CONNECT") && (200..300).contains(&line.status);
        self.responses.maybe_head = request.is_none().then_some(0);
        match request {
            Some(request) => {
                self.open = Some(Exchange {
                    request,
                    response,
                    last_ns: time_ns,
                })
            }
            None => scratch.pool.give(response),
        }
        if line.status == 101 || tunnel {
            self.finish_exchange(scratch, sink);
            self.hand_over(
                match facts.upgrade {
                    _ if tunnel => Successor::Tunnel,
                    Upgrade::WebSocket => Successor::WebSocket,
                    Upgrade::H2c => Successor::Http2,
                    Upgrade::Unset | Upgrade::Other => Successor::Other,
                },
                0,
            );
            return;
        }
        let state = match facts.length {
            _ if bodiless => State::Head,
            _ if facts.chunked => State::Chunked(Chunked::START),
            _ if facts.unframed => State::UntilClose,
            Length::Conflict => State::Lost,
            Length::Unset => State::UntilClose,
            Length::Known(0) => State::Head,
            Length::Known(left) => State::Length { left },
        };
        self.responses.state = state;
        match state {
            State::Head => {
                self.responses.maybe_head = None;
                self.finish_exchange(scratch, sink);
            }
            State::Lost => {
                self.finish_exchange(scratch, sink);
                self.lose_framing(Side::Response, 0);
            }
            _ => {}
        }
    }

    /// Reads the headers, or knows them already: adds their JSON to `text` or returns the block that has it.
    fn headers(
        &mut self,
        scratch: &mut Scratch,
        side: Side,
        head: Head<'_>,
        text: &mut String,
    ) -> (Option<Arc<Block>>, Facts) {
        if let Headers::Known(block) = head.headers {
            let facts = block.facts;
            return (Some(block), facts);
        }
        let cap = self.limits.header_text;
        let hash = scratch.cache.is_of_use().then(|| cache::hash(head.fields));
        if let Some(hash) = hash
            && let Some((block, hint)) = scratch.cache.find(head.fields, hash, cap)
        {
            let block = Arc::clone(block);
            self.stream(side).hint = hint;
            let facts = block.facts;
            return (Some(block), facts);
        }
        let names = &mut scratch.names[side as usize];
        let facts = if let Headers::Read = head.headers {
            let facts = names.write(head.fields, cap, &mut scratch.json);
            #[cfg(debug_assertions)]
            {
                // The other way must say the same; tests and the fuzzer build with this.
                let mut json = crate::json::Json::default();
                let other = headers::read(head.fields, cap, &mut scratch.fields, &mut json);
                let shown = |json: &crate::json::Json| json.bytes()[..json.len().min(cap + 1)].to_vec();
                assert_eq!((facts, shown(&scratch.json)), (other, shown(&json)));
            }
            facts
        } else {
            headers::read(head.fields, cap, &mut scratch.fields, &mut scratch.json)
        };
        let start = text.len();
        text::push_capped(text, scratch.json.bytes(), cap, false);
        if let Some(hash) = hash {
            scratch
                .cache
                .missed(head.fields, hash, cap, &text[start..], facts);
        }
        (None, facts)
    }

    /// Ends the parser, `back` bytes before the request at hand ends.
    fn hand_over(&mut self, successor: Successor, back: u64) {
        let partial = |s: &Stream| s.partial.len() as u64;
        self.flow = Flow::HandedOver {
            successor,
            request_position: back + partial(&self.requests),
            response_position: partial(&self.responses),
        };
    }

    /// Hands the exchange at hand to the sink, if there is one.
    pub(super) fn finish_exchange(&mut self, scratch: &mut Scratch, sink: &mut impl Sink) {
        let Some(Exchange {
            request, response, ..
        }) = self.open.take()
        else {
            return;
        };
        if self.upload == Upload::Answered {
            self.upload = Upload::None;
        }
        let cap = self.limits.body_text;
        request.body.write(
            Side::Request,
            &request.facts,
            cap,
            &mut scratch.unpack,
            &mut scratch.req_body,
        );
        response.body.write(
            Side::Response,
            &response.facts,
            cap,
            &mut scratch.unpack,
            &mut scratch.resp_body,
        );
        let size = |body: &Body| i64::try_from(body.size).unwrap_or(i64::MAX);
        sink.record(&HttpRecord {
            request_time_ns: request.time_ns,
            response_time_ns: response.time_ns,
            latency_ns: i64::try_from(response.time_ns.saturating_sub(request.time_ns)).unwrap_or(i64::MAX),
            major_version: 1,
            minor_version: i64::from(response.minor),
            content_type: i64::from(response.facts.content == Content::Json),
            req_headers: request.headers(),
            req_method: request.method(),
            req_path: request.start(),
            req_body: &scratch.req_body,
            req_body_size: size(&request.body),
            resp_headers: response.headers(),
            resp_status: i64::from(response.status),
            resp_message: response.start(),
            resp_body: &scratch.resp_body,
            resp_body_size: size(&response.body),
        });
        scratch.pool.give(request);
        scratch.pool.give(response);
    }
}
