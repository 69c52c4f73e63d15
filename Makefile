# superlance. For GNU make.
#
#   make               build the release program
#   make demo          watch memmon restart a leaking program; ends by itself
#   make test          run all tests
#   make compat        compare with the original, and print what is the same and what is not;
#                      D=D3 shows one deviation in full, D=all all of them
#   make reliability   have supervisord misbehave in every call, and write docs/reliability.md
#   make manuals       write docs/man from the manual pages; needs mandoc (Debian: apt install mandoc)
#   make soak          flood each listener, let it live through a day, and see what has grown; minutes
#   make picture       draw docs/status.svg again, from a real run
#   make bench         measure beside the original, five minutes; writes the tables
#   make check         formatting, lints, documentation, and all tests
#   make fuzz          try each parser with input that a fuzzer makes up, FUZZ_SECONDS=60 each
#   make install       put the program, its links, manual pages and examples below PREFIX
#   make uninstall     remove them
#   make static        build a static program, for every Linux
#   make tarball, make deb, make wheel
#                      pack the static program, into target/dist; make packages: all of them
#   make prometheus    fetch Debian's Prometheus, node_exporter and Alertmanager into target/prometheus,
#                      for the tests that ask the real ones; without them, those tests say so
#   make check-packages
#                      build them twice, compare, and check what they hold
#   make dist          pack the sources of HEAD
#   make clean         remove everything built
#
# Tests and demo need Python 3 with venv, for supervisord and the original superlance.

# The event listeners: each is a link to the program.
COMMANDS = crashmail crashmailbatch crashsms dependent-startup exitmon fatalmailbatch httpok memmon

# What has a manual page.
MANUALS = superlance superlance-check superlance-metrics superlance-run superlance-status superlance-test-alert $(COMMANDS)

EXAMPLES = examples examples/conf.d examples/container examples/nginx-gunicorn examples/prometheus

DESTDIR ?=
PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
MANDIR ?= $(PREFIX)/share/man
BASHDIR ?= $(PREFIX)/share/bash-completion/completions
ZSHDIR ?= $(PREFIX)/share/zsh/site-functions
FISHDIR ?= $(PREFIX)/share/fish/vendor_completions.d
DOCDIR ?= $(PREFIX)/share/doc/superlance
CARGO ?= cargo
PYTHON ?= python3
INSTALL ?= install

PROGRAM ?= $(or $(CARGO_TARGET_DIR),target)/release/superlance
COMPLETIONS ?= $(or $(CARGO_TARGET_DIR),target)/completions
VERSION = $(shell sed -n 's/^version = "\(.*\)"$$/\1/p' Cargo.toml)

# SUPERLANCE_VENV in the environment names a Python environment of your own, which is left as it is.
VENV       = $(or $(SUPERLANCE_VENV),$(CURDIR)/target/venv)
VENV_READY = $(if $(SUPERLANCE_VENV),,$(VENV)/ready)

# No path of the builder gets into a program: it would be of no use there, and make each build another.
REMAP = --remap-path-prefix=$(or $(CARGO_HOME),$(HOME)/.cargo)/registry/src=/registry \
        --remap-path-prefix=$(CURDIR)=/superlance
# With frame pointers the tables for unwinding are a third smaller, and the program 0.2 MB.
RELEASE = RUSTFLAGS="$(strip $(RUSTFLAGS) $(REMAP) -C force-frame-pointers=yes $(LINK))" $(CARGO)

all: program completions

program:
	$(RELEASE) build --release --locked

# Generated from the command lines by a program that is not installed.
completions:
	$(RELEASE) run --release --quiet --locked -p superlance-packaging -- $(COMPLETIONS)

# Many tests wait for ticks of a real supervisord, so there may be more of them than processors.
test: venv
	$(CARGO) test --workspace --locked -- --test-threads=8

# Documentation of the crates is for those who work on them: private items are part of it.
check:
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS='-D warnings -A rustdoc::private-intra-doc-links' \
	    $(CARGO) doc --workspace --no-deps --document-private-items --locked
	$(MAKE) test

prometheus:
	tests/fleet/fetch.sh $(CURDIR)/target/prometheus

# The tests that play both, and then the table of what they compared; a test that fails is in it as
# unexplained. SUPERLANCE_UNDER_TEST=theirs puts the original into our place.
COMPARING = crash:: dependent_startup:: httpok:: memmon:: shared_deviations:: signals:: \
    --skip under_supervisord --test-threads=4
TABLE = $(CURDIR)/target/compat.json

compat: venv
	@mkdir -p $(dir $(TABLE))
	@rm -f $(TABLE)
	@SUPERLANCE_COMPAT_TABLE=$(TABLE) \
	    $(CARGO) test --quiet --locked -p superlance --test tests -- $(COMPARING); tests=$$?; \
	 $(CARGO) run --quiet --locked -p superlance-testing --bin compat -- $(TABLE) "$(D)" \
	    && exit $$tests

# `make test` runs this, too, and compares.
reliability: venv
	SUPERLANCE_WRITE=1 $(CARGO) test --quiet --locked -p superlance --test tests -- faults::

# The pages that are only another name of one have no Markdown. A test compares the checksums.
manuals:
	@mandoc -T lint -W fatal man/superlance.1 || { echo "make: mandoc is needed\
	 (Debian: apt install mandoc)" >&2; exit 1; }
	rm -rf docs/man && mkdir -p docs/man
	for page in $$(grep -L '^\.so ' man/*.[17]); do \
	    name=$${page#man/}; web=docs/man/$${name%.*}.md; \
	    echo "<!-- by make manuals, from $$page, cksum $$(cksum <$$page) -->" >$$web && \
	    mandoc -T markdown -W fatal $$page >>$$web || exit 1; \
	done

# Needs a nightly compiler and cargo-fuzz. What is found is minimized by hand (cargo fuzz tmin), and put
# into tests/fuzz/crashes/TARGET, from where ordinary tests take it.
FUZZ_TARGETS = frame payload supervisord http smtp tail cause units selector
FUZZ_SECONDS ?= 60
FUZZ = $(CARGO) +nightly fuzz
FUZZ_FOLDERS = --fuzz-dir tests/fuzz --target-dir target/fuzz

fuzz:
	@$(FUZZ) --version >/dev/null 2>&1 || { echo "make: fuzzing needs a nightly compiler and\
	 cargo-fuzz: rustup toolchain install nightly; cargo install cargo-fuzz" >&2; exit 1; }
	cp Cargo.lock tests/fuzz
	$(FUZZ) build $(FUZZ_FOLDERS)
	for target in $(FUZZ_TARGETS); do \
	    mkdir -p target/fuzz/corpus/$$target && \
	    $(FUZZ) run $(FUZZ_FOLDERS) $$target target/fuzz/corpus/$$target \
	        tests/fuzz/corpus/$$target -- -max_total_time=$(FUZZ_SECONDS) -max_len=8192 \
	        -print_final_stats=1 || exit 1; \
	done

demo: venv program
	$(VENV)/bin/python tests/demo/run.py $(PROGRAM)

picture: venv program
	$(VENV)/bin/python tests/demo/picture.py $(PROGRAM) docs/status.svg

soak: venv
	$(RELEASE) bench --locked -p superlance --bench soak

venv: $(VENV_READY)

# Debian's python3 has the venv module even without python3-venv, but it fails: hence a try.
$(VENV)/ready: tests/requirements.txt
	@mkdir -p $(dir $(VENV))
	@$(PYTHON) -m venv --clear $(VENV) >/dev/null 2>&1 || { rm -rf $(VENV); echo "make: Python 3\
	 with venv is needed (Debian: apt install python3-venv);\
	 '$(PYTHON) -m venv $(VENV)' shows what is missing" >&2; exit 1; }
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

# Builds only what is missing, so that root can install what somebody else has built.
$(PROGRAM):
	$(MAKE) program

$(COMPLETIONS):
	$(MAKE) completions

install: $(PROGRAM) $(COMPLETIONS)
	$(INSTALL) -d "$(DESTDIR)$(BINDIR)" "$(DESTDIR)$(MANDIR)/man1" "$(DESTDIR)$(MANDIR)/man7" \
	    "$(DESTDIR)$(BASHDIR)" "$(DESTDIR)$(ZSHDIR)" "$(DESTDIR)$(FISHDIR)"
	$(INSTALL) -m 755 $(PROGRAM) "$(DESTDIR)$(BINDIR)/superlance"
	$(INSTALL) -m 644 $(MANUALS:%=man/%.1) "$(DESTDIR)$(MANDIR)/man1"
	$(INSTALL) -m 644 man/superlance-alerts.7 "$(DESTDIR)$(MANDIR)/man7"
	for name in $(COMMANDS); do ln -sf superlance "$(DESTDIR)$(BINDIR)/$$name" || exit 1; done
	$(INSTALL) -m 644 $(COMPLETIONS)/bash/* "$(DESTDIR)$(BASHDIR)"
	$(INSTALL) -m 644 $(COMPLETIONS)/zsh/* "$(DESTDIR)$(ZSHDIR)"
	$(INSTALL) -m 644 $(COMPLETIONS)/fish/* "$(DESTDIR)$(FISHDIR)"
	for folder in $(EXAMPLES); do \
	    $(INSTALL) -d "$(DESTDIR)$(DOCDIR)/$$folder" && \
	    find docs/$$folder -maxdepth 1 -type f \
	        -exec $(INSTALL) -m 644 {} "$(DESTDIR)$(DOCDIR)/$$folder" \; || exit 1; \
	done

uninstall:
	for name in superlance $(COMMANDS); do \
	    rm -f "$(DESTDIR)$(BASHDIR)/$$name" "$(DESTDIR)$(ZSHDIR)/_$$name" \
	        "$(DESTDIR)$(FISHDIR)/$$name.fish" || exit 1; \
	done
	for name in superlance $(COMMANDS); do rm -f "$(DESTDIR)$(BINDIR)/$$name" || exit 1; done
	for name in $(MANUALS); do rm -f "$(DESTDIR)$(MANDIR)/man1/$$name.1" || exit 1; done
	rm -f "$(DESTDIR)$(MANDIR)/man7/superlance-alerts.7"
	rm -rf "$(DESTDIR)$(DOCDIR)/examples"
	rmdir "$(DESTDIR)$(DOCDIR)" 2>/dev/null || true

# A program for every Linux of this machine's kind, whatever its libc. TARGET names another one; it needs
# a C compiler and a linker for it, CC_<target> and CARGO_TARGET_<TARGET>_LINKER.
TARGET ?= $(shell uname -m)-unknown-linux-musl
STATIC = $(or $(CARGO_TARGET_DIR),target)/$(TARGET)/release/superlance
DIST   = $(or $(CARGO_TARGET_DIR),target)/dist

# The time of every file in a package: that of the commit, so that the same sources give the same package.
SOURCE_DATE_EPOCH ?= $(or $(shell git log -1 --format=%ct 2>/dev/null),$(shell date +%s))
export SOURCE_DATE_EPOCH

SYSROOT = $(shell rustc --print sysroot)
MUSL = $(SYSROOT)/lib/rustlib/$(TARGET)/lib/self-contained/libc.a
# musl applies packed relocations from 1.2.4 on, which Rust has since 1.93: 0.15 MB less of program.
PACK = $(if $(shell grep -l '1\.2\.[4-9]' $(MUSL)),-C link-arg=-z -C link-arg=pack-relative-relocs)
# The linker that comes with Rust keeps one of equal functions, whose addresses nothing here compares: 0.1 MB
# less. Rust of a distribution may lack it. FOLD= leaves it out, where CARGO_TARGET_<TARGET>_LINKER is neither
# gcc nor clang.
LLD = $(wildcard $(dir $(shell rustc --print target-libdir))bin/gcc-ld)
FOLD = $(if $(LLD),-C link-arg=-B$(LLD) -C link-arg=-fuse-ld=lld -C link-arg=-Xlinker -C link-arg=--icf=all)
static: LINK = $(PACK) $(FOLD)

# ring has a few files of C; the compiler of this machine is right for them where the target is its kind.
static:
	@test -d "$$(rustc --print sysroot)/lib/rustlib/$(TARGET)" || rustup target add $(TARGET) || { \
	    echo "make: Rust's target $(TARGET) is missing: rustup target add $(TARGET)" >&2; exit 1; }
	@case $(TARGET) in $(shell uname -m)-*) ;; *) test -n "$$CC_$(subst -,_,$(TARGET))" || { \
	    echo "make: $(TARGET) needs a C compiler and a linker for that machine, in the variables\
	 CC_$(subst -,_,$(TARGET)) and CARGO_TARGET_$(subst -,_,$(shell echo $(TARGET) | tr a-z A-Z))_LINKER" >&2; \
	    exit 1; } ;; esac
	CC_$(subst -,_,$(TARGET))="$${CC_$(subst -,_,$(TARGET)):-cc}" \
	    $(RELEASE) build --release --locked --target $(TARGET)

# Of the program that the packages have, where its target is there.
HAS_TARGET = $(wildcard $(MUSL))
bench: venv $(if $(HAS_TARGET),static)
	$(if $(HAS_TARGET),SUPERLANCE_BENCH=$(abspath $(STATIC))) $(RELEASE) bench --locked -p superlance --bench bench

PACKAGES = tarball deb wheel

packages: $(PACKAGES)
	cd $(DIST) && sha256sum *[-_]$(VERSION)[-_]* >SHA256SUMS

$(PACKAGES): static completions
	crates/superlance-packaging/package.sh $@ $(STATIC) $(COMPLETIONS) $(DIST)

# What the packages promise, with what this machine has. A second build in another folder must give the
# same packages, to the byte.
check-packages: packages
	tests/packages/check.sh $(DIST) $(PYTHON)
	rm -rf target/again && mkdir -p target/again
	git ls-files -z | xargs -0 tar -cf - | tar -xf - -C target/again
	cd target/again && env -u CARGO_TARGET_DIR $(MAKE) --no-print-directory packages \
	    SOURCE_DATE_EPOCH=$(SOURCE_DATE_EPOCH)
	cd $(DIST) && sha256sum --check --quiet $(CURDIR)/target/again/target/dist/SHA256SUMS
	@echo "built again in another folder: the same packages"

dist:
	mkdir -p target
	git archive --prefix=superlance-$(VERSION)/ -o target/superlance-$(VERSION).tar.gz HEAD

clean:
	$(CARGO) clean

.PHONY: all program completions test check prometheus compat reliability manuals fuzz demo picture soak bench venv \
    install uninstall static packages check-packages $(PACKAGES) dist clean
