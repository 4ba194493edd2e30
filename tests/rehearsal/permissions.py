"""What no role may allow, asked of the roles as they were deployed."""

from guard import Demand, Guard

READS = ["dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query"]
WRITES = ["dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"]
ITEMS = [*READS, *WRITES, "dynamodb:ConditionCheckItem"]
# One partition key of each kind: shared/src/store/keys.rs.
KINDS = ["EMAIL", "SIGNUP", "RESET", "ORG", "USER", "INVITATION", "GUARD", "CHALLENGE", "SESSION", "KEYHASH", "IDEMPOTENCY", "AUDIT", "CHAIN", "WEBHOOK", "EXPIRY", "REPORTER"]
# Which secrets a function may read, and whether it may send mail.
SECRETS = {
    "login": {"CodesSecret"},
    "verify": {"SigningSecret", "CodesSecret", "FactorsSecret"},
    "factors": {"FactorsSecret"},
    "register": {"SigningSecret", "CodesSecret"},
    "refresh": {"SigningSecret"},
    "keys": {"SealingSecret"},
    "rotate_signing_key": {"SigningSecret"},
    "rotate_key": {"CodesSecret", "SealingSecret"},
    "audit_chain": {"AuditSecret"},
    "webhooks": {"WebhooksSecret"},
    "webhook_send": {"WebhooksSecret"},
}
# Who may write the secrets that they may read.
ROTATORS = {"rotate_signing_key", "rotate_key"}
MAILERS = {"login", "verify", "register", "password", "members", "factors", "leaks"}
# Kinds of items that a function may touch at all, whatever the action.
TOUCHES = {
    "login": {"KEYSET", "EMAIL", "GUARD", "ORG", "USER", "CHALLENGE", "AUDIT"},
    "verify": {"KEYSET", "CHALLENGE", "GUARD", "EMAIL", "ORG", "USER", "SESSION", "AUDIT"},
    "register": {"KEYSET", "EMAIL", "SIGNUP", "GUARD", "ORG", "USER", "SESSION", "AUDIT"},
    "password": {"KEYSET", "EMAIL", "RESET", "GUARD", "ORG", "USER", "SESSION", "AUDIT"},
    "refresh": {"KEYSET", "SESSION", "ORG", "AUDIT"},
    "logout": {"KEYSET", "SESSION", "AUDIT"},
    "keys": {"KEYSET", "ORG", "SESSION", "KEYHASH", "IDEMPOTENCY", "USER", "AUDIT", "EXPIRY"},
    "sessions": {"KEYSET", "ORG", "USER", "SESSION", "AUDIT"},
    "factors": {"KEYSET", "EMAIL", "ORG", "USER", "GUARD", "SESSION", "AUDIT"},
    "leaks": {"KEYSET", "REPORTER", "ORG", "KEYHASH", "IDEMPOTENCY", "AUDIT"},
    "organizations": {"KEYSET", "ORG", "USER", "SESSION", "AUDIT"},
    "members": {"KEYSET", "EMAIL", "ORG", "USER", "INVITATION", "GUARD", "SESSION", "AUDIT"},
    "invitations": {"KEYSET", "EMAIL", "ORG", "USER", "INVITATION", "AUDIT"},
    "jwks": {"KEYSET"},
    "dashboard": set(),
    "docs": set(),
    "authorizer": {"KEYSET", "KEYHASH"},
    "operator": {"KEYSET", "EMAIL", "ORG", "USER", "GUARD", "KEYHASH", "IDEMPOTENCY", "AUDIT", "REPORTER"},
    "rotate_signing_key": {"KEYSET"},
    "rotate_key": set(),
    "audit_chain": {"AUDIT", "CHAIN"},
    "webhooks": {"KEYSET", "ORG", "SESSION", "AUDIT", "WEBHOOK"},
    "webhook_queue": {"ORG", "WEBHOOK"},
    "webhook_send": {"WEBHOOK"},
    "key_expiry": {"ORG", "AUDIT", "EXPIRY"},
    "key_usage": {"ORG"},
}
# Which kinds of items a function may only look at.
ONLY_LOOKS = {
    "login": {"KEYSET", "EMAIL", "ORG", "USER"},
    "verify": {"KEYSET", "ORG"},
    "register": {"KEYSET"},
    "password": {"KEYSET", "USER", "SESSION"},
    "refresh": {"KEYSET", "ORG"},
    "logout": {"KEYSET"},
    "keys": {"KEYSET", "SESSION"},
    "sessions": {"KEYSET", "USER"},
    "factors": {"KEYSET", "ORG", "SESSION"},
    "leaks": {"KEYSET", "REPORTER"},
    "organizations": {"KEYSET", "USER", "SESSION"},
    "members": {"KEYSET", "SESSION"},
    "invitations": {"KEYSET"},
    "jwks": {"KEYSET"},
    "authorizer": {"KEYSET", "KEYHASH"},
    "audit_chain": {"AUDIT"},
    "webhooks": {"KEYSET", "ORG", "SESSION"},
    "webhook_queue": {"ORG", "WEBHOOK"},
    "key_expiry": {"ORG"},
}
# What is put once, and never touched again by anybody.
ONLY_PUT = ["AUDIT", "CHAIN"]


def check(guard: Guard, physical: dict[str, str]) -> None:
    """Fails when a role allows what it must not, or is written in a way that hides it."""
    wrong = [sentence for name in guard.roles for sentence in wildcards(guard, name)]
    asked = 0
    for name, role in guard.roles.items():
        for demand in forbidden(guard, name, physical):
            asked += 1
            if sid := role.allows(demand):
                wrong.append(f"{name}: {sid} allows {demand}")
    if wrong:
        raise SystemExit("rehearse: roles allow too much:\n" + "\n".join(wrong))
    print(f"rehearse: {asked} forbidden things asked for, each refused", flush=True)


def wildcards(guard: Guard, name: str):
    for statement in guard.roles[name].statements():
        if statement.not_actions or statement.not_resources:
            yield f"{name}: {statement.sid} says what it does not allow"
        # X-Ray has no resource to name.
        if resources_of_xray(statement):
            continue
        # The streams of one log group are `…:log-group:<name>:*`: there is no other way to name them.
        resources = [resource.removesuffix(":*") if ":log-group:" in resource else resource for resource in statement.resources]
        for text in [*statement.actions, *resources]:
            if "*" in text or "?" in text:
                yield f"{name}: {statement.sid} has a wildcard: {text}"


def resources_of_xray(statement) -> bool:
    return set(statement.actions) <= {"xray:PutTraceSegments", "xray:PutTelemetryRecords"} and statement.resources == ["*"]


def forbidden(guard: Guard, name: str, physical: dict[str, str]):
    table = physical["Table"]
    for kind in [*KINDS, "KEYSET"]:
        key = kind if kind == "KEYSET" else f"{kind}#x"
        touched, only_looked_at = kind in TOUCHES[name], kind in ONLY_LOOKS.get(name, ())
        for action in WRITES if touched and only_looked_at else [] if touched else ITEMS:
            yield guard.of_item(action, table, [key])
            # One that it may not beside all that it may.
            if not touched:
                yield guard.of_item(action, table, [f"{it}#x" for it in sorted(TOUCHES[name])] + [key])
    for kind in ONLY_PUT:
        for key in [f"{kind}#x", f"{kind}#platform"]:
            for action in ["dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:ConditionCheckItem", *(READS if name != "audit_chain" else [])]:
                yield guard.of_item(action, table, [key])
    for action in [*ITEMS, "dynamodb:Scan", "dynamodb:BatchWriteItem", "dynamodb:DeleteTable", "dynamodb:UpdateTable"]:
        if not (name == "audit_chain" and action in ["dynamodb:PutItem", "dynamodb:Query"]):
            yield guard.of_item(action, physical["Checkpoints"], ["CHAIN#x"])
        # Without a key, and elsewhere.
        yield guard.of_item(action, table, [])
        yield guard.of_item(action, "another-table", [f"{kind}#x" for kind in sorted(TOUCHES[name])])
    for secret in ["SigningSecret", "CodesSecret", "SealingSecret", "AuditSecret", "FactorsSecret", "WebhooksSecret"]:
        if secret not in SECRETS.get(name, ()):
            yield Demand("secretsmanager:GetSecretValue", physical[secret])
        for action in ["UpdateSecret", "DeleteSecret", "RotateSecret", "PutResourcePolicy"]:
            yield Demand(f"secretsmanager:{action}", physical[secret])
        if not (name in ROTATORS and secret in SECRETS[name]):
            for action in ["PutSecretValue", "UpdateSecretVersionStage"]:
                yield Demand(f"secretsmanager:{action}", physical[secret])
    ses = f"arn:aws:ses:{guard.region}:{guard.account}:identity/"
    if name not in MAILERS:
        yield Demand("ses:SendEmail", ses + guard.mail_identity, ses__FromAddress=f"codes@{guard.mail_identity}")
    yield Demand("ses:SendEmail", ses + guard.mail_identity, ses__FromAddress=f"ceo@{guard.mail_identity}")
    yield Demand("ses:SendEmail", ses + "another.example", ses__FromAddress="codes@another.example")
    yield Demand("sts:AssumeRole", f"arn:aws:iam::{guard.account}:role/admin")
    yield Demand("lambda:InvokeFunction", f"arn:aws:lambda:{guard.region}:{guard.account}:function:{physical['OperatorFunction']}")
