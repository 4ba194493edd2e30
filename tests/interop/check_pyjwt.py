"""PyPI PyJWT, as docs/verify-our-tokens.md prints it: `run` has put that into printed.py. One line; exit code 1 when it judges anything wrongly."""

import json
import sys

import jwt
from printed import verifier


def verify(jwks_uri, it):
    """The claims, or an error."""
    return verifier(jwks_uri, it["issuer"], it["audience"])(it["token"])


def main():
    given = json.load(sys.stdin)
    wrong = []
    try:
        user = verify(given["jwks_uri"], given["genuine"]).get("sub")
        if not str(user).startswith("usr_"):
            wrong.append(f"gives no user: {user}")
    except jwt.PyJWTError as error:
        wrong.append(f"refuses the genuine token: {error}")
    for it in given["refused"]:
        try:
            verify(given["jwks_uri"], it)
        except jwt.PyJWTError:
            continue
        wrong.append(f"accepts a token it must refuse: {it['name']}")
    count = len(given["refused"])
    verdict = f"FAILED: {'; '.join(wrong)}" if wrong else f"accepts the genuine token, refuses {count} others"
    print(f"PyJWT {jwt.__version__}: {verdict}")
    return 1 if wrong else 0


sys.exit(main())
