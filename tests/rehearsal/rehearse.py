"""`make rehearse`: builds the functions as they ship, deploys infra/template.yaml to an emulator of AWS that nobody here wrote, tells
the stories of tests/e2e to what was deployed, and takes everything down again. docs/adr/0009-rehearsal.md says why it is so.

With SHIP=1 in the environment the functions are built with the very profile that ships; without it, with the profile `rehearsal`,
which leaves out the optimization over all crates together.
"""

import base64
import gzip
import json
import os
import pathlib
import platform
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request

import boto3

import examples
import gateway
import permissions
from emulator import REGION, Emulator
from guard import Guard, Role

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = ROOT / "tests" / "rehearsal"
TOOLS = ROOT / "target" / "tools" / "bin"
WORK = ROOT / "target" / "rehearsal"
# The template finds its functions at ../target/lambda. A copy of it in here finds the rehearsal's, and `make build`'s own stay as
# they are: nobody deploys a rehearsal's by mistake.
TEMPLATE = WORK / "infra" / "template.yaml"
LAMBDA = WORK / "target" / "lambda"
SKIPPED = HERE / "skipped"

FUNCTIONS = [
    "login", "verify", "register", "password", "refresh", "logout", "keys", "sessions", "factors", "organizations", "members", "invitations", "leaks", "jwks", "dashboard", "docs",
    "authorizer", "operator",
    "rotate_signing_key", "rotate_key", "audit_chain", "webhooks", "webhook_queue", "webhook_send", "key_expiry", "key_usage",
]  # fmt: skip
STACK = "rehearsal"
STAGE = "prod"
MAIL_FROM, MAIL_IDENTITY = "codes@rehearsal.example", "rehearsal.example"
ACCOUNT = "000000000000"
PARAMETERS = {"StageName": STAGE, "MailFrom": MAIL_FROM, "MailIdentity": MAIL_IDENTITY}
# Parameters of the template, and the value of each that leaves out resources which the emulator does not know: exactly these. One more
# that is missing is an error, and so is one of them that is there.
LEFT_OUT: dict[tuple[str, str], set[str]] = {
    # It knows no rotation: the functions that rotate are called by us.
    ("ManagedRotation", "false"): {"SigningRotation", "CodesRotation", "SealingRotation"},
    # It makes a web ACL, but cannot put one before a stage.
    ("WebAcl", "false"): {"WebAclOfStage", "WebAclAssociation", "FloodAlarm"},
    # Its names lead nowhere. A word of nothing is said in quotes.
    ("DomainName", '""'): {"Domain", "DomainMapping", "DomainRecord"},
    # It knows no CodeDeploy, whose resources SAM makes: none of them stands in the template.
    ("GradualDeployment", "false"): set(),
    # Its alarms look at one metric, ours at sums of several.
    ("Watch", "false"): {
        "ApiErrorsAlarm", "ApiLatencyAlarm", "FailureRateAlarm", "AuthorizerFailureAlarm", "AuthorizerLatencyAlarm", "ReuseAlarm", "WebhooksErrorsAlarm", "WebhooksLateAlarm", "WebhooksGivenUpAlarm",
        "LockoutAlarm", "RotationFailedAlarm", "FunctionErrorsAlarm", "FunctionThrottlesAlarm", "AccountsAlarm", "OwnAccountAlarm", "DocsAlarm", "LeaksAlarm", "TableThrottlesAlarm", "FloodAlarm",
        "AuditChainAlarm", "AuditGivenUpAlarm", "Dashboard",
    },
}  # fmt: skip
# Stories told at once. Most of their time goes into waiting until a minute has passed.
AT_ONCE = 24

ARCHITECTURES = {"x86_64": ("x86_64", "--x86-64"), "aarch64": ("arm64", "--arm64")}


def main() -> None:
    started = time.monotonic()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if platform.system() != "Linux" or platform.machine() not in ARCHITECTURES:
        sys.exit("rehearse: the functions run as processes of this machine, so it takes Linux on x86_64 or arm64")
    architecture, flag = ARCHITECTURES[platform.machine()]
    profile = "rehearsal" if os.environ.get("SHIP", "") in ("", "0", "no", "false") else "release"
    WORK.mkdir(parents=True, exist_ok=True)

    with step(f"building the functions (profile {profile}) with cargo lambda"):
        build(profile, flag)
    with step("writing and checking each function's bill of materials"):
        write_bills(platform.machine())
    with step("building the stories"):
        cargo("build", "--locked", "--package", "rehearsal")
        cargo("test", "--locked", "--package", "e2e", "--test", "stories", "--no-run")
    with step("searching the functions for a back door"):
        cargo("run", "--quiet", "--locked", "--package", "rehearsal", "--", "search", *map(str, bootstraps()))
    skipped = read_skipped()

    with Emulator(WORK) as emulator:
        say(f"MiniStack listens at {emulator.url}; its log is {emulator.log.relative_to(ROOT)}")
        os.environ.update(emulator.environment())
        with step("deploying infra/template.yaml with the SAM command"):
            deploy(architecture)
        stack = Stack(emulator)
        # An operator proves to SES that the sender's domain is theirs; the emulator takes it at our word, and sends nothing without.
        boto3.client("sesv2").create_email_identity(EmailIdentity=MAIL_IDENTITY)
        with Guard(emulator.url, REGION, ACCOUNT, MAIL_IDENTITY) as guard:
            for name in FUNCTIONS:
                role = Role(boto3.client("iam"), stack.physical[f"{logical(name)}Role"], REGION, ACCOUNT)
                guard.stand_before(name, stack.function(name), role, boto3.client("lambda"))
            with step("asking every role for what it must not allow"):
                permissions.check(guard, stack.physical)
            with step("making the first signing keys"):
                # The steps of a rotation go untold: the emulator has no version that is pending without a value, as they begin with.
                empty(stack.physical["SigningSecret"])
                expect_no_signing(stack.base_url)
                invoke(stack, "rotate_signing_key", {"first": True})
            os.environ["TABLE_NAME"] = stack.physical["Table"]
            for story, reason in skipped.items():
                say(f"skipped: {story}: {reason}")
            try:
                with step(f"telling the stories to {stack.base_url}"):
                    tell(emulator, stack, skipped)
                with step("verifying every audit chain"):
                    chains, links = verify_chains(stack)
                    say(f"{links} events in {chains} chains, each in its place")
                with step("noting that a key was used"):
                    note_a_use(stack)
                with step("deploying and calling the other APIs of infra/examples"):
                    right = examples.rehearse(emulator, TOOLS / "sam", WORK, stack.base_url, stack.physical, ACCOUNT)
                    say(f"{right} answers of theirs, each as the contract says")
            finally:
                if guard.refused:
                    say("roles do not allow what their functions ask for:")
                    print("\n".join(sorted(guard.refused)), flush=True)
            say(f"{guard.used.total()} requests of the functions, each allowed by the role of its function")
            if unused := guard.unused():
                say(f"allowed, and in no story that was told: {', '.join(unused)}")
            if guard.refused:
                fail("a role does not allow what its function asks for, see above")
    say(f"everything passed in {time.monotonic() - started:.0f} s ({len(skipped)} stories skipped, named above)")


def build(profile: str, flag: str) -> None:
    shutil.rmtree(LAMBDA, ignore_errors=True)
    packages = [word for name in FUNCTIONS for word in ("--package", name)]
    run(
        ["cargo", "lambda", "build", "--locked", "--profile", profile, flag, "--lambda-dir", str(LAMBDA), *packages],
        # cargo-lambda compiles with flags of its own, so in a folder of its own.
        {"CARGO_TARGET_DIR": str(ROOT / "target" / "cargo-lambda"), "PATH": f"{TOOLS}:{os.environ['PATH']}"},
    )
    missing = [str(path) for path in bootstraps() if not path.is_file()]
    if missing:
        fail(f"cargo lambda built no {', '.join(missing)}")


def write_bills(machine: str) -> None:
    words = ["--target", f"{machine}-unknown-linux-gnu", "--lambda-dir", str(LAMBDA), *FUNCTIONS]
    run([sys.executable, str(ROOT / "infra" / "tools" / "sbom.py"), *words], {})
    # CycloneDX's schema is among the other tools.
    run([str(TOOLS / "python"), str(ROOT / "tests" / "supply-chain" / "check_sbom.py"), *words], {})


def bootstraps() -> list[pathlib.Path]:
    return [LAMBDA / name / "bootstrap" for name in FUNCTIONS]


def deploy(architecture: str) -> None:
    TEMPLATE.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(ROOT / "infra" / "template.yaml", TEMPLATE)
    parameters = {**PARAMETERS, "Architecture": architecture, **{name: value for name, value in LEFT_OUT}}
    log = WORK / "deploy.log"
    with log.open("wb") as output:
        # As an operator does it: the command zips each function, uploads it, makes a change set and executes it.
        done = subprocess.run(
            [
                str(TOOLS / "sam"), "deploy", "--template", str(TEMPLATE), "--stack-name", STACK,
                "--capabilities", "CAPABILITY_IAM", "--resolve-s3", "--no-progressbar",
                "--parameter-overrides", *(f"{name}={value}" for name, value in parameters.items()),
            ],
            env={**os.environ, "SAM_CLI_TELEMETRY": "0", "HOME": str(WORK / "emulator")},
            cwd=WORK, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip
    if done.returncode != 0:
        fail(f"sam deploy failed:\n{log.read_text(errors='replace')[-4000:]}")


class Stack:
    """What was deployed, completed with what the emulator leaves out."""

    def __init__(self, emulator: Emulator):
        self.emulator = emulator
        cloudformation = boto3.client("cloudformation")
        template = cloudformation.get_template(StackName=STACK, TemplateStage="Processed")["TemplateBody"]
        resources = cloudformation.describe_stack_resources(StackName=STACK)["StackResources"]
        self.physical = {resource["LogicalResourceId"]: resource["PhysicalResourceId"] for resource in resources}
        missing, expected = set(template["Resources"]) - set(self.physical), set().union(*LEFT_OUT.values())
        if missing != expected:
            fail(f"missing and unexpected: {sorted(missing - expected)}; expected to be missing and there: {sorted(expected - missing)}")
        methods, responses = gateway.complete(boto3.client("apigateway"), cloudformation, STACK, STAGE)
        say(f"{len(self.physical)} resources; added what the emulator's import leaves out: {methods} ANY methods, {responses} gateway responses")
        # By its path: what stands before the stage in the addresses of AWS would have to be resolved by somebody.
        self.base_url = f"{emulator.url}/restapis/{self.physical['Api']}/{STAGE}/_user_request_"

    def function(self, name: str) -> str:
        return self.physical[f"{logical(name)}Function"]

    def invoke_url(self, name: str) -> str:
        return f"{self.emulator.url}/2015-03-31/functions/{self.function(name)}/invocations"


def logical(name: str) -> str:
    """How the template names what belongs to a function: `rotate_key` is `RotateKey…`."""
    return "".join(word.capitalize() for word in name.split("_"))


def empty(secret: str) -> None:
    """On AWS a secret that was made without a value has no version. Here it has one, without a value and current."""
    client = boto3.client("secretsmanager")
    for version in client.describe_secret(SecretId=secret)["VersionIdsToStages"]:
        client.update_secret_version_stage(SecretId=secret, VersionStage="AWSCURRENT", RemoveFromVersionId=version)


def invoke(stack: Stack, name: str, event: dict) -> dict:
    answer = boto3.client("lambda").invoke(FunctionName=stack.function(name), Payload=json.dumps(event))
    payload = answer["Payload"].read().decode(errors="replace")
    if "FunctionError" in answer:
        fail(f"{name} failed at {event}: {payload}")
    return json.loads(payload)


def verify_chains(stack: Stack) -> tuple[int, int]:
    """Every chain there is, once the stream's consumer has come to its end: how many, and how many links they have."""
    pages = boto3.client("dynamodb").get_paginator("scan").paginate(TableName=stack.physical["Table"], ProjectionExpression="pk")
    keys = {item["pk"]["S"] for page in pages for item in page["Items"]}
    chains = sorted(key.removeprefix("AUDIT#") for key in keys if key.startswith("AUDIT#"))
    links, deadline = 0, time.monotonic() + 120
    for chain in chains:
        while True:
            count, unchained, findings = verify(stack, chain)
            if findings:
                fail(f"the audit chain of {chain} is not whole: {findings}")
            if not unchained:
                break
            if time.monotonic() > deadline:
                fail(f"the stream's consumer does not come to an end: {chain} waits for {unchained}")
            time.sleep(1)
        links += count
    return len(chains), links


def note_a_use(stack: Stack) -> None:
    """What CloudWatch Logs would bring of one key. The emulator's filters know no JSON, so it brings nothing by itself."""
    table = boto3.resource("dynamodb").Table(stack.physical["Table"])
    asked = {"FilterExpression": "begins_with(pk, :organizations) AND begins_with(sk, :keys)", "ExpressionAttributeValues": {":organizations": "ORG#", ":keys": "KEY#key_"}}
    page = table.scan(**asked)
    while not page["Items"] and "LastEvaluatedKey" in page:
        page = table.scan(**asked, ExclusiveStartKey=page["LastEvaluatedKey"])
    if not page["Items"]:
        fail("no story left a key")
    key = page["Items"][0]
    line = {"timestamp": "2026-01-01T00:00:30Z", "action": "authorize", "outcome": "ok", "actor": key["api_key_id"], "org": key["org_id"]}
    events = [{"id": "1", "timestamp": 0, "message": json.dumps(line)}, {"id": "2", "timestamp": 0, "message": "no line of ours"}]
    batch = {"messageType": "DATA_MESSAGE", "logEvents": events}
    event = {"awslogs": {"data": base64.b64encode(gzip.compress(json.dumps(batch).encode())).decode()}}
    for noted in [1, 0]:
        answer = invoke(stack, "key_usage", event)
        if answer != {"noted": noted}:
            fail(f"key_usage answered {answer}, not that it noted {noted}")
    kept = table.get_item(Key={"pk": key["pk"], "sk": key["sk"]})["Item"]["last_used_at"]
    if kept != 1767225600:
        fail(f"the key was last used at {kept}")


def verify(stack: Stack, chain: str) -> tuple[int, list, list]:
    """All pages of one chain: how many links, which events wait, what is wrong."""
    count, unchained, findings = 0, [], []
    asked = {"chain": chain}
    while True:
        page = invoke(stack, "audit_chain", {"verify": asked})["data"]
        count += page["links"]
        unchained += page["unchained"]
        findings += page["findings"]
        if not page["next"]:
            return count, unchained, findings
        asked = {"chain": chain, "cursor": page["next"]}


def expect_no_signing(base_url: str) -> None:
    """Until an operator has written the signing secret, nothing is signed."""
    request = urllib.request.Request(
        f"{base_url}/api/v1/auth/refresh",
        data=json.dumps({"refresh_token": "rt_x"}).encode(),
        headers={"Content-Type": "application/json"},
    )
    try:
        status = urllib.request.urlopen(request, timeout=30).status
    except urllib.error.HTTPError as error:
        status = error.code
    if status != 503:
        fail(f"a refresh without a signing secret answered {status}, not 503")


def tell(emulator: Emulator, stack: Stack, skipped: dict[str, str]) -> None:
    stories = ["--exact", *(word for name in skipped for word in ("--skip", name)), f"--test-threads={AT_ONCE}"]
    cargo(
        "test", "--locked", "--package", "e2e", "--test", "stories", "--", *stories,
        E2E_BASE_URL=stack.base_url,
        E2E_OPERATOR=stack.invoke_url("operator"),
        E2E_MAILBOX=f"{emulator.url}/_ministack/ses/messages?account={ACCOUNT}",
    )  # fmt: skip


def read_skipped() -> dict[str, str]:
    """The stories that are not told here, each with its reason. One that is not there any more is an error."""
    lines = (line.strip() for line in SKIPPED.read_text().splitlines())
    skipped = dict(line.split(": ", 1) for line in lines if line and not line.startswith("#"))
    listed = subprocess.run(
        ["cargo", "test", "--quiet", "--locked", "--package", "e2e", "--test", "stories", "--", "--list", "--format=terse"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    stories = {line.removesuffix(": test") for line in listed.splitlines() if line.endswith(": test")}
    if gone := skipped.keys() - stories:
        fail(f"{SKIPPED.relative_to(ROOT)} names stories that are not there: {', '.join(sorted(gone))}")
    return skipped


def cargo(*arguments: str, **environment: str) -> None:
    run(["cargo", *arguments], environment)


def run(command: list[str], environment: dict[str, str]) -> None:
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        fail(f"`{' '.join(command[:4])} …` failed, see above")


class step:
    """Says what begins, and how long it took."""

    def __init__(self, what: str):
        self.what = what

    def __enter__(self) -> None:
        say(self.what)
        self.started = time.monotonic()

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            say(f"done in {time.monotonic() - self.started:.0f} s")


def say(sentence: str) -> None:
    print(f"rehearse: {sentence}", flush=True)


def fail(sentence: str) -> None:
    sys.exit(f"rehearse: {sentence}")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
