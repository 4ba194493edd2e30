"""Holds every function to the role it was deployed with.

The emulator's own enforcement knows no `dynamodb:LeadingKeys` and no SES identity, so with it nothing of ours would be allowed. Here each
function calls AWS through a door of its own, which says who is calling; what a request asks for is put the way IAM's service
authorization reference puts it, and judged by the emulator's evaluator over the policies as they were deployed. What is refused gets the
answer that AWS gives, and stays on a list: a story may go on without something, a rehearsal may not.
"""

import collections
import http.client
import http.server
import json
import re
import threading

from ministack.core.iam_evaluator import EvalContext, evaluate, parse_policy_document

# What leads a function's clients to its door: they come before AWS_ENDPOINT_URL, which the emulator sets itself.
ENDPOINTS = ["AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL_SECRETS_MANAGER", "AWS_ENDPOINT_URL_SESV2"]
TRANSACTED = {
    "ConditionCheck": "dynamodb:ConditionCheckItem",
    "Put": "dynamodb:PutItem",
    "Update": "dynamodb:UpdateItem",
    "Delete": "dynamodb:DeleteItem",
    "Get": "dynamodb:GetItem",
}
PARTITION_KEY = "pk"
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "date", "server"}


class Demand:
    """One thing that somebody asks IAM for: an action on a resource, and what the request says about itself."""

    def __init__(self, action: str, resource: str, **context: object):
        self.action, self.resource = action, resource
        self.context = {name.replace("__", ":").lower(): value for name, value in context.items()}

    def __str__(self) -> str:
        return f"{self.action} on {self.resource} {self.context or ''}".rstrip()


class Role:
    """A function's role, as deployed."""

    def __init__(self, iam, name: str, region: str, account: str):
        names = iam.list_role_policies(RoleName=name)["PolicyNames"]
        documents = [iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"] for policy in names]
        for attached in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
            policy = iam.get_policy(PolicyArn=attached["PolicyArn"])["Policy"]
            version = iam.get_policy_version(PolicyArn=policy["Arn"], VersionId=policy["DefaultVersionId"])
            documents.append(version["PolicyVersion"]["Document"])
        self.policies = [parse_policy_document(document) for document in documents]
        self.region, self.account = region, account
        self.arn = f"arn:aws:sts::{account}:assumed-role/{name}/rehearsal"

    def statements(self):
        return [statement for policy in self.policies for statement in policy]

    def allows(self, demand: Demand) -> str | None:
        """The `Sid` of what allows it."""
        context = EvalContext(
            principal_arn=self.arn,
            principal_type="AssumedRole",
            principal_account=self.account,
            action=demand.action,
            resource_arn=demand.resource,
            region=self.region,
            source_ip="127.0.0.1",
            secure_transport=True,
            service_context=demand.context,
        )
        result = evaluate(context, self.policies)
        return result.matched_sid if result.decision == "Allow" else None


class Guard:
    """The doors of all functions. Leaving the `with` block shuts them."""

    def __init__(self, emulator: str, region: str, account: str, mail_identity: str):
        self.target = emulator.removeprefix("http://")
        self.region, self.account, self.mail_identity = region, account, mail_identity
        self.servers: list[http.server.ThreadingHTTPServer] = []
        self.roles: dict[str, Role] = {}
        self.refused: list[str] = []
        self.used: collections.Counter[tuple[str, str]] = collections.Counter()
        self.lock = threading.Lock()

    def __enter__(self) -> "Guard":
        return self

    def __exit__(self, *_: object) -> None:
        for server in self.servers:
            server.shutdown()
            server.server_close()

    def stand_before(self, name: str, function: str, role: Role, lambda_) -> None:
        """From now on the function calls AWS through a door of its own."""
        self.roles[name] = role
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), door(self, name))
        server.daemon_threads = True
        self.servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        variables = lambda_.get_function_configuration(FunctionName=function)["Environment"]["Variables"]
        address = f"http://127.0.0.1:{server.server_port}"
        variables |= dict.fromkeys(ENDPOINTS, address)
        lambda_.update_function_configuration(FunctionName=function, Environment={"Variables": variables})
        # Gateways call the alias, and what that leads to is a photograph: one with the door in it.
        version = lambda_.publish_version(FunctionName=function)["Version"]
        lambda_.update_alias(FunctionName=function, Name="live", FunctionVersion=version)

    def judge(self, name: str, demands: list[Demand]) -> Demand | None:
        """The first demand that the function's role does not allow."""
        for demand in demands:
            sid = self.roles[name].allows(demand)
            with self.lock:
                if sid is None:
                    self.refused.append(f"{name}: {demand}")
                    return demand
                self.used[name, sid] += 1
        return None

    def unused(self) -> list[str]:
        """Statements that nothing was allowed by, as `function: Sid`. Logs and traces go past the doors: Lambda sends them."""
        return [
            f"{name}: {statement.sid}"
            for name, role in self.roles.items()
            for statement in role.statements()
            if not self.used[name, statement.sid]
            and not all(action.startswith(("logs:", "xray:")) for action in statement.actions)
        ]

    def demands(self, target: str | None, path: str, body: dict) -> list[Demand]:
        """What a request asks IAM for; an error when nobody here knows."""
        service, _, operation = (target or "").partition(".")
        if service == "DynamoDB_20120810":
            return self.of_dynamodb(operation, body)
        if service == "secretsmanager":
            return [Demand(f"secretsmanager:{operation}", body["SecretId"])]
        if path == "/v2/email/outbound-emails":
            sender = body["FromEmailAddress"]
            own = sender == self.mail_identity or sender.endswith(f"@{self.mail_identity}")
            identity = self.mail_identity if own else sender
            resource = f"arn:aws:ses:{self.region}:{self.account}:identity/{identity}"
            return [Demand("ses:SendEmail", resource, ses__FromAddress=sender)]
        raise ValueError(f"no function is known to ask for {target or path}")

    def of_dynamodb(self, operation: str, body: dict) -> list[Demand]:
        if operation == "BatchGetItem":
            # Judged by all its keys together.
            return [
                self.of_item("dynamodb:BatchGetItem", table, [value(key) for key in asked["Keys"]])
                for table, asked in body["RequestItems"].items()
            ]
        if operation in ("TransactWriteItems", "TransactGetItems"):
            # No action of its own: each part is judged as what it does.
            parts = [part for item in body["TransactItems"] for part in item.items()]
            return [self.of_item(TRANSACTED[kind], part["TableName"], keys(part)) for kind, part in parts]
        return [self.of_item(f"dynamodb:{operation}", body["TableName"], keys(body))]

    def of_item(self, action: str, table: str, leading: list[str]) -> Demand:
        resource = f"arn:aws:dynamodb:{self.region}:{self.account}:table/{table}"
        return Demand(action, resource, dynamodb__LeadingKeys=leading) if leading else Demand(action, resource)


def keys(body: dict) -> list[str]:
    """The partition keys of a request about one item, or of a query. A scan names none."""
    if item := body.get("Key") or body.get("Item"):
        return [value(item)]
    condition = body.get("KeyConditionExpression", "")
    names, values = body.get("ExpressionAttributeNames", {}), body.get("ExpressionAttributeValues", {})
    found = re.findall(r"([#\w]+)\s*=\s*(:\w+)", condition)
    return [values[given]["S"] for name, given in found if names.get(name, name) == PARTITION_KEY]


def value(item: dict) -> str:
    return item[PARTITION_KEY]["S"]


def door(guard: Guard, name: str) -> type[http.server.BaseHTTPRequestHandler]:
    class Door(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            try:
                demands = guard.demands(self.headers.get("X-Amz-Target"), self.path, json.loads(body))
                refused = guard.judge(name, demands)
            except (KeyError, TypeError, ValueError) as error:
                # What cannot be judged is refused.
                refused = repr(error)
                guard.refused.append(f"{name}: {refused}")
            if refused is not None:
                denied = {"__type": "com.amazon.coral.service#AccessDeniedException", "Message": f"{name} may not: {refused}"}
                self.answer(400, {"Content-Type": "application/x-amz-json-1.0"}, json.dumps(denied).encode())
                return
            onward = http.client.HTTPConnection(guard.target, timeout=30)
            try:
                onward.request("POST", self.path, body, {key: text for key, text in self.headers.items()})
                answer = onward.getresponse()
                headers = {key: text for key, text in answer.getheaders() if key.lower() not in HOP_BY_HOP}
                self.answer(answer.status, headers, answer.read())
            finally:
                onward.close()

        def answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            for key, text in headers.items():
                self.send_header(key, text)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    return Door
