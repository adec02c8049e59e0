#!/bin/sh
# Prints the path of a CPython that provgraph can run on, wherever it is kept, or one line on what is missing.
#
#   scripts/find-python.sh               print the first one that fits
#   scripts/find-python.sh --fits FILE   exit status 0 if FILE fits, silent
#
# PYTHON=… names one and ends the search. The lowest version that fits comes first: it is the one the tests run on.
set -u

# A pyenv shim exists for versions that it then refuses to run, Debian splits off venv, and a build of one's own may
# lack SQLite or ctypes: only running it tells.
fits() {
    [ -n "$1" ] && [ -x "$1" ] || return 1
    "$1" -I -c '
import sys, sysconfig
assert sys.implementation.name == "cpython" and sys.version_info >= (3, 12)
assert not sysconfig.get_config_var("Py_GIL_DISABLED")
import ctypes, ensurepip, sqlite3, ssl, venv, zlib
' >/dev/null 2>&1 </dev/null
}

offer() {
    if fits "$1"; then
        printf '%s\n' "$1"
        exit 0
    fi
}

if [ "${1-}" = --fits ]; then
    fits "${2-}"
    exit
fi

if [ -n "${PYTHON-}" ]; then
    offer "$(command -v "$PYTHON")"
    echo "PYTHON=$PYTHON is no CPython 3.12 or later with venv, sqlite3, ssl and ctypes; name another or leave it out." >&2
    exit 1
fi

home=${HOME-}
for name in python3.12 python3.13 python3.14 python3 python; do
    offer "$(command -v "$name" 2>/dev/null)"
done

# Where version managers keep what they do not put on PATH. The folder of a version bears its number.
for version in 3.12 3.13 3.14 '3.1[5-9]'; do
    for found in \
        "${PYENV_ROOT:-$home/.pyenv}"/versions/$version*/bin/python3 \
        "${UV_PYTHON_INSTALL_DIR:-${XDG_DATA_HOME:-$home/.local/share}/uv/python}"/cpython-$version*/bin/python3 \
        "$home/Library/Application Support/uv/python"/cpython-$version*/bin/python3 \
        "${XDG_DATA_HOME:-$home/.local/share}"/mise/installs/python/$version*/bin/python3 \
        "${ASDF_DATA_DIR:-$home/.asdf}"/installs/python/$version*/bin/python3 \
        /opt/homebrew/opt/python@$version/bin/python$version \
        /usr/local/opt/python@$version/bin/python$version \
        /home/linuxbrew/.linuxbrew/opt/python@$version/bin/python$version \
        /Library/Frameworks/Python.framework/Versions/$version/bin/python3 \
        /opt/python/$version*/bin/python3 \
        /opt/python$version/bin/python3 \
        "$home"/.local/bin/python$version \
        /usr/local/bin/python$version; do
        offer "$found"
    done
done

if command -v uv >/dev/null 2>&1; then
    offer "$(uv python find --no-project --system '>=3.12' 2>/dev/null </dev/null)"
fi

for base in "${CONDA_PREFIX-}" "$home/miniconda3" "$home/anaconda3" "$home/miniforge3" "$home/mambaforge" /opt/conda \
    /opt/miniconda3; do
    for found in "$base/bin/python3" "$base"/envs/*/bin/python3; do
        [ -n "$base" ] && offer "$found"
    done
done

if command -v uv >/dev/null 2>&1; then
    way='uv python install 3.12'
elif command -v pyenv >/dev/null 2>&1; then
    way='pyenv install 3.12'
elif command -v brew >/dev/null 2>&1; then
    way='brew install python@3.12'
elif command -v conda >/dev/null 2>&1; then
    way='conda create -n provgraph python=3.12'
else
    way='curl -LsSf https://astral.sh/uv/install.sh | sh, then uv python install 3.12'
fi
present=$(python3 -c 'import platform; print("python3 here is " + platform.python_version())' 2>/dev/null ||
    echo 'there is no python3 on PATH')
echo "CPython 3.12 or later (with venv, sqlite3, ssl, ctypes) is missing: $present. To get one: $way" >&2
exit 1
