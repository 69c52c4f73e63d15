# superlance. For GNU make.
#
#   make               build the release program
#   make demo          watch memmon restart a leaking program; ends by itself
#   make test          run all tests
#   make bench         measure beside the original; takes ten minutes, and writes tables and a picture
#   make check         formatting, lints, documentation, and all tests
#   make install       put the program, its links and manual pages below PREFIX
#   make uninstall     remove them
#   make dist          pack the sources of HEAD
#   make clean         remove everything built
#
# Tests and demo need Python 3 with venv, for supervisord and the original superlance.

# The commands: each is a link to the program and has a manual page.
COMMANDS = crashmail crashmailbatch crashsms fatalmailbatch httpok memmon

DESTDIR ?=
PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
MANDIR ?= $(PREFIX)/share/man
CARGO ?= cargo
PYTHON ?= python3
INSTALL ?= install

PROGRAM ?= $(or $(CARGO_TARGET_DIR),target)/release/superlance
VERSION = $(shell sed -n 's/^version = "\(.*\)"$$/\1/p' Cargo.toml)

# SUPERLANCE_VENV in the environment names a Python environment of your own, which is left as it is.
VENV       = $(or $(SUPERLANCE_VENV),$(CURDIR)/target/venv)
VENV_READY = $(if $(SUPERLANCE_VENV),,$(VENV)/ready)

all:
	$(CARGO) build --release --locked

# Many tests wait for ticks of a real supervisord, so there may be more of them than processors.
test: venv
	$(CARGO) test --workspace --locked -- --test-threads=4

# Documentation of the crates is for those who work on them: private items are part of it.
check:
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS='-D warnings -A rustdoc::private-intra-doc-links' \
	    $(CARGO) doc --workspace --no-deps --document-private-items --locked
	$(MAKE) test

demo: venv all
	$(VENV)/bin/python tests/demo/run.py $(PROGRAM)

bench: venv
	$(CARGO) bench --locked -p superlance --bench bench

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
	$(MAKE) all

install: $(PROGRAM)
	$(INSTALL) -d "$(DESTDIR)$(BINDIR)" "$(DESTDIR)$(MANDIR)/man1"
	$(INSTALL) -m 755 $(PROGRAM) "$(DESTDIR)$(BINDIR)/superlance"
	$(INSTALL) -m 644 man/superlance.1 $(COMMANDS:%=man/%.1) "$(DESTDIR)$(MANDIR)/man1"
	for name in $(COMMANDS); do ln -sf superlance "$(DESTDIR)$(BINDIR)/$$name" || exit 1; done

uninstall:
	for name in superlance $(COMMANDS); do \
	    rm -f "$(DESTDIR)$(BINDIR)/$$name" "$(DESTDIR)$(MANDIR)/man1/$$name.1" || exit 1; \
	done

dist:
	mkdir -p target
	git archive --prefix=superlance-$(VERSION)/ -o target/superlance-$(VERSION).tar.gz HEAD

clean:
	$(CARGO) clean

.PHONY: all test check demo bench venv install uninstall dist clean
