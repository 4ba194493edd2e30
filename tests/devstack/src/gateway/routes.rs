//! Which route a request takes, by API Gateway's rules: a literal segment before `{parameter}` before `{proxy+}`, an
//! explicit method before `ANY`.

use std::cmp::Ordering;
use std::collections::BTreeMap;

/// What a route leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The function's name: its folder, package and binary.
    pub function: String,
    /// The authorizer's name in the template; `None` for a public route.
    pub authorizer: Option<String>,
}

/// A matched route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matched<'a> {
    /// The path as the template writes it, `/auth/api-keys/{api_key_id}`.
    pub resource: &'a str,
    /// Where it leads.
    pub target: &'a Target,
    /// Path parameters, as the client sent them: not decoded.
    pub parameters: BTreeMap<String, String>,
}

/// Every route of the API.
#[derive(Debug, Default)]
pub struct RouteTable {
    resources: BTreeMap<String, Resource>,
}

#[derive(Debug)]
struct Resource {
    segments: Vec<Segment>,
    /// By method in upper case; `ANY` for all others.
    methods: BTreeMap<String, Target>,
}

/// The order of the variants is the order of precedence.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Segment {
    Literal(String),
    Parameter(String),
    Greedy(String),
}

impl Segment {
    fn parse(text: &str) -> Self {
        match text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            Some(name) => match name.strip_suffix('+') {
                Some(name) => Self::Greedy(name.to_owned()),
                None => Self::Parameter(name.to_owned()),
            },
            None => Self::Literal(text.to_owned()),
        }
    }

    /// 0 is matched first.
    fn rank(&self) -> u8 {
        match self {
            Self::Literal(_) => 0,
            Self::Parameter(_) => 1,
            Self::Greedy(_) => 2,
        }
    }
}

/// The segments of a path. API Gateway ignores slashes at the end, and takes several at the beginning for one.
fn segments(path: &str) -> Vec<&str> {
    let path = path.trim_matches('/');
    if path.is_empty() { Vec::new() } else { path.split('/').collect() }
}

impl RouteTable {
    /// Adds a route. Says which function had it when the same path and method are already taken.
    pub fn add(&mut self, path: &str, method: &str, target: Target) -> Result<(), String> {
        let resource = self.resources.entry(path.to_owned()).or_insert_with(|| Resource {
            segments: segments(path).into_iter().map(Segment::parse).collect(),
            methods: BTreeMap::new(),
        });
        let method = method.to_uppercase();
        match resource.methods.get(&method) {
            Some(taken) => Err(taken.function.clone()),
            None => {
                resource.methods.insert(method, target);
                Ok(())
            }
        }
    }

    /// The route for a request, or `None`: to both an unknown path and an unknown method a REST API answers 403.
    ///
    /// The most specific path decides, before the method is looked at: a method that it lacks is not looked for
    /// at `/{proxy+}`.
    pub fn find(&self, path: &str, method: &str) -> Option<Matched<'_>> {
        let parts = segments(path);
        let (resource, found, parameters) = self
            .resources
            .iter()
            .filter_map(|(name, resource)| Some((name, resource, capture(&resource.segments, &parts)?)))
            .min_by(|(_, one, _), (_, other, _)| precedence(&one.segments, &other.segments))?;
        let target = found.methods.get(method).or_else(|| found.methods.get("ANY"))?;
        Some(Matched { resource, target, parameters })
    }

    /// Every route as (path, method, target), in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str, &Target)> {
        self.resources.iter().flat_map(|(path, resource)| {
            resource.methods.iter().map(|(method, target)| (path.as_str(), method.as_str(), target))
        })
    }
}

/// Compares two paths that match the same request, segment by segment from the left.
fn precedence(one: &[Segment], other: &[Segment]) -> Ordering {
    one.iter().map(Segment::rank).cmp(other.iter().map(Segment::rank))
}

/// The path parameters, when `parts` match.
fn capture(pattern: &[Segment], parts: &[&str]) -> Option<BTreeMap<String, String>> {
    let mut parameters = BTreeMap::new();
    for (at, segment) in pattern.iter().enumerate() {
        let part = parts.get(at)?;
        match segment {
            Segment::Literal(text) if text == part => {}
            Segment::Parameter(name) if !part.is_empty() => {
                parameters.insert(name.clone(), (*part).to_owned());
            }
            Segment::Greedy(name) => {
                parameters.insert(name.clone(), parts[at..].join("/"));
                return Some(parameters);
            }
            _ => return None,
        }
    }
    (parts.len() == pattern.len()).then_some(parameters)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(routes: &[(&str, &str, &str)]) -> RouteTable {
        let mut table = RouteTable::default();
        for (path, method, function) in routes {
            let target = Target { function: (*function).to_owned(), authorizer: None };
            table.add(path, method, target).unwrap();
        }
        table
    }

    fn found(table: &RouteTable, path: &str, method: &str) -> Option<String> {
        table.find(path, method).map(|found| found.target.function.clone())
    }

    #[test]
    fn a_literal_comes_before_a_parameter_before_a_greedy_one() {
        let table = table(&[
            ("/{proxy+}", "ANY", "everything"),
            ("/organizations/{id}", "GET", "one"),
            ("/organizations/me", "GET", "me"),
            ("/organizations/{id}/environment", "PUT", "environment"),
            ("/", "ANY", "root"),
        ]);
        for (path, method, function) in [
            ("/organizations/me", "GET", "me"),
            ("/organizations/org_1", "GET", "one"),
            ("/organizations/me/environment", "PUT", "environment"),
            ("/organizations", "GET", "everything"),
            ("/organizations/a/b/c", "DELETE", "everything"),
            ("/", "GET", "root"),
            ("", "GET", "root"),
        ] {
            assert_eq!(found(&table, path, method).as_deref(), Some(function), "{method} {path}");
        }
    }

    #[test]
    fn an_explicit_method_comes_before_any_and_the_path_decides_first() {
        let table = table(&[
            ("/keys", "POST", "create"),
            ("/keys", "any", "wrong method"),
            ("/me", "get", "me"),
            ("/{proxy+}", "ANY", "everything"),
        ]);
        assert_eq!(found(&table, "/keys", "POST").as_deref(), Some("create"));
        assert_eq!(found(&table, "/keys", "PATCH").as_deref(), Some("wrong method"));
        assert_eq!(found(&table, "/me", "PUT"), None, "the path is known: /{{proxy+}} is not asked");
    }

    #[test]
    fn parameters_are_what_the_client_sent() {
        let table = table(&[("/a/{x}", "ANY", "x"), ("/b/{rest+}", "ANY", "rest")]);
        let one = table.find("/a/50%25", "GET").unwrap();
        assert_eq!((one.resource, one.parameters["x"].as_str()), ("/a/{x}", "50%25"));
        assert_eq!(table.find("/b/1//2/3", "GET").unwrap().parameters["rest"], "1//2/3");
        assert_eq!(table.find("/b", "GET"), None, "{{rest+}} needs a segment");
        assert_eq!(table.find("/a//", "GET"), None, "an empty segment is no parameter");
        assert_eq!(table.find("/A/1", "GET"), None, "paths are case-sensitive");
    }

    #[test]
    fn slashes_at_the_end_are_ignored() {
        let table = table(&[("/a/b", "GET", "ab")]);
        assert_eq!(found(&table, "//a/b//", "GET").as_deref(), Some("ab"));
        assert_eq!(found(&table, "/a//b", "GET"), None);
    }

    #[test]
    fn the_same_route_twice_is_a_mistake() {
        let mut table = table(&[("/a", "GET", "first")]);
        let target = Target { function: "second".to_owned(), authorizer: None };
        assert_eq!(table.add("/a", "get", target), Err("first".to_owned()));
    }
}
