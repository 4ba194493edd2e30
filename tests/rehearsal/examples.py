"""Other APIs in front of our authorizer: deploys the two payments APIs of infra/examples, starts the third, and calls all of them with
both kinds of credential, as the contract says they answer.
"""

import contextlib
import json
import os
import pathlib
import re
import secrets
import shutil
import subprocess
import urllib.error
import urllib.request

import boto3

import gateway

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "infra" / "examples"
REST, HTTP = "payments-rest", "payments-http"
STAGE = "prod"
PASSWORD = "rehearsal-password-123"
# The template's default (infra/template.yaml, TokenAudience).
AUDIENCE = "syncgram-pay"
# The issuer is an address of AWS, which leads nowhere here: what it is asked, the emulator is asked instead. Loaded before the example.
LEAD = """const { ISSUER, REACHED_AT } = process.env;
const { fetch } = globalThis;
globalThis.fetch = (url, options) => fetch(String(url).replace(ISSUER, REACHED_AT), options);
"""
PAYMENT = {"amount": 1999, "currency": "EUR"}


class Answer:
    """What came back, error or not."""

    def __init__(self, status: int, headers, body: bytes):
        self.status, self.headers = status, headers
        try:
            self.body = json.loads(body)
        except ValueError:
            self.body = body.decode(errors="replace")

    @property
    def data(self) -> dict:
        return self.body.get("data", {}) if isinstance(self.body, dict) else {}

    @property
    def code(self) -> str | None:
        """Our envelope's; a gateway of its own words has none."""
        error = self.body.get("error") if isinstance(self.body, dict) else None
        return error["code"] if isinstance(error, dict) and error.get("request_id") else None


def call(method: str, url: str, bearer: str | None = None, body: dict | None = None) -> Answer:
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {bearer}"} if bearer else {})
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return Answer(answer.status, answer.headers, answer.read())
    except urllib.error.HTTPError as error:
        return Answer(error.code, error.headers, error.read())


class Organization:
    """A customer of ours: made by the operator, with an owner who logs in and makes a key."""

    def __init__(self, people: "People", env: str):
        self.people, self.env = people, env
        self.email = f"owner@{secrets.token_hex(8)}.example"
        new = {"name": "Cedar Tea", "country": "GB", "owner_email": self.email, "owner_full_name": "Cleo Cedar", "owner_password": PASSWORD}
        made = people.operate("create_organization", **new)
        self.id, self.owner = made["id"], made["owner_user_id"]
        self.token = self.log_in()
        if env == "live":
            people.operate("set_onboarding", org_id=self.id, onboarding_status="COMPLETED", payments_status="ENABLED")
            self.ask("PUT", f"/organizations/{self.id}/environment", {"env": "live"})
        made = self.ask("POST", "/auth/api-keys", {"key_name": "Payments"})
        self.key, self.key_id = made["key"], made["api_key_id"]

    def ask(self, method: str, path: str, body: dict | None = None) -> dict:
        return self.asked(method, path, self.token, body)

    def asked(self, method: str, path: str, bearer: str | None, body: dict | None) -> dict:
        answer = call(method, f"{self.people.base_url}/api/v1{path}", bearer, body)
        if answer.status not in (200, 201):
            raise SystemExit(f"rehearse: {method} {path}: {answer.status} {answer.body}")
        return answer.data

    def log_in(self) -> str:
        login = {"email": self.email, "password": PASSWORD}
        challenge = self.asked("POST", "/auth/login", None, login)["challenge_id"]
        code = self.people.newest_code(self.email)
        return self.asked("POST", "/auth/login/2fa/verify", None, {"challenge_id": challenge, "code": code})["access_token"]


class People:
    """The main stack, as those who use it see it."""

    def __init__(self, base_url: str, operator: str, mailbox: str, table: str):
        self.base_url, self.operator, self.mailbox, self.table = base_url, operator, mailbox, table

    def operate(self, action: str, **members: str) -> dict:
        payload = json.dumps({"action": action, **members}).encode()
        answer = json.load(boto3.client("lambda").invoke(FunctionName=self.operator, Payload=payload)["Payload"])
        if not answer.get("success"):
            raise SystemExit(f"rehearse: the operator's {action}: {answer}")
        return answer["data"]

    def newest_code(self, email: str) -> str:
        mails = call("GET", self.mailbox).body["messages"].values()
        texts = [mail["BodyText"] for account in mails for mail in account if mail["To"] == [email]]
        return re.search(r"\b\d{6}\b", texts[-1])[0]

    def set_role(self, organization: Organization, role: str) -> None:
        """No route and no operator changes a role yet, so the table is told."""
        boto3.client("dynamodb").update_item(
            TableName=self.table,
            Key={"pk": {"S": f"ORG#{organization.id}"}, "sk": {"S": f"MEMBER#{organization.owner}"}},
            UpdateExpression="SET #role = :role",
            ConditionExpression="attribute_exists(#role)",
            ExpressionAttributeNames={"#role": "role"},
            ExpressionAttributeValues={":role": {"S": role}},
        )


def rehearse(emulator, sam: pathlib.Path, work: pathlib.Path, base_url: str, physical: dict[str, str], account: str) -> int:
    """Deploys and calls all three. `physical` names the main stack's resources. Says how many answers were as they should be."""
    # What the output AuthorizerArn tells other teams: the alias, as our own routes have it.
    urls = deploy(emulator, sam, work, next(arn for name, arn in physical.items() if name.startswith("AuthorizerFunctionAlias")), base_url)
    mailbox = f"{emulator.url}/_ministack/ses/messages?account={account}"
    people = People(base_url, physical["OperatorFunction"], mailbox, physical["Table"])
    told = Calls()
    with own_verifier(work, base_url) as own:
        everything(told, urls, own, people, physical["AuthorizerFunction"])
    if told.wrong:
        raise SystemExit("rehearse: the examples answered otherwise than the contract says:\n" + "\n".join(told.wrong))
    return told.right


def deploy(emulator, sam: pathlib.Path, work: pathlib.Path, authorizer: str, base_url: str) -> dict[str, str]:
    """Both payments APIs, as their team would deploy them. Their URLs."""
    for name in (REST, HTTP):
        command = [
            str(sam), "deploy", "--template", str(EXAMPLES / name / "template.yaml"), "--stack-name", name,
            "--capabilities", "CAPABILITY_IAM", "--resolve-s3", "--no-progressbar",
            "--parameter-overrides", f"AuthorizerArn={authorizer}", f"AuthUrl={base_url}",
        ]  # fmt: skip
        environment = {**os.environ, "SAM_CLI_TELEMETRY": "0", "HOME": str(work / "emulator")}
        log = work / f"{name}.log"
        with log.open("wb") as output:
            done = subprocess.run(
                command, env=environment, cwd=work, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
            )
        if done.returncode != 0:
            raise SystemExit(f"rehearse: sam deploy of {name} failed:\n{log.read_text(errors='replace')[-4000:]}")
    cloudformation = boto3.client("cloudformation")
    api = {
        name: cloudformation.describe_stack_resource(StackName=name, LogicalResourceId="Api")["StackResourceDetail"]["PhysicalResourceId"]
        for name in (REST, HTTP)
    }
    gateway.complete(boto3.client("apigateway"), cloudformation, REST, STAGE)
    return {
        REST: f"{emulator.url}/restapis/{api[REST]}/{STAGE}/_user_request_",
        HTTP: f"{emulator.url}/_aws/execute-api/{api[HTTP]}/$default",
    }


@contextlib.contextmanager
def own_verifier(work: pathlib.Path, base_url: str):
    """The API that verifies tokens in its own code, with the library that its own lock file names. Its URL, or none."""
    if not node_is_here():
        print("rehearse: skipped: the API that verifies tokens itself: takes Node.js 20 and npm, as `make test-interop`", flush=True)
        yield None
        return
    folder = work / "verifies-itself"
    shutil.copytree(EXAMPLES / "verifies-itself", folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("node_modules"))
    subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"], cwd=folder, check=True)
    (folder / "lead.mjs").write_text(LEAD)
    issuer = call("GET", f"{base_url}/.well-known/openid-configuration").body["issuer"]
    environment = {"PATH": os.environ["PATH"], "ISSUER": issuer, "REACHED_AT": base_url, "AUDIENCE": AUDIENCE, "PORT": "0"}
    command = ["node", "--import", "./lead.mjs", "server.mjs"]
    server = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        line = server.stdout.readline()
        if not line.startswith("http://"):
            raise SystemExit(f"rehearse: the third example did not start: {line}")
        yield line.strip()
    finally:
        server.terminate()
        server.wait(10)


def node_is_here() -> bool:
    """The library takes Node.js 20; Debian 12 has 18."""
    if not shutil.which("npm") or not shutil.which("node"):
        return False
    version = subprocess.run(["node", "--version"], check=True, capture_output=True, text=True).stdout
    return int(version.removeprefix("v").split(".")[0]) >= 20


class Calls:
    """Compares answers with what the contract says, and goes on: one run shows everything that is wrong."""

    def __init__(self):
        self.right, self.wrong = 0, []

    def expect(self, what: str, answer: Answer, status: int, code: str | None = None, **headers: str) -> Answer:
        problems = [f"{answer.status}, not {status}"] if answer.status != status else []
        if answer.code != code:
            problems.append(f"code {answer.code}, not {code}")
        problems += [
            f"{name}: {answer.headers.get(name.replace('_', '-'))}, not {value}"
            for name, value in headers.items()
            if answer.headers.get(name.replace("_", "-")) != value
        ]
        self.right += not problems
        if problems:
            self.wrong.append(f"{what}: {'; '.join(problems)}: {answer.body}")
        return answer

    def hold(self, what: str, holds: bool) -> None:
        self.right += holds
        if not holds:
            self.wrong.append(what)


def everything(told: Calls, urls: dict[str, str], own: str | None, people: People, authorizer: str) -> None:
    tester, seller = Organization(people, "test"), Organization(people, "live")
    people.set_role(seller, "viewer")
    viewer = seller.log_in()
    people.set_role(seller, "owner")
    for name in (REST, HTTP):
        refused(told, name, urls[name], tester)
        paid(told, name, urls[name], tester, seller)
        refunds(told, name, urls[name], tester, seller, viewer)
    if own:
        in_its_own_code(told, own, tester, viewer)
    suspended(told, urls, own, tester, people)
    revoked(told, urls, tester)
    authorizer_fails(told, urls, seller, authorizer)


def nobody(told: Calls, name: str, what: str, answer: Answer, *, asked: bool = True) -> None:
    """Not authentic: a REST API says so in our envelope; an HTTP API calls it 403 once the authorizer was asked."""
    if name == REST:
        told.expect(f"{name}: {what}", answer, 401, "unauthorized", WWW_Authenticate='Bearer realm="payments"', Cache_Control="no-store")
    else:
        told.expect(f"{name}: {what}", answer, 403 if asked else 401)


def refused(told: Calls, name: str, url: str, organization: Organization) -> None:
    header, claims, signature = organization.token.split(".")
    other = "A" if signature[20] != "A" else "B"
    nobody(told, name, "no credential", call("GET", f"{url}/payments"), asked=False)
    for what, bearer in {
        "no form of ours": "x",
        "a refresh token's form": "rt_" + "x" * 40,
        "a key with a typo": organization.key[:-1] + ("0" if organization.key[-1] != "0" else "1"),
        "a token with another signature": f"{header}.{claims}.{signature[:20]}{other}{signature[21:]}",
        "a token without a signature": f"{header}.{claims}.",
    }.items():
        nobody(told, name, what, call("GET", f"{url}/payments", bearer))
        nobody(told, name, what, call("POST", f"{url}/payments", bearer, PAYMENT))


def paid(told: Calls, name: str, url: str, tester: Organization, seller: Organization) -> None:
    for organization in (tester, seller):
        env = organization.env
        made = told.expect(f"{name}: a payment with a {env} key", call("POST", f"{url}/payments", organization.key, PAYMENT), 201)
        told.hold(f"{name}: the {env} key chose the environment: {made.body}", made.data.get("env") == env)
        # By key, and by a person of the organization: what it made, and nothing of the other's.
        for credential in (organization.key, organization.token):
            listed = told.expect(f"{name}: payments, {env}", call("GET", f"{url}/payments", credential), 200)
            told.hold(f"{name}: its own payments alone: {listed.body}", listed.data == {"env": env, "payments": [made.data]})
    told.expect(
        f"{name}: a payment by a person", call("POST", f"{url}/payments", tester.token, PAYMENT), 403, "api_key_required"
    )
    told.expect(f"{name}: no payment", call("POST", f"{url}/payments", tester.key, {"amount": "1"}), 400, "invalid_request")


def refunds(told: Calls, name: str, url: str, tester: Organization, seller: Organization, viewer: str) -> None:
    payment = call("POST", f"{url}/payments", seller.key, PAYMENT).data.get("id")
    refund = f"{url}/refunds/{payment}"
    told.expect(f"{name}: a refund by a viewer", call("POST", refund, viewer), 403, "insufficient_role")
    told.expect(f"{name}: a refund by a key", call("POST", refund, seller.key), 403, "session_required")
    told.expect(f"{name}: a refund of another's", call("POST", refund, tester.token), 404, "not_found")
    made = told.expect(f"{name}: a refund by the owner", call("POST", refund, seller.token), 200)
    told.hold(f"{name}: refunded: {made.body}", made.data.get("status") == "refunded")


def in_its_own_code(told: Calls, url: str, organization: Organization, viewer: str) -> None:
    header, claims, signature = organization.token.split(".")
    other = "A" if signature[20] != "A" else "B"
    seen = told.expect("verifies-itself: a token", call("GET", f"{url}/payments", organization.token), 200)
    told.hold(f"verifies-itself: whose it is: {seen.body}", seen.data.get("org_id") == organization.id)
    told.expect("verifies-itself: a viewer's refund", call("POST", f"{url}/refunds/x", viewer), 403, "insufficient_role")
    told.expect("verifies-itself: an owner's refund", call("POST", f"{url}/refunds/x", organization.token), 200)
    changed = f"{header}.{claims}.{signature[:20]}{other}{signature[21:]}"
    for what, bearer in {"nothing": None, "an API key": organization.key, "a changed token": changed}.items():
        answer = call("GET", f"{url}/payments", bearer)
        told.expect(f"verifies-itself: {what}", answer, 401, "unauthorized", WWW_Authenticate='Bearer realm="payments"')


def suspended(told: Calls, urls: dict[str, str], own: str | None, organization: Organization, people: People) -> None:
    """The key is refused on the very next call, and accepted again on the one after the reinstatement."""
    people.operate("suspend_organization", org_id=organization.id)
    for name in (REST, HTTP):
        url, code = f"{urls[name]}/payments", "organization_suspended"
        # The emulator fills in no word of the authorizer's.
        unfilled = "$context.authorizer.code" if name == REST else None
        told.expect(f"{name}: a suspended organization's key", call("GET", url, organization.key), 403, unfilled)
        # The token lives out its 15 minutes: it gets past the authorizer, and where the organization is asked, it is told.
        told.expect(f"{name}: its token, the organization asked", call("GET", url, organization.token), 403, code)
        told.expect(f"{name}: its token, nobody asked", call("POST", f"{urls[name]}/refunds/x", organization.token), 404, "not_found")
    if own:
        told.expect("verifies-itself: its token", call("GET", f"{own}/payments", organization.token), 200)
    people.operate("reinstate_organization", org_id=organization.id)
    for name in (REST, HTTP):
        told.expect(f"{name}: reinstated", call("GET", f"{urls[name]}/payments", organization.key), 200)


def revoked(told: Calls, urls: dict[str, str], organization: Organization) -> None:
    """The call before it was allowed, so a kept answer would show here."""
    organization.ask("DELETE", f"/auth/api-keys/{organization.key_id}")
    for name in (REST, HTTP):
        nobody(told, name, "a key on the call after it was revoked", call("GET", f"{urls[name]}/payments", organization.key))


def authorizer_fails(told: Calls, urls: dict[str, str], organization: Organization, authorizer: str) -> None:
    """It cannot find out who is calling, here because nobody told it which table to ask: neither a yes nor a 401."""
    functions = boto3.client("lambda")
    variables = functions.get_function_configuration(FunctionName=authorizer)["Environment"]["Variables"]
    without = {name: value for name, value in variables.items() if name != "TABLE_NAME"}

    def runs_with(variables: dict[str, str]) -> None:
        functions.update_function_configuration(FunctionName=authorizer, Environment={"Variables": variables})
        # Gateways call the alias, which leads to a published version and stays as it was published.
        version = functions.publish_version(FunctionName=authorizer)["Version"]
        functions.update_alias(FunctionName=authorizer, Name="live", FunctionVersion=version)

    runs_with(without)
    try:
        answer = call("POST", f"{urls[REST]}/payments", organization.key, PAYMENT)
        told.expect(f"{REST}: the authorizer fails", answer, 503, "service_unavailable", Retry_After="5", Cache_Control="no-store")
        told.expect(f"{HTTP}: the authorizer fails", call("POST", f"{urls[HTTP]}/payments", organization.key, PAYMENT), 500)
    finally:
        runs_with(variables)
    for name in (REST, HTTP):
        told.expect(f"{name}: the authorizer is back", call("POST", f"{urls[name]}/payments", organization.key, PAYMENT), 201)
