#!/bin/sh
# check.sh DIST PYTHON: whether the packages in DIST hold what they promise, with what this machine has.
# What cannot be checked here is named at the end; everything else that fails ends this with an error.
set -eu

dist=$(cd "$1" && pwd) python=$2
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml)
commands="crashmail crashmailbatch crashsms dependent-startup exitmon fatalmailbatch httpok memmon"
work=$(mktemp -d)
left_out=
trap 'rm -rf "$work"' EXIT

fail() {
    echo "check.sh: $*" >&2
    exit 1
}

# works BIN: every command in this folder runs and has the version of these sources.
works() {
    for name in superlance $commands; do
        said=$("$1/$name" --version) || fail "$1/$name does not run"
        case $said in *" $version") ;; *) fail "$1/$name says $said, not $version" ;; esac
    done
}

# has_docs SHARE NAME: manual pages, completions and examples are there, and each page that others link to.
has_docs() {
    for file in man/man1/memmon.1 bash-completion/completions/memmon \
        "doc/$2/examples/conf.d/superlance.conf"; do
        [ -f "$1/$file" ] || [ -f "$1/$file.gz" ] || fail "$1 has no $file"
    done
    for page in $(find "$1/doc/$2" -name '*.md'); do
        # In a mail, [foo](77) is a process.
        for link in $(grep -o ']([^)#]*' "$page" | cut -c 3- | grep -vE '^(http|[0-9]+$)'); do
            [ -e "${page%/*}/$link" ] || fail "$page links to $link, which is not there"
        done
    done
}

echo "sums"
(cd "$dist" && sha256sum --quiet --check SHA256SUMS)

echo "tarball: unpacked, in an empty root, installed and removed"
tar -xf "$dist/superlance-$version-"*-linux.tar.gz -C "$work"
tarball=$(echo "$work/superlance-$version-"*-linux)
works "$tarball/bin"
has_docs "$tarball/share" superlance
size=$(stat -c %s "$tarball/bin/superlance")
[ "$size" -le 5000000 ] || fail "the program has $size bytes, more than 5,000,000; the linker of\
 rustup's Rust makes it 84,000 smaller (see Makefile)"
said=$(sed -n 's/.*static program of \([0-9.]*\) MB.*/\1/p' README.md)
awk "BEGIN { exit !(($size / 1000000 - $said) ^ 2 <= 0.1 ^ 2) }" ||
    fail "README.md says that the program has $said MB, and it has $size bytes"
strings=$(grep -acE "$PWD|$HOME/" "$tarball/bin/superlance" || true)
[ "$strings" = 0 ] || fail "the program names folders of its builder"
if [ "$(id -u)" = 0 ]; then
    chroot "$tarball" /bin/memmon --version >/dev/null || fail "memmon does not run in an empty root"
else
    left_out="$left_out; the empty root, which needs root"
fi
mkdir -p "$work/prefix/share/man"
PREFIX=$work/prefix "$tarball/install.sh" >/dev/null
works "$work/prefix/bin"
mkfifo "$work/in" "$work/out"
SUPERVISOR_ENABLED=1 "$work/prefix/bin/crashmail" -m x <"$work/in" >"$work/out" 2>/dev/null &
exec 3>"$work/in" 4<"$work/out"
read -r said <&4 && [ "$said" = READY ] || fail "crashmail does not start"
PREFIX=$work/prefix "$tarball/install.sh" >/dev/null || fail "install.sh cannot update what runs"
exec 3>&- 4<&-
wait
PREFIX=$work/prefix "$tarball/install.sh" --uninstall
left=$(cd "$work/prefix" && find . | sort | tr '\n' ' ')
[ "$left" = ". ./share ./share/man " ] || fail "install.sh --uninstall leaves $left"

echo "wheel: installed with pip, beside supervisor, and removed"
"$python" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check --no-index "$dist/superlance_rs-$version-"*.whl
works "$work/venv/bin"
has_docs "$work/venv/share" superlance
"$work/venv/bin/pip" uninstall --quiet --yes superlance-rs
left=$(find "$work/venv" -name '*superlance*' -o -name '*memmon*')
[ -z "$left" ] || fail "pip uninstall leaves $left"

echo "deb: unpacked"
if command -v dpkg-deb >/dev/null; then
    dpkg-deb --extract "$dist/superlance-rs_${version}_"*.deb "$work/deb"
    works "$work/deb/usr/bin"
    has_docs "$work/deb/usr/share" superlance-rs
    (cd "$work/deb" && dpkg-deb --ctrl-tarfile "$dist/superlance-rs_${version}_"*.deb | tar -xO ./md5sums | md5sum --quiet -c)
    if command -v lintian >/dev/null; then
        lintian --fail-on error,warning "$dist/superlance-rs_${version}_"*.deb 2>/dev/null || fail "lintian objects"
    else
        left_out="$left_out; lintian, which is not installed"
    fi
else
    left_out="$left_out; the deb, which needs dpkg-deb"
fi

echo "everything else is as promised${left_out:+, but not checked: ${left_out#; }}"
