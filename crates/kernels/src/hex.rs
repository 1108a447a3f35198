//! Bytes as hexadecimal text and back.

const UPPER: &[u8; 16] = b"0123456789ABCDEF";

pub(crate) fn push_byte(out: &mut String, byte: u8, digits: &[u8; 16]) {
    out.push(char::from(digits[usize::from(byte >> 4)]));
    out.push(char::from(digits[usize::from(byte & 15)]));
}

/// Every byte of `text` as `\xHH`.
pub fn bytes_to_hex(text: &str, out: &mut String) {
    out.reserve(text.len() * 4);
    for byte in text.bytes() {
        out.push_str("\\x");
        push_byte(out, byte, UPPER);
    }
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}

/// The text that pairs of hex digits spell; nothing when they are none, or spell no UTF-8.
pub fn hex_to_ascii(text: &str, out: &mut String) {
    let digits = text.as_bytes();
    if !digits.len().is_multiple_of(2) {
        return;
    }
    let bytes: Option<Vec<u8>> = digits
        .chunks_exact(2)
        .map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?))
        .collect();
    if let Some(spelt) = bytes.and_then(|bytes| String::from_utf8(bytes).ok()) {
        out.push_str(&spelt);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(function: fn(&str, &mut String), text: &str) -> String {
        let mut out = String::new();
        function(text, &mut out);
        out
    }

    #[test]
    fn both_ways() {
        assert_eq!(of(bytes_to_hex, "aé"), "\\x61\\xC3\\xA9");
        assert_eq!(of(hex_to_ascii, "68C3a9"), "hé");
        for bad in ["", "6", "zz", "ff", "é0"] {
            assert_eq!(of(hex_to_ascii, bad), "", "{bad}");
        }
    }
}
