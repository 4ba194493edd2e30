# For scripts that need a devstack: sourced by those under tests/, from the repository's root, with `set -euo pipefail`.
# Needs $name (of the script, for its messages) and $work (its folder under target/).

fail() {
  echo "$name: $1" >&2
  exit 1
}

# need COMMAND...: all of them are here.
need() {
  local command
  for command in "$@"; do
    command -v "$command" >/dev/null || fail "$command is missing"
  done
}

# outdated FOLDER FILE...: whether FOLDER was not installed from these very files.
outdated() {
  local folder="$1"
  shift
  [ "$(cat "$@" | cksum)" != "$(cat "$folder/installed-from" 2>/dev/null || true)" ]
}
installed() {
  local folder="$1"
  shift
  cat "$@" | cksum >"$folder/installed-from"
}

# install_python WHAT REQUIREMENTS: into $work/venv, unless that was installed from the same file.
install_python() {
  outdated "$work/venv" "$2" || return 0
  echo "$name: installing $1 into $work/venv, once"
  python3 -m venv --clear "$work/venv"
  "$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check --requirement "$2"
  installed "$work/venv" "$2"
}

devstack=
stop_devstack() {
  trap - EXIT INT TERM
  # Only what this script started. A process that has ended already is no failure.
  if [ -n "$devstack" ]; then
    kill "$devstack" 2>/dev/null || true
    wait "$devstack" 2>/dev/null || true
  fi
}

# Builds a devstack and starts it on a free port, with data of its own; $base_url is where it listens. It ends with the script.
start_devstack() {
  local log="$work/devstack.log"
  trap stop_devstack EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  echo "$name: building the devstack"
  cargo build --quiet --locked -p devstack
  echo "$name: starting a devstack, its output is in $log"
  cargo run --quiet --locked -p devstack -- --port 0 --data "$work/devstack" --fresh >"$log" 2>&1 &
  devstack=$!
  base_url=
  for _ in $(seq 300); do
    base_url="$(sed -n 's/^Base URL *//p' "$log")"
    [ -z "$base_url" ] || return 0
    kill -0 "$devstack" 2>/dev/null || { cat "$log" >&2; fail "the devstack did not start"; }
    sleep 0.1
  done
  cat "$log" >&2
  fail "the devstack did not say where it listens within 30 s"
}
