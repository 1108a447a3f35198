//! Bodies: what is kept of them while they pass, and the text they become.

use super::facts::{Content, Encoding, Facts};
use crate::inflate::Inflater;
use crate::{Side, text};

/// Compressed bytes kept: more than a column's text can need, short of hostile input.
const COMPRESSED: usize = 4096;

const UNKNOWN_TYPE: &str = "<removed: unknown content-type>";
const NO_TEXT: &str = "<removed: non-text content-type>";
const NOT_INFLATED: &str = "<Failed to gunzip body>";
const OTHER_ENCODING: &str = "<removed: unsupported content-encoding>";

/// A body so far.
#[derive(Debug, Default)]
pub(super) struct Body {
    /// Its size on the wire, without chunk framing.
    pub(super) size: u64,
    /// Its first bytes, without a break.
    pub(super) kept: Vec<u8>,
    /// How many to keep.
    keep: usize,
    /// Bytes are missing after `kept`.
    cut: bool,
}

impl Body {
    pub(super) fn new(side: Side, facts: &Facts, cap: usize) -> Self {
        let shown = side == Side::Request || matches!(facts.content, Content::Json | Content::Text);
        let keep = match facts.encoding {
            _ if !shown => 0,
            Encoding::Other => 0,
            Encoding::Gzip | Encoding::Deflate => cap.saturating_mul(2).max(COMPRESSED),
            // Three bytes of a form may be one of its text.
            Encoding::Identity if facts.content == Content::Form => cap.saturating_add(4).saturating_mul(3),
            Encoding::Identity => cap.saturating_add(4),
        };
        Body {
            keep,
            ..Body::default()
        }
    }

    /// Whether bytes are still wanted: then `kept` should have a buffer.
    pub(super) fn wants(&self) -> bool {
        !self.cut && self.kept.len() < self.keep
    }

    pub(super) fn push(&mut self, data: &[u8]) {
        self.size = self.size.saturating_add(data.len() as u64);
        if self.cut || data.is_empty() {
            return;
        }
        let room = self.keep - self.kept.len();
        self.cut = data.len() > room;
        self.kept.extend_from_slice(&data[..data.len().min(room)]);
    }

    /// `count` bytes passed unseen.
    pub(super) fn skip(&mut self, count: u64) {
        self.size = self.size.saturating_add(count);
        self.cut |= count > 0;
    }

    /// Writes the column's text to `out`, emptied first.
    pub(super) fn write(&self, side: Side, facts: &Facts, cap: usize, unpack: &mut Unpack, out: &mut String) {
        out.clear();
        if side == Side::Response {
            match facts.content {
                Content::Json | Content::Text => {}
                Content::Unset if self.size == 0 => return,
                Content::Unset => return out.push_str(UNKNOWN_TYPE),
                Content::Form | Content::Other => return out.push_str(NO_TEXT),
            }
        }
        if self.size == 0 {
            return;
        }
        let Unpack {
            inflater,
            inflated,
            decoded,
        } = unpack;
        let want = cap.saturating_add(4) * if facts.content == Content::Form { 3 } else { 1 };
        let result = match facts.encoding {
            Encoding::Identity => Ok(!self.cut),
            Encoding::Gzip => inflater.gzip(&self.kept, want, inflated),
            Encoding::Deflate => inflater.deflate(&self.kept, want, inflated),
            Encoding::Other => return out.push_str(OTHER_ENCODING),
        };
        let (plain, whole) = match (facts.encoding, result) {
            (Encoding::Identity, _) => (&self.kept, !self.cut),
            (_, Ok(whole)) => (&*inflated, whole),
            (_, Err(_)) => return out.push_str(NOT_INFLATED),
        };
        if facts.content == Content::Form && side == Side::Request {
            decoded.clear();
            text::decode_form(plain, decoded);
            text::push_capped(out, decoded, cap, !whole);
        } else {
            text::push_capped(out, plain, cap, !whole);
        }
    }
}

/// Buffers for unpacking.
#[derive(Debug, Default)]
pub(super) struct Unpack {
    inflater: Inflater,
    inflated: Vec<u8>,
    decoded: Vec<u8>,
}
