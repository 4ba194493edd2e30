"""A Python authorizer as one writes it today: PyJWT for tokens, boto3 for keys.

The client of the runtime API is as small as can be, so Python starts faster here than with AWS's own one.
"""

import hashlib
import http.client
import json
import os

import boto3
import jwt

TABLE = os.environ["TABLE_NAME"]
AUDIENCE = os.environ["TOKEN_AUDIENCE"]
CLIENT = boto3.client("dynamodb", endpoint_url=os.environ["AWS_ENDPOINT_URL_DYNAMODB"])
KEYS = {}


def item(pk, sk, consistent):
    found = CLIENT.get_item(TableName=TABLE, Key={"pk": {"S": pk}, "sk": {"S": sk}}, ConsistentRead=consistent)
    return found.get("Item")


def key_set():
    if not KEYS:
        found = item("KEYSET", "KEYSET", False)
        KEYS["issuer"] = found["issuer"]["S"]
        for key in found["keys"]["L"]:
            plain = {name: value["S"] for name, value in key["M"].items()}
            KEYS[plain["kid"]] = jwt.PyJWK(plain).key
    return KEYS


def who_is(credential):
    if credential.startswith("sk_"):
        found = item("KEYHASH#" + hashlib.sha256(credential.encode()).hexdigest(), "CREDENTIAL", True)
        if found is None or "revoked_at" in found:
            raise PermissionError("Unauthorized")
        return {
            "principal_id": found["api_key_id"]["S"],
            "org_id": found["org_id"]["S"],
            "env": found["env"]["S"],
            "auth_method": "api_key",
        }
    keys = key_set()
    key = keys[jwt.get_unverified_header(credential)["kid"]]
    claims = jwt.decode(credential, key, algorithms=["ES256"], audience=AUDIENCE, issuer=keys["issuer"])
    return {
        "principal_id": claims["sub"],
        "org_id": claims["org"],
        "role": claims["role"],
        "session_id": claims["sid"],
        "auth_method": "jwt",
    }


def handle(event):
    kind, _, credential = event["authorizationToken"].partition(" ")
    if kind != "Bearer":
        raise PermissionError("Unauthorized")
    context = who_is(credential)
    statement = {"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": event["methodArn"]}
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    return {"principalId": context["principal_id"], "policyDocument": policy, "context": context}


def main():
    connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])

    def call(method, path, body=None):
        connection.request(method, "/2018-06-01/runtime/" + path, body)
        answer = connection.getresponse()
        return answer.headers, answer.read()

    while True:
        headers, body = call("GET", "invocation/next")
        invocation = "invocation/" + headers["lambda-runtime-aws-request-id"]
        try:
            call("POST", invocation + "/response", json.dumps(handle(json.loads(body))))
        except Exception as error:  # noqa: BLE001: whatever goes wrong is the call's error, as with AWS's own client
            text = json.dumps({"errorType": type(error).__name__, "errorMessage": str(error)})
            call("POST", invocation + "/error", text)


main()
