//! Endpoints: request paths with the components that vary replaced by `*`.
//!
//! Components that look like identifiers (numbers, UUIDs, long hexadecimal) vary by nature. Beyond them, paths of the
//! same length that agree in at least half of their components form a cluster; once it has five members, what differs
//! between them is `*`.

use std::collections::HashMap;

use serde_json::{Value, json};

/// Share of components in which a path must agree with a cluster to join it.
const SIMILARITY: f64 = 0.5;
/// Members from which a cluster is an endpoint of its own; smaller ones keep their paths.
const CARDINALITY: usize = 5;
/// Bounds on hostile input: later clusters of a length and later components of a path are not looked at.
const MAX_CLUSTERS: usize = 256;
const MAX_COMPONENTS: usize = 64;

const ANY: &str = "*";

fn path_of(request: &str) -> &str {
    &request[..request.find(['?', '#']).unwrap_or(request.len())]
}

fn is_identifier(component: &str) -> bool {
    let digits = component.bytes().filter(u8::is_ascii_digit).count();
    if digits == 0 {
        return false;
    }
    let hex = component
        .bytes()
        .all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    digits == component.len() || (hex && component.len() >= 8)
}

fn components(request: &str) -> Vec<&str> {
    path_of(request)
        .split('/')
        .take(MAX_COMPONENTS)
        .map(|component| if is_identifier(component) { ANY } else { component })
        .collect()
}

fn agreement(centroid: &[String], path: &[&str]) -> f64 {
    // The first component is what precedes the leading slash: it says nothing.
    let same = centroid
        .iter()
        .zip(path)
        .skip(1)
        .filter(|(one, other)| one == other || *one == ANY)
        .count();
    same as f64 / (path.len() - 1).max(1) as f64
}

#[derive(Debug)]
struct Cluster {
    centroid: Vec<String>,
    /// Paths of a cluster too small to be an endpoint.
    members: Vec<String>,
    size: usize,
}

/// Clusters of paths, by their number of components.
#[derive(Debug, Default)]
pub struct Clusters(HashMap<usize, Vec<Cluster>>);

impl Clusters {
    /// Adds a request path; the same one again changes nothing.
    pub fn add(&mut self, request: &str) {
        let path = components(request);
        let clusters = self.0.entry(path.len()).or_default();
        let joined = path.join("/");
        let best = clusters
            .iter_mut()
            .map(|cluster| (agreement(&cluster.centroid, &path), cluster))
            .filter(|(agreement, _)| *agreement >= SIMILARITY)
            .max_by(|(one, _), (other, _)| one.total_cmp(other));
        if let Some((_, cluster)) = best {
            if cluster.size < CARDINALITY && cluster.members.contains(&joined) {
                return;
            }
            for (component, other) in cluster.centroid.iter_mut().zip(&path) {
                if component != other {
                    *component = ANY.to_owned();
                }
            }
            cluster.size += 1;
            if cluster.size < CARDINALITY {
                cluster.members.push(joined);
            } else {
                cluster.members.clear();
            }
        } else if clusters.len() < MAX_CLUSTERS {
            let centroid = path.iter().map(|&component| component.to_owned()).collect();
            clusters.push(Cluster {
                centroid,
                members: vec![joined],
                size: 1,
            });
        }
    }

    /// `[{"c": centroid, "m": [member, ...]}, ...]`; an endpoint of its own has no members.
    pub fn to_json(&self) -> String {
        let mut lengths: Vec<_> = self.0.keys().collect();
        lengths.sort_unstable();
        let clusters: Vec<Value> = lengths
            .into_iter()
            .flat_map(|length| &self.0[length])
            .map(|cluster| json!({"c": cluster.centroid.join("/"), "m": cluster.members}))
            .collect();
        Value::Array(clusters).to_string()
    }

    /// Reads what `to_json` wrote; what it cannot read is left out.
    pub fn parse(json: &str) -> Self {
        let mut clusters = Self::default();
        let Ok(Value::Array(values)) = serde_json::from_str(json) else {
            return clusters;
        };
        for value in &values {
            let Some(centroid) = value["c"].as_str() else {
                continue;
            };
            let centroid: Vec<String> = centroid
                .split('/')
                .take(MAX_COMPONENTS)
                .map(str::to_owned)
                .collect();
            let members = value["m"].as_array().map(Vec::as_slice).unwrap_or_default();
            let members = members
                .iter()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect();
            let same_length = clusters.0.entry(centroid.len()).or_default();
            if same_length.len() < MAX_CLUSTERS {
                same_length.push(Cluster {
                    centroid,
                    members,
                    size: CARDINALITY,
                });
            }
        }
        clusters
    }

    /// Appends the endpoint of a request: the centroid of its cluster, else the path with identifiers replaced.
    pub fn predict(&self, request: &str, out: &mut String) {
        let path = components(request);
        let best = self
            .0
            .get(&path.len())
            .into_iter()
            .flatten()
            .fold(None, |best, cluster| {
                let agreement = agreement(&cluster.centroid, &path);
                match best {
                    Some((most, _)) if most >= agreement => best,
                    _ if agreement >= SIMILARITY && cluster.members.is_empty() => Some((agreement, cluster)),
                    _ => best,
                }
            });
        let mut push = |component: &str, at: usize| {
            if at > 0 {
                out.push('/');
            }
            out.push_str(component);
        };
        match best {
            Some((_, cluster)) => {
                // A cluster generalises only where its own members differed.
                let fits = cluster
                    .centroid
                    .iter()
                    .zip(&path)
                    .all(|(one, other)| one == other || one == ANY);
                if fits {
                    cluster
                        .centroid
                        .iter()
                        .enumerate()
                        .for_each(|(at, component)| push(component, at));
                } else {
                    path.iter()
                        .enumerate()
                        .for_each(|(at, component)| push(component, at));
                }
            }
            None => path
                .iter()
                .enumerate()
                .for_each(|(at, component)| push(component, at)),
        }
    }
}

/// Whether a request's path has the components of the template, where `*` is any one component.
pub fn matches(request: &str, template: &str) -> bool {
    let mut path = path_of(request).split('/');
    let mut wanted = template.split('/');
    loop {
        match (path.next(), wanted.next()) {
            (None, None) => return true,
            (Some(component), Some(want)) if want == ANY || want == component => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn predict(clusters: &Clusters, path: &str) -> String {
        let mut out = String::new();
        clusters.predict(path, &mut out);
        out
    }

    #[test]
    fn names_that_vary_become_one_endpoint() {
        let mut clusters = Clusters::default();
        for name in ["ann", "bob", "cy", "di", "ed", "flo"] {
            clusters.add(&format!("/api/users/{name}?x={name}"));
        }
        clusters.add("/healthz");
        clusters.add("/healthz");
        let again = Clusters::parse(&clusters.to_json());
        assert_eq!(predict(&again, "/api/users/zoe"), "/api/users/*");
        assert_eq!(predict(&again, "/healthz?verbose"), "/healthz");
        assert_eq!(predict(&again, "/api/orders/12"), "/api/orders/*");
        assert_eq!(
            predict(&again, "/x/0a1b2c3d-0000-4000-8000-000000000000/y"),
            "/x/*/y"
        );
    }

    #[test]
    fn few_members_stay_themselves() {
        let mut clusters = Clusters::default();
        for path in ["/a/b", "/a/c", "/a/d", "/a/d", "/a/d", "/a/d"] {
            clusters.add(path);
        }
        assert_eq!(clusters.to_json(), r#"[{"c":"/a/*","m":["/a/b","/a/c","/a/d"]}]"#);
        assert_eq!(predict(&Clusters::parse(&clusters.to_json()), "/a/c"), "/a/c");
    }

    #[test]
    fn templates() {
        assert!(matches("/a/1/b?q=/x/y", "/a/*/b"));
        assert!(matches("", ""));
        assert!(!matches("/a/1/b/c", "/a/*/b"));
        assert!(!matches("/a", "/a/*"));
    }

    #[test]
    fn hostile_text_is_bounded() {
        let mut clusters = Clusters::default();
        for n in 0..2_000 {
            clusters.add(&format!("x{n}/y{n}/z{n}"));
        }
        clusters.add(&"/".repeat(100_000));
        assert!(clusters.to_json().len() < 100_000);
        for json in ["", "{}", "[1]", r#"[{"c":1}]"#, r#"[{"c":"","m":[1]}]"#] {
            assert_eq!(predict(&Clusters::parse(json), "/a"), "/a");
        }
    }
}
