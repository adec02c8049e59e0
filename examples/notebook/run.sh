#!/bin/sh
# From a download in the terminal over a notebook's cells to a committed model, and its lineage inside the notebook.
#
#   examples/notebook/run.sh FOLDER      needs provdb, jupyter nbconvert, ipykernel and scikit-learn, git and curl
#
# Everything happens in FOLDER, which is made anew; HOME and git's configuration are set aside. The table lies on a server
# of its own, on this machine. FOLDER/work/flowers.html is the notebook as it was run.
set -eu
here=$(cd "$(dirname "$0")" && pwd -P)
folder=${1:?usage: run.sh FOLDER}

if [ -e "$folder" ] && [ ! -e "$folder/.provgraph-example" ]; then
    echo "$folder exists and was not made by this example; choose another." >&2
    exit 2
fi
rm -rf "$folder"
mkdir -p "$folder/home" "$folder/served" "$folder/work"
: >"$folder/.provgraph-example"
folder=$(cd "$folder" && pwd -P)

unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE
unset PROVDB_PROJECT PROVDB_ROOT PROVDB_ACTIVITY PROVDB_SUPERVISOR PROVDB_DISABLE
unset EMAIL XDG_CONFIG_HOME XDG_DATA_HOME XDG_CACHE_HOME XDG_STATE_HOME IPYTHONDIR JPY_SESSION_NAME
export HOME="$folder/home" GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
export GIT_AUTHOR_NAME=Alice GIT_AUTHOR_EMAIL=alice@example.org
export GIT_COMMITTER_NAME=Alice GIT_COMMITTER_EMAIL=alice@example.org

python - "$folder/served/flowers.csv" <<'TABLE'
import sys
from sklearn.datasets import load_iris
load_iris(as_frame=True).frame.to_csv(sys.argv[1], index=False)
TABLE
: >"$folder/server.log"
python -u -m http.server --bind 127.0.0.1 --directory "$folder/served" 0 >"$folder/server.log" 2>&1 &
server=$!
trap 'kill "$server" 2>/dev/null || true' EXIT INT TERM
port=
while [ -z "$port" ]; do
    kill -0 "$server"
    port=$(sed -n 's/.* port \([0-9][0-9]*\) .*/\1/p' "$folder/server.log" | head -n 1)
    [ -n "$port" ] || sleep 0.1
done

cd "$folder/work"
git init -q -b main
cp "$here/flowers.ipynb" .
provdb init
provdb git-hooks install
provdb curl -sS -o flowers.csv "http://127.0.0.1:$port/flowers.csv"
provdb jupyter nbconvert --log-level WARN --to notebook --execute --output flowers.run.ipynb flowers.ipynb
jupyter nbconvert --log-level WARN --to html --output flowers.html flowers.run.ipynb
provdb lineage model.joblib
echo "The notebook as it was run: $folder/work/flowers.html"
