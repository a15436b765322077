# kvorum. Every target first installs what it needs, from package-lock.json.
#
#   make                     compile to build/, package the binary target/kvorum
#   make run                 the development cluster of nodes.conf, data in data/
#   make test                the suite; T=test/rpc selects, UPDATE=1 rewrites text scripts
#   make cover               the suite with coverage by file
#   make sim                 simulated clusters; SEEDS=1000 runs so many, SEED=123 shows one,
#                            MUTATIONS=1 says which seeds catch deliberate faults
#   make chaos               real nodes, broken for MINUTES=5; SEED=n repeats a plan
#   make hostile             a client's speed among hostile connections
#   make fuzz                every decoder, fed damaged input; CASES=10000000 for so many
#   make bench               measure; etcd beside kvorum where it is installed
#   make lint, make fmt      check format, rules and types; rewrite the format
#   make install             into $(DESTDIR)$(PREFIX), with $(DESTDIR)/etc/kvorum/nodes.conf
#   make deb                 a Debian package in target/
#   make clean               remove what was built

PREFIX ?= /usr/local
DESTDIR ?=
BINARY ?= target/kvorum
DEB_DIR ?= target
T ?=
UPDATE ?=

host_path := $(PATH)
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)
export UPDATE
SHELL := /bin/bash

# A folder stands for the tests in it.
tests = $(if $(T),'$(if $(wildcard $(T)/.),$(T)/**/*.test.ts,$(T))')

deps := node_modules/.kvorum-installed
sources := $(shell find src include -name '*.ts' 2>/dev/null)

.PHONY: all build run test cover sim chaos fuzz hostile bench lint fmt install deb clean
.DELETE_ON_ERROR:

all: target/kvorum

# The pinned node is an npm package whose install script fetches it; where scripts are off it is
# run by hand. `tap build` makes .taprc's choice of plugins take effect.
$(deps): package-lock.json .taprc
	PATH='$(host_path)' npm ci
	test -e node_modules/.bin/node || (cd node_modules/node \
	  && PATH='$(host_path)' node installArchSpecificPackage.js \
	  && ln -sf ../node/bin/node ../.bin/node)
	tap build
	touch $@

build: build/.compiled
build/.compiled: $(deps) tsconfig.json tsconfig.build.json package.json $(sources)
	tsc -p tsconfig.build.json
	touch $@

target/kvorum: build/.compiled $(wildcard scripts/package*.ts)
	node scripts/package.ts

run: $(deps)
	node src/main.ts dev --conf nodes.conf --data-dir data

test: $(deps)
	tap $(tests)

cover: $(deps)
	tap --no-disable-coverage --coverage-report=text $(tests)

sim: $(deps)
	node test/sim/main.ts

chaos: target/kvorum
	node test/chaos/main.ts

hostile: target/kvorum
	node test/chaos/hostile.ts

fuzz: $(deps)
	node test/fuzz/main.ts

bench: target/kvorum
	node test/bench/main.ts --binary=target/kvorum

lint: $(deps)
	biome check --error-on-warnings .
	tsc -p tsconfig.json

fmt: $(deps)
	biome check --write .

install: $(BINARY)
	install -D -m 755 $(BINARY) '$(DESTDIR)$(PREFIX)/bin/kvorum'
	packaging/install.sh '$(BINARY)' '$(DESTDIR)' '$(PREFIX)'

# --root-owner-group: whoever builds, root owns. Compression takes 10 s at this level.
deb: $(BINARY)
	rm -rf build/deb && $(MAKE) install DESTDIR=build/deb PREFIX=/usr
	packaging/deb/control.sh build/deb
	mkdir -p '$(DEB_DIR)'
	dpkg-deb --root-owner-group -Zxz -z1 --build build/deb '$(DEB_DIR)'

clean:
	rm -rf build target .tap
