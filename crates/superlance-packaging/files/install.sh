#!/bin/sh
# install.sh [--uninstall]: copies what is in this folder below PREFIX, or removes it from there.
set -eu
prefix=${PREFIX:-/usr/local}
cd "$(dirname "$0")"
case ${1-} in
    "")
        mkdir -p "$prefix"
        cp -RP bin share "$prefix/"
        echo "superlance is installed below $prefix; $0 --uninstall removes it"
        ;;
    --uninstall)
        find bin share \( -type f -o -type l \) | while read -r file; do rm -f "$prefix/$file"; done
        rm -rf "$prefix/share/doc/superlance"
        ;;
    *)
        echo "usage: [PREFIX=DIRECTORY] $0 [--uninstall]" >&2
        exit 2
        ;;
esac
