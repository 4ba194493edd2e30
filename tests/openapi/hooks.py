"""What schemathesis cannot know by itself: how one comes by a credential, and what has to be so before a key can be made."""

import json
import os
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


def log_in():
    """Both steps; what verify answers."""
    challenge = call(AUTH + "/login", {"email": EMAIL, "password": PASSWORD})["data"]["challenge_id"]
    mailbox = call(f"{BASE_URL}/_devstack/mailbox?to={urllib.parse.quote(EMAIL)}")
    return call(AUTH + "/login/2fa/verify", {"challenge_id": challenge, "code": mailbox[0]["code"]})["data"]


class Session:
    """A session that is not over. Time moves here, so it is made anew now and then."""

    def __init__(self):
        self.token, self.moves = None, 0

    def access_token(self):
        if self.token is None or self.moves >= 10:
            self.token, self.moves = log_in()["access_token"], 0
        return self.token

    def make_way_for_a_key(self):
        """Nobody has made one in the last minute, and none is active."""
        self.moves += 1
        call(BASE_URL + "/_devstack/clock/advance", {"seconds": 61})
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
    if case.operation.label == "POST /api/v1/auth/logout":
        case.headers["Authorization"] = f"Bearer {log_in()['access_token']}"
    elif case.operation.label == "POST /api/v1/auth/api-keys":
        session.make_way_for_a_key()
        case.headers["Authorization"] = f"Bearer {session.access_token()}"
