//! Text as numbers without a trained model: words hashed to token ids, token ids hashed to a vector.
//!
//! Feature hashing (Weinberger et al., 2009): texts that share words get vectors that point in similar directions.

use std::fmt::Write;

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
        let comma = if count > 0 { "," } else { "" };
        // Writing to a String cannot fail.
        let _ = write!(out, "{comma}{id}");
        rest = rest[end..].trim_start();
    }
    out.push(']');
}

/// A JSON array of `DIMENSIONS` numbers of length 1 for a JSON array of token ids; all zero for anything else.
pub fn embed(tokens: &str, out: &mut String) {
    let tokens: Vec<u64> = serde_json::from_str(tokens).unwrap_or_default();
    let mut vector = [0.0_f64; DIMENSIONS];
    for token in tokens.into_iter().take(MAX_TOKENS) {
        let signs = hash(token.to_le_bytes().into_iter());
        for (place, value) in vector.iter_mut().enumerate() {
            *value += if signs >> place & 1 == 1 { 1.0 } else { -1.0 };
        }
    }
    let length = vector.iter().map(|value| value * value).sum::<f64>().sqrt();
    out.push('[');
    for (place, value) in vector.iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        push_unit(out, if length > 0.0 { value / length } else { 0.0 });
    }
    out.push(']');
}

/// A number in [-1, 1] with six decimals; much faster than the formatter of floats.
fn push_unit(out: &mut String, value: f64) {
    // Within a million, so that the cast is exact.
    let mut millionths = (value.abs() * 1e6 + 0.5) as u32;
    if value < 0.0 && millionths > 0 {
        out.push('-');
    }
    let mut text = *b"0.000000";
    for digit in text[2..].iter_mut().rev() {
        *digit = b'0' + (millionths % 10).to_le_bytes()[0];
        millionths /= 10;
    }
    text[0] = b'0' + millionths.min(1).to_le_bytes()[0];
    out.push_str(std::str::from_utf8(&text).unwrap_or_default());
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
