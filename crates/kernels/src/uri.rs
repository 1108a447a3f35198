//! URIs of RFC 3986.

use crate::push_number;

/// What stands for text that is no URI.
pub const FAILED: &str = "Failed to parse URI";

#[derive(Default)]
struct Uri<'a> {
    scheme: &'a str,
    user_info: &'a str,
    host: &'a str,
    port: u16,
    path: &'a str,
    query: &'a str,
    fragment: &'a str,
}

/// Parts whose characters differ; bits of `ALLOWED`.
const HOST: u8 = 1;
const USER_INFO: u8 = 2;
const PATH: u8 = 4;
const QUERY: u8 = 8;

/// The parts in which each byte may stand: unreserved and sub-delims in all, others in some.
static ALLOWED: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = match byte as u8 {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => HOST | USER_INFO | PATH | QUERY,
            b'-' | b'.' | b'_' | b'~' | b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b','
            | b';' | b'=' => HOST | USER_INFO | PATH | QUERY,
            b':' => USER_INFO | PATH | QUERY,
            b'@' | b'/' => PATH | QUERY,
            b'?' => QUERY,
            _ => 0,
        };
        byte += 1;
    }
    table
};

/// Whether all of `text` may stand in a URI's `part`, percent-encoded bytes included.
fn allowed(text: &str, part: u8) -> bool {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        if ALLOWED[usize::from(byte)] & part == 0 {
            let digits = bytes.get(at + 1..at + 3);
            if byte != b'%' || !digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)) {
                return false;
            }
            at += 2;
        }
        at += 1;
    }
    true
}

fn scheme_of(text: &str) -> Option<&str> {
    let end = text.find([':', '/', '?', '#'])?;
    let scheme = &text[..end];
    let valid = text.as_bytes()[end] == b':'
        && scheme.as_bytes().first().is_some_and(u8::is_ascii_alphabetic)
        && scheme
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    valid.then_some(scheme)
}

fn parse(text: &str) -> Option<Uri<'_>> {
    let mut uri = Uri::default();
    let mut rest = text;
    if let Some(scheme) = scheme_of(rest) {
        uri.scheme = scheme;
        rest = &rest[scheme.len() + 1..];
    }
    if let Some((before, fragment)) = rest.split_once('#') {
        uri.fragment = fragment;
        rest = before;
    }
    if let Some((before, query)) = rest.split_once('?') {
        uri.query = query;
        rest = before;
    }
    let mut has_authority = false;
    if let Some(after) = rest.strip_prefix("//") {
        has_authority = true;
        let (authority, path) = after.split_at(after.find('/').unwrap_or(after.len()));
        rest = path;
        let mut host_port = authority;
        if let Some((user_info, after)) = authority.rsplit_once('@') {
            uri.user_info = user_info;
            host_port = after;
        }
        let port;
        if let Some(literal) = host_port.strip_prefix('[') {
            let (address, after) = literal.split_once(']')?;
            address.parse::<std::net::Ipv6Addr>().ok()?;
            uri.host = &host_port[..address.len() + 2];
            port = if after.is_empty() {
                ""
            } else {
                after.strip_prefix(':')?
            };
        } else {
            let (host, after) = host_port.split_once(':').unwrap_or((host_port, ""));
            if !allowed(host, HOST) {
                return None;
            }
            uri.host = host;
            port = after;
        }
        if !port.is_empty() {
            if !port.bytes().all(|byte| byte.is_ascii_digit()) {
                return None;
            }
            uri.port = port.parse().ok()?;
        }
    }
    uri.path = rest;
    // A first segment with a colon would be a scheme.
    let first = rest.split('/').next().unwrap_or("");
    let ambiguous = !has_authority && uri.scheme.is_empty() && first.contains(':');
    let valid = !ambiguous
        && allowed(uri.user_info, USER_INFO)
        && allowed(uri.path, PATH)
        && allowed(uri.query, QUERY)
        && allowed(uri.fragment, QUERY);
    valid.then_some(uri)
}

/// The URI as JSON with scheme, userInfo, host, port (0 when absent), path, query, fragment; or `FAILED`.
pub fn uri_parse(text: &str, out: &mut String) {
    let Some(uri) = parse(text) else {
        out.push_str(FAILED);
        return;
    };
    // No character that may stand in a URI needs escaping in JSON.
    for part in [
        "{\"scheme\":\"",
        uri.scheme,
        "\",\"userInfo\":\"",
        uri.user_info,
        "\",\"host\":\"",
        uri.host,
    ] {
        out.push_str(part);
    }
    out.push_str("\",\"port\":");
    push_number(out, uri.port.into());
    for part in [
        ",\"path\":\"",
        uri.path,
        "\",\"query\":\"",
        uri.query,
        "\",\"fragment\":\"",
        uri.fragment,
    ] {
        out.push_str(part);
    }
    out.push_str("\"}");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> String {
        let mut out = String::new();
        uri_parse(text, &mut out);
        out
    }

    #[test]
    fn parts() {
        assert_eq!(
            of("http://u:p@[::1]:8080/a/b?x=1&y#z"),
            r#"{"scheme":"http","userInfo":"u:p","host":"[::1]","port":8080,"path":"/a/b","query":"x=1&y","fragment":"z"}"#
        );
        assert_eq!(
            of("/a%20b"),
            r#"{"scheme":"","userInfo":"","host":"","port":0,"path":"/a%20b","query":"","fragment":""}"#
        );
        assert!(of("mailto:a@b.c").contains(r#""path":"a@b.c""#));
        assert!(of("").contains(r#""path":"""#));
    }

    #[test]
    fn refused() {
        for bad in [
            "a b",
            "http://[::",
            "http://h:99999/",
            "http://h:x/",
            "%zz",
            "é",
            "1a:b",
            "http://h^/",
        ] {
            assert_eq!(of(bad), FAILED, "{bad}");
        }
    }
}
