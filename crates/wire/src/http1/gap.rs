//! Bytes that passed unseen: where the stream goes on after them.

use super::Scratch;
use super::chunked::Chunked;
use super::connection::Connection;
use super::record::Sink;
use super::stream::State;
use crate::{Cause, Side};

/// Bytes of `\r\n0\r\n\r\n`.
const CHUNKED_END: u64 = 7;

impl Connection {
    /// `count` bytes passed unseen: `lost`, or left out on purpose.
    pub(super) fn skip(
        &mut self,
        scratch: &mut Scratch,
        side: Side,
        count: u64,
        lost: bool,
        sink: &mut impl Sink,
    ) {
        self.settle(scratch, side, sink);
        let stream = self.stream(side);
        stream.position = stream.position.map(|p| p.wrapping_add(count));
        let state = stream.state;
        let mut outside = 0;
        match state {
            State::Length { left } => {
                if let Some(message) = self.message(side) {
                    message.body.skip(count.min(left));
                }
                if count < left {
                    self.stream(side).state = State::Length { left: left - count };
                } else {
                    outside = count - left;
                    self.finish_body(scratch, side, sink);
                    if outside > 0 {
                        self.lose_framing(side, 0);
                    }
                }
            }
            State::Chunked(Chunked::Data { left }) if count <= left => {
                if let Some(message) = self.message(side) {
                    message.body.skip(count);
                }
                let next = if count < left {
                    Chunked::Data { left: left - count }
                } else {
                    Chunked::DataEnd
                };
                self.stream(side).state = State::Chunked(next);
            }
            // A last chunk and the shortest end of a body are all that fits: servers send both in one call.
            State::Chunked(Chunked::Data { left }) if !lost && count == left + CHUNKED_END => {
                if let Some(message) = self.message(side) {
                    message.body.skip(left);
                }
                self.finish_body(scratch, side, sink);
            }
            State::UntilClose => {
                if let Some(message) = self.message(side) {
                    message.body.skip(count);
                }
            }
            State::Chunked(_) => {
                // What was left out on purpose is body; the exchange stays open until something else begins.
                if !lost && let Some(message) = self.message(side) {
                    message.body.skip(count);
                } else {
                    outside = count;
                    self.finish_body(scratch, side, sink);
                }
                self.lose_framing(side, 0);
            }
            State::Lost => {
                outside = count;
                let stream = self.stream(side);
                scratch.pool.give_bytes(std::mem::take(&mut stream.partial));
                if !lost && let Some(message) = self.message(side) {
                    message.body.skip(count);
                    outside = 0;
                }
                if self.stream(side).synced {
                    self.lose_framing(side, 0);
                }
            }
            State::Head => {
                outside = count;
                let stream = self.stream(side);
                let partial = std::mem::take(&mut stream.partial);
                let cut = u32::from(!partial.is_empty() && !std::mem::take(&mut stream.counted));
                scratch.pool.give_bytes(partial);
                if side == Side::Response && cut == 1 && self.queue.is_empty() {
                    sink.loss(Cause::NoRequest, 1, 0);
                }
                self.lose_framing(side, cut);
            }
        }
        let bytes = if lost { count } else { outside };
        if bytes > 0 {
            sink.loss(Cause::Gap, 0, bytes);
        }
    }
}
