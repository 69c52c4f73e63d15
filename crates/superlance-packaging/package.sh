#!/bin/sh
# package.sh tarball|deb|wheel PROGRAM COMPLETIONS OUT: one package of a static program, reproducible.
#
# `make tarball`, `make deb` and `make wheel` call this, from the top of the sources. SOURCE_DATE_EPOCH is
# the time of every file in the package. What is packed is what `make install` installs.
set -eu

kind=$1 program=$2 completions=$3 out=$4
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml)
files=crates/superlance-packaging/files
# The machine is in the path of the target: target/x86_64-unknown-linux-musl/release/superlance.
machine=$(basename "$(dirname "$(dirname "$program")")" | cut -d- -f1)

mkdir -p "$out"
out=$(cd "$out" && pwd)
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
chmod 755 "$stage"
umask 022

need() {
    command -v "$1" >/dev/null || { echo "package.sh: $1 is needed for a $kind ($2)" >&2; exit 1; }
}

# install_to PREFIX [VARIABLE=VALUE...]: everything that make install installs, below $stage.
install_to() {
    prefix=$1
    shift
    make --silent --no-print-directory install DESTDIR="$stage" PREFIX="$prefix" \
        PROGRAM="$program" COMPLETIONS="$completions" "$@"
}

# docs_to FOLDER: what people read after they have installed a package, the guides beside README.
docs_to() {
    mkdir -p "$stage$1"
    cp -R NOTICE docs/*.md docs/*.svg docs/man "$stage$1"
    for page in README.md CHANGELOG.md; do
        sed 's,(docs/,(,g' $page >"$stage$1/$page"
    done
}

# Every file has the same time, so that the same sources give the same package.
settle() {
    find "$stage" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
}

tarball() {
    name=superlance-$version-$machine-linux
    install_to "/$name"
    docs_to "/$name/share/doc/superlance"
    cp LICENSE NOTICE "$stage/$name"
    cp LICENSE "$stage/$name/share/doc/superlance"
    install -m 755 $files/install.sh "$stage/$name"
    settle
    tar --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" \
        -C "$stage" -cf - "$name" | gzip -n9 >"$out/$name.tar.gz"
    echo "$out/$name.tar.gz"
}

deb() {
    need dpkg-deb "part of dpkg"
    case $machine in
        x86_64) architecture=amd64 ;;
        aarch64) architecture=arm64 ;;
        *) architecture=$machine ;;
    esac
    doc=/usr/share/doc/superlance-rs
    install_to /usr ZSHDIR=/usr/share/zsh/vendor-completions DOCDIR=$doc
    docs_to $doc
    mv "$stage$doc/CHANGELOG.md" "$stage$doc/changelog"
    cp $files/copyright "$stage$doc/copyright"
    sed -i 's,(LICENSE),(copyright),' "$stage$doc/README.md"
    date=$(date -u -R -d "@$SOURCE_DATE_EPOCH")
    printf 'superlance-rs (%s) unstable; urgency=low\n\n  * See changelog.gz.\n\n -- %s  %s\n' \
        "$version" "$(cat $files/maintainer)" "$date" >"$stage$doc/changelog.Debian"
    find "$stage/usr/share/man" -type f -exec gzip -n9 {} +
    gzip -n9 "$stage$doc/changelog" "$stage$doc/changelog.Debian"
    mkdir "$stage/DEBIAN" "$stage/usr/share/lintian" "$stage/usr/share/lintian/overrides"
    cp $files/lintian-overrides "$stage/usr/share/lintian/overrides/superlance-rs"
    size=$(du -sk --apparent-size "$stage/usr" | cut -f1)
    sed -e "s/@VERSION@/$version/" -e "s/@ARCHITECTURE@/$architecture/" -e "s/@SIZE@/$size/" \
        -e "s/@MAINTAINER@/$(cat $files/maintainer)/" $files/control >"$stage/DEBIAN/control"
    (cd "$stage" && find usr -type f -print0 | LC_ALL=C sort -z | xargs -0 md5sum >DEBIAN/md5sums)
    settle
    package=$out/superlance-rs_${version}_$architecture.deb
    dpkg-deb --root-owner-group -Zxz --build "$stage" "$package" >/dev/null
    echo "$package"
}

wheel() {
    need python3 "it packs the zip archive"
    install_to /data
    # pip removes a folder where a file of the wheel stands in it, and not where only folders do.
    docs_to /data/share/doc/superlance
    cp LICENSE "$stage/data/share/doc/superlance"
    python3 crates/superlance-packaging/wheel.py "$stage/data" "$version" "$machine" "$out"
}

case $kind in
    tarball | deb | wheel) "$kind" ;;
    *) echo "package.sh: expected tarball, deb or wheel, not $kind" >&2; exit 2 ;;
esac
