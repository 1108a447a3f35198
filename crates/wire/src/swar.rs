//! Questions asked of eight bytes at once, in a register.

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = ONES << 7;

const fn repeat(byte: u8) -> u64 {
    ONES * byte as u64
}

/// The eight bytes of `data` from `at`, the first lowest; none if there are fewer.
pub(crate) fn word(data: &[u8], at: usize) -> Option<u64> {
    data.get(at..)?
        .first_chunk()
        .map(|bytes| u64::from_le_bytes(*bytes))
}

/// `word` with all but its first `count` (at most 8) bytes replaced by letters.
pub(crate) fn first(word: u64, count: usize) -> u64 {
    let rest = u64::MAX.checked_shl(8 * count as u32).unwrap_or(0);
    (word & !rest) | (repeat(b'a') & rest)
}

/// Where in `word` the first `byte` is.
pub(crate) fn find(word: u64, byte: u8) -> Option<usize> {
    let found = zeros(word ^ repeat(byte));
    (found != 0).then_some(found.trailing_zeros() as usize / 8)
}

/// Non-zero if a byte of `word` is zero; its lowest bit is at the first.
fn zeros(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word & HIGH
}

/// The high bit of each byte that is in the range; only of use if all bytes are ASCII.
fn range(word: u64, low: u8, high: u8) -> u64 {
    let at_least = |bound: u8| (word | HIGH) - repeat(bound);
    at_least(low) & !at_least(high + 1) & HIGH
}

/// Whether all bytes are letters, digits or `-`, as nearly all bytes of header names are.
pub(crate) fn is_plain_name(word: u64) -> bool {
    let letters = range(word | repeat(b' '), b'a', b'z');
    (letters | range(word, b'0', b'9') | range(word, b'-', b'-')) == HIGH && word & HIGH == 0
}

/// `word` in lower case, if it is a plain name.
pub(crate) fn lower_plain(word: u64) -> u64 {
    word | repeat(b' ')
}

/// Whether all bytes are printable ASCII that JSON does not escape.
pub(crate) fn is_plain_json(word: u64) -> bool {
    let below_space = word.wrapping_sub(repeat(b' ')) & !word & HIGH;
    let marks = zeros(word ^ repeat(b'"')) | zeros(word ^ repeat(b'\\')) | zeros(word ^ repeat(0x7f));
    (word & HIGH | below_space | marks) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_single_bytes_at_every_place() {
        for place in 0..8 {
            for byte in 0..=255_u8 {
                let mut bytes = *b"Ab-9zZ0a";
                bytes[place] = byte;
                let word = u64::from_le_bytes(bytes);
                assert_eq!(
                    is_plain_name(word),
                    byte.is_ascii_alphanumeric() || byte == b'-',
                    "{byte} at {place}"
                );
                if is_plain_name(word) {
                    assert_eq!(
                        lower_plain(word).to_le_bytes(),
                        bytes.map(|b| b.to_ascii_lowercase())
                    );
                }
                let plain = (0x20..0x7f).contains(&byte) && byte != b'"' && byte != b'\\';
                assert_eq!(is_plain_json(word), plain, "{byte} at {place}");
                assert_eq!(find(word, byte), bytes.iter().position(|&b| b == byte));
            }
        }
    }

    #[test]
    fn fills_and_loads() {
        let letters = u64::from_le_bytes(*b"12345678");
        assert_eq!(first(letters, 3).to_le_bytes(), *b"123aaaaa");
        assert_eq!(first(letters, 8).to_le_bytes(), *b"12345678");
        assert_eq!(first(letters, 0).to_le_bytes(), *b"aaaaaaaa");
        assert_eq!(word(b"x12345678", 1), Some(letters));
        assert_eq!(word(b"12345678", 1), None);
    }
}
