//! A header block: its JSON text, and the facts that framing and text rules need.

use std::cmp::Ordering;
use std::ops::Range;

use super::start::{TOKEN, trim_end};
use crate::{swar, text};

/// What the headers say of the body's length.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Length {
    /// Nothing.
    #[default]
    Unset,
    /// One length.
    Known(u64),
    /// Lengths that differ, or are no numbers.
    Conflict,
}

/// How the body's bytes are to be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Encoding {
    #[default]
    Identity,
    Gzip,
    Deflate,
    /// One that is not decoded here (br, zstd, several at once).
    Other,
}

/// What the body is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Content {
    /// No Content-Type.
    #[default]
    Unset,
    Json,
    Text,
    Form,
    Other,
}

/// Target of `Upgrade`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Upgrade {
    #[default]
    Unset,
    WebSocket,
    H2c,
    Other,
}

/// What a header block means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Facts {
    pub(super) length: Length,
    /// The last transfer coding is chunked.
    pub(super) chunked: bool,
    /// There is a Transfer-Encoding, and its last coding is not chunked.
    pub(super) unframed: bool,
    pub(super) encoding: Encoding,
    pub(super) content: Content,
    /// The content type is one whose bodies have no end.
    pub(super) endless: bool,
    pub(super) upgrade: Upgrade,
}

/// One header, as ranges of the block.
#[derive(Debug)]
pub(super) struct Field {
    /// First eight bytes of the lower-cased name, big-endian: orders most names with one comparison.
    key: u64,
    name: Range<usize>,
    value: Range<usize>,
    folded: bool,
}

/// Whether `line` (with its end) can be in a header block: a field, a folded value or the empty line.
pub(super) fn is_field(line: &[u8]) -> bool {
    match trim_end(line) {
        [] => true,
        [b' ' | b'\t', ..] => true,
        line => split_name(line).is_some(),
    }
}

/// The name's length and sort key.
fn split_name(line: &[u8]) -> Option<(usize, u64)> {
    let mut key = 0_u64;
    let mut at = 0;
    while at < line.len() {
        let lower = TOKEN[usize::from(line[at])];
        if lower == 0 {
            break;
        }
        if at < 8 {
            key |= u64::from(lower) << (56 - 8 * at);
        }
        at += 1;
    }
    // Blanks before the colon are forbidden and sent.
    let blanks = line[at..]
        .iter()
        .take_while(|&&b| b == b' ' || b == b'\t')
        .count();
    (at > 0 && line.get(at + blanks) == Some(&b':')).then_some((at, key))
}

/// As `split_name`, for a name of up to 24 letters, digits and hyphens and a colon right after it.
fn plain_name(text: &[u8]) -> Option<(usize, u64)> {
    let mut key = 0;
    for at in [0, 8, 16] {
        let word = swar::word(text, at)?;
        let colon = swar::find(word, b':');
        let name = swar::first(word, colon.unwrap_or(8));
        if !swar::is_plain_name(name) {
            return None;
        }
        if at == 0 {
            let unused = 64 - 8 * colon.unwrap_or(8) as u32;
            key = swar::lower_plain(name).swap_bytes() & u64::MAX.checked_shl(unused).unwrap_or(0);
        }
        if let Some(colon) = colon {
            return (at + colon > 0).then_some((at + colon, key));
        }
    }
    None
}

/// Reads `block` (the lines after the start line, with the empty line at the end) and writes its JSON to `json`, emptied
/// first; past `cap` bytes it stops after the value in hand. Lines that are no fields are left out.
pub(super) fn read(block: &[u8], cap: usize, fields: &mut Vec<Field>, json: &mut Vec<u8>) -> Facts {
    fields.clear();
    let mut start = 0;
    for end in memchr::memchr_iter(b'\n', block) {
        let line = trim_end(&block[start..=end]);
        if let [b' ' | b'\t', ..] = line {
            if let Some(last) = fields.last_mut() {
                last.value.end = start + line.len();
                last.folded = true;
            }
        } else if let Some((length, key)) = plain_name(&block[start..]).or_else(|| split_name(line)) {
            let blanks = line[length..].iter().take_while(|&&b| b != b':').count();
            let colon = length + blanks;
            let value = trim(block, start + colon + 1..start + line.len());
            fields.push(Field {
                key,
                name: start..start + length,
                value,
                folded: false,
            });
        }
        start = end + 1;
    }
    let facts = facts(block, fields);
    fields.sort_by(|a, b| compare(block, a, b));
    write(block, cap, fields, json);
    facts
}

fn trim(block: &[u8], mut range: Range<usize>) -> Range<usize> {
    let blank = |b: u8| b == b' ' || b == b'\t' || b == b'\r' || b == b'\n';
    while range.start < range.end && blank(block[range.start]) {
        range.start += 1;
    }
    while range.start < range.end && blank(block[range.end - 1]) {
        range.end -= 1;
    }
    range
}

fn facts(block: &[u8], fields: &[Field]) -> Facts {
    const fn key(name: &[u8; 8]) -> u64 {
        u64::from_be_bytes(*name)
    }
    let mut facts = Facts::default();
    for field in fields {
        let is = |name: &str| block[field.name.clone()].eq_ignore_ascii_case(name.as_bytes());
        let unfolded;
        let value = if field.folded {
            unfolded = unfold(&block[field.value.clone()]);
            &unfolded
        } else {
            &block[field.value.clone()]
        };
        const CONTENT: u64 = key(b"content-");
        const TRANSFER: u64 = key(b"transfer");
        const UPGRADE: u64 = key(b"upgrade\0");
        match field.key {
            CONTENT if is("content-length") => facts.length = facts.length.and(value),
            CONTENT if is("content-type") => {
                facts.content = content(value);
                facts.endless = starts_with(value, b"text/event-stream")
                    || starts_with(value, b"multipart/x-mixed-replace");
            }
            CONTENT if is("content-encoding") => facts.encoding = facts.encoding.and(value),
            TRANSFER if is("transfer-encoding") => {
                let last = value
                    .rsplit(|&b| b == b',')
                    .next()
                    .unwrap_or_default()
                    .trim_ascii();
                facts.chunked = last.eq_ignore_ascii_case(b"chunked");
                facts.unframed = !facts.chunked && !last.eq_ignore_ascii_case(b"identity");
            }
            UPGRADE => {
                facts.upgrade = match value {
                    _ if value.eq_ignore_ascii_case(b"websocket") => Upgrade::WebSocket,
                    _ if value.eq_ignore_ascii_case(b"h2c") => Upgrade::H2c,
                    _ => Upgrade::Other,
                }
            }
            _ => {}
        }
    }
    facts
}

impl Length {
    /// Adds a `Content-Length`: the same number again, also as a list, is harmless.
    fn and(mut self, value: &[u8]) -> Length {
        for part in value.split(|&b| b == b',') {
            let part = part.trim_ascii();
            let digits = (1..=18).contains(&part.len()) && part.iter().all(u8::is_ascii_digit);
            let number = part
                .iter()
                .fold(0_u64, |n, b| n.wrapping_mul(10).wrapping_add(u64::from(b & 15)));
            self = match self {
                Length::Unset if digits => Length::Known(number),
                Length::Known(known) if digits && known == number => self,
                _ => return Length::Conflict,
            };
        }
        self
    }
}

impl Encoding {
    fn and(self, value: &[u8]) -> Encoding {
        let next = match value {
            b"" => Encoding::Identity,
            _ if value.eq_ignore_ascii_case(b"identity") => Encoding::Identity,
            _ if value.eq_ignore_ascii_case(b"gzip") || value.eq_ignore_ascii_case(b"x-gzip") => {
                Encoding::Gzip
            }
            _ if value.eq_ignore_ascii_case(b"deflate") => Encoding::Deflate,
            _ => Encoding::Other,
        };
        match (self, next) {
            (Encoding::Identity, next) => next,
            (old, Encoding::Identity) => old,
            _ => Encoding::Other,
        }
    }
}

fn content(value: &[u8]) -> Content {
    if value.windows(4).any(|w| w.eq_ignore_ascii_case(b"json")) {
        Content::Json
    } else if starts_with(value, b"text/") {
        Content::Text
    } else if starts_with(value, b"application/x-www-form-urlencoded") {
        Content::Form
    } else {
        Content::Other
    }
}

fn starts_with(value: &[u8], prefix: &[u8]) -> bool {
    value
        .get(..prefix.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

/// A folded value on one line (RFC 9112 5.2).
fn unfold(value: &[u8]) -> Vec<u8> {
    let lines: Vec<&[u8]> = value
        .split(|&b| b == b'\n')
        .map(<[u8]>::trim_ascii)
        .filter(|l| !l.is_empty())
        .collect();
    lines.join(&b' ')
}

/// Orders names without regard to case; equal names stay as sent.
fn compare(block: &[u8], a: &Field, b: &Field) -> Ordering {
    a.key.cmp(&b.key).then_with(|| {
        // The key holds the whole of a name shorter than it.
        if a.key & 0xff == 0 {
            return Ordering::Equal;
        }
        let lower = |f: &Field| block[f.name.clone()][8..].iter().map(u8::to_ascii_lowercase);
        lower(a).cmp(lower(b))
    })
}

/// The JSON under construction: a buffer that is never shrunk, filled up to `at`.
struct Json<'a> {
    buffer: &'a mut Vec<u8>,
    at: usize,
}

/// Bytes copied at once. What is copied too much is overwritten by what comes next.
const STRIDE: usize = 16;

impl Json<'_> {
    /// Makes room for `more` bytes and a stride.
    fn reserve(&mut self, more: usize) {
        if self.buffer.len() < self.at + more + STRIDE {
            self.buffer
                .resize((self.at + more + STRIDE).next_power_of_two(), 0);
        }
    }

    fn byte(&mut self, byte: u8) {
        self.buffer[self.at] = byte;
        self.at += 1;
    }

    /// Adds `range` of `block`, in strides: mostly one or two, where a copy of just that length is a call.
    fn copy(&mut self, block: &[u8], range: Range<usize>) {
        let (length, mut from, mut to) = (range.len(), range.start, self.at);
        while from < range.end {
            match (
                block[from..].first_chunk::<STRIDE>(),
                self.buffer[to..].first_chunk_mut::<STRIDE>(),
            ) {
                (Some(source), Some(target)) => *target = *source,
                _ => {
                    self.buffer[to..to + (range.end - from)].copy_from_slice(&block[from..range.end]);
                    break;
                }
            }
            from += STRIDE;
            to += STRIDE;
        }
        self.at += length;
    }

    /// Adds `range` of `block` if JSON needs no escapes for it, looking while copying.
    fn copy_plain(&mut self, block: &[u8], range: Range<usize>) -> bool {
        let (length, mut from, mut to) = (range.len(), range.start, self.at);
        while from < range.end {
            let left = range.end - from;
            let word = swar::word(block, from).unwrap_or_else(|| {
                let mut last = [b'a'; 8];
                last[..left.min(8)].copy_from_slice(&block[from..from + left.min(8)]);
                u64::from_le_bytes(last)
            });
            if !swar::is_plain_json(swar::first(word, left.min(8))) {
                return false;
            }
            // `reserve` left room for a stride more.
            self.buffer[to..to + 8].copy_from_slice(&word.to_le_bytes());
            from += 8;
            to += 8;
        }
        self.at += length;
        true
    }

    fn value(&mut self, block: &[u8], field: &Field) {
        let value = &block[field.value.clone()];
        self.byte(b'"');
        if field.folded {
            self.escaped(&unfold(value));
        } else if !self.copy_plain(block, field.value.clone()) {
            self.escaped(value);
        }
        self.byte(b'"');
    }

    fn escaped(&mut self, value: &[u8]) {
        self.buffer.truncate(self.at);
        text::push_json(self.buffer, value);
        self.at = self.buffer.len();
        self.reserve(8);
    }
}

fn write(block: &[u8], cap: usize, fields: &[Field], buffer: &mut Vec<u8>) {
    let mut json = Json { buffer, at: 0 };
    json.reserve(8);
    json.byte(b'{');
    let mut rest = fields;
    while let [field, after @ ..] = rest
        && json.at <= cap
    {
        let repeats = after
            .iter()
            .take_while(|f| compare(block, field, f) == Ordering::Equal)
            .count();
        json.reserve(field.name.len() + field.value.len() + 16);
        if json.at > 1 {
            json.byte(b',');
        }
        json.byte(b'"');
        // A token needs no escapes.
        json.copy(block, field.name.clone());
        json.byte(b'"');
        json.byte(b':');
        if repeats == 0 {
            json.value(block, field);
        } else {
            for (nth, field) in rest[..=repeats].iter().enumerate() {
                if json.at > cap {
                    break;
                }
                json.reserve(field.value.len() + 16);
                json.byte(if nth == 0 { b'[' } else { b',' });
                json.value(block, field);
            }
            json.byte(b']');
        }
        rest = &after[repeats..];
    }
    json.byte(b'}');
    let at = json.at;
    buffer.truncate(at);
}
