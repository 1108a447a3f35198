//! What a header block means for framing and for the text of the body.

/// What the headers say of the body's length.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Length {
    /// Nothing.
    #[default]
    Unset,
    /// One length.
    Known(u64),
    /// Lengths that differ, or are no numbers.
    Conflict,
}

/// How the body's bytes are to be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Encoding {
    #[default]
    Identity,
    Gzip,
    Deflate,
    /// One that is not decoded here (br, zstd, several at once).
    Other,
}

/// What the body is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Content {
    /// No Content-Type.
    #[default]
    Unset,
    Json,
    Text,
    Form,
    Other,
}

/// Target of `Upgrade`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Upgrade {
    #[default]
    Unset,
    WebSocket,
    H2c,
    Other,
}

/// What a header block means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Facts {
    pub(super) length: Length,
    /// The last transfer coding is chunked.
    pub(super) chunked: bool,
    /// There is a Transfer-Encoding, and its last coding is not chunked.
    pub(super) unframed: bool,
    pub(super) encoding: Encoding,
    pub(super) content: Content,
    /// The content type is one whose bodies have no end.
    pub(super) endless: bool,
    pub(super) upgrade: Upgrade,
}

/// A name whose value is a fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    ContentLength,
    ContentType,
    ContentEncoding,
    TransferEncoding,
    Upgrade,
}

impl Kind {
    /// The kind of a header, if it has one.
    pub(super) fn of(name: &[u8]) -> Option<Kind> {
        let is = |known: &[u8]| name.eq_ignore_ascii_case(known);
        match name.len() {
            7 if is(b"upgrade") => Some(Kind::Upgrade),
            12 if is(b"content-type") => Some(Kind::ContentType),
            14 if is(b"content-length") => Some(Kind::ContentLength),
            16 if is(b"content-encoding") => Some(Kind::ContentEncoding),
            17 if is(b"transfer-encoding") => Some(Kind::TransferEncoding),
            _ => None,
        }
    }
}

impl Facts {
    /// Adds a header's value, trimmed and on one line.
    pub(super) fn add(&mut self, kind: Kind, value: &[u8]) {
        match kind {
            Kind::ContentLength => self.length = self.length.and(value),
            Kind::ContentType => {
                self.content = content(value);
                self.endless = starts_with(value, b"text/event-stream")
                    || starts_with(value, b"multipart/x-mixed-replace");
            }
            Kind::ContentEncoding => self.encoding = self.encoding.and(value),
            Kind::TransferEncoding => {
                let last = value
                    .rsplit(|&b| b == b',')
                    .next()
                    .unwrap_or_default()
                    .trim_ascii();
                self.chunked = last.eq_ignore_ascii_case(b"chunked");
                self.unframed = !self.chunked && !last.eq_ignore_ascii_case(b"identity");
            }
            Kind::Upgrade => {
                self.upgrade = match value {
                    _ if value.eq_ignore_ascii_case(b"websocket") => Upgrade::WebSocket,
                    _ if value.eq_ignore_ascii_case(b"h2c") => Upgrade::H2c,
                    _ => Upgrade::Other,
                }
            }
        }
    }
}

impl Length {
    /// Adds a `Content-Length`: the same number again, also as a list, is harmless.
    fn and(mut self, value: &[u8]) -> Length {
        for part in value.split(|&b| b == b',') {
            let part = part.trim_ascii();
            let digits = (1..=18).contains(&part.len()) && part.iter().all(u8::is_ascii_digit);
            let number = part
                .iter()
                .fold(0_u64, |n, b| n.wrapping_mul(10).wrapping_add(u64::from(b & 15)));
            self = match self {
                Length::Unset if digits => Length::Known(number),
                Length::Known(known) if digits && known == number => self,
                _ => return Length::Conflict,
            };
        }
        self
    }
}

impl Encoding {
    fn and(self, value: &[u8]) -> Encoding {
        let next = match value {
            b"" => Encoding::Identity,
            _ if value.eq_ignore_ascii_case(b"identity") => Encoding::Identity,
            _ if value.eq_ignore_ascii_case(b"gzip") || value.eq_ignore_ascii_case(b"x-gzip") => {
                Encoding::Gzip
            }
            _ if value.eq_ignore_ascii_case(b"deflate") => Encoding::Deflate,
            _ => Encoding::Other,
        };
        match (self, next) {
            (Encoding::Identity, next) => next,
            (old, Encoding::Identity) => old,
            _ => Encoding::Other,
        }
    }
}

fn content(value: &[u8]) -> Content {
    let json = |at: usize| starts_with(&value[at..], b"json");
    if memchr::memchr2_iter(b'j', b'J', value).any(json) {
        Content::Json
    } else if starts_with(value, b"text/") {
        Content::Text
    } else if starts_with(value, b"application/x-www-form-urlencoded") {
        Content::Form
    } else {
        Content::Other
    }
}

fn starts_with(value: &[u8], prefix: &[u8]) -> bool {
    value
        .get(..prefix.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}
