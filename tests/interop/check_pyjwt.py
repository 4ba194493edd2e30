"""PyPI PyJWT, as its documentation shows for a JWKS URL. One line; exit code 1 when it judges anything wrongly."""

import json
import sys

import jwt


def verify(jwks_uri, it):
    """The claims, or an error."""
    key = jwt.PyJWKClient(jwks_uri).get_signing_key_from_jwt(it["token"])
    return jwt.decode(it["token"], key, algorithms=["ES256"], issuer=it["issuer"], audience=it["audience"])


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
