"""What the emulator leaves out when it imports an API's definition: methods that are ANY, and gateway responses.

AWS imports both (`x-amazon-apigateway-any-method`, `x-amazon-apigateway-gateway-responses`), so the template is right to have them
there. Here they are added from that same definition, by the calls of API Gateway that would do it one by one, and deployed.
"""

import re

ANY = "x-amazon-apigateway-any-method"
RESPONSES = "x-amazon-apigateway-gateway-responses"


def complete(gateway, cloudformation, stack: str, stage: str) -> tuple[int, int]:
    """Adds what is missing. Says how many methods and responses that were."""
    resources = cloudformation.describe_stack_resources(StackName=stack)["StackResources"]
    physical = {resource["LogicalResourceId"]: resource["PhysicalResourceId"] for resource in resources}
    template = cloudformation.get_template(StackName=stack, TemplateStage="Processed")["TemplateBody"]
    definition = template["Resources"]["Api"]["Properties"]["Body"]
    api = physical["Api"]
    items = gateway.get_resources(restApiId=api, limit=500)["items"]
    by_path = {item["path"]: item["id"] for item in items}

    methods = 0
    for path, operations in definition["paths"].items():
        if ANY in operations:
            add_any(gateway, api, by_path[path], operations[ANY], physical)
            methods += 1
    responses = definition[RESPONSES]
    for kind, response in responses.items():
        add_response(gateway, api, kind, response)
    # Both reach callers with the next deployment, on AWS as well.
    gateway.create_deployment(restApiId=api, stageName=stage)
    return methods, len(responses)


def add_any(gateway, api: str, resource: str, operation: dict, physical: dict[str, str]) -> None:
    if operation["security"] != [{"NONE": []}]:
        raise RuntimeError(f"an ANY method with an authorizer is not expected: {operation}")
    integration = operation["x-amazon-apigateway-integration"]
    method = {"restApiId": api, "resourceId": resource, "httpMethod": "ANY"}
    gateway.put_method(**method, authorizationType="NONE")
    gateway.put_integration(
        **method,
        type=integration["type"].upper(),
        integrationHttpMethod=integration["httpMethod"],
        uri=resolved(integration["uri"]["Fn::Sub"], gateway.meta.region_name, physical),
    )


def add_response(gateway, api: str, kind: str, response: dict) -> None:
    status = {"statusCode": str(response["statusCode"])} if "statusCode" in response else {}
    gateway.put_gateway_response(
        restApiId=api,
        responseType=kind,
        responseParameters=response["responseParameters"],
        responseTemplates=response["responseTemplates"],
        **status,
    )


def resolved(text: str, region: str, physical: dict[str, str]) -> str:
    """`Fn::Sub`, as far as an integration's URI uses it: the region, and the ARN of a function's alias, which is what refers to it."""

    def value(found: re.Match) -> str:
        name = found[1]
        if name == "AWS::Region":
            return region
        arn = physical.get(name, "")
        if not arn.startswith("arn:aws:lambda:"):
            raise RuntimeError(f"not expected in an integration's URI: {name}, which is {arn!r}")
        return arn

    return re.sub(r"\$\{([^}]+)\}", value, text)
