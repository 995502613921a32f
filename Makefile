# The commands of this project; `make` lists them. The README and CONTRIBUTING.md say more.

SHELL := /bin/bash
.DEFAULT_GOAL := help

# Checks that a target imports only the modules that it declares. The flag is the same for all builds, so that no command
# rebuilds everything. It covers neither tests nor other packages' modules: scripts/lint-sources has rules for the latter.
SWIFT_FLAGS := --explicit-target-dependency-import-check error
RELEASE_FLAGS := $(shell scripts/release-flags)

CORE_TESTS := TokenCacheTests\.
# The time of `make fuzz` for each target.
SECONDS ?= 60

.PHONY: help
help: ## List the commands
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 20

.PHONY: build
build: ## Build everything, for debugging
	@scripts/install-dependencies build
	swift build $(SWIFT_FLAGS)

.PHONY: release
release: ## Build the programs to install, optimised
	@scripts/install-dependencies build
	swift build $(RELEASE_FLAGS) --product tokencached
	swift build $(RELEASE_FLAGS) --product tokencachectl

.PHONY: install
install: ## Install what `make release` built: DESTDIR= PREFIX=/usr/local
	@scripts/install-dependencies install
	TOKENCACHED_PROGRAMS=$${TOKENCACHED_PROGRAMS:-$$(scripts/release-programs)} DESTDIR=$(DESTDIR) PREFIX=$(PREFIX) UNITDIR=$(UNITDIR) scripts/install

.PHONY: deb
deb: release ## Build a Debian package, and check it with lintian
	@scripts/install-dependencies deb
	scripts/build-deb

.PHONY: image
image: deb ## Build an OCI image from the Debian package, without Docker
	@scripts/install-dependencies image
	scripts/build-image

.PHONY: test
# The core's tests keep all processors busy and use no clock. The other tests have sockets and timeouts, so they run later
# and at most four at once.
test: ## Run all tests
	@scripts/install-dependencies build test
	swift build $(SWIFT_FLAGS) --build-tests
	swift test $(SWIFT_FLAGS) --skip-build --disable-xctest --filter '$(CORE_TESTS)'
	swift test $(SWIFT_FLAGS) --skip-build --disable-xctest --skip '$(CORE_TESTS)' \
	    --experimental-maximum-parallelization-width 4

.PHONY: test-clients
test-clients: ## Test the Node, Python and Swift clients, and the packages of the first two
	@scripts/install-dependencies build clients
	swift build $(SWIFT_FLAGS)
	scripts/test-clients

.PHONY: test-browser
test-browser: ## Test the example in a real browser, with screenshots
	@scripts/install-dependencies build browser
	swift build $(SWIFT_FLAGS)
	scripts/test-browser

.PHONY: test-documentation
test-documentation: ## Run the documentation's examples against the daemon and a stand-in tenant
	@scripts/install-dependencies build documentation
	@for product in tokencached tokencachectl standin-tenant; do swift build $(SWIFT_FLAGS) --product $$product || exit; done
	scripts/test-documentation

.PHONY: test-monitoring
test-monitoring: ## Run the queries of the dashboard and the alerts against a real Prometheus
	@scripts/install-dependencies build monitoring
	@for product in tokencached standin-tenant; do swift build $(SWIFT_FLAGS) --product $$product || exit; done
	scripts/test-monitoring

.PHONY: test-systemd
test-systemd: deb ## Test the package under a real systemd, in a container (root)
	@scripts/install-dependencies systemd
	swift build $(RELEASE_FLAGS) --product standin-tenant
	scripts/test-systemd / -- $(TESTS)

.PHONY: test-systemd-257
test-systemd-257: deb ## The same with the systemd of Debian 13 (root)
	@scripts/install-dependencies systemd debian-13
	swift build $(RELEASE_FLAGS) --product standin-tenant
	scripts/test-systemd "$$(scripts/debian-13-tree)" -- $(TESTS)

.PHONY: test-sidecar
test-sidecar: image ## Test the image in a container beside an application's (root)
	@scripts/install-dependencies sidecar
	swift build $(RELEASE_FLAGS) --product standin-tenant
	scripts/test-sidecar

.PHONY: example
example: ## Start the embedded-analytics example on a stand-in tenant
	@scripts/install-dependencies build clients
	swift build $(SWIFT_FLAGS)
	@TOKENCACHED_PROGRAMS=$$(scripts/programs) node Examples/embedded-analytics/stand-in/run.js $(BACKEND)

.PHONY: lint
lint: ## Check formatting, imports, scripts, units and documentation
	@scripts/install-dependencies build lint clients
	swift format lint --strict --recursive --parallel Sources Tests Fuzz Benchmarks/Benchmarks Package.swift Benchmarks/Package.swift
	clang -fsyntax-only -Wall -Wextra -Werror Benchmarks/*-*/*.c
	scripts/lint-sources
	scripts/lint-units
	scripts/lint-clients
	scripts/lint-documentation
	scripts/check-monitoring
	shellcheck $$(grep -lE '^#!.*bash' scripts/*) .ci/run Tests/systemd/prepare
	@$(MAKE) --no-print-directory check-imports
	scripts/lint-kubernetes
	scripts/build-client-docs
	scripts/lint-manual

.PHONY: check-models
check-models: ## Check the model of a fleet in all orders of its steps
	@scripts/install-dependencies models
	scripts/check-models

.PHONY: docs
docs: ## Build the Swift client's documentation in .build/documentation
	@scripts/install-dependencies build
	swift build $(SWIFT_FLAGS) --target TokenCacheClient
	scripts/build-client-docs

.PHONY: reference
reference: ## Write the daemon's configuration keys into Documentation/configuration.md
	@scripts/install-dependencies build
	swift build $(SWIFT_FLAGS) --product tokencached
	scripts/build-manual "$$(scripts/programs)" --reference

.PHONY: check-imports
check-imports: ## Check that each target imports only those of our modules that it declares
	@scripts/install-dependencies build
	swift build $(SWIFT_FLAGS)

.PHONY: demo
demo: ## Show a miss, a hit and the statistics on a stand-in tenant
	@scripts/install-dependencies build demo
	@for product in tokencached tokencachectl standin-tenant; do swift build $(SWIFT_FLAGS) --product $$product || exit; done
	@scripts/demo

.PHONY: pictures
pictures: ## Draw the pictures of the documentation from running programs (minutes)
	@scripts/install-dependencies build monitoring pictures browser
	@for product in tokencached tokencachectl standin-tenant; do swift build $(SWIFT_FLAGS) --product $$product || exit; done
	scripts/picture-of-dashboard
	scripts/picture-of-top
	scripts/picture-of-example

.PHONY: bench
# QUICK=1 measures for two minutes and doesn't change the documentation, LARGE=1 adds a million tokens, PARTS="hits tails"
# measures these.
bench: ## Measure hits beside Redis and memcached, memory, tails and restarts, and write the results into the documentation
	@scripts/install-dependencies build bench
	@for product in tokencached standin-tenant core-curves storage-curves; do swift build $(RELEASE_FLAGS) --product $$product || exit; done
	@TOKENCACHED_PROGRAMS=$${TOKENCACHED_PROGRAMS:-$$(swift build $(RELEASE_FLAGS) --show-bin-path)} \
		QUICK=$(QUICK) LARGE=$(LARGE) PINNED=$(PINNED) scripts/bench $(PARTS)

.PHONY: bench-fleet
# QUICK=1 measures for a minute and doesn't change the documentation, PARTS="levels hits" measures these.
bench-fleet: ## Measure daemons that share an engine, and write the results into the documentation
	@scripts/install-dependencies build bench
	swift build $(RELEASE_FLAGS) --product tokencached
	@TOKENCACHED_PROGRAMS=$${TOKENCACHED_PROGRAMS:-$$(swift build $(RELEASE_FLAGS) --show-bin-path)} \
		QUICK=$(QUICK) scripts/bench-fleet $(PARTS)

.PHONY: fleet-model
# USERS=100000 simulates so many users, and doesn't change the documentation.
fleet-model: ## Simulate a million users on up to a thousand machines, and write the results into the documentation
	@scripts/install-dependencies build
	swift build $(RELEASE_FLAGS) --product fleet-curves
	@USERS=$(USERS) scripts/fleet-model "$$(swift build $(RELEASE_FLAGS) --show-bin-path)"

.PHONY: check-instructions
check-instructions: ## Count the instructions of a hit, and compare them with their bounds
	@scripts/install-dependencies build instructions
	swift build $(RELEASE_FLAGS) --product instruction-driver
	swift build $(RELEASE_FLAGS) --product tokencached
	scripts/check-instructions

.PHONY: bench-parts
bench-parts: ## Time the parts of a hit, and check that they allocate nothing
	@scripts/install-dependencies build
	@mkdir -p .build/bench
	set -o pipefail; cd Benchmarks && swift package benchmark --no-progress | tee ../.build/bench/parts.log
	@# A benchmark reports that its limit is exceeded, and the command ends well all the same.
	@! grep 'are allowed$$' .build/bench/parts.log

.PHONY: page-views logins
page-views: ## Measure page views with and without tokencached (minutes)
logins: ## Measure page views of users who are created at the first one, with and without tokencached (minutes)
page-views logins:
	@scripts/install-dependencies build clients
	swift build $(RELEASE_FLAGS) --product tokencached
	swift build $(RELEASE_FLAGS) --product standin-tenant
	@TOKENCACHED_PROGRAMS=$${TOKENCACHED_PROGRAMS:-$$(swift build $(RELEASE_FLAGS) --show-bin-path)} \
		node Examples/embedded-analytics/measurement/$@.js

.PHONY: model
model: ## Replay one random run of the cache's model: make model SEED=…
	@scripts/install-dependencies build
	swift build $(SWIFT_FLAGS) --build-tests
	MODEL_SEED=$(SEED) swift test $(SWIFT_FLAGS) --skip-build --disable-xctest --filter ModelTests

.PHONY: fuzz
# Of several sanitizers the Swift compiler takes only the last, in an order that `swift build` leaves to chance. Naming both
# together at the end makes sure that the inputs are led by coverage.
fuzz: ## Run the fuzz targets under libFuzzer: make fuzz SECONDS=60 [TARGET=…]
	@scripts/install-dependencies build
	TOKENCACHED_FUZZ=1 swift build --scratch-path .build-fuzz --configuration release -Xswiftc -enable-testing \
		--sanitize=address --sanitize=fuzzer -Xswiftc -sanitize=address,fuzzer --product fuzz
	@scripts/fuzz .build-fuzz/release/fuzz $(SECONDS) $(TARGET)

.PHONY: drill
drill: ## Run the real daemon through outages, throttling, a crash and more (minutes)
	@scripts/install-dependencies build drill
	swift build $(RELEASE_FLAGS) --product tokencached
	swift build $(RELEASE_FLAGS) --product standin-tenant
	python3 Drills/drill.py "$$(swift build $(RELEASE_FLAGS) --show-bin-path)" $(DRILLS)

.PHONY: drill-fleet
drill-fleet: ## Run three daemons through the faults of their engine: make drill-fleet SECONDS=60 (20 times that)
	@scripts/install-dependencies build drill-fleet
	swift build $(RELEASE_FLAGS) --product tokencached
	python3 Drills/fleet.py "$$(swift build $(RELEASE_FLAGS) --show-bin-path)" --seconds $(SECONDS)

.PHONY: test-fleet
# FLEET="--seeds 7" repeats a run, FLEET="--seconds 600" makes one with a new seed.
test-fleet: FLEET ?= --seeds 1 2 3 --seconds 10
test-fleet: ## Check the history of real daemons whose engine is killed, stopped, emptied and cut off
	@scripts/install-dependencies build drill-fleet
	swift build $(RELEASE_FLAGS) --product tokencached
	python3 Drills/fleet_history.py "$$(swift build $(RELEASE_FLAGS) --show-bin-path)" $(FLEET)

.PHONY: drill-quotas
drill-quotas: ## Time one user's requests while another user takes all it can (root; minutes)
	@scripts/install-dependencies build drill
	swift build $(RELEASE_FLAGS) --product tokencached
	swift build $(RELEASE_FLAGS) --product standin-tenant
	python3 Drills/quotas.py "$$(swift build $(RELEASE_FLAGS) --show-bin-path)"

.PHONY: clean
clean: ## Remove what was built
	rm -rf .build .build-fuzz Benchmarks/.build
