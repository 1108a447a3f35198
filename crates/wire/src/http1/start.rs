//! Start lines: the request line and the status line, and finding them in a stream that has lost its framing.

use crate::Side;

/// `GET /path HTTP/1.1`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct RequestLine<'a> {
    pub(super) method: &'a [u8],
    pub(super) target: &'a [u8],
    pub(super) major: u8,
    pub(super) minor: u8,
}

/// `HTTP/1.1 200 OK`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct StatusLine<'a> {
    pub(super) minor: u8,
    pub(super) status: u16,
    pub(super) reason: &'a [u8],
}

/// Either.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum StartLine<'a> {
    Request(RequestLine<'a>),
    Status(StatusLine<'a>),
}

impl<'a> StartLine<'a> {
    /// Parses the start line of a message on `side`; `line` may have its end.
    #[inline]
    pub(super) fn parse(side: Side, line: &'a [u8]) -> Option<Self> {
        let line = trim_end(line);
        match side {
            Side::Request => request_line(line).map(StartLine::Request),
            Side::Response => status_line(line).map(StartLine::Status),
        }
    }
}

/// Methods believed where framing is not certain: RFC 9110, PATCH, and WebDAV and its kin.
const METHODS: [&[u8]; 28] = [
    b"GET",
    b"POST",
    b"PUT",
    b"DELETE",
    b"HEAD",
    b"OPTIONS",
    b"PATCH",
    b"CONNECT",
    b"TRACE",
    b"PROPFIND",
    b"PROPPATCH",
    b"MKCOL",
    b"COPY",
    b"MOVE",
    b"LOCK",
    b"UNLOCK",
    b"REPORT",
    b"SEARCH",
    b"MERGE",
    b"PURGE",
    b"LINK",
    b"UNLINK",
    b"CHECKOUT",
    b"MKACTIVITY",
    b"NOTIFY",
    b"SUBSCRIBE",
    b"UNSUBSCRIBE",
    b"QUERY",
];

const LONGEST_METHOD: usize = 32;

/// Bytes that may be in a header's name or a method (RFC 9110 `token`), lower-cased; 0 for the others.
pub(super) static TOKEN: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let b = byte as u8;
        if b.is_ascii_alphanumeric()
            || matches!(b, b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'^'..=b'`' | b'|' | b'~')
        {
            table[byte] = b.to_ascii_lowercase();
        }
        byte += 1;
    }
    table
};

/// `line` without its end, LF or CRLF.
pub(super) fn trim_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Parses a request line, its end trimmed.
pub(super) fn request_line(line: &[u8]) -> Option<RequestLine<'_>> {
    let (rest, version) = line.split_last_chunk::<9>()?;
    let [
        b' ',
        b'H',
        b'T',
        b'T',
        b'P',
        b'/',
        major @ b'1'..=b'2',
        b'.',
        minor @ b'0'..=b'9',
    ] = *version
    else {
        return None;
    };
    let space = memchr::memchr(b' ', &rest[..rest.len().min(LONGEST_METHOD + 1)])?;
    let (method, target) = (&rest[..space], &rest[space + 1..]);
    let valid =
        !method.is_empty() && !target.is_empty() && method.iter().all(|&b| TOKEN[usize::from(b)] != 0);
    valid.then_some(RequestLine {
        method,
        target,
        major: major - b'0',
        minor: minor - b'0',
    })
}

/// Parses a status line, its end trimmed.
pub(super) fn status_line(line: &[u8]) -> Option<StatusLine<'_>> {
    let (head, rest) = line.split_first_chunk::<12>()?;
    let [
        b'H',
        b'T',
        b'T',
        b'P',
        b'/',
        b'1',
        b'.',
        minor @ b'0'..=b'9',
        b' ',
        a @ b'1'..=b'9',
        b @ b'0'..=b'9',
        c @ b'0'..=b'9',
    ] = *head
    else {
        return None;
    };
    let reason = match rest {
        [] => rest,
        [b' ', reason @ ..] => reason,
        _ => return None,
    };
    let digit = |d: u8| u16::from(d - b'0');
    Some(StatusLine {
        minor: minor - b'0',
        status: digit(a) * 100 + digit(b) * 10 + digit(c),
        reason,
    })
}

/// Whether `line` (with its end) has a start line's beginning or end: cheap, and mostly false.
pub(super) fn hints(side: Side, line: &[u8]) -> bool {
    match side {
        Side::Request => matches!(trim_end(line), [.., b'H', b'T', b'T', b'P', b'/', b'1', b'.', _]),
        Side::Response => line.starts_with(b"HTTP/1."),
    }
}

/// Where in `line` (with its end) a message may start, if framing is lost: a message may follow a body that had no line
/// end.
pub(super) fn find(side: Side, line: &[u8]) -> Option<usize> {
    let trimmed = trim_end(line);
    match side {
        Side::Request => {
            let rest = &trimmed[..trimmed.len().checked_sub(9)?];
            if !matches!(
                &trimmed[rest.len()..],
                [b' ', b'H', b'T', b'T', b'P', b'/', b'1', b'.', b'0'..=b'9']
            ) {
                return None;
            }
            let space = memchr::memrchr(b' ', rest)?;
            let target = &rest[space + 1..];
            if target.is_empty() || target.iter().any(|b| b.is_ascii_control()) {
                return None;
            }
            let before = &rest[..space];
            METHODS
                .iter()
                .filter(|m| before.ends_with(m))
                .map(|m| m.len())
                .max()
                .map(|length| space - length)
        }
        Side::Response => {
            let at = memchr::memmem::rfind(trimmed, b"HTTP/1.")?;
            status_line(&trimmed[at..]).is_some().then_some(at)
        }
    }
}

/// Names the side if `bytes`, the first of a direction, look like HTTP/1.
pub(super) fn infer(bytes: &[u8]) -> Option<Side> {
    if let Some(rest) = bytes.strip_prefix(b"HTTP/1.") {
        return rest
            .first()
            .is_none_or(u8::is_ascii_digit)
            .then_some(Side::Response);
    }
    let space = memchr::memchr(b' ', &bytes[..bytes.len().min(LONGEST_METHOD + 1)])?;
    if !METHODS.contains(&&bytes[..space]) {
        return None;
    }
    let rest = &bytes[space + 1..];
    let target = rest
        .first()
        .is_none_or(|&b| b == b'/' || b == b'*' || b == b'[' || b.is_ascii_alphanumeric());
    // `GET key` is memcached's, not HTTP/0.9.
    let line = memchr::memchr(b'\n', rest).map(|end| trim_end(&bytes[..space + 2 + end]));
    (target && line.is_none_or(|line| request_line(line).is_some())).then_some(Side::Request)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_lines() {
        let line = request_line(b"GET /a b HTTP/1.1").unwrap();
        assert_eq!(
            (line.method, line.target, line.minor),
            (&b"GET"[..], &b"/a b"[..], 1)
        );
        for bad in [
            &b"GET / HTTP/3.0"[..],
            b"GET HTTP/1.1",
            b" / HTTP/1.1",
            b"G(T / HTTP/1.1",
            b"GET / HTTP/1.x",
            b"",
        ] {
            assert_eq!(request_line(bad), None, "{}", bad.escape_ascii());
        }
    }

    #[test]
    fn status_lines() {
        assert_eq!(
            status_line(b"HTTP/1.0 404 Not Found"),
            Some(StatusLine {
                minor: 0,
                status: 404,
                reason: b"Not Found"
            })
        );
        assert_eq!(
            status_line(b"HTTP/1.1 200"),
            Some(StatusLine {
                minor: 1,
                status: 200,
                reason: b""
            })
        );
        for bad in [
            &b"HTTP/1.1 2000 OK"[..],
            b"HTTP/1.1 099 x",
            b"HTTP/2 200",
            b"http/1.1 200 OK",
        ] {
            assert_eq!(status_line(bad), None, "{}", bad.escape_ascii());
        }
    }

    #[test]
    fn finds_starts_behind_bodies() {
        assert_eq!(find(Side::Request, b"{\"a\":1}POST /x HTTP/1.1\r\n"), Some(7));
        assert_eq!(find(Side::Request, b"UNLOCK /x HTTP/1.1\n"), Some(0));
        assert_eq!(find(Side::Request, b"Via: HTTP/1.1\r\n"), None);
        assert_eq!(find(Side::Response, b"...HTTP/1.1 200 OK\r\n"), Some(3));
        assert_eq!(find(Side::Response, b"uses HTTP/1.1 today\r\n"), None);
    }

    #[test]
    fn infers() {
        assert_eq!(infer(b"GET /index.html HTTP/1.1\r\n"), Some(Side::Request));
        assert_eq!(infer(b"POST http://"), Some(Side::Request));
        assert_eq!(infer(b"HTTP/1.1 200 OK\r\n"), Some(Side::Response));
        for other in [
            &b"GET key\r\n"[..],
            b"\x16\x03\x01",
            b"PRI * HTTP/2.0\r\n",
            b"SSH-2.0",
            b"*1\r\n$4\r\nPING\r\n",
            b"",
        ] {
            assert_eq!(infer(other), None, "{}", other.escape_ascii());
        }
    }
}
