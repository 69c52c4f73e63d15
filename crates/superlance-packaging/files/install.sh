#!/bin/sh
# install.sh [--uninstall]: copies what is in this folder below PREFIX, or removes it from there.
set -eu
prefix=${PREFIX:-/usr/local}
case $prefix in /*) ;; *) prefix=$PWD/$prefix ;; esac
cd "$(dirname "$0")"
docs=share/doc/superlance
# The folders that were not there before, so that --uninstall removes no others.
made=$prefix/$docs/made-folders

missing() {
    [ -d "$1" ] || echo "$1"
}

case ${1-} in
    "")
        folders=$(
            missing "$prefix"
            find bin share -type d | while read -r folder; do missing "$prefix/$folder"; done
        )
        mkdir -p "$prefix"
        # -f: a program that runs cannot be written over, only replaced.
        cp -RPf bin share "$prefix/"
        [ -z "$folders" ] || echo "$folders" >>"$made"
        echo "superlance is installed below $prefix; to remove it, keep this folder, and run"
        echo "  PREFIX=$prefix $PWD/install.sh --uninstall"
        ;;
    --uninstall)
        folders=$(sort -r "$made" 2>/dev/null || true)
        find bin share \( -type f -o -type l \) | while read -r file; do rm -f "$prefix/$file"; done
        rm -rf "${prefix:?}/$docs"
        # What others have put into a folder keeps it.
        echo "$folders" | while read -r folder; do
            [ -z "$folder" ] || rmdir "$folder" 2>/dev/null || true
        done
        ;;
    *)
        echo "usage: [PREFIX=DIRECTORY] $0 [--uninstall]" >&2
        exit 2
        ;;
esac
