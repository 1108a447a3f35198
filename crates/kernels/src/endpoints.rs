//! Endpoints: request paths with the components that vary replaced by `*`.
//!
//! What looks like an identifier varies wherever it stands (see `shape`). The others are decided by their siblings: the
//! components that stand in one place, after one prefix. Five values, or five names after a collection (`/users/ann`),
//! are a parameter; resources and actions (`/api/v1/orders`, `/auth/login`) stay, unless there are more of them than a
//! service has. What becomes one component is looked at further down as one.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use shape::{Shape, is_plural, is_resource, shape};

mod shape;

/// Siblings from which values, and names of members of a collection, are a parameter.
const FEW: usize = 5;
/// The same of words after a parameter, or beside one: `/users/*/profile`, `/users/me`.
const SOME: usize = 12;
/// The same of words at the start of a path, after `api` or a version.
const MANY: usize = 20;
/// The same of resources and actions.
const MOST: usize = 50;
/// Bounds on hostile input: later endpoints, and later components of a path, are not looked at.
const MAX_ENDPOINTS: usize = 4096;
const MAX_COMPONENTS: usize = 64;
/// Components compared to find one path's endpoint.
const MAX_STEPS: usize = 4096;

const ANY: &str = "*";
/// What groups resources without being one.
const GROUPS: [&str; 8] = ["admin", "api", "apis", "app", "internal", "public", "rest", "rpc"];

fn path_of(request: &str) -> &str {
    &request[..request.find(['?', '#']).unwrap_or(request.len())]
}

fn components(request: &str) -> impl Iterator<Item = &str> {
    path_of(request).split('/').take(MAX_COMPONENTS).map(|component| {
        if shape(component) == Shape::Identifier {
            ANY
        } else {
            component
        }
    })
}

/// Components by what may follow them.
#[derive(Debug, Default)]
struct Node {
    next: BTreeMap<String, Node>,
    /// Whether a path ends here.
    ends: bool,
}

impl Node {
    fn insert<'a>(&mut self, path: impl Iterator<Item = &'a str>) {
        let mut node = self;
        for component in path {
            if !node.next.contains_key(component) {
                node.next.insert(component.to_owned(), Node::default());
            }
            let Some(next) = node.next.get_mut(component) else {
                return;
            };
            node = next;
        }
        node.ends = true;
    }

    fn merge(&mut self, other: Node) {
        self.ends |= other.ends;
        for (component, node) in other.next {
            self.next.entry(component).or_default().merge(node);
        }
    }

    /// Joins the components that are a parameter into `*`, here and below. `depth` components precede.
    fn generalise(&mut self, parent: &str, depth: usize) {
        let of_shape = |wanted: Shape| {
            let found = self
                .next
                .keys()
                .filter(|component| *component != ANY && shape(component) == wanted);
            found.cloned().collect::<Vec<_>>()
        };
        let (values, mut words) = (of_shape(Shape::Value), of_shape(Shape::Word));
        let mut varying = Vec::new();
        if self.next.contains_key(ANY) {
            // Beside identifiers, tokens that happen to have no digit.
            let token =
                |word: &String| word.len() >= 12 && word.bytes().any(|byte| byte.is_ascii_uppercase());
            (varying, words) = words.into_iter().partition(token);
        }
        let many = values.len() >= if depth <= 1 { SOME } else { FEW };
        let names = !words.is_empty() && words.len() >= self.enough_words(parent, depth, &words, many);
        // Values among names are names too: /tags/rust, /tags/c99.
        if many || names {
            varying.extend(values);
        }
        if names {
            varying.extend(words);
        }
        for component in varying {
            if let Some(node) = self.next.remove(&component) {
                self.next.entry(ANY.to_owned()).or_default().merge(node);
            }
        }
        for (component, node) in &mut self.next {
            node.generalise(component, depth + 1);
        }
    }

    fn enough_words(&self, parent: &str, depth: usize, words: &[String], beside_values: bool) -> usize {
        // Methods of a gRPC service: /cart.v1.CartService/GetCart.
        if parent.contains('.')
            && words
                .iter()
                .all(|word| word.starts_with(|first: char| first.is_ascii_uppercase()))
        {
            return usize::MAX;
        }
        let resources = words.iter().filter(|word| is_resource(word)).count();
        let members = is_plural(parent) && !GROUPS.contains(&parent);
        if resources * 4 >= words.len() && !members {
            MOST
        } else if depth <= 1
            || GROUPS.contains(&parent)
            || (shape(parent) == Shape::Fixed && !parent.is_empty())
        {
            MANY
        } else if parent == ANY
            || self.next.contains_key(ANY)
            || beside_values
            || resources * 4 >= words.len()
        {
            SOME
        } else {
            FEW
        }
    }

    fn endpoints(&self, prefix: &mut Vec<String>, found: &mut Vec<String>) {
        if self.ends && found.len() < MAX_ENDPOINTS {
            found.push(prefix.join("/"));
        }
        for (component, node) in &self.next {
            prefix.push(component.clone());
            node.endpoints(prefix, found);
            prefix.pop();
        }
    }

    /// Whether the path leads to an end; its components as the endpoint has them are then in `taken`, last first.
    fn find<'a>(&'a self, path: &[&str], steps: &mut usize, taken: &mut Vec<&'a str>) -> bool {
        let Some((component, rest)) = path.split_first() else {
            return self.ends;
        };
        *steps += 1;
        if *steps > MAX_STEPS {
            return false;
        }
        for wanted in [*component, ANY] {
            if let Some((known, next)) = self.next.get_key_value(wanted)
                && next.find(rest, steps, taken)
            {
                taken.push(known);
                return true;
            }
            if *component == ANY || component.is_empty() {
                break;
            }
        }
        false
    }
}

/// Endpoints of a service.
#[derive(Debug, Default)]
pub struct Clusters(Node);

impl Clusters {
    /// Adds a request path; the same one again changes nothing.
    pub fn add(&mut self, request: &str) {
        self.0.insert(components(request));
    }

    /// `[{"c": endpoint, "m": []}, ...]` of the paths added, whatever their order.
    pub fn to_json(&mut self) -> String {
        self.0.generalise("", 0);
        let mut found = Vec::new();
        self.0.endpoints(&mut Vec::new(), &mut found);
        let clusters: Vec<Value> = found
            .into_iter()
            .map(|endpoint| json!({"c": endpoint, "m": []}))
            .collect();
        Value::Array(clusters).to_string()
    }

    /// Reads what `to_json` wrote; what it cannot read is left out. Members, if there are any, are endpoints.
    pub fn parse(json: &str) -> Self {
        let mut clusters = Self::default();
        let Ok(Value::Array(values)) = serde_json::from_str(json) else {
            return clusters;
        };
        for value in values.iter().take(MAX_ENDPOINTS) {
            let members = value["m"].as_array().map(Vec::as_slice).unwrap_or_default();
            let centroid = value["c"].as_str().filter(|_| members.is_empty());
            for endpoint in members.iter().filter_map(Value::as_str).chain(centroid) {
                clusters.0.insert(endpoint.split('/').take(MAX_COMPONENTS));
            }
        }
        clusters
    }

    /// Appends the endpoint of a request; the path with `*` for identifiers when it has none.
    pub fn predict(&self, request: &str, out: &mut String) {
        let mut path = [""; MAX_COMPONENTS];
        let mut length = 0;
        for (place, component) in path.iter_mut().zip(components(request)) {
            *place = component;
            length += 1;
        }
        let path = &path[..length];
        let mut taken = Vec::with_capacity(length);
        let known = self.0.find(path, &mut 0, &mut taken);
        for at in 0..length {
            if at > 0 {
                out.push('/');
            }
            out.push_str(if known { taken[length - 1 - at] } else { path[at] });
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
        assert_eq!(predict(&again, "/api/users/"), "/api/users/");
        assert_eq!(predict(&again, "/api/orders/12"), "/api/orders/*");
        assert_eq!(
            predict(&again, "/x/0a1b2c3d-0000-4000-8000-000000000000/y"),
            "/x/*/y"
        );
    }

    #[test]
    fn few_names_stay_themselves() {
        let mut clusters = Clusters::default();
        for path in ["/a/b", "/a/c", "/a/d", "/a/d", "/a/d", "/a/d"] {
            clusters.add(path);
        }
        let json = clusters.to_json();
        assert_eq!(
            json,
            r#"[{"c":"/a/b","m":[]},{"c":"/a/c","m":[]},{"c":"/a/d","m":[]}]"#
        );
        assert_eq!(predict(&Clusters::parse(&json), "/a/c"), "/a/c");
        let members = r#"[{"c":"/a/*","m":["/a/b","/a/c"]}]"#;
        assert_eq!(predict(&Clusters::parse(members), "/a/x"), "/a/x");
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
