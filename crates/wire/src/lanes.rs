//! Questions asked of sixteen bytes at once. Each answer is a mask: bit n is byte n's.

use wide::u8x16;

/// Bytes asked at once.
pub(crate) const LANES: usize = 16;

/// Sixteen bytes.
pub(crate) type Lanes = [u8; LANES];

/// The sixteen bytes of `data` from `at`; behind its end, zeros.
#[inline(always)]
pub(crate) fn load(data: &[u8], at: usize) -> Lanes {
    let rest = data.get(at..).unwrap_or_default();
    match rest.first_chunk() {
        Some(lanes) => *lanes,
        None => load_short(rest),
    }
}

#[cold]
fn load_short(rest: &[u8]) -> Lanes {
    let mut lanes = [0; LANES];
    lanes[..rest.len()].copy_from_slice(rest);
    lanes
}

/// The first eight bytes of `data` as a number; behind its end, zeros.
#[inline(always)]
pub(crate) fn word(data: &[u8]) -> u64 {
    u128::from_le_bytes(load(data, 0)) as u64
}

/// A mask of the first `count` bytes.
#[inline(always)]
pub(crate) const fn first(count: usize) -> u32 {
    if count >= LANES { 0xffff } else { (1 << count) - 1 }
}

/// Where in `data`, at or after `from`, the first LF is, and whether all before it, but for a CR right before it, is plain
/// (a CR may be taken for not plain). For short ways: a line of headers, not a body.
#[inline(always)]
pub(crate) fn line_end(data: &[u8], from: usize) -> Option<(usize, bool)> {
    let (mut at, mut marks) = (from, 0);
    while at < data.len() {
        let (lanes, before) = match (data[at..].first_chunk(), data.last_chunk()) {
            (Some(lanes), _) => (*lanes, 0),
            // The last sixteen, of which some are from before `at`.
            (None, Some(last)) => (*last, LANES - (data.len() - at)),
            (None, None) => (load_short(&data[at..]), 0),
        };
        let found = equal(&lanes, &[b'\n'; LANES]) >> before;
        let odd = not_plain(&lanes) >> before;
        if found != 0 {
            let end = found.trailing_zeros() as usize;
            let carriage_return = (equal(&lanes, &[b'\r'; LANES]) >> before) & found >> 1;
            marks |= odd & !carriage_return & first(end);
            return Some((at + end, marks == 0));
        }
        marks |= odd;
        at += LANES;
    }
    None
}

/// Bytes that are the same in both.
#[inline(always)]
pub(crate) fn equal(a: &Lanes, b: &Lanes) -> u32 {
    u8x16::from(*a).simd_eq(u8x16::from(*b)).to_bitmask()
}

/// Bytes that cannot stand in a JSON string as they are, or are not ASCII.
#[inline(always)]
pub(crate) fn not_plain(lanes: &Lanes) -> u32 {
    let lanes = u8x16::from(*lanes);
    let below = lanes.min(u8x16::splat(0x1f)).simd_eq(lanes);
    let quote = lanes.simd_eq(u8x16::splat(b'"'));
    let backslash = lanes.simd_eq(u8x16::splat(b'\\'));
    // The mask is of the bytes' high bits, so those that are not ASCII are in it.
    (lanes | below | quote | backslash).to_bitmask()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_single_bytes_at_every_place() {
        for place in 0..LANES {
            for byte in 0..=255_u8 {
                let mut lanes = *b"Ab-9zZ0a /;=.,~\x7f";
                lanes[place] = byte;
                let plain = (0x20..0x80).contains(&byte) && byte != b'"' && byte != b'\\';
                assert_eq!(not_plain(&lanes), u32::from(!plain) << place, "{byte} at {place}");
                let other = [byte; LANES];
                let same = (0..LANES).fold(0, |mask, at| mask | u32::from(lanes[at] == byte) << at);
                assert_eq!(equal(&lanes, &other), same, "{byte} at {place}");
            }
        }
    }

    #[test]
    fn loads_and_finds_near_the_end() {
        assert_eq!(load(b"abc", 1), *b"bc\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
        let long: Vec<u8> = (1..=40).collect();
        for at in 0..50 {
            let mut expected = long[at.min(40)..].iter().copied().chain([0; LANES]);
            assert_eq!(load(&long, at), [(); LANES].map(|()| expected.next().unwrap()));
        }
        assert_eq!((load(b"abc", 3), load(b"abc", 9)), ([0; LANES], [0; LANES]));
        assert_eq!((first(0), first(3), first(16), first(99)), (0, 7, 0xffff, 0xffff));
        for length in 0..70 {
            let mut data = vec![b'a'; length];
            assert_eq!(line_end(&data, length / 2), None);
            data.extend_from_slice(b"\nx\"\n\r\n");
            assert_eq!(line_end(&data, length / 2), Some((length, true)));
            assert_eq!(line_end(&data, length + 1), Some((length + 3, false)));
            assert_eq!(line_end(&data, length + 4), Some((length + 5, true)));
            if length > 0 {
                data[length / 2] = b'\r';
                assert_eq!(line_end(&data, 0), Some((length, length / 2 + 1 == length)));
            }
        }
    }
}
