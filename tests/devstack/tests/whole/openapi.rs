//! `docs/openapi.yaml` and `infra/template.yaml` have the same routes, protected alike.

use std::collections::BTreeMap;

use devstack::gateway::template::Api;
use serde_yaml_ng::Value;

use crate::template::file;

/// Method and path → whether a credential is needed.
type Routes = BTreeMap<(String, String), bool>;

fn documented() -> Routes {
    let document: Value = serde_yaml_ng::from_str(&file("docs/openapi.yaml")).unwrap();
    let paths = document["paths"].as_mapping().unwrap();
    let operations = paths.iter().flat_map(|(path, operations)| {
        let operations = operations.as_mapping().unwrap();
        operations
            .iter()
            .map(move |(method, operation)| (path.as_str().unwrap(), method.as_str().unwrap(), operation))
    });
    operations
        .map(|(path, method, operation)| {
            ((method.to_uppercase(), path.to_owned()), operation.get("security").is_some())
        })
        .collect()
}

#[test]
fn the_document_has_the_templates_routes_and_says_which_are_protected() {
    let api = Api::read(&devstack::template_path()).unwrap();
    let named = api.routes.iter().filter(|(_, method, _)| *method != "ANY");
    let deployed: Routes = named
        .map(|(path, method, target)| ((method.to_owned(), path.to_owned()), target.authorizer.is_some()))
        .collect();
    assert!(deployed.len() >= 13, "the reading is broken: {deployed:?}");
    assert_eq!(documented(), deployed);
}
