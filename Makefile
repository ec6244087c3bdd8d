# SPDX-License-Identifier: GPL-3.0-or-later
# The front door. `make help` lists what can be asked for.

config ?= release
MAKEFLAGS += --no-builtin-rules
ifeq ($(filter -j%,$(MAKEFLAGS)),)
MAKEFLAGS += -j$(shell nproc)
endif
.DEFAULT_GOAL := all
.DELETE_ON_ERROR:

ROOMS := base print intake storage service
OUT := build/obj-$(config)
BIN := $(if $(filter release,$(config)),build/statuette,$(OUT)/statuette)

CC := $(if $(filter fuzz,$(config)),clang-14,gcc)
CXX := $(if $(filter fuzz,$(config)),clang++-14,g++)
OPENMP := $(if $(filter fuzz,$(config)),-Wno-unknown-pragmas,-fopenmp)
GOMP := $(if $(filter fuzz,$(config)),-lgomp)
WARN := -Wall -Wextra $(if $(filter fuzz,$(config)),,-Werror)
CPPFLAGS := -I. -I$(OUT)/gen -D_GNU_SOURCE -I/usr/include/postgresql -I/usr/include/freetype2 -I/usr/include/harfbuzz -MMD -MP
OPT_release := -O2 -g1 -DNDEBUG
OPT_debug := -Og -g3
OPT_sanitize := -O1 -g -fsanitize=address,undefined,float-cast-overflow -fno-sanitize-recover=undefined,float-cast-overflow -fno-omit-frame-pointer
OPT_fuzz := -O2 -g1 -fsanitize=fuzzer-no-link,address,undefined,float-cast-overflow -fno-sanitize=pointer-overflow -fno-sanitize-recover=all -fno-omit-frame-pointer
OPT_coverage := -O0 -g --coverage
CFLAGS := -std=c17 $(WARN) $(OPT_$(config)) $(OPENMP) -fno-math-errno -fno-trapping-math
CXXFLAGS := -std=c++17 $(WARN) $(OPT_$(config)) $(OPENMP) $(if $(filter fuzz,$(config)),-fno-sanitize=vptr)
LDLIBS := -lmicrohttpd -lpq -lcurl -lcjson -lsodium -lseccomp -ljpeg -lpng -lwebp -lwebpdemux \
          -lheif -llcms2 -lmeshoptimizer -ldraco -l3MF -lharfbuzz -lfreetype -lz -lpthread -lm -lstdc++ $(GOMP)

SOURCES := $(foreach r,$(ROOMS),$(wildcard $(r)/*.c $(r)/*/*.c $(r)/*.cpp $(r)/*/*.cpp))
MAIN := $(wildcard service/main.c)
OBJECTS := $(patsubst %,$(OUT)/%.o,$(basename $(filter-out $(MAIN),$(SOURCES))))
ASSETS := $(sort $(wildcard storage/sql/*.sql schemas/*.* schemas/*/* config/*.* config/*/* service/console/*))
TESTS := $(patsubst %.c,$(OUT)/%,$(wildcard tests/*/*_test.c))
SIM_PARTS := $(wildcard tests/sim/provider_sim_*.c)
SIMS := $(patsubst %.c,$(OUT)/%,$(filter-out $(SIM_PARTS),$(wildcard tests/sim/*.c)))
SIM_PARTS := $(patsubst %.c,$(OUT)/%.o,$(SIM_PARTS))
LIB := $(OUT)/libstatuette.a

# Which groups of scripts/packages.txt this call needs; whatever compiles first waits for them.
GROUPS := build $(if $(filter demo run check storm polls,$(MAKECMDGOALS)),run) $(if $(filter check storm,$(MAKECMDGOALS)),test) \
	$(if $(filter fuzz,$(config)),fuzz) $(if $(filter bench,$(MAKECMDGOALS)),bench)
PACKAGES := build/.packages-$(subst $() ,-,$(strip $(GROUPS)))

.PHONY: all help tests demo run check storm fuzz bench polls lint format install clean

all: $(BIN) $(SIMS) ## build build/statuette (config=release|debug|sanitize|coverage)

help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' Makefile

demo: all ## one order from photo to printed part, live (PHOTO=path, PROVIDER=id, SCENARIO=path, DEMO_KEEP=1)
	@$(BIN) up --demo

run: all ## everything on this machine, until Ctrl-C
	@$(BIN) up

tests: $(TESTS) $(SIMS)

CHECKS := scripts/check_house.sh $(sort $(TESTS)) $(sort $(wildcard tests/flow/[0-9]*.sh))
check: all tests ## every test; ends with "N passed, N failed, N skipped"
	@STATUETTE_PROGRAM=$(abspath $(BIN)) STATUETTE_BUILD=$(abspath $(OUT)) scripts/run_tests.sh $(CHECKS)

PROVIDER_STORM := $(OUT)/tests/service/provider_storm_test
storm: all $(PROVIDER_STORM) ## the kill tests at length: 20 orders, 10 kills; 1,000 tasks of five providers, a kill every 2 s
	@TASKS=1000 KILLS=100000 STORM_S=1500 STATUETTE_PROGRAM=$(abspath $(BIN)) \
		scripts/run_tests.sh $(PROVIDER_STORM)
	@ORDERS=20 KILLS=10 STORM_S=1500 STATUETTE_PROGRAM=$(abspath $(BIN)) STATUETTE_BUILD=$(abspath $(OUT)) \
		scripts/run_tests.sh tests/flow/50_kill.sh

FUZZ_ITERATIONS ?= 20000
SECONDS ?= 60
fuzz: ## readers and repair against spoilt files under ASan and UBSan, then by coverage (SECONDS=60 each)
	@$(MAKE) --no-print-directory config=sanitize build/obj-sanitize/tests/fuzz/fuzz_test
	@FUZZ_ITERATIONS=$(FUZZ_ITERATIONS) scripts/run_tests.sh build/obj-sanitize/tests/fuzz/fuzz_test
	@$(MAKE) --no-print-directory config=fuzz build/obj-fuzz/tests/fuzz/targets build/obj-fuzz/tests/fuzz/write_seeds
	@scripts/fuzz.sh $(SECONDS)

bench: all $(addprefix $(OUT)/tests/bench/,clocked make_meshes to_stl judge limit threemf long_gcode read_limit) ## ours and Debian's other tools on the same files (BENCH="--full --only WORD")
	@scripts/bench_peers.sh $(OUT)/tests/bench
	@scripts/bench.py --tools $(OUT)/tests/bench --ours $(BIN) $(BENCH)

polls: all $(OUT)/tests/bench/polls ## what it costs one worker to poll 100, 1,000 and 5,000 tasks of simulated providers
	@STATUETTE_PROGRAM=$(abspath $(BIN)) $(OUT)/tests/bench/polls

lint: ## clang-tidy and cppcheck
	@scripts/install_packages.sh build lint
	@scripts/lint.sh

format: ## clang-format on every C file
	@scripts/install_packages.sh lint
	@git ls-files '*.c' '*.h' '*.cpp' | xargs clang-format -i

prefix ?= /usr/local
install: all ## install below prefix=/usr/local
	install -D -m 755 $(BIN) $(DESTDIR)$(prefix)/bin/statuette
	install -D -m 755 $(OUT)/tests/sim/printer_sim $(DESTDIR)$(prefix)/libexec/statuette/printer_sim
	install -D -m 755 $(OUT)/tests/sim/provider_sim $(DESTDIR)$(prefix)/libexec/statuette/provider_sim
	mkdir -p $(DESTDIR)$(prefix)/share/man/man1
	$(BIN) man > $(DESTDIR)$(prefix)/share/man/man1/statuette.1

clean: ## remove build/
	rm -rf build

$(LIB): $(OBJECTS) $(OUT)/assets.o
	@rm -f $@
	@ar rcs $@ $^

$(BIN): $(patsubst %.c,$(OUT)/%.o,$(MAIN)) $(LIB)
	@echo "  link $@"
	@$(CC) $(CFLAGS) -o $@ $^ $(LDLIBS)

$(OUT)/%.o: %.c | $(PACKAGES)
	@mkdir -p $(@D)
	@echo "  cc $<"
	@$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

$(OUT)/%.o: %.cpp | $(PACKAGES)
	@mkdir -p $(@D)
	@echo "  c++ $<"
	@$(CXX) $(CPPFLAGS) $(CXXFLAGS) -c -o $@ $<

# The list of files is a prerequisite by its content, so that a file added or taken away is noticed.
$(OUT)/assets.list: .FORCE
	@mkdir -p $(@D)
	@echo '$(ASSETS)' | cmp -s - $@ || echo '$(ASSETS)' > $@

$(OUT)/assets.S: $(OUT)/assets.list $(ASSETS) scripts/embed_assets.sh
	@scripts/embed_assets.sh $(ASSETS) > $@

$(OUT)/assets.o: $(OUT)/assets.S | $(PACKAGES)
	@$(CC) -c -o $@ $<

$(TESTS): $(OUT)/tests/%: tests/%.c $(LIB)
	@mkdir -p $(@D)
	@echo "  test $@"
	@$(CC) $(CPPFLAGS) $(CFLAGS) -UNDEBUG -o $@ $< $(LIB) $(LDLIBS)

$(OUT)/tests/sim/provider_sim: $(SIM_PARTS)
$(SIMS): $(OUT)/tests/%: tests/%.c $(LIB)
	@mkdir -p $(@D)
	@echo "  link $@"
	@$(CC) $(CPPFLAGS) $(CFLAGS) -o $@ $(filter %.c %.o,$^) $(LIB) $(LDLIBS)

$(OUT)/tests/fuzz/targets: tests/fuzz/targets.c $(LIB)
	@mkdir -p $(@D)
	@echo "  link $@"
	@$(CC) $(CPPFLAGS) $(CFLAGS) -UNDEBUG -fsanitize=fuzzer -o $@ $< $(LIB) $(LDLIBS)

$(OUT)/tests/fuzz/write_seeds: tests/fuzz/write_seeds.c $(LIB)
	@mkdir -p $(@D)
	@$(CC) $(CPPFLAGS) $(CFLAGS) -o $@ $< $(LIB) $(LDLIBS)

$(OUT)/tests/bench/%: tests/bench/%.c $(LIB)
	@mkdir -p $(@D)
	@echo "  link $@"
	@$(CC) $(CPPFLAGS) $(CFLAGS) -o $@ $< $(LIB) $(LDLIBS)

$(PACKAGES): scripts/packages.txt
	@mkdir -p $(@D)
	@scripts/install_packages.sh $(GROUPS)
	@touch $@

.PHONY: .FORCE
.FORCE:

-include $(OBJECTS:.o=.d) $(TESTS:=.d) $(SIMS:=.d) $(SIM_PARTS:.o=.d)
