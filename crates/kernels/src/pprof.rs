//! Stacks as a pprof profile: the `Profile` message of google/pprof's profile.proto, in base64 since PxL strings are text.

use std::collections::HashMap;

const MS_IN_NS: i64 = 1_000_000;

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.push(value.to_le_bytes()[0]);
}

fn number(out: &mut Vec<u8>, field: u64, value: u64) {
    varint(out, field << 3);
    varint(out, value);
}

fn bytes(out: &mut Vec<u8>, field: u64, value: &[u8]) {
    varint(out, field << 3 | 2);
    varint(out, value.len() as u64);
    out.extend_from_slice(value);
}

fn packed(out: &mut Vec<u8>, field: u64, values: impl Iterator<Item = u64>) {
    let mut inner = Vec::new();
    values.for_each(|value| varint(&mut inner, value));
    bytes(out, field, &inner);
}

#[derive(Default)]
struct Strings<'a> {
    index: HashMap<&'a str, u64>,
    all: Vec<&'a str>,
}

impl<'a> Strings<'a> {
    fn of(&mut self, text: &'a str) -> u64 {
        let next = self.all.len() as u64;
        *self.index.entry(text).or_insert_with(|| {
            self.all.push(text);
            next
        })
    }
}

/// The profile of (stack, count, sampling period in ms) rows. A stack is its frames from the root, joined by `;`.
/// Values are the samples and, with each row's own period, the CPU time in ns.
pub fn profile<'a>(rows: impl Iterator<Item = (&'a str, i64, i64)>) -> String {
    let mut strings = Strings::default();
    strings.of("");
    let mut stacks: HashMap<&str, (i64, i64)> = HashMap::new();
    let mut order = Vec::new();
    let mut period = 0;
    for (stack, count, period_ms) in rows {
        let nanoseconds = count.saturating_mul(period_ms).saturating_mul(MS_IN_NS);
        let entry = stacks.entry(stack).or_insert_with(|| {
            order.push(stack);
            (0, 0)
        });
        entry.0 = entry.0.saturating_add(count);
        entry.1 = entry.1.saturating_add(nanoseconds);
        period = period.max(period_ms);
    }
    let mut out = Vec::new();
    for (kind, unit) in [("samples", "count"), ("cpu", "nanoseconds")] {
        let mut value_type = Vec::new();
        number(&mut value_type, 1, strings.of(kind));
        number(&mut value_type, 2, strings.of(unit));
        bytes(&mut out, 1, &value_type);
    }
    // One function and one location for each frame's name.
    let mut frames: HashMap<&str, u64> = HashMap::new();
    let mut names = Vec::new();
    for stack in order {
        let (count, nanoseconds) = stacks[stack];
        let mut sample = Vec::new();
        let leaf_first = stack.rsplit(';').filter(|frame| !frame.is_empty());
        let locations: Vec<u64> = leaf_first
            .map(|frame| {
                let next = names.len() as u64 + 1;
                *frames.entry(frame).or_insert_with(|| {
                    names.push(frame);
                    next
                })
            })
            .collect();
        packed(&mut sample, 1, locations.into_iter());
        packed(
            &mut sample,
            2,
            [count.cast_unsigned(), nanoseconds.cast_unsigned()].into_iter(),
        );
        bytes(&mut out, 2, &sample);
    }
    for id in 1..=names.len() as u64 {
        let (mut location, mut line) = (Vec::new(), Vec::new());
        number(&mut line, 1, id);
        number(&mut location, 1, id);
        bytes(&mut location, 4, &line);
        bytes(&mut out, 4, &location);
    }
    for (id, name) in (1..).zip(names) {
        let mut function = Vec::new();
        number(&mut function, 1, id);
        number(&mut function, 2, strings.of(name));
        bytes(&mut out, 5, &function);
    }
    let mut period_type = Vec::new();
    number(&mut period_type, 1, strings.of("cpu"));
    number(&mut period_type, 2, strings.of("nanoseconds"));
    for text in &strings.all {
        bytes(&mut out, 6, text.as_bytes());
    }
    bytes(&mut out, 11, &period_type);
    number(&mut out, 12, period.saturating_mul(MS_IN_NS).cast_unsigned());
    base64(&out)
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let mut group = [0; 4];
        group[1..=chunk.len()].copy_from_slice(chunk);
        let bits = u32::from_be_bytes(group);
        for place in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * place) & 63) as usize];
            out.push(if place <= chunk.len() {
                char::from(digit)
            } else {
                '='
            });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_as_rfc_4648() {
        for (text, encoded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
        ] {
            assert_eq!(base64(text.as_bytes()), encoded);
        }
    }

    #[test]
    fn any_rows_make_a_profile() {
        assert!(!profile([].into_iter()).is_empty());
        assert!(!profile([(";;", i64::MIN, i64::MAX), ("", -1, 0), ("a;é", 1, 11)].into_iter()).is_empty());
    }
}
