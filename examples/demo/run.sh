#!/bin/sh
# The main job on real input: two people, two models, and the questions that come afterwards.
#
#   examples/demo/run.sh FOLDER      needs provdb and a python with scikit-learn on PATH; `make demo` sees to both
#
# Everything happens in FOLDER, which is made anew. HOME and git's configuration are set aside, so nothing of the user's
# is read or changed. The commands are printed as they run, and are what one would type.
set -eu
here=$(cd "$(dirname "$0")" && pwd -P)
folder=${1:?usage: run.sh FOLDER}

if [ -e "$folder" ] && [ ! -e "$folder/.provgraph-demo" ]; then
    echo "$folder exists and was not made by the demo; choose another." >&2
    exit 2
fi
rm -rf "$folder"
mkdir -p "$folder/home" "$folder/digits"
: >"$folder/.provgraph-demo"
folder=$(cd "$folder" && pwd -P)
shown=${DEMO_SHOWN:-$folder}

# What a git hook or an enclosing provdb would pass on belongs to another repository and project.
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE
unset PROVDB_PROJECT PROVDB_ROOT PROVDB_ACTIVITY PROVDB_SUPERVISOR PROVDB_DISABLE
unset EMAIL XDG_CONFIG_HOME XDG_DATA_HOME XDG_CACHE_HOME XDG_STATE_HOME
export HOME="$folder/home" GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1

if [ -t 1 ]; then bold=$(printf '\033[1m') dim=$(printf '\033[2m') plain=$(printf '\033[0m'); else bold='' dim='' plain=''; fi
# Each has an identity of their own, as two people with two accounts would.
be() {
    who=$1
    export GIT_AUTHOR_NAME="$2" GIT_AUTHOR_EMAIL="$1@example.org" GIT_COMMITTER_NAME="$2" GIT_COMMITTER_EMAIL="$1@example.org"
}
say() { printf '\n%s# %s%s\n' "$dim" "$*" "$plain"; }
show() { printf '%s%s$ %s%s\n' "$bold" "$who" "$1" "$plain"; }
run() {
    show "$1"
    eval "$1"
}

cd "$folder/digits"
be alice Alice
cp "$here"/project/* .
python "$here/digits.py"

say "Alice has scripts, a configuration, and 1,797 handwritten digits. She makes the folder a repository and a project."
run "git init -q -b main"
run "git add . && git commit -q -m 'Scripts and data'"
run "provdb init"

say "Then she works as ever, with one word in front."
run "provdb python prepare.py"
run "provdb python split.py"
run "provdb -c 'cut -d, -f1 work/train.csv | tail -n +2 | sort | uniq -c > classes.txt'"
run "provdb python train.py"
run "provdb python evaluate.py"
run "provdb annotate %1 metric_accuracy=\$(python -c 'import json; print(json.load(open(\"metrics.json\"))[\"accuracy\"])')"
run "git add . && provdb git commit -q -m 'First model'"

be bob Bob
say "Bob takes over. He opens config.json in an editor (here: sed), which nobody records, and trains again."
run "sed -i.bak 's/0.2,/10,/' config.json && rm config.json.bak && cat config.json"
run "provdb python train.py"
run "provdb python evaluate.py"
run "provdb annotate %1 metric_accuracy=\$(python -c 'import json; print(json.load(open(\"metrics.json\"))[\"accuracy\"])')"
run "git add . && provdb git commit -q -m 'A better model'"

be carol Carol
say "Carol tries four more settings. Before the last she deals the images anew, and forgets to undo it."
write() { printf "echo '%s' > %s" "$1" "$2"; }
try() { run "provdb -c \"$(write "{\\\"C\\\": $1, \\\"gamma\\\": 0.02}" config.json); python train.py; python evaluate.py\""; }
try 1
try 3
try 30
run "provdb -c \"$(write '{\"seed\": 7, \"test_share\": 0.5}' split.json); python split.py\""
try 100

say "What happened here?"
run "provdb log"

say "Where does Bob's model come from? (upstream, newest first; the changed configuration is in it, and that nobody saw who changed it)"
run "provdb lineage model.pkl@2"

say "Which configuration led to which accuracy?"
run "provdb cypher 'MATCH (e:Activity)-[:used]->(m:Snapshot {path: \"model.pkl\"})-[:wasGeneratedBy]->(t:Activity)-[:used]->(c:Snapshot {path: \"config.json\"})
  WHERE e.metric_accuracy IS NOT NULL
  RETURN c.path AS path, c.sequence AS snapshot, t.name AS training, e.metric_accuracy AS accuracy ORDER BY accuracy DESC'"

say "Who trained which model, and how long did it take?"
run "provdb cypher 'MATCH (m:Snapshot {path: \"model.pkl\"})-[:wasGeneratedBy]->(t:Activity)-[:wasAssociatedWith]->(p:Person)
  RETURN m.sequence AS model, p.name AS person, t.name AS training, t.duration_s AS seconds ORDER BY model'"

say "Where to go next"
cat <<END
cd $shown/digits
PATH=$(dirname "$(command -v provdb)"):\$PATH
provdb restore config.json@1              # the configuration before Bob
provdb lineage data/digits.csv --downstream
provdb lineage --path classes.txt data/digits.csv
provdb cypher --examples                  # twenty more questions
provdb status
END
