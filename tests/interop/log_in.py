"""Logs in at a devstack and prints what the libraries are tried with: one genuine access token and several that must be refused."""

import base64
import json
import sys
import urllib.parse
import urllib.request

# A demo login of the devstack (tests/devstack/src/seed.rs).
EMAIL = "viewer@acorn.example"
PASSWORD = "demo-password-123"
# The template's default (infra/template.yaml, TokenAudience).
AUDIENCE = "syncgram-pay"
LONGER_THAN_A_TOKEN_LIVES = 20 * 60


def call(url, body=None):
    """Sends JSON where there is a body, reads JSON."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def log_in(base_url):
    """Both steps of a login, the code taken from the devstack's mailbox; the access token."""
    auth = base_url + "/api/v1/auth"
    challenge = call(auth + "/login", {"email": EMAIL, "password": PASSWORD})["data"]["challenge_id"]
    mailbox = call(base_url + "/_devstack/mailbox?to=" + urllib.parse.quote(EMAIL))
    tokens = call(auth + "/login/2fa/verify", {"challenge_id": challenge, "code": mailbox[0]["code"]})
    return tokens["data"]["access_token"]


def decoded(part):
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def with_member(part, **members):
    """A header or claims with other values in it."""
    return encoded(json.dumps(json.loads(decoded(part)) | members).encode())


def main(base_url):
    metadata = call(base_url + "/.well-known/openid-configuration")
    issuer = metadata["issuer"]
    genuine = log_in(base_url)
    # The clock goes back, so that what is signed now has expired by the libraries' own clocks.
    call(base_url + "/_devstack/clock/advance", {"seconds": -LONGER_THAN_A_TOKEN_LIVES})
    expired = log_in(base_url)

    header, claims, signature = genuine.split(".")
    flipped = bytearray(decoded(signature))
    flipped[40] ^= 1
    refused = [
        ("a promoted role", f"{header}.{with_member(claims, role='owner')}.{signature}", issuer, AUDIENCE),
        ("a longer life", f"{header}.{with_member(claims, exp=4102444800)}.{signature}", issuer, AUDIENCE),
        ("one changed bit in the signature", f"{header}.{claims}.{encoded(bytes(flipped))}", issuer, AUDIENCE),
        ("another token's signature", f"{header}.{claims}.{expired.split('.')[2]}", issuer, AUDIENCE),
        ("no signature", f"{with_member(header, alg='none')}.{claims}.", issuer, AUDIENCE),
        ("an unknown key", f"{with_member(header, kid='unknown')}.{claims}.{signature}", issuer, AUDIENCE),
        ("expired", expired, issuer, AUDIENCE),
        ("somebody else's issuer", genuine, "https://issuer.example", AUDIENCE),
        ("somebody else's audience", genuine, issuer, "another-audience"),
    ]
    names = ("name", "token", "issuer", "audience")
    print(
        json.dumps(
            {
                "jwks_uri": metadata["jwks_uri"],
                "genuine": dict(zip(names, ("genuine", genuine, issuer, AUDIENCE))),
                "refused": [dict(zip(names, case)) for case in refused],
            }
        )
    )


try:
    main(sys.argv[1])
except OSError as error:
    sys.exit(f"log_in: {error}")
