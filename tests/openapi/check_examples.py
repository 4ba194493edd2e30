"""Holds every example of the document to its schema."""

import sys

import jsonschema_rs
import yaml

with open(sys.argv[1], encoding="utf-8") as file:
    document = yaml.safe_load(file)
# A reference of the document is looked up in the document.
SCHEMAS = {"components": document["components"]}


def examples(value):
    """Each example below `value`, with its schema."""
    if isinstance(value, list):
        for item in value:
            yield from examples(item)
    elif isinstance(value, dict):
        if "schema" in value and "example" in value:
            yield value["schema"], value["example"]
        if "schema" in value and "examples" in value:
            for name, example in value["examples"].items():
                yield value["schema"] | {"title": name}, example["value"]
        for item in value.values():
            yield from examples(item)


checked = 0
for schema, example in examples({"paths": document["paths"], "responses": document["components"]["responses"]}):
    validator = jsonschema_rs.Draft202012Validator(SCHEMAS | schema)
    if wrong := [error for error in validator.iter_errors(example)]:
        sys.exit(f"{example}\n{wrong[0]}")
    checked += 1
if checked < 30:
    sys.exit(f"only {checked} examples were found: the reading is broken")
print(f"{checked} examples are what their schemas say.")
