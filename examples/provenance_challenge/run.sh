#!/bin/sh
# The First Provenance Challenge (2006): an fMRI workflow of fifteen commands, and nine questions about it.
#
#   examples/provenance_challenge/run.sh FOLDER      needs provdb and python3 on PATH
#
# The programs in bin/ stand for those of the challenge (AIR, FSL, ImageMagick, netpbm), with their arguments, inputs and
# outputs; what is recorded is what they really read and write. README.md beside this file explains each answer.
set -eu
here=$(cd "$(dirname "$0")" && pwd -P)
folder=${1:?usage: run.sh FOLDER}
if [ -e "$folder" ] && [ ! -e "$folder/.provgraph-challenge" ]; then
    echo "$folder exists and was not made by this example; choose another." >&2
    exit 2
fi
rm -rf "$folder"
mkdir -p "$folder/home" "$folder/fmri"
: >"$folder/.provgraph-challenge"
folder=$(cd "$folder" && pwd -P)
unset PROVDB_PROJECT PROVDB_ROOT PROVDB_ACTIVITY PROVDB_SUPERVISOR PROVDB_DISABLE
export HOME="$folder/home" GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
export GIT_AUTHOR_NAME=Alice GIT_AUTHOR_EMAIL=alice@example.org PYTHONDONTWRITEBYTECODE=1
cd "$folder/fmri"
cp -r "$here/bin" .
PATH="$PWD/bin:$PATH"

quiet() { provdb "$@" >/dev/null; }
ask() {
    printf '\n# %s\n$ %s\n' "$1" "$2"
    eval "$2"
}

for n in 1 2 3 4; do anatomy anatomy$n $n $((4091 + n)); done
anatomy reference 0 4090
provdb init

# Stage 1 to 5.
for n in 1 2 3 4; do provdb align_warp anatomy$n reference warp$n.warp -m 12 -q; done
for n in 1 2 3 4; do provdb reslice warp$n.warp resliced$n; done
provdb softmean atlas y null resliced1 resliced2 resliced3 resliced4
for axis in x y z; do provdb slicer atlas -$axis .5 atlas-$axis.pgm; done
for axis in x y z; do provdb convert atlas-$axis.pgm atlas-$axis.gif; done

# What people know beside it: a header's entry, where an image was taken, what an atlas is for. And a run of last century,
# on another machine, on a Monday.
for n in 1 2 3 4; do quiet annotate anatomy$n.hdr "global_maximum=$(sed -n 's/global maximum=//p' anatomy$n.hdr)"; done
quiet annotate anatomy2.img center=UChicago
quiet annotate atlas-x.gif studyModality=speech reviewed=yes
quiet annotate atlas-y.gif studyModality=smell
echo '{}' >old.warp
quiet record --name 'align_warp' --used anatomy1.img --generated old.warp --command 'align_warp anatomy1 reference old.warp -m 12 -q' \
    --started 1999-11-22T10:00:00+00:00 --ended 1999-11-22T10:05:00+00:00

ask "1. Everything that led to the atlas X graphic." \
    "provdb segment --to atlas-x.gif --exclude 'path ~ bin/*'"
ask "2. The same without what came before softmean: how it came from the resliced images." \
    "provdb segment --from 'resliced*' --to atlas-x.gif --exclude 'path ~ bin/*'"
ask "3. Stages 3, 4 and 5 of it in detail: three activities far." \
    "provdb cypher 'MATCH (x:Snapshot {path: \"atlas-x.gif\"})-[:used|wasGeneratedBy*1..5]->(a:Activity) RETURN DISTINCT a.name AS activity, a.command AS command, a.exit_status AS status ORDER BY activity'"
ask "4. Runs of align_warp with -m 12 on a Monday." \
    "provdb cypher 'MATCH (a:Activity) WHERE a.command STARTS WITH \"align_warp\" AND a.command CONTAINS \"-m 12\" AND a.started_at.dayOfWeek = 1 RETURN a.name AS run, a.started_at AS started'"
ask "5. Atlas graphics with an anatomy header among their ancestors whose global maximum is 4095." \
    "provdb cypher 'MATCH (g:Snapshot)-[:used|wasGeneratedBy*]->(h:Snapshot) WHERE g.path ENDS WITH \".gif\" AND h.global_maximum = 4095 RETURN DISTINCT g.path AS graphic ORDER BY graphic'"
ask "6. Averaged images that come from an align_warp with -m 12." \
    "provdb cypher 'MATCH (i:Snapshot)-[:wasGeneratedBy]->(:Activity {utility: \"softmean\"})-[:used|wasGeneratedBy*]->(a:Activity {utility: \"align_warp\"}) WHERE a.command CONTAINS \"-m 12\" RETURN DISTINCT i.path AS image ORDER BY image'"

printf '\n# The workflow again, its last stage by two other programs.\n'
for n in 1 2 3 4; do provdb align_warp anatomy$n reference warp$n.warp -m 12 -q; done
for n in 1 2 3 4; do provdb reslice warp$n.warp resliced$n; done
provdb softmean atlas y null resliced1 resliced2 resliced3 resliced4
provdb slicer atlas -x .5 atlas-x.pgm
provdb pgmtoppm atlas-x.pgm atlas-x.ppm
provdb pnmtojpeg atlas-x.ppm atlas-x.jpg
ask "7. How do the two runs differ?" "provdb compare atlas-x.gif atlas-x.jpg --lineage"
ask "8. What align_warp made of images from Chicago." \
    "provdb cypher 'MATCH (w:Snapshot)-[:wasGeneratedBy]->(a:Activity {utility: \"align_warp\"})-[:used]->(i:Snapshot {center: \"UChicago\"}) RETURN w.path AS warp, w.sequence AS snapshot ORDER BY snapshot'"
ask "9. Atlas graphics for speech, visual or audio studies, and what else is said of them." \
    "provdb cypher 'MATCH (g:Snapshot) WHERE g.studyModality IN [\"speech\", \"visual\", \"audio\"] RETURN g.path AS graphic, g.studyModality AS modality, g.reviewed AS reviewed'"
