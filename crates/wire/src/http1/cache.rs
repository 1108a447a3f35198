//! Header blocks seen before, with what was derived from them. Clients and servers repeat themselves byte for byte.

use std::sync::Arc;

use super::facts::Facts;

const SLOTS: usize = 256;
const LONGEST: usize = 4096;
/// After so many misses in a row, only each `SAMPLE`th block is looked up.
const PATIENCE: u32 = 256;
const SAMPLE: u32 = 16;

/// A header block and what was derived from it.
#[derive(Debug)]
pub(super) struct Block {
    bytes: Box<[u8]>,
    cap: usize,
    pub(super) json: Box<str>,
    pub(super) facts: Facts,
}

#[derive(Debug, Default)]
struct Slot {
    hash: u64,
    /// The block that missed last; it moves in when it comes a second time.
    candidate: u64,
    block: Option<Arc<Block>>,
}

/// Direct-mapped, exact: a hit has compared all bytes. Holds at most `SLOTS * (2 * LONGEST)` bytes or so.
#[derive(Debug, Default)]
pub(super) struct Cache {
    slots: Vec<Slot>,
    /// Blocks since the last one that was found.
    misses: u32,
}

/// A place in the cache, remembered by a connection.
pub(super) type Hint = u16;

impl Cache {
    /// The block at `hint` if `data` starts with it. Its length is that of the head's rest.
    pub(super) fn guess(&self, hint: Hint, data: &[u8], cap: usize) -> Option<(&Arc<Block>, usize)> {
        let block = self.slots.get(usize::from(hint))?.block.as_ref()?;
        (data.starts_with(&block.bytes) && block.cap == cap).then_some((block, block.bytes.len()))
    }

    /// Whether the next block should be looked up: where no block comes twice, doing so is in vain.
    pub(super) fn is_of_use(&mut self) -> bool {
        self.misses = self.misses.wrapping_add(1);
        self.misses < PATIENCE || self.misses.is_multiple_of(SAMPLE)
    }

    /// Looks `bytes`, a whole header block, up.
    pub(super) fn find(&mut self, bytes: &[u8], hash: u64, cap: usize) -> Option<(&Arc<Block>, Hint)> {
        let hint = slot(hash);
        let slot = self.slots.get(usize::from(hint))?;
        let block = slot.block.as_ref()?;
        let found = slot.hash == hash && *block.bytes == *bytes && block.cap == cap;
        if found {
            self.misses = 0;
        }
        found.then_some((block, hint))
    }

    /// Tells of a block that was not found; the second time in a row it is kept.
    pub(super) fn missed(&mut self, bytes: &[u8], hash: u64, cap: usize, json: &str, facts: Facts) {
        if bytes.len() > LONGEST {
            return;
        }
        if self.slots.is_empty() {
            self.slots.resize_with(SLOTS, Slot::default);
        }
        let slot = &mut self.slots[usize::from(slot(hash))];
        if slot.candidate != hash {
            slot.candidate = hash;
            return;
        }
        slot.hash = hash;
        slot.block = Some(Arc::new(Block {
            bytes: bytes.into(),
            cap,
            json: json.into(),
            facts,
        }));
    }
}

fn slot(hash: u64) -> Hint {
    (hash >> 56) as Hint
}

/// Mixes all of `bytes`. Collisions only cost a comparison.
pub(super) fn hash(bytes: &[u8]) -> u64 {
    const K: u64 = 0x9e37_79b9_7f4a_7c15;
    let mix = |h: u64, word: u64| (h.rotate_left(23) ^ word).wrapping_mul(K);
    let (mut a, mut b) = (bytes.len() as u64, K);
    let (pairs, tail) = bytes.as_chunks::<16>();
    for pair in pairs {
        let both = u128::from_le_bytes(*pair);
        a = mix(a, both as u64);
        b = mix(b, (both >> 64) as u64);
    }
    let mut last = [0; 16];
    last[..tail.len()].copy_from_slice(tail);
    let both = u128::from_le_bytes(last);
    mix(mix(mix(a, b), both as u64), (both >> 64) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_what_comes_twice_and_matches_exactly() {
        let (mut cache, block) = (Cache::default(), b"A: b\r\n\r\n");
        let key = hash(block);
        for _ in 0..2 {
            assert!(cache.find(block, key, 9).is_none());
            cache.missed(block, key, 9, "{}", Facts::default());
        }
        let hint = cache.find(block, key, 9).unwrap().1;
        assert_eq!(cache.guess(hint, b"A: b\r\n\r\nbody", 9).unwrap().1, block.len());
        assert!(cache.guess(hint, b"A: c\r\n\r\nbody", 9).is_none());
        assert!(cache.guess(hint, b"A: b\r\n\r\nbody", 8).is_none());
        assert!(cache.guess(hint, b"A: b\r\n", 9).is_none());
    }

    #[test]
    fn looks_less_often_in_vain_and_recovers() {
        let mut cache = Cache::default();
        let mut feed = |block: &[u8]| {
            let key = cache.is_of_use().then(|| hash(block));
            let found = key.is_some_and(|key| cache.find(block, key, 9).is_some());
            if let Some(key) = key.filter(|_| !found) {
                cache.missed(block, key, 9, "{}", Facts::default());
            }
            (key.is_some(), found)
        };
        let looked = (0..10_000)
            .filter(|n| feed(format!("A: {n}\r\n\r\n").as_bytes()).0)
            .count();
        assert!((600..1000).contains(&looked), "{looked}");
        let found = (0..100).filter(|_| feed(b"A: same\r\n\r\n").1).count();
        assert!(found > 50, "{found}");
    }
}
