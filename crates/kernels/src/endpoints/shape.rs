//! What a component of a path looks like: an identifier, a value, a word.

/// Kinds of components, from surely fixed to surely varying.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// A version of an API, or nothing between two slashes: never a parameter.
    Fixed,
    /// Letters: a resource, an action or somebody's name. Only its siblings can tell.
    Word,
    /// A file name, a word with digits, encoded text: a parameter when a few of them stand in one place.
    Value,
    /// A number, a UUID, a hash, an address, a date: a parameter wherever it stands.
    Identifier,
}

pub(super) fn shape(component: &str) -> Shape {
    let bytes = component.as_bytes();
    if bytes.is_empty() || is_version(bytes) {
        return Shape::Fixed;
    }
    let digits = bytes.iter().filter(|byte| byte.is_ascii_digit()).count();
    let letters = bytes.iter().filter(|byte| byte.is_ascii_alphabetic()).count();
    let at = component.split_once('@');
    if digits == bytes.len()
        || at.is_some_and(|(user, host)| !user.is_empty() && host.contains('.'))
        || is_hexadecimal(bytes, digits)
        || (digits > 0 && bytes.len() >= 20)
        || (bytes.len() >= 6 && digits >= letters && digits > 0)
        || component
            .split(['.', '-', '_'])
            .any(|part| is_hash(part.as_bytes()))
    {
        return Shape::Identifier;
    }
    if digits > 0 || bytes.len() >= 32 || !component.is_ascii() || has_extension(component) {
        return Shape::Value;
    }
    if bytes.iter().any(|byte| b"%:,=;@+!~".contains(byte)) {
        return Shape::Value;
    }
    Shape::Word
}

/// `v1`, `v2.1`, `v1beta2`.
fn is_version(bytes: &[u8]) -> bool {
    let Some((b'v' | b'V', rest)) = bytes.split_first() else {
        return false;
    };
    let lead = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if !(1..=3).contains(&lead) {
        return false;
    }
    let rest = &rest[lead..];
    let rest = rest
        .strip_prefix(b"alpha")
        .or(rest.strip_prefix(b"beta"))
        .or(rest.strip_prefix(b"."))
        .unwrap_or(rest);
    rest.len() <= 3 && rest.iter().all(u8::is_ascii_digit)
}

/// A UUID or another long hexadecimal number.
fn is_hexadecimal(bytes: &[u8], digits: usize) -> bool {
    digits > 0 && bytes.len() >= 8 && bytes.iter().all(|byte| byte.is_ascii_hexdigit() || *byte == b'-')
}

/// Part of a name that a build or an orchestrator made up: hexadecimal, with letters and digits.
fn is_hash(part: &[u8]) -> bool {
    part.len() >= 8
        && part.iter().all(u8::is_ascii_hexdigit)
        && part.iter().any(u8::is_ascii_digit)
        && part.iter().any(u8::is_ascii_alphabetic)
}

/// A file name: `logo.png`, but not `cart.v1.CartService`.
fn has_extension(component: &str) -> bool {
    component.rsplit_once('.').is_some_and(|(stem, extension)| {
        !stem.is_empty()
            && (1..=5).contains(&extension.len())
            && extension.bytes().all(|byte| byte.is_ascii_lowercase())
    })
}

/// Words that name an action or a part of a service rather than somebody or something.
const ACTIONS: [&str; 34] = [
    "auth",
    "authorize",
    "callback",
    "cart",
    "checkout",
    "config",
    "count",
    "env",
    "export",
    "feed",
    "health",
    "healthz",
    "import",
    "info",
    "latest",
    "live",
    "login",
    "logout",
    "me",
    "new",
    "profile",
    "ready",
    "refresh",
    "register",
    "reset",
    "search",
    "signin",
    "signup",
    "token",
    "upload",
    "verify",
    "version",
    "webhook",
    "whoami",
];
const VERBS: [&str; 10] = [
    "add", "batch", "create", "delete", "get", "list", "remove", "send", "set", "update",
];

/// Whether a word names a resource (a plural) or an action.
pub(super) fn is_resource(word: &str) -> bool {
    let lower = word.to_ascii_lowercase();
    is_plural(&lower)
        || ACTIONS.contains(&lower.as_str())
        || VERBS.iter().any(|verb| {
            // getUser, get_user, get-user; not "address".
            lower.starts_with(verb)
                && word[verb.len()..]
                    .chars()
                    .next()
                    .is_none_or(|next| next.is_ascii_uppercase() || "-_".contains(next))
        })
}

/// Whether a word is the name of a collection, whose members follow it.
pub(super) fn is_plural(word: &str) -> bool {
    word.len() > 3 && word.ends_with('s') && !word.ends_with("ss")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes() {
        for (component, wanted) in [
            ("", Shape::Fixed),
            ("v1", Shape::Fixed),
            ("v1beta2", Shape::Fixed),
            ("V2.1", Shape::Fixed),
            ("users", Shape::Word),
            ("GetCart", Shape::Word),
            ("reset-password", Shape::Word),
            ("cart.v.CartService", Shape::Word),
            ("deadbeef", Shape::Word),
            ("logo.png", Shape::Value),
            ("oauth2", Shape::Value),
            ("a%20b", Shape::Value),
            ("münchen", Shape::Value),
            ("17", Shape::Identifier),
            ("-0.5e", Shape::Value),
            ("2024-01-02", Shape::Identifier),
            ("2024-01-02T03:04:05Z", Shape::Identifier),
            ("0a1b2c3d-0000-4000-8000-000000000000", Shape::Identifier),
            ("main.0a1b2c3d.js", Shape::Identifier),
            ("web-7d4b9c6f5d-x2x9z", Shape::Identifier),
            ("ann@example.org", Shape::Identifier),
            ("INV-000123", Shape::Identifier),
            ("dQw4w9WgXcQdQw4w9WgXcQ", Shape::Identifier),
        ] {
            assert_eq!(shape(component), wanted, "{component}");
        }
    }

    #[test]
    fn resources() {
        for word in ["users", "login", "getUser", "list", "createOrder", "Health"] {
            assert!(is_resource(word), "{word}");
        }
        for word in ["alice", "address", "apple", "adam", "setup", "phone", "us"] {
            assert!(!is_resource(word), "{word}");
        }
    }
}
