"""What schemathesis cannot know by itself: how one comes by a credential, and what has to be so before a key can be made."""

import json
import os
import re
import urllib.error
import urllib.parse
import urllib.request

import schemathesis

BASE_URL = os.environ["BASE_URL"]
AUTH = BASE_URL + "/api/v1/auth"
# A demo login of the devstack (tests/devstack/src/seed.rs), of the organization that may go live.
EMAIL, PASSWORD = "owner@birch.example", "demo-password-123"


def call(url, body=None, method=None, token=None):
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(url, data, headers, method=method), timeout=30) as answer:
        return json.load(answer)


def advance(seconds):
    call(BASE_URL + "/_devstack/clock/advance", {"seconds": seconds})


def log_in():
    """Both steps; what verify answers. Made-up passwords lock the address, and made-up sign-ups use the network's mails up: for an hour at most."""
    try:
        return both_steps()
    except urllib.error.HTTPError as error:
        if error.code != 429:
            raise
    advance(3600)
    return both_steps()


def both_steps():
    challenge = call(AUTH + "/login", {"email": EMAIL, "password": PASSWORD})["data"]["challenge_id"]
    mailbox = call(f"{BASE_URL}/_devstack/mailbox?to={urllib.parse.quote(EMAIL)}")
    return call(AUTH + "/login/2fa/verify", {"challenge_id": challenge, "code": mailbox[0]["code"]})["data"]


class Session:
    """A session that is not over. Time moves here, so it is made anew now and then."""

    def __init__(self):
        self.token, self.organization, self.moves = None, None, 0

    def access_token(self):
        if self.token is None or self.moves >= 10 or self.is_over():
            self.token, self.moves = log_in()["access_token"], 0
            self.organization = call(BASE_URL + "/api/v1/organizations/me", token=self.token)["data"]["id"]
        return self.token

    def is_over(self):
        """Whoever changes a password, ends sessions or moves the clock by an hour ends this one, too."""
        try:
            call(AUTH + "/sessions?limit=1", token=self.token)
        except urllib.error.HTTPError as error:
            if error.code == 401:
                return True
            raise
        return False

    def make_way_for_a_key(self):
        """Nobody has made one in the last minute, and none is active."""
        self.moves += 1
        advance(61)
        token = self.access_token()
        for key in call(AUTH + "/api-keys?limit=1", token=token)["data"]["keys"]:
            if key["status"] == "active":
                call(f"{AUTH}/api-keys/{key['api_key_id']}", method="DELETE", token=token)


session = Session()


@schemathesis.auth(refresh_interval=None)
class Bearer:
    def get(self, case, context):
        return session.access_token()

    def set(self, case, data, context):
        case.headers = case.headers or {}
        case.headers["Authorization"] = f"Bearer {data}"


@schemathesis.hook
def before_call(context, case, kwargs):
    # To JSON Schema 3.0 is a whole number, to us it is not: a number that has to be whole is written so.
    if isinstance(case.body, dict) and isinstance(case.body.get("expires_in_days"), float) and case.body["expires_in_days"].is_integer():
        case.body["expires_in_days"] = int(case.body["expires_in_days"])
    credential = (case.headers or {}).get("Authorization", "")
    if credential != f"Bearer {session.token}":
        # One that was made up, or none: it stays so.
        return
    # Of two requests about an organization that is made up, one is about one's own: nobody would find it.
    named = (case.path_parameters or {}).get("id")
    if "/organizations/{id}" in case.operation.label and re.fullmatch(r"org_[0-9A-HJKMNP-TV-Z]{26}", str(named)) and named[-1] in "02468ACEGJMPRTWY":
        case.path_parameters["id"] = session.organization
    if case.operation.label == "POST /api/v1/auth/logout":
        case.headers["Authorization"] = f"Bearer {log_in()['access_token']}"
    elif case.operation.label == "POST /api/v1/auth/api-keys":
        session.make_way_for_a_key()
        case.headers["Authorization"] = f"Bearer {session.access_token()}"
