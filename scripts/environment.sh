#!/bin/sh
# Sees to it that the checkout's virtual environment holds provgraph, editable, and some dependency groups.
#
#   scripts/environment.sh GROUP…     groups as in pyproject.toml
#
# VENV=… names another folder than .venv. An environment that is there and fits is used, never replaced, unless this
# script made it. What was installed is stamped, so the second time costs nothing and needs no network.
set -eu
cd "$(dirname "$0")/.."
venv=${VENV:-.venv}
python=$venv/bin/python
mark=$venv/.made-by-provgraph

if [ -e "$venv" ] && ! scripts/find-python.sh --fits "$python"; then
    if [ ! -e "$mark" ]; then
        echo "$venv exists and holds no CPython 3.12 or later; remove it, or choose another folder: make VENV=.venv312 …" >&2
        exit 1
    fi
    rm -rf "$venv"
fi
if [ ! -e "$venv" ]; then
    base=$(scripts/find-python.sh)
    echo "Making $venv with $("$base" --version) ($base)"
    mkdir -p "$venv"
    : >"$mark" # first, so that an environment that was interrupted here is made anew
    "$base" -m venv "$venv"
fi

stamp=$venv/.provgraph-$(echo "$*" | tr ' ' '-')
wanted=$(cksum <pyproject.toml; pwd -P; "$python" --version)
if [ -e "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ]; then
    exit 0
fi
echo "Installing provgraph and what $(echo "$*" | sed 's/ /, /g') needs into $venv (once; a minute or two)"
"$python" -m pip --version >/dev/null 2>&1 || "$python" -m ensurepip --upgrade >/dev/null
"$python" scripts/dependency_group.py "$@" >"$venv/.requirements"
"$python" -m pip install --quiet --no-input --disable-pip-version-check -e . -r "$venv/.requirements" </dev/null
printf '%s\n' "$wanted" >"$stamp"
