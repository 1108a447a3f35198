//! k-means over embeddings: `{"centroids": [[...], ...]}`.

use serde_json::{Value, json};

use crate::embedding::DIMENSIONS;

type Point = [f64; DIMENSIONS];

const MAX_CLUSTERS: usize = 256;
const MAX_POINTS: usize = 20_000;
const MAX_ROUNDS: usize = 20;

/// The point of a JSON array of `DIMENSIONS` finite numbers.
fn point(value: &Value) -> Option<Point> {
    let numbers: Vec<f64> = value
        .as_array()?
        .iter()
        .map(Value::as_f64)
        .collect::<Option<_>>()?;
    numbers
        .try_into()
        .ok()
        .filter(|point: &Point| point.iter().all(|number| number.is_finite()))
}

fn distance(one: &Point, other: &Point) -> f64 {
    one.iter().zip(other).map(|(a, b)| (a - b) * (a - b)).sum()
}

fn nearest(centroids: &[Point], to: &Point) -> Option<(usize, f64)> {
    centroids
        .iter()
        .enumerate()
        .map(|(index, centroid)| (index, distance(centroid, to)))
        .min_by(|one, other| one.1.total_cmp(&other.1))
}

/// A fitted model.
#[derive(Debug, Default)]
pub struct Model(Vec<Point>);

impl Model {
    /// Reads a model; one that cannot be read has no clusters.
    pub fn parse(json: &str) -> Self {
        let model: Value = serde_json::from_str(json).unwrap_or_default();
        let centroids = model["centroids"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        Self(centroids.iter().take(MAX_CLUSTERS).filter_map(point).collect())
    }

    /// Index of the cluster nearest to an embedding, -1 when there is none or the embedding cannot be read.
    pub fn infer(&self, embedding: &str) -> i64 {
        serde_json::from_str(embedding)
            .ok()
            .and_then(|value| point(&value))
            .and_then(|point| nearest(&self.0, &point))
            .and_then(|(index, _)| i64::try_from(index).ok())
            .unwrap_or(-1)
    }

    /// Fits `k` clusters to embeddings; those that cannot be read are left out. The same input gives the same model:
    /// every next centroid starts at the point farthest from those before it.
    pub fn fit<'a>(embeddings: impl Iterator<Item = &'a str>, k: i64) -> Self {
        let points: Vec<Point> = embeddings
            .filter_map(|text| point(&serde_json::from_str(text).ok()?))
            .take(MAX_POINTS)
            .collect();
        let k = usize::try_from(k).unwrap_or(0).min(MAX_CLUSTERS);
        let Some(first) = points.first().filter(|_| k > 0) else {
            return Self::default();
        };
        let mut centroids = vec![*first];
        let mut gaps: Vec<f64> = points.iter().map(|point| distance(first, point)).collect();
        while centroids.len() < k {
            let far = gaps
                .iter()
                .enumerate()
                .max_by(|one, other| one.1.total_cmp(other.1));
            let Some((farthest, _)) = far.filter(|(_, gap)| **gap > 0.0) else {
                break;
            };
            let added = points[farthest];
            centroids.push(added);
            for (gap, point) in gaps.iter_mut().zip(&points) {
                *gap = gap.min(distance(&added, point));
            }
        }
        for _ in 0..MAX_ROUNDS {
            let mut sums = vec![([0.0; DIMENSIONS], 0_u32); centroids.len()];
            for point in &points {
                if let Some((index, _)) = nearest(&centroids, point) {
                    sums[index].1 += 1;
                    sums[index]
                        .0
                        .iter_mut()
                        .zip(point)
                        .for_each(|(sum, value)| *sum += value);
                }
            }
            let mut moved = 0.0;
            for (centroid, (sum, count)) in centroids.iter_mut().zip(sums) {
                if count > 0 {
                    let mean = sum.map(|value| value / f64::from(count));
                    moved += distance(centroid, &mean);
                    *centroid = mean;
                }
            }
            if moved < 1e-12 {
                break;
            }
        }
        Self(centroids)
    }

    /// The model as JSON.
    pub fn to_json(&self) -> String {
        let centroids: Vec<&[f64]> = self.0.iter().map(<[f64; DIMENSIONS]>::as_slice).collect();
        json!({"centroids": centroids}).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn embedding(value: f64) -> String {
        json!(vec![value; DIMENSIONS]).to_string()
    }

    #[test]
    fn clusters_are_found_again() {
        let texts: Vec<String> = [0.0, 0.1, 5.0, 5.1, 9.0].map(embedding).into();
        let model = Model::parse(&Model::fit(texts.iter().map(String::as_str), 3).to_json());
        let of: Vec<i64> = texts.iter().map(|text| model.infer(text)).collect();
        assert_eq!(of[0], of[1]);
        assert_eq!(of[2], of[3]);
        assert!(of[0] != of[2] && of[2] != of[4] && of[0] != of[4]);
    }

    #[test]
    fn bad_input_has_no_cluster() {
        assert_eq!(Model::parse("x").infer(&embedding(1.0)), -1);
        let model = Model::fit([embedding(1.0).as_str(), "bad", "[1e999]"].into_iter(), i64::MAX);
        assert_eq!(model.infer("[1]"), -1);
        assert_eq!(model.infer(&embedding(3.0)), 0);
        assert_eq!(Model::fit([].into_iter(), 3).to_json(), r#"{"centroids":[]}"#);
    }
}
