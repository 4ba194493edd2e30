# Everything one does with this repository. `make` alone lists it.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

FUNCTIONS := login verify register password refresh logout keys sessions factors organizations members invitations leaks jwks dashboard docs authorizer operator rotate_signing_key rotate_key audit_chain webhooks webhook_queue webhook_send key_expiry key_usage
TEMPLATE := infra/template.yaml
TEMPLATES := $(TEMPLATE) $(wildcard infra/examples/*/template.yaml)
TOOLS := target/tools
TOOLS_READY := $(TOOLS)/ready
REHEARSAL_TOOLS := $(TOOLS)/rehearsal
REHEARSAL_READY := $(REHEARSAL_TOOLS)/ready
# cargo-lambda compiles with flags of its own: in the same folder, it and cargo would undo each other's work at every turn.
LAMBDA_TARGET := target/cargo-lambda

# What one may set: make run PORT=8080 FRESH=1, make build ARCH=x86_64, make rehearse SHIP=1, make invoke FUNCTION=jwks EVENT=tests/events/jwks.json,
# make keycheck KEY=-, make scale SIZES=1000, make races ROUNDS=10, make histories CASES=200 SEED=7, make guards ACCEPT=1, make fuzz TARGET=jwt SECONDS=600
PORT ?=
FRESH ?=
SHIP ?=
ARCH ?= arm64
FUNCTION ?= jwks
EVENT ?= tests/events/$(FUNCTION).json
INVOKE_PORT ?= 9000
ARGS ?=
STACK ?=
URL ?=
REVOKE ?=
KEY ?=
ROUNDS ?= 100
CASES ?= 1000
SEED ?=
TARGET ?=
ADVISORIES ?=
ONLY ?=
BREAKS ?=
SIZES ?=
ACCEPT ?=

ARCH_FLAG_arm64 := --arm64
ARCH_FLAG_x86_64 := --x86-64
RUST_TARGET_arm64 := aarch64-unknown-linux-gnu
RUST_TARGET_x86_64 := x86_64-unknown-linux-gnu

# Every command listed below names what it does, not a file.
.PHONY: $(shell sed -n 's/^\([a-z-]*\):.*## .*/\1/p' $(firstword $(MAKEFILE_LIST)))

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-20s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: cargo-is-here ## run the whole system on this machine (PORT=8080: there; FRESH=1: forget everything first)
	cargo run --locked -p devstack -- $(if $(PORT),--port $(PORT)) $(if $(filter-out 0 no false,$(FRESH)),--fresh)

watch: cargo-is-here $(TOOLS_READY) ## the same, with the functions under cargo-lambda: each is built again when its code changes
	PATH="$(CURDIR)/$(TOOLS)/bin:$$PATH" LAMBDA_TARGET="$(LAMBDA_TARGET)" INVOKE_PORT="$(INVOKE_PORT)" \
		scripts/watch $(if $(PORT),--port $(PORT)) $(if $(filter-out 0 no false,$(FRESH)),--fresh)

invoke: $(TOOLS_READY) ## call one function under `make watch` with a sample event (FUNCTION=login, EVENT=file)
	PATH="$(CURDIR)/$(TOOLS)/bin:$$PATH" cargo lambda invoke $(FUNCTION) --data-file $(EVENT) \
		--invoke-address 127.0.0.1 --invoke-port $(INVOKE_PORT)

operator: ## do what no route can (ARGS='suspend_organization org_id=org_…', ARGS='audit verify --org org_…'; STACK=name: on AWS, else where `make run` runs)
	@scripts/operator $(if $(STACK),--stack $(STACK)) $(if $(PORT),--port $(PORT)) $(ARGS)

deploy: $(TOOLS_READY) ## deploy to AWS, asking what it does not know yet (STACK=name; ARGS='--yes …' asks nothing; scripts/deploy --help)
	PATH="$(CURDIR)/$(TOOLS)/bin:$$PATH" scripts/deploy $(if $(STACK),--stack $(STACK)) $(ARGS)

smoke: ## a short end-to-end run against a live stage; you type the code that is mailed (URL=https://…; REVOKE=key_…: that key may go)
	@scripts/smoke $(if $(URL),"$(URL)") $(if $(REVOKE),--revoke $(REVOKE))

# The key goes by a pipe: what the list of processes shows is make's own arguments, and with KEY=- not even there is a key.
keycheck: export KEY := $(KEY)
keycheck: cargo-is-here ## tell offline whether a text is one of our API keys (KEY=-: typed or piped, so that no shell remembers it)
	@check() { cargo run --quiet --locked -p key_form; }; \
	if [ "$$KEY" != - ]; then printf '%s' "$$KEY" | check; \
	elif [ -t 0 ]; then read -rsp 'The key, then Enter (it is not shown): ' KEY; echo; printf '%s' "$$KEY" | check; \
	else check; fi

# One more at once than there are processors: some tests wait for a time-out that is the machine's.
test: cargo-is-here ## unit, store and end-to-end tests, on engines they start themselves
	RUST_TEST_THREADS=$$(($$(getconf _NPROCESSORS_ONLN) + 1)) cargo test --workspace --locked

races: cargo-is-here ## races R1 to R18 in full: 2, 8, 20 and 50 at once, a hundred rounds each (ROUNDS=100; built optimized; minutes on two cores)
	RACE_ROUNDS="$(ROUNDS)" cargo test --locked --profile rehearsal -p defences --test races -- --nocapture --test-threads=1

histories: cargo-is-here ## random histories against a model (CASES=1000, a second each; SEED=1: from that one on)
	@seed="$(SEED)"; seed="$${seed:-$$((RANDOM * 32768 + RANDOM))000}"; echo "Histories from SEED=$$seed on."; \
		HISTORIES="$(CASES)" SEED="$$seed" cargo test --locked -p histories -- --nocapture

faults: cargo-is-here ## every fault at every request of every flow, then the client's retry: all combinations (4 minutes)
	FAULTS=whole cargo test --locked -p defences -p rotation faults::

scale: cargo-is-here ## count what each route reads and writes among 1000, 100000 and a million others (SIZES='1000 5000'; 10 to 25 minutes, 3.3 GB)
	cargo run --locked -p scale -- $(SIZES)

cost: cargo-is-here ## count what each route costs, and write docs/cost.md: dollars a million
	cargo run --locked -p scale -- --write docs/cost/routes.json
	scripts/cost

# Bash counts its own seconds under this name, so make's is passed on under none.
fuzz: cargo-is-here ## any bytes for the parsers and handlers, a minute each (TARGET=jwt: that one; SECONDS=600: longer; takes a C++ compiler)
	@tests/fuzz/run "$(if $(filter command file,$(origin SECONDS)),$(SECONDS),60)" $(TARGET)

supply-chain: cargo-is-here ## what others wrote: licences, versions, sources, known weaknesses, and what their build scripts do (ADVISORIES=a copy of RustSec's database)
	ADVISORIES="$(ADVISORIES)" tests/supply-chain/run $(FUNCTIONS)

test-dynamodb-local: cargo-is-here ## races, budgets and faults on Amazon's own engine (takes Java and npm)
	tests/dynamodb-local/run

test-interop: cargo-is-here ## our access tokens in the hands of JWT libraries that nobody here wrote
	tests/interop/run

openapi: cargo-is-here ## make docs/openapi.yaml from the code's own types
	cargo run --locked -p openapi

test-openapi: cargo-is-here ## drive docs/openapi.yaml with generated requests (EXAMPLES=100 a route; SEED=… repeats a run)
	tests/openapi/run

test-secret-scanning: cargo-is-here ## gitleaks with our rules: finds what is planted, and nothing in this repository
	tests/secret-scanning/run

architecture: cargo-is-here ## draw the picture of docs/architecture.md from the template
	cargo run --quiet --locked -p documents --bin architecture

test-browser: cargo-is-here ## the dashboard in a real browser (takes Chromium and npm; ONLY='name of a test'; BREAKS=1: break it on purpose and expect to hear of it)
	ONLY='$(ONLY)' BREAKS="$(BREAKS)" tests/browser/run

rehearse: cargo-is-here $(TOOLS_READY) $(REHEARSAL_READY) ## deploy to an emulator of AWS and run the stories there (SHIP=1: exactly the programs that ship)
	SHIP="$(SHIP)" $(if $(filter-out 0 no false,$(SHIP)),AWS_LC_SYS_CFLAGS="$(CRYPTO_FLAGS)") $(REHEARSAL_TOOLS)/bin/python tests/rehearsal/rehearse.py

# The programs that ship, for this machine's processor: what is measured has to run here.
HERE := $(if $(filter aarch64 arm64,$(shell uname -m)),arm64,x86_64)

bench: cargo-is-here ## measure what ships beside Node, Python, a naive Rust and better-auth, into docs/performance.md (ROUNDS=5; 15 minutes)
	$(MAKE) build ARCH=$(HERE)
	PATH="$(CURDIR)/$(TOOLS)/bin:$$PATH" CARGO_TARGET_DIR="$(LAMBDA_TARGET)" AWS_LC_SYS_CFLAGS="$(CRYPTO_FLAGS)" \
		cargo lambda build --quiet --release --locked $(ARCH_FLAG_$(HERE)) --lambda-dir target/bench/lambda --package probe
	tests/bench/run $(if $(filter file,$(origin ROUNDS)),5,$(ROUNDS)) docs/performance.md

soak: cargo-is-here ## the whole mix through what ships, at full load: no wrong answer, no growth (SECONDS=600: so long)
	$(MAKE) build ARCH=$(HERE)
	tests/bench/run soak $(if $(filter command file,$(origin SECONDS)),$(SECONDS),600)

# The programs of `make rehearse`: built by it in CI before, so nothing is compiled a second time.
guards: cargo-is-here $(TOOLS_READY) ## instructions and allocations a call, and program sizes, against what is recorded (ACCEPT=1: record them; takes valgrind)
	PATH="$(CURDIR)/$(TOOLS)/bin:$$PATH" CARGO_TARGET_DIR="$(LAMBDA_TARGET)" \
		cargo lambda build --quiet --profile rehearsal --locked $(ARCH_FLAG_$(HERE)) --lambda-dir target/guards/lambda $(addprefix --package ,$(FUNCTIONS))
	tests/guards/run $(if $(filter-out 0 no false,$(ACCEPT)),--accept)

lint: cargo-is-here $(TOOLS_READY) ## formatting, clippy with warnings as errors, the checks of all templates, docs/cost.md
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	scripts/cost --check
	$(TOOLS)/bin/cfn-lint $(TEMPLATES)
	$(TOOLS)/bin/python infra/tools/check-gradual.py
	for template in $(TEMPLATES); do \
		SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=eu-west-1 $(TOOLS)/bin/sam validate --lint --template $$template; done
	$(TOOLS)/bin/checkov --config-file infra/checkov.yaml --file $(TEMPLATES)

fmt: cargo-is-here ## format the Rust code
	cargo fmt --all

# AES for processors with AVX-512 is two thirds of a megabyte in each program, for records of kilobytes.
CRYPTO_FLAGS := -DMY_ASSEMBLER_IS_TOO_OLD_FOR_512AVX

build: cargo-is-here $(TOOLS_READY) ## build the functions for AWS into target/lambda (ARCH=arm64 or x86_64)
	$(if $(ARCH_FLAG_$(ARCH)),,$(error ARCH is arm64 or x86_64, not '$(ARCH)'))
	if command -v rustup >/dev/null; then rustup target add $(RUST_TARGET_$(ARCH)); fi
	PATH="$(CURDIR)/$(TOOLS)/bin:$$PATH" CARGO_TARGET_DIR="$(LAMBDA_TARGET)" AWS_LC_SYS_CFLAGS="$(CRYPTO_FLAGS)" \
		cargo lambda build --release --locked $(ARCH_FLAG_$(ARCH)) --lambda-dir target/lambda $(addprefix --package ,$(FUNCTIONS))
	infra/tools/sbom.py --target $(RUST_TARGET_$(ARCH)) --lambda-dir target/lambda $(FUNCTIONS)
	$(TOOLS)/bin/python tests/supply-chain/check_sbom.py --target $(RUST_TARGET_$(ARCH)) --lambda-dir target/lambda $(FUNCTIONS)

tools: $(TOOLS_READY) ## install the template checkers and cargo-lambda into target/tools (once; the others do it when they need it)

clean: ## remove everything that was built, the devstack's data included
	rm -rf target

$(TOOLS_READY): infra/tools/requirements.txt
	@echo "Installing the template checkers and cargo-lambda into $(TOOLS), once. It takes about a minute."
	@python3 -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "Python 3 with its venv module is missing (on Debian and Ubuntu: apt-get install python3-venv)." >&2; exit 1; }
	python3 -m venv --clear $(TOOLS)
	$(TOOLS)/bin/python -m pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

# Inside the other tools' folder, so it goes when they are installed anew.
$(REHEARSAL_READY): infra/tools/rehearsal.txt $(TOOLS_READY)
	@echo "Installing the emulator of AWS into $(REHEARSAL_TOOLS), once. It takes half a minute."
	python3 -m venv --clear $(REHEARSAL_TOOLS)
	$(REHEARSAL_TOOLS)/bin/python -m pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

.PHONY: cargo-is-here
cargo-is-here:
	@command -v cargo >/dev/null || { echo "Rust is missing: install it with rustup, then run this again." >&2; exit 1; }
	@command -v cc >/dev/null || { echo "A C compiler is missing (on Debian and Ubuntu: apt-get install gcc)." >&2; exit 1; }
