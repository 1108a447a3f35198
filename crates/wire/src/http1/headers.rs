//! A header block of any shape: its JSON text and its facts. `names` is the quick way, for blocks without oddities.

use std::cmp::Ordering;
use std::ops::Range;

use super::facts::{Facts, Kind};
use super::start::{TOKEN, trim_end};
use crate::json::Json;

/// One header, as ranges of the block.
#[derive(Debug)]
pub(super) struct Field {
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

/// Length of the name that `line` starts with, and where the colon is.
fn split_name(line: &[u8]) -> Option<(usize, usize)> {
    let length = token(line);
    // Blanks before the colon are forbidden and sent.
    let blanks = line[length..]
        .iter()
        .take_while(|&&b| b == b' ' || b == b'\t')
        .count();
    let colon = length + blanks;
    (length > 0 && line.get(colon) == Some(&b':')).then_some((length, colon))
}

/// How many bytes of a token `text` starts with.
pub(super) fn token(text: &[u8]) -> usize {
    text.iter().take_while(|&&b| TOKEN[usize::from(b)] != 0).count()
}

/// Reads `block` (the lines after the start line, with the empty line at the end) and writes its JSON to `json`, emptied
/// first; past `cap` bytes it stops after the value in hand. Lines that are no fields are left out.
pub(super) fn read(block: &[u8], cap: usize, fields: &mut Vec<Field>, json: &mut Json) -> Facts {
    fields.clear();
    let mut start = 0;
    for end in memchr::memchr_iter(b'\n', block) {
        let line = trim_end(&block[start..=end]);
        if let [b' ' | b'\t', ..] = line {
            if let Some(last) = fields.last_mut() {
                last.value.end = start + line.len();
                last.folded = true;
            }
        } else if let Some((length, colon)) = split_name(line) {
            fields.push(Field {
                name: start..start + length,
                value: trim(block, start + colon + 1..start + line.len()),
                folded: false,
            });
        }
        start = end + 1;
    }
    let mut facts = Facts::default();
    for field in &*fields {
        if let Some(kind) = Kind::of(&block[field.name.clone()]) {
            let value = &block[field.value.clone()];
            if field.folded {
                facts.add(kind, &unfold(value));
            } else {
                facts.add(kind, value);
            }
        }
    }
    fields.sort_by(|a, b| order(&block[a.name.clone()], &block[b.name.clone()]));
    write(block, cap, fields, json);
    facts
}

/// `range` of `block` without blanks and line ends around it.
#[inline]
pub(super) fn trim(block: &[u8], mut range: Range<usize>) -> Range<usize> {
    let blank = |b: u8| b == b' ' || b == b'\t' || b == b'\r' || b == b'\n';
    while range.start < range.end && blank(block[range.start]) {
        range.start += 1;
    }
    while range.start < range.end && blank(block[range.end - 1]) {
        range.end -= 1;
    }
    range
}

/// Orders names without regard to case.
pub(super) fn order(a: &[u8], b: &[u8]) -> Ordering {
    let lower = |name| <[u8]>::iter(name).map(u8::to_ascii_lowercase);
    lower(a).cmp(lower(b))
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

fn write(block: &[u8], cap: usize, fields: &[Field], json: &mut Json) {
    let name = |field: &Field| &block[field.name.clone()];
    let value = |field: &Field, json: &mut Json| {
        json.push(b"\"");
        if field.folded {
            let unfolded = unfold(&block[field.value.clone()]);
            json.finish_string(&unfolded, 0..unfolded.len());
        } else {
            json.finish_string(block, field.value.clone());
        }
    };
    json.clear();
    json.push(b"{");
    for same in fields.chunk_by(|a, b| name(a).eq_ignore_ascii_case(name(b))) {
        if json.len() > cap {
            break;
        }
        json.push(if json.len() > 1 { b",\"" } else { b"\"" });
        // A token needs no escapes.
        json.push(name(&same[0]));
        json.push(b"\":");
        if let [field] = same {
            value(field, json);
            continue;
        }
        for (nth, field) in same.iter().enumerate() {
            if json.len() > cap {
                break;
            }
            json.push(if nth == 0 { b"[" } else { b"," });
            value(field, json);
        }
        json.push(b"]");
    }
    json.push(b"}");
}
