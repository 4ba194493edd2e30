//! CloudFormation's YAML: values that may be a literal, a short tag (`!Ref Api`) or its long form (`{Ref: Api}`).

use serde_yaml_ng::Value;

/// The value at `path`, member by member.
pub(crate) fn at<'a>(value: &'a Value, path: &[&str]) -> Option<&'a Value> {
    path.iter().try_fold(value, |value, name| value.get(*name))
}

/// The members of a mapping whose keys are text; nothing for any other value.
pub(crate) fn members(value: Option<&Value>) -> impl Iterator<Item = (&str, &Value)> {
    value
        .and_then(Value::as_mapping)
        .into_iter()
        .flatten()
        .filter_map(|(name, value)| Some((name.as_str()?, value)))
}

/// A scalar as text: `401` and `"401"` are the same thing in a template.
pub(crate) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

/// The logical id that `Ref`, `Fn::GetAtt` or a `Fn::Sub` of a single variable points at.
pub(crate) fn referenced(value: &Value) -> Option<String> {
    let (function, argument) = intrinsic(value)?;
    let text = match function.as_str() {
        "Ref" => argument.as_str()?.to_owned(),
        "GetAtt" => match argument {
            Value::Sequence(parts) => parts.first()?.as_str()?.to_owned(),
            other => other.as_str()?.to_owned(),
        },
        "Sub" => argument.as_str()?.strip_prefix("${")?.strip_suffix('}')?.to_owned(),
        _ => return None,
    };
    Some(text.split('.').next().unwrap_or_default().to_owned())
}

/// A literal, or the default of the parameter that a `Ref` names.
pub(crate) fn text(template: &Value, value: &Value) -> Option<String> {
    scalar(value).or_else(|| {
        let parameter = referenced(value)?;
        at(template, &["Parameters", &parameter, "Default"]).and_then(scalar)
    })
}

/// Splits an intrinsic function into its name, without `Fn::` or `!`, and its argument.
fn intrinsic(value: &Value) -> Option<(String, &Value)> {
    match value {
        Value::Tagged(tagged) => {
            Some((tagged.tag.to_string().trim_start_matches('!').to_owned(), &tagged.value))
        }
        Value::Mapping(mapping) if mapping.len() == 1 => {
            let (name, argument) = mapping.iter().next()?;
            let name = name.as_str()?;
            Some((name.strip_prefix("Fn::").unwrap_or(name).to_owned(), argument))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn yaml(text: &str) -> Value {
        serde_yaml_ng::from_str(text).unwrap()
    }

    #[test]
    fn a_reference_is_found_in_each_of_its_spellings() {
        for spelling in [
            "!Ref Api",
            "{Ref: Api}",
            "!GetAtt Api.Arn",
            "!GetAtt [Api, Arn]",
            "{Fn::GetAtt: [Api, Arn]}",
            "!Sub '${Api.Arn}'",
            "{Fn::Sub: '${Api}'}",
        ] {
            assert_eq!(referenced(&yaml(spelling)).as_deref(), Some("Api"), "{spelling}");
        }
        for none in ["Api", "!Join ['', [a]]", "{Api: 1, Ref: 2}", "!Sub 'x${Api}'"] {
            assert_eq!(referenced(&yaml(none)), None, "{none}");
        }
    }

    #[test]
    fn a_parameter_stands_for_its_default() {
        let template = yaml("Parameters: {Stage: {Type: String, Default: v1}}");
        assert_eq!(text(&template, &yaml("!Ref Stage")).as_deref(), Some("v1"));
        assert_eq!(text(&template, &yaml("prod")).as_deref(), Some("prod"));
        assert_eq!(text(&template, &yaml("401")).as_deref(), Some("401"));
        assert_eq!(text(&template, &yaml("!Ref Other")), None);
    }
}
