//! PxL functions that SQL cannot express. Every function is total: any input gives a value, in time linear in it.
//!
//! Functions that make text append it to `out`, so that a caller can fill one buffer with a whole column.

#![forbid(unsafe_code)]

pub mod cidr;
pub mod embedding;
pub mod endpoints;
pub mod hex;
pub mod kmeans;
pub mod pii;
pub mod pprof;
pub mod quantiles;
pub mod sql;
pub mod uri;

/// Appends `text` as a JSON string.
pub(crate) fn push_json(out: &mut String, text: &str) {
    out.push('"');
    let mut plain = 0;
    for (at, byte) in text.bytes().enumerate() {
        if byte >= 0x20 && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.push_str(&text[plain..at]);
        plain = at + 1;
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            _ => {
                out.push_str("\\u00");
                hex::push_byte(out, byte, b"0123456789abcdef");
            }
        }
    }
    out.push_str(&text[plain..]);
    out.push('"');
}

/// Appends `number` in decimal.
pub(crate) fn push_number(out: &mut String, mut number: u64) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (number % 10).to_le_bytes()[0];
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend(digits[at..].iter().map(|&digit| char::from(digit)));
}
