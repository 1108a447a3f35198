//! Text columns: valid UTF-8, capped, marked when cut.

/// Ends a text that was cut.
pub(crate) const TRUNCATED: &str = "... [TRUNCATED]";

/// Longest prefix of `text` of at most `cap` bytes that ends between characters.
pub(crate) fn prefix(text: &str, cap: usize) -> &str {
    let mut end = cap.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// Appends `bytes` as text of at most `cap` bytes; invalid bytes become U+FFFD. What does not fit, or `more` that is
/// not there, is marked.
pub(crate) fn push_capped(out: &mut String, bytes: &[u8], cap: usize, more: bool) {
    let start = out.len();
    // A replacement is longer than what it replaces, so `cap` bytes of input always fill `cap` bytes of output. Four
    // more let a character across the cap be seen whole.
    let window = &bytes[..bytes.len().min(cap.saturating_add(4))];
    let mut cut = more || window.len() < bytes.len();
    match std::str::from_utf8(window) {
        Ok(text) => {
            out.push_str(prefix(text, cap));
            cut |= text.len() > cap;
        }
        Err(_) => {
            for chunk in window.utf8_chunks() {
                out.push_str(chunk.valid());
                // A character that the end of the input splits is cut, not invalid.
                let split = cut && !chunk.invalid().is_empty() && is_split(chunk.invalid(), window);
                if !chunk.invalid().is_empty() && !split {
                    out.push(char::REPLACEMENT_CHARACTER);
                }
            }
            let end = start + prefix(&out[start..], cap).len();
            cut |= end < out.len();
            out.truncate(end);
        }
    }
    if cut {
        out.push_str(TRUNCATED);
    }
}

/// Whether `invalid`, the last invalid chunk, is a good character's beginning at the very end of `window`.
fn is_split(invalid: &[u8], window: &[u8]) -> bool {
    window.ends_with(invalid) && matches!(std::str::from_utf8(invalid), Err(e) if e.error_len().is_none())
}

/// Decodes `application/x-www-form-urlencoded` bytes in place of their escapes; a broken escape stays as it is.
pub(crate) fn decode_form(input: &[u8], out: &mut Vec<u8>) {
    let digit = |byte: Option<&u8>| byte.and_then(|&b| (b as char).to_digit(16)).map(|d| d as u8);
    let mut at = 0;
    while at < input.len() {
        match input[at] {
            b'+' => out.push(b' '),
            b'%' => match (digit(input.get(at + 1)), digit(input.get(at + 2))) {
                (Some(high), Some(low)) => {
                    out.push(high << 4 | low);
                    at += 2;
                }
                _ => out.push(b'%'),
            },
            byte => out.push(byte),
        }
        at += 1;
    }
}

/// Appends `bytes` as the inside of a JSON string; invalid bytes become U+FFFD.
pub(crate) fn push_json(out: &mut Vec<u8>, bytes: &[u8]) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    for chunk in bytes.utf8_chunks() {
        let valid = chunk.valid().as_bytes();
        let mut from = 0;
        for (at, &byte) in valid.iter().enumerate() {
            if byte >= 0x20 && byte != b'"' && byte != b'\\' {
                continue;
            }
            out.extend_from_slice(&valid[from..at]);
            from = at + 1;
            match byte {
                b'"' => out.extend_from_slice(b"\\\""),
                b'\\' => out.extend_from_slice(b"\\\\"),
                b'\t' => out.extend_from_slice(b"\\t"),
                b'\n' => out.extend_from_slice(b"\\n"),
                b'\r' => out.extend_from_slice(b"\\r"),
                _ => out.extend_from_slice(&[
                    b'\\',
                    b'u',
                    b'0',
                    b'0',
                    HEX[usize::from(byte >> 4)],
                    HEX[usize::from(byte & 15)],
                ]),
            }
        }
        out.extend_from_slice(&valid[from..]);
        if !chunk.invalid().is_empty() {
            out.extend_from_slice("\u{fffd}".as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn capped(bytes: &[u8], cap: usize, more: bool) -> String {
        let mut out = String::new();
        push_capped(&mut out, bytes, cap, more);
        out
    }

    #[test]
    fn caps_between_characters() {
        assert_eq!(capped(b"abc", 3, false), "abc");
        assert_eq!(capped(b"abcd", 3, false), "abc... [TRUNCATED]");
        assert_eq!(capped("aäb".as_bytes(), 2, false), "a... [TRUNCATED]");
        assert_eq!(capped("aä".as_bytes(), 3, false), "aä");
        assert_eq!(capped(b"abc", 3, true), "abc... [TRUNCATED]");
    }

    #[test]
    fn replaces_what_is_invalid_and_drops_what_is_split() {
        assert_eq!(capped(b"a\xffb", 9, false), "a\u{fffd}b");
        assert_eq!(capped(b"a\xc3", 9, false), "a\u{fffd}");
        assert_eq!(capped(b"a\xc3", 9, true), "a... [TRUNCATED]");
        assert_eq!(capped(&[0xff; 100], 6, false), "\u{fffd}\u{fffd}... [TRUNCATED]");
    }

    #[test]
    fn decodes_forms() {
        let mut out = Vec::new();
        decode_form(b"a=1+2&b=%C3%a4&c=%zz%4", &mut out);
        assert_eq!(out, "a=1 2&b=ä&c=%zz%4".as_bytes());
    }

    #[test]
    fn escapes_json() {
        let mut out = Vec::new();
        push_json(&mut out, b"a\"b\\c\td\x01\xff\x7f");
        assert_eq!(out, "a\\\"b\\\\c\\td\\u0001\u{fffd}\u{7f}".as_bytes());
    }
}
