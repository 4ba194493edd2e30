//! The walk: shell commands from a login to a revoked key that is refused, to be pasted into a terminal.

use crate::seed::{ACORN, PASSWORD};

/// The commands, for the devstack at `base_url`. They need a POSIX shell, curl and Python 3.
///
/// Each step says what it is by `echo`, not in a comment: zsh takes none at its prompt. What a step prints is the answer,
/// or the reason why the walk cannot go on.
pub fn script(base_url: &str) -> String {
    let email = ACORN.owner.email;
    format!(
        r#"pick() {{ python3 -c 'import json, sys
text = sys.stdin.read()
try:
    value = json.loads(text)
    for name in sys.argv[1:]: value = value[int(name)] if name.isdigit() else value[name]
except (ValueError, KeyError, IndexError): sys.exit("unexpected answer: " + text)
print(value)' "$@"; }}
BASE={base_url}
JSON='Content-Type: application/json'

echo '1. Log in: the password is the first step.'
CHALLENGE=$(curl -sS "$BASE/api/v1/auth/login" -H "$JSON" -d '{{"email":"{email}","password":"{PASSWORD}"}}' | pick data challenge_id)

echo '2. Verify: the second step is the code from the mailbox.'
CODE=$(curl -sS "$BASE/_devstack/mailbox?to={email}" | pick 0 code)
TOKENS=$(curl -sS "$BASE/api/v1/auth/login/2fa/verify" -H "$JSON" -d '{{"challenge_id":"'"$CHALLENGE"'","code":"'"$CODE"'"}}')

echo '3. Refresh: a new access token, and a new refresh token in the place of the old one.'
REFRESH=$(printf %s "$TOKENS" | pick data refresh_token)
ACCESS=$(curl -sS "$BASE/api/v1/auth/refresh" -H "$JSON" -d '{{"refresh_token":"'"$REFRESH"'"}}' | pick data access_token)

echo '4. Make an API key. A person may make one a minute.'
CREATED=$(curl -sS "$BASE/api/v1/auth/api-keys" -H "Authorization: Bearer $ACCESS" -H "$JSON" -d '{{"key_name":"Walk"}}')
KEY=$(printf %s "$CREATED" | pick data key)
KEY_ID=$(printf %s "$CREATED" | pick data api_key_id)

echo '5. Call with the key:'
curl -sS "$BASE/api/v1/organizations/me" -H "Authorization: Bearer $KEY"; echo

echo '6. Revoke it:'
curl -sS -X DELETE "$BASE/api/v1/auth/api-keys/$KEY_ID" -H "Authorization: Bearer $ACCESS"; echo

echo '7. The same call again is refused:'
curl -sS -w ' %{{http_code}}\n' "$BASE/api/v1/organizations/me" -H "Authorization: Bearer $KEY"
"#
    )
}
