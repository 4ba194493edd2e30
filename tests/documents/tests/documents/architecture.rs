//! `docs/architecture.md` shows the template.

use documents::picture::{draw, redrawn};
use documents::template::Template;

use super::place::file;

const DOCUMENT: &str = "docs/architecture.md";

fn template() -> String {
    file("infra/template.yaml")
}

#[test]
fn the_picture_is_the_templates() {
    let document = file(DOCUMENT);
    let drawn = redrawn(&document, &Template::read(&template()).unwrap()).unwrap();
    assert!(drawn == document, "{DOCUMENT} is not what infra/template.yaml says: run `make architecture`");
}

#[test]
fn everything_that_holds_something_and_everything_that_runs_is_in_it() {
    let template = Template::read(&template()).unwrap();
    let picture = draw(&template);
    let functions = template.functions();
    assert!(functions.len() >= 12 && functions.iter().all(|it| !it.role.is_empty()), "{functions:?}");
    for function in &functions {
        assert!(picture.contains(&format!("<b>{}</b>", function.name)), "{}", function.name);
        // Who holds nothing but its own log has no arrow of its own.
        let logs_alone = template.allowed(&function.role).iter().all(|it| it.action.starts_with("logs:"));
        let touches = picture.contains(&format!("{} -- ", function.name));
        assert_eq!(touches, !logs_alone, "what {} touches", function.name);
    }
    for kind in
        ["AWS::DynamoDB::Table", "AWS::SecretsManager::Secret", "AWS::SQS::Queue", "AWS::CloudWatch::Alarm"]
    {
        for (id, _) in template.of_type(kind) {
            assert!(picture.contains(id), "{id}");
        }
    }
}

#[test]
fn a_change_of_the_template_changes_the_picture() {
    let before = template();
    let drawn = draw(&Template::read(&before).unwrap());
    for (what, from, to) in [
        ("a route", "Path: \"/api/v1/auth/logout\"", "Path: \"/api/v1/auth/log-out\""),
        (
            "what protects it",
            "Path: \"/api/v1/auth/refresh\", Auth: {Authorizer: NONE}",
            "Path: \"/api/v1/auth/refresh\"",
        ),
        ("a role", "[\"CHALLENGE#*\"]", "[\"CHALLENGE#*\", \"ORG#*\"]"),
        ("a secret", "Resource: [!Ref CodesSecret]", "Resource: [!Ref SealingSecret]"),
        (
            "a stream",
            "EventSourceArn: !GetAtt Table.StreamArn",
            "EventSourceArn: !GetAtt Checkpoints.StreamArn",
        ),
        ("an alarm", "DynamoDB turned calls away.", "Turned away."),
        ("a schedule", "rate(1 day)", "rate(2 days)"),
    ] {
        assert!(before.contains(from), "{what}: the template does not say {from} any more");
        let changed = Template::read(&before.replace(from, to)).unwrap();
        assert!(draw(&changed) != drawn, "{what}");
    }
}
