//! Text as numbers without a trained model: words hashed to token ids, token ids hashed to a vector.
//!
//! Feature hashing (Weinberger et al., 2009): texts that share words get vectors that point in similar directions.

use crate::push_number;

/// Numbers in an embedding.
pub const DIMENSIONS: usize = 64;
/// Token ids are below this.
const VOCABULARY: u64 = 8192;
/// Tokens read of one text.
const MAX_TOKENS: usize = 4096;

/// FNV-1a with a final mix, so that close inputs differ in all bits.
fn hash(bytes: impl Iterator<Item = u8>) -> u64 {
    let fnv = bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let mixed: u64 = (fnv ^ (fnv >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    mixed ^ (mixed >> 33)
}

/// A JSON array of token ids: one for each word, number or other character that is no white space.
pub fn encode(text: &str, out: &mut String) {
    out.push('[');
    let mut rest = text.trim_start();
    let ascii = rest.is_ascii();
    for count in 0..MAX_TOKENS {
        let Some(first) = rest.chars().next() else { break };
        let end = if ascii && first.is_ascii_alphanumeric() {
            rest.bytes()
                .position(|next| !next.is_ascii_alphanumeric())
                .unwrap_or(rest.len())
        } else if first.is_alphanumeric() {
            rest.find(|next: char| !next.is_alphanumeric())
                .unwrap_or(rest.len())
        } else {
            first.len_utf8()
        };
        let id = hash(rest[..end].bytes().map(|byte| byte.to_ascii_lowercase())) % VOCABULARY;
        if count > 0 {
            out.push(',');
        }
        push_number(out, id);
        rest = rest[end..].trim_start();
    }
    out.push(']');
}

/// The token ids of what `encode` makes, without the general reader of JSON; None for anything else.
fn plain_tokens(text: &str) -> Option<impl Iterator<Item = u64>> {
    let inner = text.strip_prefix('[')?.strip_suffix(']')?;
    // Up to 18 digits cannot overflow, and JSON has no leading zeros.
    let plain = inner.split(',').all(|token| {
        (1..=18).contains(&token.len())
            && token.bytes().all(|byte| byte.is_ascii_digit())
            && (token.len() == 1 || !token.starts_with('0'))
    });
    plain.then(|| {
        inner.split(',').map(|token| {
            token
                .bytes()
                .fold(0, |number, digit| number * 10 + u64::from(digit - b'0'))
        })
    })
}

/// A JSON array of `DIMENSIONS` numbers of length 1 for a JSON array of token ids; all zero for anything else.
pub fn embed(tokens: &str, out: &mut String) {
    let mut sums = [0_i16; DIMENSIONS];
    if let Some(tokens) = plain_tokens(tokens) {
        add(&mut sums, tokens);
    } else {
        let tokens: Vec<u64> = serde_json::from_str(tokens).unwrap_or_default();
        add(&mut sums, tokens.into_iter());
    }
    let squares: f64 = sums.iter().map(|&sum| f64::from(sum) * f64::from(sum)).sum();
    // Ten-thousandths of a unit for each step of a sum.
    let scale = if squares > 0.0 { 1e4 / squares.sqrt() } else { 0.0 };
    let mut text = [0; DIMENSIONS * LONGEST + 2];
    // Sums are small and few of them differ: each is written once.
    let mut known = [[0; WIDTH]; 32];
    let mut end = 0;
    for &sum in &sums {
        let size = sum.unsigned_abs();
        let number = match known.get_mut(usize::from(size)) {
            Some(number) => {
                if number[0] == 0 {
                    *number = unit(f64::from(size) * scale);
                }
                *number
            }
            None => unit(f64::from(size) * scale),
        };
        text[end] = if end == 0 { b'[' } else { b',' };
        text[end + 1] = b'-';
        end += 1 + usize::from(sum < 0 && number != ZERO);
        text[end..end + WIDTH].copy_from_slice(&number);
        end += WIDTH;
    }
    text[end] = b']';
    out.push_str(std::str::from_utf8(&text[..=end]).unwrap_or_default());
}

/// Characters of a number from 0 to 1; of the longest one with its comma: `,-0.1234`.
const WIDTH: usize = ZERO.len();
const LONGEST: usize = WIDTH + 2;
const ZERO: [u8; 6] = *b"0.0000";

/// A number from 0 to 1, given in ten-thousandths, as text.
fn unit(parts: f64) -> [u8; WIDTH] {
    // At most ten thousand, so that the cast is exact.
    let parts = (parts + 0.5) as u16;
    let mut text = ZERO;
    text[0] = b'0' + (parts / 10_000) as u8;
    let decimals = usize::from(parts % 10_000);
    text[2..4].copy_from_slice(&TWO_DIGITS[decimals / 100]);
    text[4..].copy_from_slice(&TWO_DIGITS[decimals % 100]);
    text
}

/// Two digits of every number below a hundred.
static TWO_DIGITS: [[u8; 2]; 100] = {
    let mut table = [[b'0'; 2]; 100];
    let mut number = 0;
    while number < 100 {
        table[number] = [b'0' + (number / 10) as u8, b'0' + (number % 10) as u8];
        number += 1;
    }
    table
};

/// What eight bits of a hash add to eight sums: 1 for a set bit, -1 for another.
static STEPS: [[i16; 8]; 256] = {
    let mut table = [[-1; 8]; 256];
    let mut bits = 0;
    while bits < 256 {
        let mut place = 0;
        while place < 8 {
            if bits >> place & 1 == 1 {
                table[bits][place] = 1;
            }
            place += 1;
        }
        bits += 1;
    }
    table
};

/// No sum leaves an i16: there are at most `MAX_TOKENS` steps.
fn add(sums: &mut [i16; DIMENSIONS], tokens: impl Iterator<Item = u64>) {
    for token in tokens.take(MAX_TOKENS) {
        let signs = hash(token.to_le_bytes().into_iter()).to_le_bytes();
        for (eight, bits) in sums.chunks_exact_mut(8).zip(signs) {
            for (sum, step) in eight.iter_mut().zip(STEPS[usize::from(bits)]) {
                *sum += step;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vector(text: &str) -> Vec<f64> {
        let (mut tokens, mut out) = (String::new(), String::new());
        encode(text, &mut tokens);
        embed(&tokens, &mut out);
        serde_json::from_str(&out).unwrap()
    }

    fn cosine(one: &str, other: &str) -> f64 {
        vector(one).iter().zip(vector(other)).map(|(a, b)| a * b).sum()
    }

    #[test]
    fn similar_texts_are_near() {
        let near = cosine("connection to db-1 refused", "Connection to db-2 refused");
        let far = cosine("connection to db-1 refused", "user logged in from browser");
        assert!(near > 0.6 && near > far + 0.3, "{near} {far}");
        assert_eq!(vector("x").len(), DIMENSIONS);
    }

    #[test]
    fn bad_tokens_are_zero() {
        for bad in ["", "{}", "[-1]", "[1.5]", "[\"a\"]"] {
            let mut out = String::new();
            embed(bad, &mut out);
            assert!(
                serde_json::from_str::<Vec<f64>>(&out)
                    .unwrap()
                    .iter()
                    .all(|&value| value == 0.0)
            );
        }
    }
}
