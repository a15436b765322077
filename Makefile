# kvorum. Every target first installs what it needs, from package-lock.json.
#
#   make                     compile to build/, package the binary target/kvorum
#   make run                 the development cluster of nodes.conf, data in data/
#   make test                the suite; T=test/rpc selects, UPDATE=1 rewrites text scripts
#   make cover               the suite with coverage by file
#   make bench               measure; etcd beside kvorum where it is installed
#   make lint, make fmt      check format, rules and types; rewrite the format
#   make install             into $(DESTDIR)$(PREFIX), with $(DESTDIR)/etc/kvorum/nodes.conf
#   make clean               remove what was built

PREFIX ?= /usr/local
DESTDIR ?=
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

.PHONY: all build run test cover bench lint fmt install clean
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

bench: target/kvorum
	node test/bench/main.ts --binary=target/kvorum

lint: $(deps)
	biome check --error-on-warnings .
	tsc -p tsconfig.json

fmt: $(deps)
	biome check --write .

install: target/kvorum
	install -D -m 755 target/kvorum '$(DESTDIR)$(PREFIX)/bin/kvorum'
	install -d '$(DESTDIR)/etc/kvorum' '$(DESTDIR)$(PREFIX)/lib/systemd/system'
	test -e '$(DESTDIR)/etc/kvorum/nodes.conf' || \
	  install -m 644 packaging/nodes.conf '$(DESTDIR)/etc/kvorum/nodes.conf'
	sed 's|@PREFIX@|$(PREFIX)|' packaging/kvorum@.service \
	  > '$(DESTDIR)$(PREFIX)/lib/systemd/system/kvorum@.service'

clean:
	rm -rf build target .tap
