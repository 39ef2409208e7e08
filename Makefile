# Canyon's only build. `make help` lists the targets; everything that a target
# needs and this machine lacks is installed by `make setup`, which runs by
# itself when its stamp is missing.

CONFIG  ?= release
CC      ?= gcc
ifeq ($(origin CC),default)
CC      := gcc
endif
PREFIX  ?= /usr/local
DESTDIR ?=
VENV    ?= .venv
VERSION := 0.1.0

B       := build/$(CONFIG)
NM      := node_modules
TS      := $(NM)/tree-sitter/vendor/tree-sitter/lib
TSPY    := $(NM)/tree-sitter-python/src
TSTOML  := $(NM)/@tree-sitter-grammars/tree-sitter-toml/src

# --- what is built from what ---------------------------------------------------

LIB_LAYERS := base runtime io kit journal cache
CMD_LAYERS := python migrate migrate/rules serve cli
lib_src := $(foreach d,$(LIB_LAYERS),$(wildcard src/$d/*.c src/$d/*.S))
cmd_src := $(filter-out src/cli/main.c,$(foreach d,$(CMD_LAYERS),$(wildcard src/$d/*.c)))
headers := $(wildcard src/*/*.h src/migrate/rules/*.h)
pages   := $(sort $(wildcard src/migrate/rules/*.md))
fuzz_ready := $(and $(wildcard src/migrate/text.c),$(wildcard src/migrate/diff.c),$(wildcard src/migrate/toml.c))
test_src := $(filter-out $(if $(fuzz_ready),,test/fuzz/%),$(wildcard test/*/*_test.c))
example_src := $(wildcard example/runtime/*.c example/io/*.c example/kit/*.c)

obj = $(patsubst %,$(B)/obj/%.o,$(basename $(1)))
lib_obj := $(call obj,$(lib_src))
cmd_obj := $(call obj,$(cmd_src)) $(B)/obj/pages.o $(B)/obj/support.o
third_obj := $(addprefix build/third/,ts_core.o ts_python_parser.o ts_python_scanner.o ts_toml_parser.o ts_toml_scanner.o)

# --- flags -----------------------------------------------------------------------

WARN := -Wall -Wextra -Wpedantic -Werror -Wshadow -Wstrict-prototypes \
        -Wmissing-prototypes -Wundef -Wvla -Wwrite-strings -Wpointer-arith \
        -Wno-gnu-zero-variadic-macro-arguments -Wno-unknown-warning-option \
        -Wno-gnu-statement-expression -Wno-gnu-empty-initializer
BASEFLAGS := -std=gnu11 -D_GNU_SOURCE -DCN_VERSION='"$(VERSION)"' -Isrc \
        -I$(TS)/include $(WARN) -g -fno-omit-frame-pointer -pthread -MMD -MP
san_asan := -fsanitize=address,undefined -fno-sanitize-recover=all -DCN_CHECKS
# NULL + 0, which every empty vector does, is fine in the C to come.
san_fuzz := -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize=pointer-overflow -fno-sanitize-recover=all -DCN_CHECKS
san_tsan := -fsanitize=thread -DCN_CHECKS
opt_release := -O2 -fomit-frame-pointer
opt_asan := -O1
opt_fuzz := -O1
opt_tsan := -O1
opt_debug := -O0 -DCN_CHECKS
ALLFLAGS = $(BASEFLAGS) $(opt_$(CONFIG)) $(san_$(CONFIG)) $(PKG_CFLAGS) $(CFLAGS)

# Debian's libraries, by pkg-config; looked up only where something is linked.
PKGS := $(if $(wildcard src/runtime/backend_uring.c),liburing) \
        $(if $(wildcard src/runtime/backend_uv.c),libuv) \
        jansson libxxhash
PKG_CFLAGS = $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
LIBS = $(shell pkg-config --libs $(PKGS)) -lm -pthread

# What a program that links libcanyon includes: all but what is private.
public_headers := $(patsubst src/%,%,$(wildcard src/base/*.h)) \
    $(addprefix runtime/,runtime.h $(shell sed -n 's/^\#include "runtime\/\(.*\)"/\1/p' src/runtime/runtime.h) backend.h)

.PHONY: examples all help setup demo test quick check fuzz bench bench-runtime sim crash install clean format third
.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SECONDARY:

all: $(if $(wildcard src/cli/main.c),build/canyon) $(B)/libcanyon.a ## build/canyon and build/release/libcanyon.a

help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-9s %s\n",$$1,$$2}' Makefile

# --- setting up ------------------------------------------------------------------

setup: ## install what the build and the tests need (apt, npm ci, pip into .venv)
	tools/setup

.stamps/%:
	tools/setup $*

NEED_C := .stamps/apt .stamps/npm
NEED_PY := .stamps/venv

# --- objects ---------------------------------------------------------------------

$(B)/obj/%.o: %.c | $(NEED_C)
	@mkdir -p $(@D)
	$(CC) $(ALLFLAGS) -c $< -o $@

$(B)/obj/%.o: %.S | $(NEED_C)
	@mkdir -p $(@D)
	$(CC) $(ALLFLAGS) -c $< -o $@

# The stack switch pushes where a red zone would be; see coro_x86_64.h.
$(B)/obj/src/runtime/sched.o: ALLFLAGS += \
    $(if $(findstring x86_64,$(shell $(CC) -dumpmachine)),-mno-red-zone)

# Third-party C comes from the registry by lockfile and is compiled as it is.
third_cc = @mkdir -p $(@D); $(CC) -std=gnu11 -D_GNU_SOURCE -O2 -g -w -I$(TS)/include -I$(TS)/src
build/third/ts_core.o: | $(NEED_C)
	$(third_cc) -c $(TS)/src/lib.c -o $@
build/third/ts_python_%.o: | $(NEED_C)
	$(third_cc) -I$(TSPY) -c $(TSPY)/$*.c -o $@
build/third/ts_toml_%.o: | $(NEED_C)
	$(third_cc) -I$(TSTOML) -c $(TSTOML)/$*.c -o $@

# So do the parts of the support module.
$(B)/support.c: $(wildcard src/migrate/support/*.py) src/migrate/support/order tools/embed-pages
	@mkdir -p $(@D)
	tools/embed-pages --support src/migrate/support > $@
$(B)/obj/support.o: $(B)/support.c
	@mkdir -p $(@D)
	$(CC) $(ALLFLAGS) -c $< -o $@

# The rule pages travel inside the binary: `canyon explain` prints them.
$(B)/pages.c: $(pages) tools/embed-pages
	@mkdir -p $(@D)
	tools/embed-pages $(pages) > $@
$(B)/obj/pages.o: $(B)/pages.c
	@mkdir -p $(@D)
	$(CC) $(ALLFLAGS) -c $< -o $@

# --- libraries and programs ------------------------------------------------------

$(B)/libcanyon.a: $(lib_obj)
	@rm -f $@
	ar rcs $@ $^

$(B)/libcommand.a: $(lib_obj) $(cmd_obj)
	@rm -f $@
	ar rcs $@ $^

$(B)/canyon: $(B)/obj/src/cli/main.o $(B)/libcommand.a $(third_obj)
	$(CC) $(ALLFLAGS) $^ $(LIBS) -o $@

ifeq ($(CONFIG),release)
build/canyon: build/release/canyon
	@ln -sf release/canyon $@
endif

# --- tests -----------------------------------------------------------------------

test_bin := $(patsubst test/%.c,$(B)/test/%,$(test_src))
# Programs that tests drive: no tests by themselves.
test_tool := $(if $(wildcard src/migrate/text.c),$(B)/test/pages/driver)

$(B)/test/%: $(B)/obj/test/%.o $(B)/libcommand.a $(third_obj)
	@mkdir -p $(@D)
	$(CC) $(ALLFLAGS) $(filter %.o,$^) $(filter %.a,$^) $(LIBS) -lcmocka -o $@
$(B)/obj/test/%.o: ALLFLAGS += -Itest

# The test that makes every allocation fail stands between program and libc.
comma := ,
$(B)/test/runtime/memory_test: LIBS += $(addprefix -Wl$(comma)--wrap=,malloc \
    calloc realloc aligned_alloc mmap)

# Each example is one idea in one file; test/runtime/example.test runs them.
examples: $(patsubst %.c,$(B)/%,$(example_src)) ## build the library's examples
$(B)/example/%: $(B)/obj/example/%.o $(B)/libcanyon.a
	@mkdir -p $(@D)
	$(CC) $(ALLFLAGS) $< $(B)/libcanyon.a $(LIBS) -o $@

test-programs: $(test_bin) $(test_tool)

quick: ## unit tests under the sanitizers, layers, lengths: a minute
	@$(MAKE) --no-print-directory CONFIG=asan test-programs
	@tools/check-layers && tools/check-length
	@tools/run-tests --only-programs build/asan

test: .stamps/venv ## everything, under sanitizers, on all backends; at most 20 minutes
	@$(MAKE) --no-print-directory CONFIG=asan test-programs examples build/asan/canyon
	@$(MAKE) --no-print-directory all
	@VENV=$(VENV) tools/run-tests build/asan

check: ## layers, lengths, formatting, both compilers without a warning
	tools/check-layers
	tools/check-length
	tools/check-format
	$(MAKE) --no-print-directory B=build/clang CC=clang CONFIG=release third_obj= build/clang/libcommand.a

demo: all .stamps/venv ## migrate a sample application and run its tests on both backends
	@$(VENV)/bin/python example/migrate/demo.py --canyon build/canyon --scratch build/demo

# The targets in test/fuzz under libFuzzer; `make test` replays the same ones
# over fixed inputs (replay_test). What it finds is left in build/fuzz/.
FUZZ_SECONDS ?= 60
FUZZ_TARGETS := text migrate edit diff config
fuzz_obj := $(call obj,$(filter-out test/fuzz/fuzzer.c %_test.c,$(wildcard test/fuzz/*.c)))

$(B)/test/fuzz/replay_test: $(fuzz_obj)
$(B)/fuzzer: $(B)/obj/test/fuzz/fuzzer.o $(fuzz_obj) $(B)/libcommand.a $(third_obj)
	$(CC) $(ALLFLAGS) -fsanitize=fuzzer $^ $(LIBS) -o $@

fuzz: ## libFuzzer on parser, migration, edits, diffs, config: FUZZ_SECONDS=60 each
	@$(MAKE) --no-print-directory CONFIG=fuzz CC=clang fuzz-run
fuzz-run: $(B)/fuzzer $(B)/test/fuzz/replay_test
	@mkdir -p $(B)/seeds $(addprefix $(B)/found/,$(FUZZ_TARGETS))
	$(B)/test/fuzz/replay_test --seeds $(B)/seeds
	set -e; for t in $(FUZZ_TARGETS); do ln -sf fuzzer $(B)/fuzz-$$t; \
	    $(B)/fuzz-$$t -max_total_time=$(FUZZ_SECONDS) -timeout=10 -max_len=8192 -rss_limit_mb=3000 \
	        -print_final_stats=1 -verbosity=0 -artifact_prefix=$(B)/$$t- $(B)/found/$$t $(B)/seeds/$$t; done

bench: all .stamps/venv $(B)/floor ## canyon scan against grep, ruff, ast-grep, the floor: BENCH_TREE=path
	@test -n "$(BENCH_TREE)" || { echo "make bench BENCH_TREE=path/of/a/python/tree"; exit 2; }
	@$(VENV)/bin/python bench/bench.py --tree "$(BENCH_TREE)" --canyon build/canyon --floor $(B)/floor --tools build/bench

bench-echo: $(B)/echo $(B)/echo_floor $(B)/echo_load ## TCP echo on libcanyon against bare epoll and io_uring
	@python3 bench/echo.py $(B)

$(B)/echo: bench/echo.c $(B)/libcanyon.a
	$(CC) $(ALLFLAGS) $^ $(LIBS) -o $@
$(B)/echo_%: bench/echo_%.c
	@mkdir -p $(@D)
	$(CC) $(ALLFLAGS) $< $(LIBS) -o $@

$(B)/floor: bench/floor.c $(third_obj)
	@mkdir -p $(@D)
	$(CC) -O2 -std=gnu11 -D_GNU_SOURCE $(WARN) -I$(TS)/include $^ -o $@

sim: ## the runtime against its model: 100 000 random programs, then a crowd of 20 000
	@$(MAKE) --no-print-directory CONFIG=release build/release/test/runtime/model_test
	@$(MAKE) --no-print-directory CONFIG=asan build/asan/test/runtime/stress_test
	build/release/test/runtime/model_test 100000
	build/asan/test/runtime/stress_test 20000

bench-runtime: $(B)/bench/floor $(B)/bench/runtime ## the runtime against the least that tasks can cost
	@bench/runtime/compare.py $^

$(B)/bench/floor: bench/runtime/floor.c bench/runtime/bench.h
	@mkdir -p $(@D)
	$(CC) -O2 -mno-red-zone -std=gnu11 -D_GNU_SOURCE $(WARN) -pthread $< -o $@

$(B)/bench/runtime: bench/runtime/bench.c bench/runtime/bench.h $(B)/libcanyon.a
	@mkdir -p $(@D)
	$(CC) -O2 -std=gnu11 -D_GNU_SOURCE -Isrc $(WARN) $< $(B)/libcanyon.a $(LIBS) -o $@

install: all ## the command, its man page and completions, libcanyon.a and its headers: PREFIX=/usr/local
	install -d $(addprefix $(DESTDIR)$(PREFIX)/,bin lib/pkgconfig include/canyon share/man/man1 \
	    share/bash-completion/completions)
	install -m 755 build/release/canyon $(DESTDIR)$(PREFIX)/bin/canyon
	build/release/canyon help --man > $(DESTDIR)$(PREFIX)/share/man/man1/canyon.1
	build/release/canyon completions bash > $(DESTDIR)$(PREFIX)/share/bash-completion/completions/canyon
	install -m 644 build/release/libcanyon.a $(DESTDIR)$(PREFIX)/lib/
	for h in $(public_headers); do install -D -m 644 src/$$h $(DESTDIR)$(PREFIX)/include/canyon/$$h; done
	printf '%s\n' 'Name: libcanyon' 'Description: structured concurrency for C' 'Version: $(VERSION)' \
	    'Requires.private: liburing libuv' 'Libs: -L$(PREFIX)/lib -lcanyon -luring -luv -pthread' \
	    'Cflags: -I$(PREFIX)/include/canyon' > $(DESTDIR)$(PREFIX)/lib/pkgconfig/libcanyon.pc

format: ## clang-format over the tree
	clang-format -i $$(git ls-files 'src/*.[ch]' 'test/*.[ch]' 'example/*.[ch]')

clean: ## remove build/ (what setup installed stays)
	rm -rf build

-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)
