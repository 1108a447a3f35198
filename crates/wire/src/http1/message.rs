//! A request or a response whose head was read.

use std::sync::Arc;

use super::body::Body;
use super::cache::Block;
use super::facts::Facts;

/// A message. Its texts are in one buffer. It comes from a pool, boxed: it moves from hand to hand.
#[derive(Debug, Default)]
pub(super) struct Message {
    pub(super) time_ns: u64,
    /// Length of the head on the wire.
    pub(super) head: u64,
    /// Method and path, or reason phrase; then the headers' JSON unless `block` has it.
    pub(super) text: String,
    /// Where in `text` the method ends; 0 in a response.
    pub(super) method_end: u32,
    /// Where in `text` the path or the reason phrase ends.
    pub(super) start_end: u32,
    pub(super) block: Option<Arc<Block>>,
    pub(super) minor: u8,
    /// 0 in a request.
    pub(super) status: u16,
    pub(super) facts: Facts,
    pub(super) body: Body,
}

impl Message {
    pub(super) fn method(&self) -> &str {
        &self.text[..self.method_end as usize]
    }

    /// Path of a request, reason phrase of a response.
    pub(super) fn start(&self) -> &str {
        &self.text[self.method_end as usize..self.start_end as usize]
    }

    pub(super) fn headers(&self) -> &str {
        match &self.block {
            Some(block) => &block.json,
            None => &self.text[self.start_end as usize..],
        }
    }

    /// Bytes it holds while it waits.
    pub(super) fn cost(&self) -> usize {
        self.text.capacity() + self.body.kept.capacity() + size_of::<Self>()
    }

    /// Bytes it had on the wire.
    pub(super) fn wire_bytes(&self) -> u64 {
        self.head.saturating_add(self.body.size)
    }
}

/// Free messages and buffers, so that an idle connection owns none and a busy one allocates none.
#[derive(Debug, Default)]
pub(super) struct Pool {
    // Boxed, as they are everywhere else.
    #[allow(clippy::vec_box)]
    messages: Vec<Box<Message>>,
    bytes: Vec<Vec<u8>>,
}

/// Messages and buffers kept, and the largest buffer worth keeping.
const KEPT: usize = 128;
const LARGEST: usize = 16 << 10;

impl Pool {
    /// A message of which only `text` is to be used: a buffer, empty.
    pub(super) fn message(&mut self) -> Box<Message> {
        self.messages.pop().unwrap_or_default()
    }

    pub(super) fn bytes(&mut self) -> Vec<u8> {
        self.bytes.pop().unwrap_or_default()
    }

    pub(super) fn give_bytes(&mut self, mut buffer: Vec<u8>) {
        if (1..=LARGEST).contains(&buffer.capacity()) && self.bytes.len() < KEPT {
            buffer.clear();
            self.bytes.push(buffer);
        }
    }

    pub(super) fn give(&mut self, mut message: Box<Message>) {
        self.give_bytes(std::mem::take(&mut message.body.kept));
        if message.text.capacity() <= LARGEST && self.messages.len() < KEPT {
            message.text.clear();
            message.block = None;
            self.messages.push(message);
        }
    }
}
