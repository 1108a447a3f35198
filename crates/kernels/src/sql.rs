//! Normal forms of SQL statements: constants become parameters.
//!
//! Works on tokens, not on a grammar: what begins with a statement's word is normalised, also where no parser could
//! read on. Numbers and strings are constants; TRUE, FALSE and NULL are not. Everything else, white space and comments
//! included, stays as it is.

use crate::push_json;

/// Which rules of quoting and parameters a statement follows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Dialect {
    /// `$1` parameters, `"` quotes names, `$tag$` quotes strings, `E''` escapes with backslashes.
    Postgres,
    /// `?` parameters, `"` and `'` quote strings with backslash escapes, `` ` `` quotes names, `#` begins a comment.
    MySql,
}

/// Commands of the MySQL protocol that carry a statement.
const MYSQL_QUERY: i64 = 3;
const MYSQL_EXECUTE: i64 = 23;

/// `{"query": ..., "params": [...]}` of a PostgreSQL message, or `{"error": ...}`.
pub fn normalize_pgsql(request: &str, command: &str, out: &mut String) {
    match command {
        "Query" => normalize(request, &[], Dialect::Postgres, out),
        "Execute" => prepared(request, Dialect::Postgres, out),
        _ => error("command is neither Query nor Execute", out),
    }
}

/// `{"query": ..., "params": [...]}` of a MySQL message, or `{"error": ...}`.
pub fn normalize_mysql(request: &str, command: i64, out: &mut String) {
    match command {
        MYSQL_QUERY => normalize(request, &[], Dialect::MySql, out),
        MYSQL_EXECUTE => prepared(request, Dialect::MySql, out),
        _ => error("command is neither a query (3) nor an execution (23)", out),
    }
}

fn error(what: &str, out: &mut String) {
    out.push_str("{\"error\":");
    push_json(out, what);
    out.push('}');
}

/// An execution reads `query=[SQL] params=[a, b]`.
fn prepared(request: &str, dialect: Dialect, out: &mut String) {
    let parts = request
        .trim_end()
        .strip_prefix("query=[")
        .and_then(|rest| rest.strip_suffix(']'))
        .and_then(|rest| rest.rsplit_once("] params=["));
    match parts {
        Some((query, "")) => normalize(query, &[], dialect, out),
        Some((query, params)) => normalize(query, &params.split(", ").collect::<Vec<_>>(), dialect, out),
        None => normalize(request, &[], dialect, out),
    }
}

/// Whether a statement of PostgreSQL or MySQL begins with this word.
fn begins_statement(word: &str) -> bool {
    #[rustfmt::skip]
    const WORDS: [&str; 84] = [
        "abort", "alter", "analyse", "analyze", "begin", "binlog", "cache", "call", "case", "change", "check", "checkpoint",
        "checksum", "clone", "close", "cluster", "comment", "commit", "copy", "create", "deallocate", "declare", "delete",
        "desc", "describe", "discard", "do", "drop", "end", "execute", "explain", "fetch", "flush", "get", "grant", "handler",
        "help", "if", "import", "insert", "install", "kill", "listen", "load", "lock", "merge", "move", "notify", "open",
        "optimize", "prepare", "purge", "reassign", "refresh", "reindex", "release", "rename", "repair", "replace", "reset",
        "resignal", "restart", "revoke", "rollback", "savepoint", "security", "select", "set", "show", "shutdown", "signal",
        "start", "stop", "table", "truncate", "uninstall", "unlisten", "unlock", "update", "use", "vacuum", "values",
        "with", "xa",
    ];
    WORDS
        .binary_search_by(|known| {
            known
                .bytes()
                .cmp(word.bytes().map(|byte| byte.to_ascii_lowercase()))
        })
        .is_ok()
}

struct Scanner<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    dialect: Dialect,
}

enum Token {
    Other,
    Constant,
    /// `$n`, or `?` (0).
    Parameter(usize),
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

impl Scanner<'_> {
    fn peek(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn skip_while(&mut self, accept: impl Fn(u8) -> bool) {
        while self.bytes.get(self.at).is_some_and(|&byte| accept(byte)) {
            self.at += 1;
        }
    }

    /// Moves behind the closing quote; a doubled quote is one of the text.
    fn quoted(&mut self, quote: u8, escapes: bool) -> Result<(), &'static str> {
        self.at += 1;
        loop {
            match self.bytes.get(self.at) {
                None => return Err("a quoted text has no end"),
                Some(b'\\') if escapes => self.at += 2,
                Some(&byte) if byte == quote && self.peek(1) == quote => self.at += 2,
                Some(&byte) if byte == quote => {
                    self.at += 1;
                    return Ok(());
                }
                Some(_) => self.at += 1,
            }
        }
    }

    fn find(&mut self, end: &str, missing: &'static str) -> Result<(), &'static str> {
        let from = self.at.min(self.bytes.len());
        let rest = self.text.get(from..).ok_or(missing)?;
        self.at = from + rest.find(end).ok_or(missing)? + end.len();
        Ok(())
    }

    fn number(&mut self) {
        if self.peek(0) == b'0' && matches!(self.peek(1), b'x' | b'X' | b'b' | b'B' | b'o' | b'O') {
            self.at += 2;
            self.skip_while(is_word);
            return;
        }
        self.skip_while(|byte| byte.is_ascii_digit() || byte == b'_');
        if self.peek(0) == b'.' && self.peek(1) != b'.' {
            self.at += 1;
            self.skip_while(|byte| byte.is_ascii_digit());
        }
        if matches!(self.peek(0), b'e' | b'E') {
            let sign = usize::from(matches!(self.peek(1), b'+' | b'-'));
            if self.peek(1 + sign).is_ascii_digit() {
                self.at += 1 + sign;
                self.skip_while(|byte| byte.is_ascii_digit());
            }
        }
    }

    /// `$1`, `$tag$text$tag$`, or a lone `$`.
    fn dollar(&mut self) -> Result<Token, &'static str> {
        let start = self.at;
        self.at += 1;
        self.skip_while(is_word);
        let word = &self.text[start + 1..self.at];
        if let Ok(number) = word.parse() {
            return Ok(Token::Parameter(number));
        }
        if self.peek(0) != b'$' {
            return Ok(Token::Other);
        }
        self.at += 1;
        let tag = &self.text[start..self.at];
        self.find(tag, "a dollar-quoted text has no end")?;
        Ok(Token::Constant)
    }

    fn word(&mut self) -> Result<Token, &'static str> {
        let start = self.at;
        self.skip_while(|byte| is_word(byte) || byte == b'$');
        if self.peek(0) == b'\'' && self.at - start == 1 {
            let prefix = self.bytes[start].to_ascii_lowercase();
            if matches!(prefix, b'e' | b'b' | b'x' | b'n' | b'u') {
                self.quoted(b'\'', prefix == b'e' || self.dialect == Dialect::MySql)?;
                return Ok(Token::Constant);
            }
        }
        Ok(Token::Other)
    }

    fn token(&mut self) -> Result<Token, &'static str> {
        let mysql = self.dialect == Dialect::MySql;
        match self.peek(0) {
            b'\'' => self.quoted(b'\'', mysql).map(|()| Token::Constant),
            b'"' if mysql => self.quoted(b'"', true).map(|()| Token::Constant),
            b'"' => self.quoted(b'"', false).map(|()| Token::Other),
            b'`' if mysql => self.quoted(b'`', false).map(|()| Token::Other),
            b'-' if self.peek(1) == b'-' => {
                self.skip_while(|byte| byte != b'\n');
                Ok(Token::Other)
            }
            b'#' if mysql => {
                self.skip_while(|byte| byte != b'\n');
                Ok(Token::Other)
            }
            b'/' if self.peek(1) == b'*' => {
                self.at += 2;
                self.find("*/", "a comment has no end").map(|()| Token::Other)
            }
            b'$' if !mysql => self.dollar(),
            b'?' if mysql => {
                self.at += 1;
                Ok(Token::Parameter(0))
            }
            b'0'..=b'9' => {
                self.number();
                Ok(Token::Constant)
            }
            b'.' if self.peek(1).is_ascii_digit() => {
                self.number();
                Ok(Token::Constant)
            }
            byte if is_word(byte) => self.word(),
            _ => {
                self.at += 1;
                Ok(Token::Other)
            }
        }
    }
}

fn normalize(sql: &str, given: &[&str], dialect: Dialect, out: &mut String) {
    let mut scanner = Scanner {
        text: sql,
        bytes: sql.as_bytes(),
        at: 0,
        dialect,
    };
    // Where each constant or parameter stands, and the parameter's number.
    let mut places: Vec<(usize, usize, Option<usize>)> = Vec::new();
    let mut begun = false;
    while scanner.at < scanner.bytes.len() {
        let start = scanner.at;
        let found = scanner.token();
        if !begun && found.is_ok() {
            let text = &sql[start..scanner.at.min(sql.len())];
            // Blanks, comments and what may stand around the first statement.
            begun = !(text.len() == 1
                && text.contains([' ', '\t', '\r', '\n', '\x0b', '\x0c', '(', ';', '{'])
                || text.starts_with("--")
                || text.starts_with("/*")
                || (text.starts_with('#') && dialect == Dialect::MySql));
            if begun && !begins_statement(text) {
                return error("the text begins with no SQL statement", out);
            }
        }
        match found {
            Ok(Token::Other) => {}
            Ok(Token::Constant) => places.push((start, scanner.at.min(sql.len()), None)),
            Ok(Token::Parameter(number)) => places.push((start, scanner.at, Some(number))),
            Err(what) => return error(what, out),
        }
    }
    // PostgreSQL's new numbers follow those in use; MySQL's parameters go by position.
    let used = places
        .iter()
        .filter_map(|&(.., number)| number)
        .max()
        .unwrap_or(0);
    let mut next = used.max(given.len()).min(usize::from(u16::MAX));
    let mut params: Vec<&str> = if dialect == Dialect::Postgres {
        given.to_vec()
    } else {
        Vec::new()
    };
    if dialect == Dialect::Postgres {
        params.resize(next.min(places.len() + given.len()), "");
        next = params.len().max(next);
    }
    let mut given = given.iter();
    let mut query = String::with_capacity(sql.len());
    let mut plain = 0;
    for (start, end, number) in places {
        let Some(between) = sql.get(plain..start) else {
            return error("a quoted text has no end", out);
        };
        let Some(text) = sql.get(start..end) else {
            return error("a quoted text has no end", out);
        };
        query.push_str(between);
        plain = end;
        match (dialect, number) {
            (Dialect::Postgres, Some(_)) => query.push_str(text),
            (Dialect::Postgres, None) => {
                next += 1;
                query.push('$');
                query.push_str(&next.to_string());
                params.push(text);
            }
            (Dialect::MySql, Some(_)) => {
                query.push('?');
                params.push(given.next().copied().unwrap_or(""));
            }
            (Dialect::MySql, None) => {
                query.push('?');
                params.push(text);
            }
        }
    }
    query.push_str(&sql[plain..]);
    out.push_str("{\"query\":");
    push_json(out, &query);
    out.push_str(",\"params\":[");
    for (at, param) in params.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        push_json(out, param);
    }
    out.push_str("]}");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pg(sql: &str, command: &str) -> String {
        let mut out = String::new();
        normalize_pgsql(sql, command, &mut out);
        out
    }

    fn my(sql: &str, command: i64) -> String {
        let mut out = String::new();
        normalize_mysql(sql, command, &mut out);
        out
    }

    #[test]
    fn postgres() {
        assert_eq!(
            pg(
                "SELECT t1.a FROM \"T 2\" WHERE b = 'it''s' AND c > -1.5e3 -- '",
                "Query"
            ),
            r#"{"query":"SELECT t1.a FROM \"T 2\" WHERE b = $1 AND c > -$2 -- '","params":["'it''s'","1.5e3"]}"#
        );
        assert_eq!(
            pg("select E'a\\'b', $x$it's$x$", "Query"),
            r#"{"query":"select $1, $2","params":["E'a\\'b'","$x$it's$x$"]}"#
        );
        assert_eq!(
            pg("query=[SELECT $1, 5] params=[a, b]", "Execute"),
            r#"{"query":"SELECT $1, $3","params":["a","b","5"]}"#
        );
        assert_eq!(
            pg("SELECT $2, 7", "Query"),
            r#"{"query":"SELECT $2, $3","params":["","","7"]}"#
        );
        assert!(pg("SELECT 'x", "Query").starts_with(r#"{"error":"#));
        assert!(pg("SELECT 1", "Parse").starts_with(r#"{"error":"#));
        for text in [
            "garbage (((",
            "17",
            "'a'",
            "$1",
            "selects 1",
            "POST / HTTP/1.1",
            "\0",
            "é",
            "-",
            "\"a\"",
        ] {
            assert_eq!(
                pg(text, "Query"),
                r#"{"error":"the text begins with no SQL statement"}"#,
                "{text}"
            );
        }
        for text in [
            "",
            " ;",
            "-- c",
            "/* c */",
            "( Select a",
            "wItH x",
            "xa",
            "\n-- c\n/* d */ vacuum",
            "{call f}",
        ] {
            assert!(pg(text, "Query").starts_with(r#"{"query":"#), "{text}");
        }
    }

    #[test]
    fn mysql() {
        assert_eq!(
            my("SELECT `a 1` FROM t WHERE b = \"x\\\"y\" AND c = 0x1F # 'z", 3),
            r#"{"query":"SELECT `a 1` FROM t WHERE b = ? AND c = ? # 'z","params":["\"x\\\"y\"","0x1F"]}"#
        );
        assert_eq!(
            my("query=[SELECT ?, 5, ?] params=[a, b]", 23),
            r#"{"query":"SELECT ?, ?, ?","params":["a","5","b"]}"#
        );
        assert!(my("SELECT 1", 22).starts_with(r#"{"error":"#));
    }

    #[test]
    fn any_bytes_give_json() {
        for text in [
            "'\\",
            "$",
            "$$",
            "$99999999999999999999",
            "$4294967295 1",
            "/*",
            "é'é\\",
            "\"",
            "1.",
            "..1",
            "e'",
        ] {
            for json in [pg(text, "Query"), my(text, 3), pg(text, "Execute"), my(text, 23)] {
                assert!(
                    serde_json::from_str::<serde_json::Value>(&json).is_ok(),
                    "{text}: {json}"
                );
            }
        }
    }
}
