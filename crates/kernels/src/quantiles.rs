//! Quantiles of many numbers in little memory: a digest that keeps its first numbers as they are.
//!
//! Up to `EXACT` numbers are kept. More become centroids, as in a merging t-digest (Dunning and Ertl, "Computing extremely
//! accurate quantiles using t-digests"): each stands for neighbours of at most `width * sqrt(q (1 - q))` of all, so the
//! tails are finer than the middle. The least and the greatest number are always kept. Numbers are finite; the rest is
//! passed over.
//!
//! As bytes: a kind, a count, then ascending numbers as differences. A digest that travels has no weights: its numbers are
//! those at the centres of parts that follow from the count alone (`parts`).

#[cfg(test)]
mod tests;

/// Numbers that are kept as they are.
const EXACT: usize = 256;
/// Numbers that travel as they are: all that are kept, so that few rows give what one store gives.
const SENT: usize = EXACT;
/// Of these, where there are many digests.
const SENT_OF_MANY: usize = 64;
/// Width of the centroids held.
const HELD_WIDTH: f64 = 0.025;
/// Width of the parts that travel. Half of it, at q = 0.5, is the most that one of them is wrong by: 0.014.
const SENT_WIDTH: f64 = 0.055;
/// Centroids beyond which they are made fewer.
const MOST: usize = 320;
/// Integers up to here are floats exactly.
const INTEGERS: f64 = 9_007_199_254_740_992.0;
/// Numbers that a digest may stand for.
const COUNT: u64 = 1 << 53;

const INTEGER_VALUES: u8 = 0;
const FLOAT_VALUES: u8 = 1;
const INTEGER_PARTS: u8 = 2;
const FLOAT_PARTS: u8 = 3;
const CENTROIDS: u8 = 4;

#[derive(Clone, Copy, Debug, PartialEq)]
struct Centroid {
    mean: f64,
    weight: u64,
}

impl Centroid {
    fn merged(self, other: Self) -> Self {
        let weight = self.weight.saturating_add(other.weight);
        let share = other.weight as f64 / weight as f64;
        Self {
            mean: between(self.mean, other.mean, share),
            weight,
        }
    }
}

/// The number `share` of the way from `low` to `high`; equal ones stay exactly what they are.
fn between(low: f64, high: f64, share: f64) -> f64 {
    // Zero has one sign here, so that order is one order.
    (low * (1.0 - share) + high * share).clamp(low, high) + 0.0
}

/// The numbers of one group.
#[derive(Clone, Debug, Default)]
pub struct Digest {
    /// In any order, each once.
    values: Vec<f64>,
    /// Ascending.
    centroids: Vec<Centroid>,
    /// Whether one of the numbers in `centroids` is no integer.
    fractional: bool,
}

impl Digest {
    /// Adds a number; inf and nan are passed over.
    #[inline]
    pub fn add(&mut self, value: f64) {
        if value.is_finite() {
            if self.values.len() == EXACT {
                self.fold();
            }
            self.values.push(value + 0.0);
        }
    }

    /// Bytes that it takes.
    #[must_use]
    pub fn memory(&self) -> usize {
        size_of::<Self>()
            + self.values.capacity() * size_of::<f64>()
            + self.centroids.capacity() * size_of::<Centroid>()
    }

    /// Adds all of another digest.
    pub fn merge(&mut self, other: &Self) {
        for &value in &other.values {
            self.add(value);
        }
        if !other.centroids.is_empty() {
            self.take(&other.centroids, other.fractional);
        }
    }

    /// Adds all of a digest as bytes. On an error, which says what is wrong with them, nothing is added.
    pub fn merge_bytes(&mut self, bytes: &[u8]) -> Result<(), &'static str> {
        match decode(bytes)? {
            Decoded::Values(values) if self.values.is_empty() => self.values = values,
            Decoded::Values(values) => {
                self.values
                    .reserve_exact(values.len().min(EXACT - self.values.len()));
                values.into_iter().for_each(|value| self.add(value));
            }
            Decoded::Centroids(centroids, fractional) => self.take(&centroids, fractional),
        }
        Ok(())
    }

    /// The number below which the fraction `q` of the numbers lies; None of none. Between two it is interpolated.
    pub fn quantiles<const N: usize>(&self, ascending: [f64; N]) -> Option<[f64; N]> {
        let points = self.points();
        let count = total(&points);
        let mut walk = Walk::new(&points)?;
        Some(ascending.map(|q| walk.value(q * count as f64)))
    }

    /// Appends what `merge_bytes` reads, as exact as it is.
    pub fn encode(&self, out: &mut Vec<u8>) {
        if self.centroids.is_empty() {
            encode_values(&self.points(), out);
            return;
        }
        let points = self.points();
        out.push(CENTROIDS);
        push_varint(out, points.len() as u64);
        push_floats(out, points.iter().map(|point| point.mean));
        points.iter().for_each(|point| push_varint(out, point.weight));
    }

    /// Appends what `merge_bytes` reads, made to travel: as exact as it is for few numbers, smaller for more.
    pub fn encode_to_send(&self, out: &mut Vec<u8>) {
        let points = self.points();
        let count = total(&points).min(COUNT);
        if self.centroids.is_empty() && points.len() <= SENT {
            encode_values(&points, out);
            return;
        }
        self.encode_parts(&points, count, out);
    }

    fn encode_parts(&self, points: &[Centroid], count: u64, out: &mut Vec<u8>) {
        let Some(mut walk) = Walk::new(points) else {
            return;
        };
        let integers = !self.fractional && self.values.iter().all(|&value| is_integer(value));
        let mut begin = 0;
        let values: Vec<f64> = parts(count)
            .into_iter()
            .map(|weight| {
                let value = walk.value(begin as f64 + weight as f64 / 2.0);
                begin += weight;
                if integers { value.round() } else { value }
            })
            .collect();
        out.push(if integers { INTEGER_PARTS } else { FLOAT_PARTS });
        push_varint(out, count);
        if integers {
            push_integers(out, values.iter().copied());
        } else {
            push_floats(out, values.iter().copied());
        }
    }

    fn take(&mut self, centroids: &[Centroid], fractional: bool) {
        self.fractional |= fractional;
        self.centroids = merged(&self.centroids, centroids);
        if self.centroids.len() > MOST {
            self.centroids = fewer(&self.centroids);
        }
    }

    /// Values become centroids.
    fn fold(&mut self) {
        self.fractional |= !self.values.iter().all(|&value| is_integer(value));
        self.centroids = fewer(&self.points());
        self.values.clear();
    }

    /// All there is, ascending.
    fn points(&self) -> Vec<Centroid> {
        let mut values = self.values.clone();
        values.sort_unstable_by(f64::total_cmp);
        let values: Vec<Centroid> = values
            .into_iter()
            .map(|mean| Centroid { mean, weight: 1 })
            .collect();
        if self.centroids.is_empty() {
            values
        } else {
            merged(&self.centroids, &values)
        }
    }
}

/// Appends a digest that is less exact and smaller than this one, which was made to travel; few numbers stay as they are.
pub fn lighten(bytes: &[u8], out: &mut Vec<u8>) -> Result<(), &'static str> {
    if let Decoded::Values(values) = decode(bytes)?
        && values.len() > SENT_OF_MANY
    {
        let digest = Digest {
            values,
            ..Digest::default()
        };
        let points = digest.points();
        digest.encode_parts(&points, total(&points), out);
    } else {
        out.extend_from_slice(bytes);
    }
    Ok(())
}

fn total(points: &[Centroid]) -> u64 {
    points
        .iter()
        .fold(0, |sum, point| sum.saturating_add(point.weight))
}

fn is_integer(value: f64) -> bool {
    value.trunc() == value && value.abs() < INTEGERS
}

fn merged(one: &[Centroid], other: &[Centroid]) -> Vec<Centroid> {
    let mut all = Vec::with_capacity(one.len() + other.len());
    let (mut one, mut other) = (one.iter().peekable(), other.iter().peekable());
    while let (Some(&&a), Some(&&b)) = (one.peek(), other.peek()) {
        all.push(if a.mean <= b.mean { a } else { b });
        if a.mean <= b.mean {
            one.next()
        } else {
            other.next()
        };
    }
    all.extend(one);
    all.extend(other);
    all
}

/// The most that a centroid around the fraction `q` of `count` may weigh; never 0, however `q` is rounded.
fn heaviest(width: f64, q: f64, count: f64) -> f64 {
    width * (q * (1.0 - q)).max(f64::EPSILON).sqrt() * count
}

/// At most `MOST`: neighbours merged, but for the first and the last.
fn fewer(points: &[Centroid]) -> Vec<Centroid> {
    let mut width = HELD_WIDTH;
    loop {
        let made = narrowed(points, width);
        if made.len() <= MOST {
            return made;
        }
        // Only of weights that no numbers have had.
        width *= 2.0;
    }
}

fn narrowed(points: &[Centroid], width: f64) -> Vec<Centroid> {
    let count = total(points) as f64;
    let [first, rest @ .., last] = points else {
        return points.to_vec();
    };
    let mut made = Vec::with_capacity(MOST / 2);
    made.push(*first);
    let mut begin = first.weight as f64;
    let mut rest = rest.iter().copied();
    if let Some(mut current) = rest.next() {
        for next in rest {
            let both = current.merged(next);
            let centre = (begin + both.weight as f64 / 2.0) / count;
            if both.weight as f64 <= heaviest(width, centre, count) {
                current = both;
            } else {
                begin += current.weight as f64;
                made.push(current);
                current = next;
            }
        }
        made.push(current);
    }
    made.push(*last);
    made.shrink_to_fit();
    made
}

/// Weights of the parts that `count` numbers travel as: symmetric, of 1 at the ends, and at most some sixty.
fn parts(count: u64) -> Vec<u64> {
    let mut left = Vec::new();
    let mut begin = 0;
    loop {
        let heaviest = heaviest(SENT_WIDTH, begin as f64 / count as f64, count as f64);
        let weight = if begin == 0 { 1 } else { heaviest.max(1.0) as u64 };
        if begin + weight > count / 2 {
            break;
        }
        left.push(weight);
        begin += weight;
    }
    let rest = count - 2 * begin;
    let mut all = left.clone();
    all.extend(
        [rest / 2, rest - rest / 2]
            .into_iter()
            .filter(|&weight| weight > 0),
    );
    all.extend(left.into_iter().rev());
    all
}

/// Numbers at ascending ranks.
struct Walk<'a> {
    points: &'a [Centroid],
    /// Where `points[0]` begins, and its centre.
    begin: f64,
    centre: f64,
}

impl<'a> Walk<'a> {
    fn new(points: &'a [Centroid]) -> Option<Self> {
        let first = points.first()?;
        Some(Self {
            points,
            begin: 0.0,
            centre: first.weight as f64 / 2.0,
        })
    }

    fn value(&mut self, rank: f64) -> f64 {
        loop {
            match self.points {
                [here, next, ..] => {
                    let begin = self.begin + here.weight as f64;
                    let centre = begin + next.weight as f64 / 2.0;
                    if rank < centre {
                        let share = (rank - self.centre) / (centre - self.centre);
                        return between(here.mean, next.mean, share.max(0.0));
                    }
                    (self.begin, self.centre) = (begin, centre);
                    self.points = &self.points[1..];
                }
                [last] => return last.mean,
                [] => return 0.0,
            }
        }
    }
}

// -- bytes ------------------------------------------------------------------------------------------------------------

fn encode_values(points: &[Centroid], out: &mut Vec<u8>) {
    let values = points.iter().map(|point| point.mean);
    let integers = values.clone().all(is_integer);
    out.push(if integers { INTEGER_VALUES } else { FLOAT_VALUES });
    push_varint(out, points.len() as u64);
    if integers {
        push_integers(out, values);
    } else {
        push_floats(out, values);
    }
}

fn push_varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    out.push(number.to_le_bytes()[0]);
}

fn push_integers(out: &mut Vec<u8>, ascending: impl Iterator<Item = f64>) {
    let mut before: Option<i64> = None;
    for value in ascending {
        let value = value as i64;
        match before {
            None => push_varint(out, ((value << 1) ^ (value >> 63)).cast_unsigned()),
            Some(before) => push_varint(out, (value - before).cast_unsigned()),
        }
        before = Some(value);
    }
}

/// Floats as integers of the same order.
fn ordinal(value: f64) -> u64 {
    let bits = value.to_bits();
    if bits >> 63 == 0 { bits | 1 << 63 } else { !bits }
}

fn of_ordinal(ordinal: u64) -> f64 {
    f64::from_bits(if ordinal >> 63 == 0 {
        !ordinal
    } else {
        ordinal & !(1 << 63)
    })
}

fn push_floats(out: &mut Vec<u8>, ascending: impl Iterator<Item = f64>) {
    let mut before = None;
    for value in ascending {
        let value = ordinal(value);
        match before {
            None => out.extend(value.to_le_bytes()),
            Some(before) => push_varint(out, value.saturating_sub(before)),
        }
        before = Some(value);
    }
}

enum Decoded {
    Values(Vec<f64>),
    Centroids(Vec<Centroid>, bool),
}

fn decode(bytes: &[u8]) -> Result<Decoded, &'static str> {
    let mut reader = Reader(bytes);
    let kind = reader.byte()?;
    let count = reader.varint()?;
    let decoded = match kind {
        INTEGER_VALUES | FLOAT_VALUES => {
            let count = at_most(count, EXACT)?;
            Decoded::Values(reader.numbers(kind == INTEGER_VALUES, count)?)
        }
        INTEGER_PARTS | FLOAT_PARTS => {
            if !(1..=COUNT).contains(&count) {
                return Err("of too many numbers, or of none");
            }
            let weights = parts(count);
            let means = reader.numbers(kind == INTEGER_PARTS, weights.len())?;
            let centroids = means.into_iter().zip(weights);
            let centroids = centroids
                .map(|(mean, weight)| Centroid { mean, weight })
                .collect();
            Decoded::Centroids(centroids, kind == FLOAT_PARTS)
        }
        CENTROIDS => {
            // Those held, and the values beside them.
            let count = at_most(count, MOST + EXACT)?;
            let means = reader.numbers(false, count)?;
            let mut centroids = Vec::with_capacity(count);
            let mut all = 0;
            for mean in means {
                let weight = reader.varint()?;
                if !(1..=COUNT - all).contains(&weight) {
                    return Err("of too many numbers, or of none");
                }
                all += weight;
                centroids.push(Centroid { mean, weight });
            }
            Decoded::Centroids(centroids, true)
        }
        _ => return Err("of a kind that is not known"),
    };
    if reader.0.is_empty() {
        Ok(decoded)
    } else {
        Err("followed by more bytes")
    }
}

fn at_most(count: u64, most: usize) -> Result<usize, &'static str> {
    usize::try_from(count)
        .ok()
        .filter(|&count| count <= most)
        .ok_or("too long")
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn byte(&mut self) -> Result<u8, &'static str> {
        let (&byte, rest) = self.0.split_first().ok_or("cut off")?;
        self.0 = rest;
        Ok(byte)
    }

    fn varint(&mut self) -> Result<u64, &'static str> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if bits << shift >> shift != bits {
                break;
            }
            number |= bits << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err("with a number of more than 64 bits")
    }

    /// Ascending and finite.
    fn numbers(&mut self, integers: bool, count: usize) -> Result<Vec<f64>, &'static str> {
        let mut numbers = Vec::with_capacity(count);
        let mut before = 0u64;
        for at in 0..count {
            // Integers are moved to where their order is that of unsigned ones.
            before = match (at, integers) {
                (0, true) => {
                    let folded = self.varint()?;
                    let value = (folded >> 1).cast_signed() ^ -(folded & 1).cast_signed();
                    value.cast_unsigned() ^ 1 << 63
                }
                (0, false) => {
                    let (&first, rest) = self.0.split_first_chunk().ok_or("cut off")?;
                    self.0 = rest;
                    u64::from_le_bytes(first)
                }
                _ => before
                    .checked_add(self.varint()?)
                    .ok_or("with numbers too large")?,
            };
            let number = if integers {
                (before ^ 1 << 63).cast_signed() as f64
            } else {
                of_ordinal(before)
            };
            if !number.is_finite() {
                return Err("with numbers that are not finite");
            }
            numbers.push(number + 0.0);
        }
        Ok(numbers)
    }
}
