"""Part of `make lint`: the template as SAM translates it for a gradual deployment, which an emulator never sees.

Each function but the dashboard's is shifted by CodeDeploy under the alarms; gateways call aliases, and may; a new release publishes a new version of every
function; and no resource waits for itself, which CloudFormation would tell in the middle of somebody's deployment only.
"""

import os
import pathlib
import re
import sys

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

TEMPLATE = pathlib.Path(__file__).resolve().parents[1] / "template.yaml"
# Its document asks for files of its own version.
AT_ONCE = {"DashboardFunction"}
GIVEN = {"MailFrom": "codes@pay.example", "MailIdentity": "pay.example"}


class NoPolicies:
    def load(self):
        return {}


def translated(**parameters):
    template = yaml_parse(TEMPLATE.read_text())
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            # As `sam deploy` leaves it, once it has uploaded the code.
            resource["Properties"]["CodeUri"] = "s3://bucket/code"
    return transform(template, {**GIVEN, **parameters}, NoPolicies())["Resources"]


def of_type(resources, kind):
    return {name: resource for name, resource in resources.items() if resource["Type"] == kind}


def named_in(value):
    """The logical ids that a value refers to."""
    if isinstance(value, list):
        for member in value:
            yield from named_in(member)
    elif isinstance(value, dict):
        for name, member in value.items():
            if name == "Ref":
                yield member
            elif name == "Fn::GetAtt":
                yield member[0] if isinstance(member, list) else member.split(".")[0]
            elif name == "DependsOn":
                yield from [member] if isinstance(member, str) else member
            else:
                if name == "Fn::Sub":
                    yield from re.findall(r"\$\{(\w+)", member if isinstance(member, str) else member[0])
                yield from named_in(member)


def circle(resources):
    needs = {name: [it for it in named_in(resource) if it in resources] for name, resource in resources.items()}
    done = set()

    def visit(name, path):
        if name in path:
            return [*path[path.index(name) :], name]
        if name not in done:
            for needed in needs[name]:
                if found := visit(needed, [*path, name]):
                    return found
            done.add(name)
        return None

    return next((found for name in needs if (found := visit(name, []))), None)


def main():
    os.environ.setdefault("AWS_DEFAULT_REGION", "eu-west-1")
    at_once, gradual, later = translated(), translated(GradualDeployment="true"), translated(Release="another")
    functions = set(of_type(gradual, "AWS::Lambda::Function"))
    groups = of_type(gradual, "AWS::CodeDeploy::DeploymentGroup")
    wrong = []
    if of_type(at_once, "AWS::CodeDeploy::DeploymentGroup"):
        wrong.append("without GradualDeployment there is CodeDeploy all the same")
    if set(groups) != {f"{name}DeploymentGroup" for name in functions - AT_ONCE}:
        wrong.append(f"not every function but {sorted(AT_ONCE)} is shifted gradually: {sorted(groups)}")
    for name, group in groups.items():
        alarms = group["Properties"]["AlarmConfiguration"]["Fn::If"]
        if alarms[0] != "Watches" or len(alarms[1]["Alarms"]) != 3 or not alarms[1]["Enabled"]:
            wrong.append(f"{name} has not its alarms")
    versions = [of_type(resources, "AWS::Lambda::Version") for resources in (gradual, later)]
    if len(versions[0]) != len(functions) or set(versions[0]) & set(versions[1]):
        wrong.append("a new release does not publish a new version of every function")
    aliases = {f"{name}Aliaslive" for name in functions}
    for name, permission in of_type(gradual, "AWS::Lambda::Permission").items():
        by = permission["Properties"]
        if by["Principal"] == "apigateway.amazonaws.com" and not set(named_in(by["FunctionName"])) <= aliases:
            wrong.append(f"{name} lets the gateway call something else than an alias")
    called = {it for it in named_in(gradual["Api"]) if it.startswith(tuple(functions))}
    if not called or not called <= aliases:
        wrong.append(f"the gateway calls {sorted(called - aliases)}, not their aliases")
    if found := circle(gradual):
        wrong.append(f"each of these waits for the next: {' -> '.join(found)}")
    if wrong:
        sys.exit("\n".join(f"{TEMPLATE.name}: {line}" for line in wrong))


main()
