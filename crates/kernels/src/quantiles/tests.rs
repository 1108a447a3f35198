use super::*;

const QUANTILES: [f64; 9] = [0.0, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 1.0];

/// Numbers from 0 to 1, always the same.
fn random(seed: u64) -> impl Iterator<Item = f64> {
    let mut state = seed;
    std::iter::repeat_with(move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1u64 << 53) as f64
    })
}

fn digest(values: &[f64]) -> Digest {
    let mut digest = Digest::default();
    values.iter().for_each(|&value| digest.add(value));
    digest
}

fn bytes(digest: &Digest, encode: fn(&Digest, &mut Vec<u8>)) -> Vec<u8> {
    let mut out = Vec::new();
    encode(digest, &mut out);
    out
}

/// The most that the rank of a quantile is from the one asked for.
fn error(digest: &Digest, values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let count = sorted.len() as f64;
    let found = digest.quantiles(QUANTILES).unwrap();
    let errors = found.iter().zip(QUANTILES).map(|(&value, q)| {
        let slack = value.abs() * 1e-9;
        let below = sorted.partition_point(|&other| other < value - slack) as f64 / count;
        let upto = sorted.partition_point(|&other| other <= value + slack) as f64 / count;
        (below - q).max(q - upto).max(0.0)
    });
    errors.fold(0.0, f64::max)
}

fn shapes(count: usize) -> Vec<(&'static str, Vec<f64>)> {
    let of = |value: fn(f64) -> f64| random(7).take(count).map(value).collect::<Vec<_>>();
    vec![
        ("uniform", of(|r| r * 1e6)),
        ("latencies", of(|r| (13.0 + 3.0 * r).exp().trunc())),
        ("exponential", of(|r| -(1.0 - r).ln())),
        ("heavy tail", of(|r| (1000.0 / (1.0 - r).powi(3)).trunc())),
        ("two values", of(|r| if r < 0.34 { 1.0 } else { 1e9 })),
        (
            "many equal",
            of(|r| if r < 0.9 { 200.0 } else { (r * 1000.0).trunc() }),
        ),
        ("times", of(|r| 1.76e18 + r * 3.6e12)),
        ("both signs", of(|r| (r - 0.5) * 1e-300)),
        ("ascending", (0..count).map(|i| i as f64).collect()),
        ("descending", (0..count).rev().map(|i| i as f64).collect()),
    ]
}

#[test]
fn ranks_are_within_the_error_of_one_digest_and_of_many_that_travelled() {
    for (shape, values) in shapes(40_000) {
        let whole = error(&digest(&values), &values);
        assert!(whole < 0.01, "{shape}: {whole}");
        for parts in [3, 20, 400] {
            // In turn, and as they came: the parts are alike, or have nothing in common.
            for size in [1, values.len().div_ceil(parts)] {
                let mut agents = vec![Digest::default(); parts];
                for (place, &value) in values.iter().enumerate() {
                    agents[place / size % parts].add(value);
                }
                let mut together = Digest::default();
                for agent in &agents {
                    let sent = bytes(agent, Digest::encode_to_send);
                    together.merge_bytes(&sent).unwrap();
                }
                assert_eq!(total(&together.points()), 40_000);
                let merged = error(&together, &values);
                assert!(merged < 0.02, "{shape}, {parts} parts of {size}: {merged}");
            }
        }
    }
}

#[test]
fn merging_again_and_again_keeps_the_error() {
    for (shape, values) in shapes(40_000) {
        let mut together = Digest::default();
        for part in values.chunks(500) {
            let mut next = Digest::default();
            next.merge_bytes(&bytes(&together, Digest::encode)).unwrap();
            next.merge_bytes(&bytes(&digest(part), Digest::encode_to_send))
                .unwrap();
            together = next;
        }
        let merged = error(&together, &values);
        assert!(merged < 0.02, "{shape}: {merged}");
    }
}

#[test]
fn few_numbers_stay_what_they_are_wherever_they_were() {
    for (shape, values) in shapes(EXACT) {
        let whole = digest(&values);
        let mut together = Digest::default();
        for part in values.chunks(SENT) {
            together
                .merge_bytes(&bytes(&digest(part), Digest::encode_to_send))
                .unwrap();
        }
        assert_eq!(
            whole.quantiles(QUANTILES),
            together.quantiles(QUANTILES),
            "{shape}"
        );
        let mut twice = Digest::default();
        twice.merge(&digest(&values[..100]));
        twice.merge(&digest(&values[100..]));
        assert_eq!(whole.quantiles(QUANTILES), twice.quantiles(QUANTILES), "{shape}");
    }
}

#[test]
fn least_and_greatest_are_kept() {
    for (shape, values) in shapes(40_000) {
        let mut together = Digest::default();
        for part in values.chunks(3_000) {
            together
                .merge_bytes(&bytes(&digest(part), Digest::encode_to_send))
                .unwrap();
        }
        let found = together.quantiles([0.0, 1.0]).unwrap();
        let least = values.iter().copied().fold(f64::INFINITY, f64::min);
        let greatest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        assert_eq!(found, [least, greatest], "{shape}");
    }
}

#[test]
fn what_travels_and_what_is_held_is_small() {
    for (shape, values) in shapes(100_000) {
        let digest = digest(&values);
        assert!(
            digest.centroids.len() <= MOST && digest.values.len() <= EXACT,
            "{shape}"
        );
        let sent = bytes(&digest, Digest::encode_to_send).len();
        assert!(
            sent <= if digest.fractional { 600 } else { 260 },
            "{shape}: {sent} bytes"
        );
    }
    let latencies = &shapes(10_000)[1].1;
    assert!(bytes(&digest(latencies), Digest::encode_to_send).len() < 200);
}

#[test]
fn lightened_digests_are_small_and_keep_the_error() {
    for (shape, values) in shapes(20_000) {
        let mut together = Digest::default();
        for part in values.chunks(200) {
            let (sent, mut light) = (bytes(&digest(part), Digest::encode_to_send), Vec::new());
            lighten(&sent, &mut light).unwrap();
            assert!(light.len() <= sent.len(), "{shape}");
            // Twice is once.
            let mut again = Vec::new();
            lighten(&light, &mut again).unwrap();
            assert_eq!(light, again, "{shape}");
            together.merge_bytes(&light).unwrap();
        }
        let error = error(&together, &values);
        assert!(error < 0.02, "{shape}: {error}");
    }
    let latencies = &shapes(200)[1].1;
    let mut light = Vec::new();
    lighten(&bytes(&digest(latencies), Digest::encode_to_send), &mut light).unwrap();
    assert!(light.len() < 200, "{}", light.len());
    for few in [&[][..], &[7.0], &latencies[..SENT_OF_MANY]] {
        let sent = bytes(&digest(few), Digest::encode_to_send);
        let mut same = Vec::new();
        lighten(&sent, &mut same).unwrap();
        assert_eq!(same, sent);
    }
    assert!(lighten(&[9, 0], &mut light).is_err());
}

#[test]
fn parts_are_symmetric_and_sum_up() {
    let mut counts: Vec<u64> = (1..3_000).collect();
    counts.extend((12..=53).map(|power| 1 << power));
    for count in counts {
        let parts = parts(count);
        assert_eq!(parts.iter().sum::<u64>(), count);
        assert!(parts.len() <= 72, "{count}: {}", parts.len());
        assert!(
            parts
                .iter()
                .zip(parts.iter().rev())
                .all(|(a, b)| a.abs_diff(*b) <= 1),
            "{count}"
        );
        assert_eq!(parts[0], 1);
    }
}

#[test]
fn extremes_and_what_is_passed_over() {
    assert_eq!(Digest::default().quantiles([0.5]), None);
    assert_eq!(
        digest(&[f64::NAN, f64::INFINITY, f64::NEG_INFINITY]).quantiles([0.5]),
        None
    );
    let wide: Vec<f64> = [f64::MAX, f64::MIN, 0.0, -0.0, f64::MIN_POSITIVE].repeat(200);
    let digest = digest(&wide);
    let mut other = Digest::default();
    other
        .merge_bytes(&bytes(&digest, Digest::encode_to_send))
        .unwrap();
    for digest in [digest, other] {
        let found = digest.quantiles(QUANTILES).unwrap();
        assert!(found.iter().all(|value| value.is_finite()), "{found:?}");
        assert!(found.is_sorted());
    }
    let integers = [
        -9_007_199_254_740_991.0,
        -1.0,
        3.0,
        9_007_199_254_740_991.0,
        9_007_199_254_740_992.0,
    ];
    for count in 1..=integers.len() {
        let one = self::digest(&integers[..count]);
        let mut other = Digest::default();
        other.merge_bytes(&bytes(&one, Digest::encode)).unwrap();
        assert_eq!(one.values, other.values);
    }
}

#[test]
fn wrong_bytes_are_refused_and_change_nothing() {
    for wrong in [
        &[][..],
        &[9, 0],
        &[INTEGER_VALUES, 1],
        &[INTEGER_VALUES, 1, 2, 3],
        &[INTEGER_VALUES, 0x81, 0x02],
        &[
            INTEGER_VALUES,
            0xff,
            0xff,
            0xff,
            0xff,
            0xff,
            0xff,
            0xff,
            0xff,
            0xff,
            0x02,
        ],
        &[FLOAT_VALUES, 1, 0, 0, 0, 0, 0, 0, 0, 0],
        &[FLOAT_VALUES, 2, 1, 0, 0, 0, 0, 0, 0, 0x80, 0xff],
        &[INTEGER_PARTS, 0],
        &[INTEGER_PARTS, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 1],
        &[CENTROIDS, 1, 0, 0, 0, 0, 0, 0, 0, 0x80, 0],
        &[CENTROIDS, 0x80, 0x80, 0x01],
    ] {
        let mut digest = digest(&[1.0]);
        assert!(digest.merge_bytes(wrong).is_err(), "{wrong:?}");
        assert_eq!(digest.quantiles([0.5]), Some([1.0]));
    }
}

#[test]
fn any_bytes_are_refused_or_become_a_digest() {
    let mut made: Vec<Vec<u8>> = Vec::new();
    for (_, values) in shapes(2_000) {
        for count in [0, 3, 60, 300, 2_000] {
            let digest = digest(&values[..count]);
            made.push(bytes(&digest, Digest::encode));
            made.push(bytes(&digest, Digest::encode_to_send));
        }
    }
    let mut random = random(11);
    let mut below = |most: usize| (random.next().unwrap_or_default() * most as f64) as usize;
    let mut together = Digest::default();
    let mut taken = 0;
    for round in 0..20_000 {
        let mut bytes = made[round % made.len()].clone();
        for _ in 0..below(4) {
            let at = below(bytes.len());
            bytes[at] = below(256).to_le_bytes()[0];
        }
        bytes.truncate(bytes.len() - below(3) * below(bytes.len()) / 4);
        let mut alone = Digest::default();
        if alone.merge_bytes(&bytes).is_ok() {
            taken += 1;
            together.merge_bytes(&bytes).unwrap();
            for digest in [&alone, &together] {
                assert!(digest.values.len() <= EXACT && digest.centroids.len() <= MOST);
                if let Some(found) = digest.quantiles(QUANTILES) {
                    assert!(found.iter().all(|value| value.is_finite()) && found.is_sorted());
                }
            }
            for encode in [Digest::encode, Digest::encode_to_send] {
                let again = self::bytes(&alone, encode);
                Digest::default().merge_bytes(&again).unwrap();
            }
        }
    }
    assert!(taken > 2_000, "{taken}");
}
