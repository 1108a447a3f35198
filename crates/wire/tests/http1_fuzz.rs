//! The fuzz target without a fuzzer: its seeds, and mutations of them for `WIRE_FUZZ_SECONDS` (2). With one:
//! `scripts/fuzz`.

#[path = "support/drive.rs"]
mod drive;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

/// xorshift64*: reproducible from the seed that a failure prints.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % limit.max(1)
    }
}

fn mutate(seeds: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    const WORDS: [&[u8]; 10] = [
        b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n",
        b"GET / HTTP/1.1\r\n",
        b"Content-Length: 5\r\n",
        b"\n",
        b"0\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Content-Encoding: gzip\r\n",
        b"\x1f\x8b\x08",
        b"Content-Type: text/a\r\n",
    ];
    let mut data = seeds[random.below(seeds.len())].clone();
    for _ in 0..=random.below(8) {
        let at = random.below(data.len() + 1);
        match random.below(6) {
            0 if at < data.len() => data[at] = random.below(256) as u8,
            1 if at < data.len() => data[at] ^= 1 << random.below(8),
            2 => data.truncate(at),
            3 => drop(data.splice(at..at, WORDS[random.below(WORDS.len())].iter().copied())),
            4 => {
                let end = (at + random.below(40)).min(data.len());
                drop(data.drain(at..end));
            }
            _ => {
                let other = &seeds[random.below(seeds.len())];
                let from = random.below(other.len());
                data.splice(at..at, other[from..].iter().copied().take(random.below(300)));
            }
        }
    }
    data
}

#[test]
fn seeds_and_their_mutations_keep_the_rules() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds/http1");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    let seeds: Vec<Vec<u8>> = files.iter().map(|f| fs::read(f).unwrap()).collect();
    assert!(seeds.len() > 20);
    seeds.iter().for_each(|seed| drive::drive(seed));
    let seconds =
        std::env::var("WIRE_FUZZ_SECONDS").map_or(2, |s| s.parse().expect("WIRE_FUZZ_SECONDS is a number"));
    let start = Instant::now();
    let mut round = 1_u64;
    while start.elapsed() < Duration::from_secs(seconds) {
        let input = mutate(&seeds, &mut Random(round.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        if let Err(panic) = std::panic::catch_unwind(|| drive::drive(&input)) {
            eprintln!("round {round}: {}", input.escape_ascii());
            std::panic::resume_unwind(panic);
        }
        round += 1;
    }
    println!("{round} mutations");
}
