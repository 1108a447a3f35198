//! URIs of RFC 3986.

use crate::{push_json, push_number};

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

/// Whether all bytes may stand in a URI's part: unreserved, sub-delims, `extra`, and percent-encoded ones.
fn allowed(part: &str, extra: &[u8]) -> bool {
    let bytes = part.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'%' => {
                let digits = bytes.get(at + 1..at + 3);
                if !digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)) {
                    return false;
                }
                at += 2;
            }
            b'-' | b'.' | b'_' | b'~' | b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b','
            | b';' | b'=' => {}
            _ if byte.is_ascii_alphanumeric() || extra.contains(&byte) => {}
            _ => return false,
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
            if !allowed(host, b"") {
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
        && allowed(uri.user_info, b":")
        && allowed(uri.path, b":@/")
        && allowed(uri.query, b":@/?")
        && allowed(uri.fragment, b":@/?");
    valid.then_some(uri)
}

/// The URI as JSON with scheme, userInfo, host, port (0 when absent), path, query, fragment; or `FAILED`.
pub fn uri_parse(text: &str, out: &mut String) {
    let Some(uri) = parse(text) else {
        out.push_str(FAILED);
        return;
    };
    for (key, value) in [
        ("{\"scheme\":", uri.scheme),
        (",\"userInfo\":", uri.user_info),
        (",\"host\":", uri.host),
    ] {
        out.push_str(key);
        push_json(out, value);
    }
    out.push_str(",\"port\":");
    push_number(out, uri.port.into());
    for (key, value) in [
        (",\"path\":", uri.path),
        (",\"query\":", uri.query),
        (",\"fragment\":", uri.fragment),
    ] {
        out.push_str(key);
        push_json(out, value);
    }
    out.push('}');
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
