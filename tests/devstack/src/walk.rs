//! The walk: shell commands from a login to a revoked key that is refused, to be pasted into a terminal.

use crate::seed::{ACORN, PASSWORD};

/// The commands, for the devstack at `base_url`. They need a POSIX shell, curl and Python 3.
///
/// They end at the first command that fails when they are run as a script, and never end a terminal they are pasted into.
pub fn script(base_url: &str) -> String {
    let email = ACORN.owner.email;
    format!(
        r#"# pick a value out of JSON by the names that lead to it
pick() {{ python3 -c 'import json, sys
value = json.load(sys.stdin)
for name in sys.argv[1:]: value = value[int(name)] if name.isdigit() else value[name]
print(value)' "$@"; }}
BASE={base_url}
JSON='Content-Type: application/json'

# 1. log in: the password is the first step
CHALLENGE=$(curl -sS "$BASE/api/v1/auth/login" -H "$JSON" -d '{{"email":"{email}","password":"{PASSWORD}"}}' | pick data challenge_id)

# 2. the second step: the code from the mailbox
CODE=$(curl -sS "$BASE/_devstack/mailbox?to={email}" | pick 0 code)
TOKENS=$(curl -sS "$BASE/api/v1/auth/login/2fa/verify" -H "$JSON" -d '{{"challenge_id":"'"$CHALLENGE"'","code":"'"$CODE"'"}}')

# 3. refresh: a new access token, and a new refresh token in the place of the old one
REFRESH=$(echo "$TOKENS" | pick data refresh_token)
ACCESS=$(curl -sS "$BASE/api/v1/auth/refresh" -H "$JSON" -d '{{"refresh_token":"'"$REFRESH"'"}}' | pick data access_token)

# 4. make an API key (one a minute for each person: to go on at once, move the clock, see below)
CREATED=$(curl -sS "$BASE/api/v1/auth/api-keys" -H "Authorization: Bearer $ACCESS" -H "$JSON" -d '{{"key_name":"Walk"}}')
KEY=$(echo "$CREATED" | pick data key)
KEY_ID=$(echo "$CREATED" | pick data api_key_id)

# 5. call with the key
curl -sS "$BASE/api/v1/organizations/me" -H "Authorization: Bearer $KEY"; echo

# 6. revoke it
curl -sS -X DELETE "$BASE/api/v1/auth/api-keys/$KEY_ID" -H "Authorization: Bearer $ACCESS"; echo

# 7. the same call again: 401
curl -sS -w ' %{{http_code}}\n' "$BASE/api/v1/organizations/me" -H "Authorization: Bearer $KEY"
"#
    )
}
