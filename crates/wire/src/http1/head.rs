//! Heads: from the first byte of a message to its start line and headers, read.

use std::sync::Arc;

use super::Scratch;
use super::connection::Connection;
use super::exchange::{Head, Headers, Upload};
use super::record::Sink;
use super::start::StartLine;
use super::stream::{Scan, State};
use crate::{Cause, Side};

impl Connection {
    /// Takes bytes of a head, or of the empty lines before one.
    pub(super) fn head(
        &mut self,
        scratch: &mut Scratch,
        side: Side,
        time_ns: u64,
        data: &[u8],
        sink: &mut impl Sink,
    ) -> usize {
        let limit = self.limits.head;
        let stream = self.stream(side);
        if !stream.partial.is_empty() {
            let (used, scan) = stream.scan_line(side, data);
            match scan {
                Scan::Bad(line) if line <= limit => {
                    let partial = std::mem::take(&mut stream.partial);
                    self.head_lost(scratch, side, Cause::ParseError, line as u64, sink);
                    // The bad line may itself start a message. Only lines before it are given up.
                    let bad = &partial[line..];
                    let stream = self.stream(side);
                    let at = stream.search(side, bad, time_ns);
                    if stream.state == State::Head {
                        stream.partial = scratch.pool.bytes();
                        stream.keep(&bad[at..], bad.len() - at);
                    }
                    scratch.pool.give_bytes(partial);
                }
                Scan::Complete(end) if end <= limit => {
                    let partial = std::mem::take(&mut stream.partial);
                    self.head_complete(scratch, side, &partial[..end], sink);
                    scratch.pool.give_bytes(partial);
                }
                _ if stream.partial.len() > limit => {
                    let partial = std::mem::take(&mut stream.partial);
                    self.head_lost(scratch, side, Cause::Budget, partial.len() as u64, sink);
                    scratch.pool.give_bytes(partial);
                }
                _ => {}
            }
            return used;
        }
        let blank = data.iter().take_while(|&&b| b == b'\r' || b == b'\n').count();
        if blank > 0 {
            return blank;
        }
        stream.head_ns = time_ns;
        match self.usual_head(scratch, side, data, sink) {
            0 => {}
            used => return used,
        }
        let stream = self.stream(side);
        match stream.scan(side, data, 0) {
            Scan::Complete(end) if end <= limit => {
                self.head_complete(scratch, side, &data[..end], sink);
                end
            }
            Scan::Bad(line) if line <= limit => {
                self.head_lost(scratch, side, Cause::ParseError, line as u64, sink);
                line
            }
            Scan::Incomplete(line) if data.len() <= limit => {
                stream.partial = scratch.pool.bytes();
                stream.keep(data, line);
                data.len()
            }
            _ => {
                self.head_lost(scratch, side, Cause::Budget, limit as u64, sink);
                limit
            }
        }
    }

    /// Gives up a head: counts its message, unless it only seemed to be one, and goes on searching.
    fn head_lost(
        &mut self,
        scratch: &mut Scratch,
        side: Side,
        cause: Cause,
        bytes: u64,
        sink: &mut impl Sink,
    ) {
        let stream = self.stream(side);
        let counted = std::mem::take(&mut stream.counted);
        let searched = stream.lose();
        if searched && cause == Cause::ParseError {
            return;
        }
        match side {
            Side::Request if counted => {}
            Side::Request => {
                sink.loss(cause, 1, bytes);
                self.queue.push_counted();
            }
            Side::Response => {
                self.queue
                    .response_unreadable(cause, bytes, &mut scratch.pool, sink);
                self.check_upload(Upload::None);
            }
        }
        self.lose_framing(side, 0);
    }

    /// `head` is a start line that was found good, and all its headers.
    fn head_complete(&mut self, scratch: &mut Scratch, side: Side, head: &[u8], sink: &mut impl Sink) {
        if let Some(end) = memchr::memchr(b'\n', head)
            && let Some(line) = StartLine::parse(side, &head[..=end])
        {
            let head = Head {
                size: head.len() as u64,
                fields: &head[end + 1..],
                headers: Headers::Unread,
            };
            self.message_starts(scratch, side, &line, head, sink);
        }
    }

    fn message_starts(
        &mut self,
        scratch: &mut Scratch,
        side: Side,
        line: &StartLine<'_>,
        head: Head<'_>,
        sink: &mut impl Sink,
    ) {
        self.stream(side).head_found();
        match line {
            StartLine::Request(line) => self.request(scratch, line, head, sink),
            StartLine::Status(line) => self.response(scratch, line, head, sink),
        }
    }

    /// Takes the usual head: complete, with the headers of the last one, or without oddities. Returns its length; 0 if
    /// it is not like that.
    fn usual_head(&mut self, scratch: &mut Scratch, side: Side, data: &[u8], sink: &mut impl Sink) -> usize {
        let data = &data[..data.len().min(self.limits.head)];
        let Some(end) = memchr::memchr(b'\n', data) else {
            return 0;
        };
        let Some(line) = StartLine::parse(side, &data[..=end]) else {
            return 0;
        };
        let rest = &data[end + 1..];
        let (hint, strict) = (self.stream(side).hint, self.stream(side).strict);
        let cap = self.limits.header_text;
        // A block seen before may have lines that are no headers.
        let (headers, length) = if !strict && let Some((block, length)) = scratch.cache.guess(hint, rest, cap)
        {
            (Headers::Known(Arc::clone(block)), length)
        } else if let Some(length) = scratch.names[side as usize].read(rest) {
            (Headers::Read, length)
        } else {
            return 0;
        };
        let size = end + 1 + length;
        debug_assert_eq!(self.stream(side).scan(side, data, 0), Scan::Complete(size));
        let head = Head {
            size: size as u64,
            fields: &rest[..length],
            headers,
        };
        self.message_starts(scratch, side, &line, head, sink);
        size
    }
}
