//! Personal data in text, replaced by its kind. Numbers with check digits count only when those are right.

use std::net::Ipv6Addr;

fn at(bytes: &[u8], index: usize) -> u8 {
    bytes.get(index).copied().unwrap_or(0)
}

fn is_local(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"._%+-".contains(&byte)
}

/// Longest parts that a candidate is read to: mailbox, host name.
const MAX_LOCAL: usize = 64;
const MAX_HOST: usize = 255;

/// The end of the address whose `@` is at `sign`.
fn email_end(bytes: &[u8], sign: usize) -> Option<usize> {
    let mut end = sign + 1;
    while end - sign <= MAX_HOST
        && (at(bytes, end).is_ascii_alphanumeric() || b".-".contains(&at(bytes, end)))
    {
        end += 1;
    }
    while end > sign + 1 && !at(bytes, end - 1).is_ascii_alphanumeric() {
        end -= 1;
    }
    let host = &bytes[sign + 1..end];
    let dot = host.iter().rposition(|&byte| byte == b'.')?;
    let top = &host[dot + 1..];
    (dot > 0 && top.len() >= 2 && top.iter().all(u8::is_ascii_alphabetic)).then_some(end)
}

fn ipv4_end(bytes: &[u8], start: usize) -> Option<usize> {
    let mut end = start;
    for part in 0..4 {
        if part > 0 {
            if at(bytes, end) != b'.' {
                return None;
            }
            end += 1;
        }
        let from = end;
        let mut value = 0_u32;
        while end - from < 3 && at(bytes, end).is_ascii_digit() {
            value = value * 10 + u32::from(at(bytes, end) - b'0');
            end += 1;
        }
        if end == from || value > 255 {
            return None;
        }
    }
    let longer = at(bytes, end).is_ascii_alphanumeric()
        || (at(bytes, end) == b'.' && at(bytes, end + 1).is_ascii_digit());
    (!longer).then_some(end)
}

fn ipv6_end(text: &str, start: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut end = start;
    let mut colons = 0;
    while end - start < 45 && (at(bytes, end).is_ascii_hexdigit() || b":.".contains(&at(bytes, end))) {
        colons += usize::from(at(bytes, end) == b':');
        end += 1;
    }
    while end > start && b".:".contains(&at(bytes, end - 1)) && !bytes[start..end].ends_with(b"::") {
        end -= 1;
    }
    let follows = at(bytes, end).is_ascii_alphanumeric();
    if colons < 2 || end - start < 3 || follows {
        return None;
    }
    text.get(start..end)?.parse::<Ipv6Addr>().ok().map(|_| end)
}

fn mac_end(bytes: &[u8], start: usize) -> Option<usize> {
    let separator = at(bytes, start + 2);
    if !b":-".contains(&separator) {
        return None;
    }
    for pair in 0..6 {
        let from = start + pair * 3;
        if !at(bytes, from).is_ascii_hexdigit() || !at(bytes, from + 1).is_ascii_hexdigit() {
            return None;
        }
        if pair < 5 && at(bytes, from + 2) != separator {
            return None;
        }
    }
    let next = at(bytes, start + 17);
    (!next.is_ascii_alphanumeric() && next != separator).then_some(start + 17)
}

/// ISO 13616: two letters, two check digits, 11 to 30 letters or digits, in groups of four or without blanks.
fn iban_end(bytes: &[u8], start: usize) -> Option<usize> {
    let head = [
        at(bytes, start),
        at(bytes, start + 1),
        at(bytes, start + 2),
        at(bytes, start + 3),
    ];
    let shaped = head[0].is_ascii_uppercase() && head[1].is_ascii_uppercase();
    if !shaped || !head[2].is_ascii_digit() || !head[3].is_ascii_digit() {
        return None;
    }
    let mut body = [0; 34];
    let mut length = 0;
    let mut end = start + 4;
    let grouped = at(bytes, end) == b' ';
    loop {
        if grouped && length % 4 == 0 && at(bytes, end) == b' ' {
            end += 1;
        }
        let byte = at(bytes, end);
        if !(byte.is_ascii_uppercase() || byte.is_ascii_digit()) || length == 30 {
            break;
        }
        body[length] = byte;
        length += 1;
        end += 1;
    }
    if at(bytes, end - 1) == b' ' {
        end -= 1;
    }
    if length < 11 || at(bytes, end).is_ascii_alphanumeric() {
        return None;
    }
    body[length..length + 4].copy_from_slice(&head);
    let remainder = body[..length + 4].iter().fold(0_u32, |remainder, &byte| {
        if byte.is_ascii_digit() {
            (remainder * 10 + u32::from(byte - b'0')) % 97
        } else {
            (remainder * 100 + u32::from(byte - b'A') + 10) % 97
        }
    });
    (remainder == 1).then_some(end)
}

fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, &digit)| {
            let doubled = u32::from(digit) << (place % 2);
            if doubled > 9 { doubled - 9 } else { doubled }
        })
        .sum();
    sum.is_multiple_of(10)
}

/// Digits with single blanks or hyphens between groups that are an SSN, a card, an IMEI or an IMEISV; what follows
/// after a blank may be another number.
fn number_end(bytes: &[u8], start: usize) -> Option<(usize, &'static str)> {
    let mut digits = [0_u8; 20];
    let mut count = 0;
    // For each group: its size, where it ends, and how many digits there are up to there.
    let mut sizes = [0_usize; 8];
    let mut ends = [(0, 0); 8];
    let mut whole = 0;
    let mut end = start;
    let mut separator = 0;
    loop {
        let from = end;
        while count < digits.len() && at(bytes, end).is_ascii_digit() {
            digits[count] = at(bytes, end) - b'0';
            count += 1;
            end += 1;
        }
        if at(bytes, end).is_ascii_digit() {
            break;
        }
        sizes[whole] = end - from;
        ends[whole] = (end, count);
        whole += 1;
        let byte = at(bytes, end);
        let goes_on = b" -".contains(&byte)
            && at(bytes, end + 1).is_ascii_digit()
            && (separator == 0 || separator == byte)
            && whole < sizes.len();
        if !goes_on {
            let next = at(bytes, end);
            let longer = next.is_ascii_alphabetic()
                || next == b'_'
                || (next == b'.' && at(bytes, end + 1).is_ascii_digit());
            whole -= usize::from(longer);
            end = if longer { end } else { 0 };
            break;
        }
        separator = byte;
        end += 1;
    }
    for groups in (1..=whole).rev() {
        let (stop, count) = ends[groups - 1];
        // A hyphen that goes on belongs to the number, a blank need not.
        if (groups < whole || end != 0) && separator != b' ' {
            return None;
        }
        if let Some(kind) = number_kind(&digits[..count], &sizes[..groups]) {
            return Some((stop, kind));
        }
    }
    None
}

/// What digits in groups of these sizes are.
fn number_kind(digits: &[u8], groups: &[usize]) -> Option<&'static str> {
    if groups == [3, 2, 4] {
        let area = digits[..3]
            .iter()
            .fold(0_u32, |area, &digit| area * 10 + u32::from(digit));
        let valid =
            area != 0 && area != 666 && area < 900 && digits[3..5] != [0, 0] && digits[5..] != [0, 0, 0, 0];
        return valid.then_some("SSN");
    }
    if groups == [2, 6, 6, 2] {
        return Some("IMEISV");
    }
    if !(13..=19).contains(&digits.len()) || !luhn(digits) || digits.iter().all(|&digit| digit == 0) {
        return None;
    }
    let american_express = digits[0] == 3 && matches!(digits[1], 4 | 7);
    if digits.len() == 15 && !american_express && (groups.len() == 1 || groups == [2, 6, 6, 1]) {
        return Some("IMEI");
    }
    let card_groups = groups.len() == 1
        || groups[..groups.len() - 1]
            .iter()
            .all(|size| (4..=6).contains(size));
    (card_groups && (2..=6).contains(&digits[0])).then_some("CC_NUMBER")
}

/// The text with personal data replaced by `<REDACTED_KIND>`.
pub fn redact(text: &str, out: &mut String) {
    let bytes = text.as_bytes();
    // Up to here the text is in `out`.
    let mut plain = 0;
    let mut here = 0;
    while here < bytes.len() {
        let byte = bytes[here];
        let starts = here == 0 || !(bytes[here - 1].is_ascii_alphanumeric() || bytes[here - 1] == b'_');
        let found = match byte {
            b'@' => email_end(bytes, here).and_then(|end| {
                let mut start = here;
                while start > plain && here - start < MAX_LOCAL && is_local(bytes[start - 1]) {
                    start -= 1;
                }
                (start < here).then_some((start, end, "EMAIL"))
            }),
            _ if !starts => None,
            b'0'..=b'9' => mac_end(bytes, here)
                .map(|end| (end, "MAC_ADDR"))
                .or_else(|| ipv6_end(text, here).map(|end| (end, "IPV6")))
                .or_else(|| dotted(bytes, here))
                .or_else(|| number_end(bytes, here))
                .map(|(end, kind)| (here, end, kind)),
            b'a'..=b'f' | b'A'..=b'F' | b':' => mac_end(bytes, here)
                .map(|end| (end, "MAC_ADDR"))
                .or_else(|| ipv6_end(text, here).map(|end| (end, "IPV6")))
                .or_else(|| iban_end(bytes, here).map(|end| (end, "IBAN")))
                .map(|(end, kind)| (here, end, kind)),
            b'G'..=b'Z' => iban_end(bytes, here).map(|end| (here, end, "IBAN")),
            _ => None,
        };
        let Some((start, end, kind)) = found else {
            here += 1;
            continue;
        };
        out.push_str(&text[plain..start]);
        out.push_str("<REDACTED_");
        out.push_str(kind);
        out.push('>');
        plain = end;
        here = end;
    }
    out.push_str(&text[plain..]);
}

/// An IPv4 address that is no tail of a longer dotted number.
fn dotted(bytes: &[u8], start: usize) -> Option<(usize, &'static str)> {
    let tail = start >= 2 && bytes[start - 1] == b'.' && bytes[start - 2].is_ascii_digit();
    if tail {
        None
    } else {
        ipv4_end(bytes, start).map(|end| (end, "IPV4"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> String {
        let mut out = String::new();
        redact(text, &mut out);
        out
    }

    #[test]
    fn kinds() {
        for (text, wanted) in [
            ("mail a.b+c@d-e.co.uk.", "mail <REDACTED_EMAIL>."),
            ("10.1.2.3:80", "<REDACTED_IPV4>:80"),
            ("fe80::1 and ::1", "<REDACTED_IPV6> and <REDACTED_IPV6>"),
            ("2001:db8:0:0:0:0:2:1,", "<REDACTED_IPV6>,"),
            ("02:42:ac:11:00:02", "<REDACTED_MAC_ADDR>"),
            ("AA-bb-CC-dd-EE-ff", "<REDACTED_MAC_ADDR>"),
            ("DE89 3704 0044 0532 0130 00 paid", "<REDACTED_IBAN> paid"),
            ("GB82WEST12345698765432", "<REDACTED_IBAN>"),
            ("4111 1111 1111 1111", "<REDACTED_CC_NUMBER>"),
            ("5500-0000-0000-0004", "<REDACTED_CC_NUMBER>"),
            ("378282246310005", "<REDACTED_CC_NUMBER>"),
            ("490154203237518", "<REDACTED_IMEI>"),
            ("49-015420-323751-03", "<REDACTED_IMEISV>"),
            ("ssn 123-45-6789", "ssn <REDACTED_SSN>"),
            ("4111111111111111 123", "<REDACTED_CC_NUMBER> 123"),
            ("4111 1111 1111 1111 12/27", "<REDACTED_CC_NUMBER> 12/27"),
            ("7 4111111111111111 12ab", "7 <REDACTED_CC_NUMBER> 12ab"),
            (
                "4111111111111111 5500-0000-0000-0004",
                "<REDACTED_CC_NUMBER> <REDACTED_CC_NUMBER>",
            ),
            (
                "490154203237518 17000000000000000000000",
                "<REDACTED_IMEI> 17000000000000000000000",
            ),
            ("123 45 6789 7", "<REDACTED_SSN> 7"),
            (
                "{\"ip\":\"1.2.3.4\",\"mail\":\"x@y.org\"}",
                "{\"ip\":\"<REDACTED_IPV4>\",\"mail\":\"<REDACTED_EMAIL>\"}",
            ),
        ] {
            assert_eq!(of(text), wanted);
        }
    }

    #[test]
    fn what_is_no_personal_data_stays() {
        for text in [
            "",
            "v1.2.3",
            "1.2.3.4.5",
            "256.1.1.1",
            "12:30:45",
            "std::string",
            "a@b",
            "@b.org",
            "4111 1111 1111 1112",
            "4111111111111111-2",
            "4111111111111111a",
            "123-45-6789-1",
            "000-12-3456",
            "1700000000000000000",
            "0123456789abcdef",
            "DE88 3704 0044 0532 0130 00",
            "日本::語 é@é",
            "::",
            "x123-45-6789",
            "abc:def",
            "a:b:c",
        ] {
            assert_eq!(of(text), text);
        }
    }

    #[test]
    fn long_text_takes_linear_time() {
        for unit in ["1", "1 ", "a@", ":", "a:", "1.", "A1", "DE89 ", "-1", "é@"] {
            of(&unit.repeat(200_000));
        }
    }
}
