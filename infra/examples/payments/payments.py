"""A small payments API, as somebody else would write it behind the authorizer. One code behind both kinds of gateway: only where the
event says who is calling differs.

Whoever is not authentic never gets here. What is left to decide is what a caller who is known may do: that is a 403, and ours to say.
"""

import json
import os
import re
import secrets
import urllib.error
import urllib.request

# In memory, and so one execution environment's alone: a real one has a table, its partition key made of both parts as well.
PAYMENTS: dict[tuple[str, str], dict[str, dict]] = {}
PAYMENT_ID = re.compile(r"pay_(test|live)_[0-9a-f]{32}")


class Refused(Exception):
    """What the caller is told instead of what they asked for."""

    def __init__(self, status: int, code: str, message: str):
        self.status, self.error = status, {"code": code, "message": message}


def rest_api(event: dict, _: object) -> dict:
    """Behind a REST API, where the authorizer's context is `requestContext.authorizer`."""
    return answer(event, f"{event['httpMethod']} {event['resource']}", event["requestContext"]["authorizer"])


def http_api(event: dict, _: object) -> dict:
    """Behind an HTTP API, where it is one level deeper."""
    return answer(event, event["routeKey"], event["requestContext"]["authorizer"]["lambda"])


def answer(event: dict, route: str, caller: dict) -> dict:
    """A route that came without an authorizer has no caller and fails before this: better than one that lets everybody in."""
    request_id = event["requestContext"]["requestId"]
    try:
        status, data = ROUTES[route](event, caller)
        body = {"success": True, "data": data}
    except Refused as refused:
        status, body = refused.status, {"success": False, "error": {**refused.error, "request_id": request_id}}
    headers = {"Content-Type": "application/json", "Cache-Control": "no-store", "X-Request-Id": request_id}
    if status == 503:
        headers["Retry-After"] = "5"
    return {"statusCode": status, "headers": headers, "body": json.dumps(body)}


def pay(event: dict, caller: dict) -> tuple[int, dict]:
    """API keys alone: the key says whether the money is real."""
    if caller["auth_method"] != "api_key":
        raise Refused(403, "api_key_required", "Payments are made with an API key.")
    try:
        asked = json.loads(event.get("body") or "")
        amount, currency = asked["amount"], asked["currency"]
    except (ValueError, KeyError, TypeError):
        amount = currency = None
    if type(amount) is not int or amount <= 0 or not isinstance(currency, str) or not re.fullmatch("[A-Z]{3}", currency):
        raise Refused(400, "invalid_request", 'Send {"amount": 1999, "currency": "EUR"}, the amount in cents.')
    env = caller["env"]
    payment = {"id": f"pay_{env}_{secrets.token_hex(16)}", "env": env, "amount": amount, "currency": currency, "status": "paid"}
    # Whose it is comes from the context, never from the request: so nobody reaches another organization's.
    PAYMENTS.setdefault((caller["org_id"], env), {})[payment["id"]] = payment
    return 201, payment


def payments(event: dict, caller: dict) -> tuple[int, dict]:
    """Both credentials. A person has no environment: it is the one their organization is in."""
    env = caller["env"] if caller["auth_method"] == "api_key" else current_env(event)
    return 200, {"env": env, "payments": list(PAYMENTS.get((caller["org_id"], env), {}).values())}


def refund(event: dict, caller: dict) -> tuple[int, dict]:
    """People alone, and of these the owner and the admins. The environment is the payment's."""
    if caller["auth_method"] != "jwt":
        raise Refused(403, "session_required", "Refunds are made by a person who is logged in.")
    if caller["role"] not in ("owner", "admin"):
        raise Refused(403, "insufficient_role", "Your role does not allow this.")
    given = PAYMENT_ID.fullmatch(event["pathParameters"]["id"])
    payment = given and PAYMENTS.get((caller["org_id"], given[1]), {}).get(given[0])
    if not payment:
        raise Refused(404, "not_found", "There is no such payment.")
    payment["status"] = "refunded"
    return 200, payment


ROUTES = {"POST /payments": pay, "GET /payments": payments, "POST /refunds/{id}": refund}


class NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect would take the caller's credential along, wherever it leads."""

    def redirect_request(self, *_: object) -> None:
        return None


def current_env(event: dict) -> str:
    """The environment of the caller's organization, asked with the caller's own token. It also shows what the authorizer cannot see in
    a token: that the organization was suspended a moment ago."""
    # One gateway sends header names as they came, the other in lower case.
    bearer = next(value for name, value in event["headers"].items() if name.lower() == "authorization")
    request = urllib.request.Request(f"{os.environ['AUTH_URL']}/api/v1/organizations/me", headers={"Authorization": bearer})
    try:
        with urllib.request.build_opener(NoRedirects).open(request, timeout=5) as response:
            return json.load(response)["data"]["current_env"]
    except urllib.error.HTTPError as error:
        if error.code in (401, 403):
            told = json.load(error)["error"]
            raise Refused(error.code, told["code"], told["message"]) from error
        raise away() from error
    except OSError as error:
        raise away() from error


def away() -> Refused:
    return Refused(503, "service_unavailable", "The service is not available for the moment. Try again in a few seconds.")
