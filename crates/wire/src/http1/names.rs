//! Header names of one direction, remembered: peers send the same names in the same order again and again, and only
//! values are new. Each name predicts the one after it, so that reading a block is comparing and looking for line ends.
//! What a sequence of names means (order of the JSON, arrays, facts) is worked out once.

use std::ops::Range;

use super::facts::{Facts, Kind};
use super::headers::{order, token, trim};
use crate::json::{Json, Pair, Piece};
use crate::lanes;

/// Longest name that is remembered: `,"`, it and `":"` are a piece.
const LONGEST: usize = 58;
/// Names remembered. One more, and all are forgotten.
const NAMES: usize = 256;
/// Places to find them at; a power of two.
const PLACES: usize = 4 * NAMES;
/// Most headers of a block that is read here.
const FIELDS: usize = 64;
const SHAPES: usize = 64;

/// A name's place in the list of names.
type Id = u16;
const NONE: Id = Id::MAX;

/// A header's name.
#[derive(Debug)]
struct Name {
    /// As it is sent, with the colon and the blank after it, if there is one.
    wire: [u8; LONGEST + 2],
    wire_length: u8,
    /// As it is written: `,"name":"`.
    piece: Piece,
    piece_length: u8,
    kind: Option<Kind>,
    /// The name that came after it last.
    next: Id,
}

impl Name {
    fn name(&self) -> &[u8] {
        &self.piece[2..usize::from(self.piece_length) - 3]
    }

    /// Whether `line` starts with it.
    #[inline]
    fn starts(&self, line: &[u8]) -> bool {
        let length = usize::from(self.wire_length);
        if let (0..=32, Some(line)) = (length, line.first_chunk::<32>()) {
            let same = |at| lanes::equal(&lanes::load(line, at), &lanes::load(&self.wire, at));
            let different = !(same(0) | same(16) << 16);
            return u64::from(different) & ((1 << length) - 1) == 0;
        }
        line.starts_with(&self.wire[..length])
    }
}

/// Where in the block a value is.
#[derive(Clone, Copy, Debug, Default)]
struct Value {
    start: u32,
    end: u32,
    /// It needs no escapes; not always known.
    plain: bool,
}

/// What to write around a value.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// The only one of its name.
    Single,
    First,
    Middle,
    Last,
}

/// A header to write.
#[derive(Clone, Copy, Debug)]
struct Step {
    field: u8,
    name: Id,
    place: Place,
}

/// What a sequence of names means.
#[derive(Debug, Default)]
struct Shape {
    names: Vec<Id>,
    /// Headers in the order of the JSON.
    order: Vec<Step>,
    /// A name comes more than once.
    repeats: bool,
    facts: Vec<(u8, Kind)>,
}

/// The names of one direction, and the block that was read last.
#[derive(Debug)]
pub(super) struct Names {
    list: Vec<Name>,
    places: Vec<Id>,
    shapes: Vec<Shape>,
    /// The name that the last block started with.
    first: Id,
    /// Names and values of the block read last.
    ids: [Id; FIELDS],
    values: [Value; FIELDS],
    count: usize,
    /// Of its names.
    hash: u64,
}

impl Default for Names {
    fn default() -> Self {
        Names {
            list: Vec::new(),
            places: Vec::new(),
            shapes: Vec::new(),
            first: NONE,
            ids: [NONE; FIELDS],
            values: [Value::default(); FIELDS],
            count: 0,
            hash: 0,
        }
    }
}

impl Names {
    /// Reads the block that `data` starts with, up to and with the empty line: its length, or none if it is incomplete
    /// or anything but plain lines of name, colon and value.
    pub(super) fn read(&mut self, data: &[u8]) -> Option<usize> {
        if self.places.is_empty() || self.list.len() >= NAMES {
            self.forget();
        }
        let data = &data[..data.len().min(u32::MAX as usize)];
        let (mut at, mut count, mut hash) = (0, 0, 0);
        let (mut last, mut guess) = (NONE, self.first);
        loop {
            let line = data.get(at..)?;
            let (id, length, next) = match self.list.get(usize::from(guess)) {
                Some(name) if name.starts(line) => (guess, usize::from(name.wire_length), name.next),
                _ => {
                    let end = match line {
                        [b'\n', ..] => Some(at + 1),
                        [b'\r', b'\n', ..] => Some(at + 2),
                        _ => None,
                    };
                    let found = match end {
                        Some(_) => (NONE, 0, NONE),
                        None => self.find(line)?,
                    };
                    if guess != found.0 {
                        match self.list.get_mut(usize::from(last)) {
                            Some(last) => last.next = found.0,
                            None => self.first = found.0,
                        }
                    }
                    if end.is_some() {
                        (self.count, self.hash) = (count, hash);
                        return end;
                    }
                    found
                }
            };
            let (end, plain) = lanes::line_end(data, at + length)?;
            let value = value(data, at + length..end, plain);
            *self.ids.get_mut(count)? = id;
            *self.values.get_mut(count)? = Value {
                start: value.start as u32,
                end: value.end as u32,
                plain,
            };
            count += 1;
            hash = mix(hash, u64::from(id));
            (last, guess) = (id, next);
            at = end + 1;
        }
    }

    /// Writes the JSON of the block read last to `json`, emptied first; past `cap` bytes it stops after the value in hand.
    pub(super) fn write(&mut self, block: &[u8], cap: usize, json: &mut Json) -> Facts {
        let (ids, values) = (&self.ids[..self.count], &self.values[..self.count]);
        let shape = &mut self.shapes[(self.hash >> 32) as usize % SHAPES];
        if shape.names != *ids {
            shape.learn(ids, &self.list);
        }
        let range = |field: u8| {
            let value = &values[usize::from(field)];
            value.start as usize..value.end as usize
        };
        json.clear();
        let pair = |step: &Step| {
            let name = &self.list[usize::from(step.name)];
            Pair {
                piece: &name.piece,
                length: usize::from(name.piece_length),
                value: range(step.field),
                plain: values[usize::from(step.field)].plain,
            }
        };
        if shape.repeats {
            for step in &shape.order {
                if json.len() > cap {
                    break;
                }
                let pair = pair(step);
                match step.place {
                    Place::Single => {
                        json.push(&pair.piece[..pair.length]);
                    }
                    Place::First => {
                        json.push(&pair.piece[..pair.length - 1]);
                        json.push(b"[\"");
                    }
                    Place::Middle | Place::Last => json.push(b",\""),
                }
                json.finish_string(block, pair.value);
                if let Place::Last = step.place {
                    json.push(b"]");
                }
            }
        } else {
            json.push_pairs(block, cap, block.len(), shape.order.iter().map(pair));
        }
        if shape.order.is_empty() {
            json.push(b"{");
        }
        json.set_first(b'{');
        json.push(b"}");
        let mut facts = Facts::default();
        for &(field, kind) in &shape.facts {
            facts.add(kind, &block[range(field)]);
        }
        facts
    }

    /// Looks the name that `line` starts with up, or remembers it: its place, its length with
    /// what is after it, and the name that came next.
    #[inline(never)]
    fn find(&mut self, line: &[u8]) -> Option<(Id, usize, Id)> {
        let length = token(&line[..line.len().min(LONGEST + 1)]);
        if length == 0 || length > LONGEST || line.get(length) != Some(&b':') {
            return None;
        }
        let blank = line.get(length + 1) == Some(&b' ');
        let wire = &line[..length + 1 + usize::from(blank)];
        let hash = wire
            .chunks(8)
            .fold(0, |hash, bytes| mix(hash, lanes::word(bytes)));
        let mut place = (hash >> 32) as usize % PLACES;
        while let Some(name) = self.list.get(usize::from(self.places[place])) {
            if name.wire[..usize::from(name.wire_length)] == *wire {
                return Some((self.places[place], wire.len(), name.next));
            }
            place = (place + 1) % PLACES;
        }
        if self.list.len() >= NAMES {
            return None;
        }
        let id = self.list.len() as Id;
        let (mut bytes, mut piece) = ([0; LONGEST + 2], [0; size_of::<Piece>()]);
        bytes[..wire.len()].copy_from_slice(wire);
        piece[..2].copy_from_slice(b",\"");
        piece[2..length + 2].copy_from_slice(&line[..length]);
        piece[length + 2..length + 5].copy_from_slice(b"\":\"");
        self.list.push(Name {
            wire: bytes,
            wire_length: wire.len() as u8,
            piece,
            piece_length: length as u8 + 5,
            kind: Kind::of(&line[..length]),
            next: NONE,
        });
        self.places[place] = id;
        Some((id, wire.len(), NONE))
    }

    #[cold]
    fn forget(&mut self) {
        self.list.clear();
        self.places.clear();
        self.places.resize(PLACES, NONE);
        self.shapes.clear();
        self.shapes.resize_with(SHAPES, Shape::default);
        self.first = NONE;
    }
}

impl Shape {
    /// Works out what `ids` mean.
    #[inline(never)]
    fn learn(&mut self, ids: &[Id], list: &[Name]) {
        self.names.clear();
        self.names.extend_from_slice(ids);
        self.order.clear();
        self.order.extend((0..).zip(ids).map(|(field, &name)| Step {
            field,
            name,
            place: Place::Single,
        }));
        let name = |step: &Step| list[usize::from(step.name)].name();
        self.order.sort_by(|a, b| order(name(a), name(b)));
        self.repeats = false;
        for same in self
            .order
            .chunk_by_mut(|a, b| name(a).eq_ignore_ascii_case(name(b)))
        {
            if let [first, middle @ .., last] = same {
                self.repeats = true;
                first.place = Place::First;
                middle.iter_mut().for_each(|m| m.place = Place::Middle);
                last.place = Place::Last;
            }
        }
        self.facts.clear();
        self.facts.extend(
            (0..)
                .zip(ids)
                .filter_map(|(field, &id)| Some((field, list[usize::from(id)].kind?))),
        );
    }
}

/// `trim`, quicker if all of `range` is plain, but for a CR at its end.
#[inline(always)]
fn value(data: &[u8], range: Range<usize>, plain: bool) -> Range<usize> {
    if let (true, [first, .., last, b'\r']) = (plain, &data[range.clone()])
        && *first != b' '
        && *last != b' '
    {
        return range.start..range.end - 1;
    }
    trim(data, range)
}

fn mix(hash: u64, word: u64) -> u64 {
    (hash.rotate_left(23) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

#[cfg(test)]
mod tests {
    use super::super::headers;
    use super::*;
    use proptest::prelude::*;

    /// Reads `block` here and in the other way, and compares; whether it could be read here.
    fn same(names: &mut Names, block: &[u8], cap: usize) -> bool {
        let (mut ours, mut theirs) = (Json::default(), Json::default());
        let Some(length) = names.read(block) else {
            return false;
        };
        let block = &block[..length];
        let facts = names.write(block, cap, &mut ours);
        assert_eq!(facts, headers::read(block, cap, &mut Vec::new(), &mut theirs));
        let cut = |json: &Json| json.bytes()[..json.len().min(cap + 1)].escape_ascii().to_string();
        assert_eq!(cut(&ours), cut(&theirs), "{}", block.escape_ascii());
        true
    }

    #[test]
    fn plain_blocks_only() {
        let mut names = Names::default();
        for block in [
            &b"\r\n"[..],
            b"\n",
            b"A: b\r\n\r\n",
            b"A:b\n\n",
            b"A:\r\n\r\n",
            b"b: \"\\\xff\r\nA: 1\r\nB:2 \r\nb:3\t\r\n\r\n",
            b"b: \"\\\xff\r\nA: 1\r\nB:2 \r\nb:3\t\r\n\r\n",
        ] {
            assert!(same(&mut names, block, 99), "{}", block.escape_ascii());
        }
        for block in [
            &b""[..],
            b"A: b\r\n",
            b"A: b\r\n\r",
            b" A: b\r\n\r\n",
            b"A: b\r\n c\r\n\r\n",
            b"A : b\r\n\r\n",
            b": b\r\n\r\n",
            b"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA: b\r\n\r\n",
        ] {
            assert_eq!(names.read(block), None, "{}", block.escape_ascii());
        }
        assert_eq!(names.read(&[&b"A: b\r\n".repeat(65)[..], b"\r\n"].concat()), None);
    }

    #[test]
    fn forgets_names_before_there_are_too_many() {
        let mut names = Names::default();
        let mut refused = 0;
        for n in 0..2000 {
            let block = format!("Host: a\r\nX-{n}: b\r\nX-{}: c\r\n\r\n", n / 2);
            refused += u32::from(!same(&mut names, block.as_bytes(), 99));
            assert!(names.list.len() <= NAMES);
        }
        assert!(refused <= 20, "{refused}");
    }

    fn block() -> impl Strategy<Value = Vec<u8>> {
        let name = prop_oneof![
            8 => prop::sample::select(vec![
                "Host", "host", "Accept", "Accept-Encoding", "Content-Length", "content-type", "Set-Cookie",
                "Access-Control-Allow-Credentials", "Upgrade", "Transfer-Encoding", "Content-Encoding", "X",
            ]).prop_map(str::to_owned),
            1 => "[A-Za-z0-9!#~-]{1,60}",
        ];
        let value = prop_oneof![
            4 => "[ -~]{0,40}".prop_map(String::into_bytes),
            1 => prop::sample::select(vec!["12", "gzip", "chunked", "application/json", "websocket", "text/html"])
                .prop_map(|v| v.as_bytes().to_vec()),
            1 => prop::collection::vec(any::<u8>().prop_filter("line end", |&b| b != b'\n'), 0..40),
        ];
        let end = prop::sample::select(vec!["\r\n", "\r\n", "\n", " \r\n", "\r\r\n"]);
        let colon = prop::sample::select(vec![": ", ": ", ":", ":  ", ":\t"]);
        prop::collection::vec((name, colon, value, end), 0..12).prop_map(|lines| {
            let mut block = Vec::new();
            for (name, colon, value, end) in lines {
                block
                    .extend_from_slice(&[name.as_bytes(), colon.as_bytes(), &value, end.as_bytes()].concat());
            }
            block.extend_from_slice(b"\r\n");
            block
        })
    }

    proptest! {
        #[test]
        fn agrees_with_the_other_way(blocks in prop::collection::vec(block(), 1..8), cap in 0..600_usize) {
            let mut names = Names::default();
            for block in blocks.iter().chain(&blocks) {
                let long = block.split(|&b| b == b'\n').any(|l| l.iter().position(|&b| b == b':') > Some(LONGEST));
                prop_assert!(same(&mut names, block, cap) || long);
            }
        }
    }
}
