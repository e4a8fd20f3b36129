#!/bin/sh
# The rooms of core/ and which may include which; plugins, instruments and the template know nothing of
# the core but <anpe/...>.
#
#     sh tests/cli/test_layers.sh print [TOP]    (make rooms) prints the include graph of TOP/core
[ "${1-}" != print ] || ANPE_SRCDIR=${2:-.}
. "$(dirname "$0")/common.sh"
cd "$ANPE_SRCDIR" || exit 99

# Room: what it is for | the rooms it stands on; it may include those, and what they may include.
house='
base: errors, log, options, configuration, random numbers, workers, plugin loader |
stat: numbers in, numbers out: order, weights, mixtures, Markov chains | base
kernel: the loops of the operations, for float and double |
ranks: the other processes of one run: sums, blocks, errors | base kernel
graph: a network: described, planned, run, derived | base kernel
spectrum: one spectrum on its pixels: grid, projection, continuum | base kernel
file: HDF5, FITS, npz and CSV, in and out | spectrum
kind: what the core does with a plugin of each kind | graph file
task: the problem: prior, simulator, instrument, noise; no networks | stat kind
model: what is learned, and its file | task
posterior: one star: draws, density, exact weights, gradients | model
train: from the prior to a model | posterior ranks
validate: is it true: mocks, coverage, misfit, recalibration | posterior ranks
infer: many stars, to a catalogue | validate
prepare: files that are made before a training | train
plot: figures | infer
report: a page to look at | infer
zoo: models that have a name: found, published, fetched | validate
cmd: the command | prepare plot report zoo
'

# graph TOP: "arrow FILE:LINE ROOM OTHER ok|wrong" for each include of TOP/core that leaves its room, "lines
# ROOM FILES LINES" for each room, in the order of the house; rooms that it does not know come last.
graph() {
    find "$1/core" -name '*.[ch]' | sort | awk -v top="$1/core/" -v house="$house" '
        function reach(room, other,    i, n, under) {
            if (room == other)
                return 1
            n = split(stands[room], under, " ")
            for (i = 1; i <= n; i++)
                if (reach(under[i], other))
                    return 1
            return 0
        }
        BEGIN {
            rows = split(house, row, "\n")
            for (i = 1; i <= rows; i++)
                if (row[i] ~ /:/) {
                    room = row[i]; sub(/:.*/, "", room)
                    stands[room] = row[i]; sub(/.*\|/, "", stands[room])
                    order[++rooms] = room
                }
        }
        {
            file = $0
            room = substr(file, length(top) + 1); sub(/\/.*/, "", room)
            if (!(room in stands)) { stands[room] = ""; order[++rooms] = room; print "unknown", room }
            files[room]++
            for (at = 1; (getline text <file) > 0; at++) {
                lines[room]++
                if (text !~ /^[ \t]*#[ \t]*include[ \t]*".*\/.*"/)
                    continue
                split(text, part, "\"")
                other = part[2]; sub(/\/.*/, "", other)
                if (other != room)
                    print "arrow", file ":" at, room, other, reach(room, other) ? "ok" : "wrong"
            }
            close(file)
        }
        END { for (i = 1; i <= rooms; i++) print "lines", order[i], files[order[i]] + 0, lines[order[i]] + 0 }'
}

# The graph for people: a row for each room, and how many of its includes point to each other room.
print_graph() {
    graph "$1" | awk '
        $1 == "arrow" { n[$3, $4]++; arrows++; to[$4] = 1 }
        $5 == "wrong" { wrong++; bad = bad "against the grain: " $2 " " $3 " -> " $4 "\n" }
        $1 == "lines" { room[++rooms] = $2; files[$2] = $3; lines[$2] = $4; all += $4; if ($4 > most) { most = $4; largest = $2 } }
        END {
            printf "%-10s %5s %6s %6s  includes of other rooms\n", "room", "files", "lines", "share"
            for (i = 1; i <= rooms; i++) {
                r = room[i]
                printf "%-10s %5d %6d %5.1f%% ", r, files[r], lines[r], 100 * lines[r] / all
                for (j = 1; j <= rooms; j++)
                    if (n[r, room[j]])
                        printf " %s %d", room[j], n[r, room[j]]
                print ""
            }
            printf "%d rooms, %d lines, the largest %s with %.1f%%; %d arrows between rooms, %d against the grain\n",
                rooms, all, largest, 100 * most / all, arrows, wrong
            printf "%s", bad
        }'
}

if [ "${1-}" = print ]; then
    print_graph .
    exit
fi

rooms=$(printf '%s' "$house" | sed -n 's/:.*//p' | paste -sd '|')

# foreign_includes TOP...: quoted includes of files below TOP that lie elsewhere than below a TOP: beside
# the file, or in a directory above it that plugins of one kind share.
foreign_includes() {
    grep -rnE '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' --include='*.[ch]' "$@" |
        while IFS=: read -r file line text; do
            header=$(printf '%s\n' "$text" | sed 's/.*"\(.*\)".*/\1/')
            [ "$header" != config.h ] || continue # what configure found out about the system
            found=$(cd "$(dirname "$file")" && realpath -qe "$header")
            for top in "$@"; do
                case $found in "$(realpath "$top")"/*) continue 2 ;; esac
            done
            echo "$file:$line: $header"
        done
    grep -rnE '^[[:space:]]*#[[:space:]]*include[[:space:]]*<('"$rooms"'|core)/' \
        --include='*.[ch]' "$@"
}

wrong() {
    graph "$1" | awk '$1 == "unknown" || $5 == "wrong" { $1 = ""; print }'
}
check "every room of core/ is known and includes only what it stands on" none wrong .
check "no room holds a fifth of the lines" test -z "$(graph . | awk '
    $1 == "lines" { n[$2] = $4; all += $4 }
    END { for (r in n) if (5 * n[r] > all) print r }')"
printf '%s' "$house" | sed '/^$/d; s/^/    /' >"$work/house"
check "HACKING.md quotes the rooms as they stand here" test "$(grep -cFxf "$work/house" HACKING.md)" = \
    "$(wc -l <"$work/house")"
check "plugins include <anpe/...> and what is theirs" none foreign_includes plugins
check "instruments include <anpe/...> and what is theirs" none foreign_includes instruments
check "the template includes only <anpe/...>" none foreign_includes docs/plugin-template
check "installed headers include only <anpe/...>" none foreign_includes include
# Operations of the networks that `make bench` does not measure; it would end at the first.
unmeasured() {
    sed -n '/define ANPE_OPERATION_LIST/,/[^\\]$/s/^ *X(\([a-z0-9_]*\),.*/\1/p' core/kernel/kernels.h | sort -u >"$work/operations"
    grep -oE '(SEQUENCE|VECTOR)\([a-z_]+|"conv1d"' tests/bench/operations.c | sed 's/.*(//; s/"//g' | sort -u >"$work/measured"
    test "$(wc -l <"$work/operations")" -gt 20 || echo "no operations found"
    comm -23 "$work/operations" "$work/measured"
}
check "every operation has a benchmark" none unmeasured

# The test must be able to fail: a tree with one wrong include of each sort.
mkdir -p "$work/core/base" "$work/plugins/x"
echo '#include "train/train.h"' >"$work/core/base/bad.c"
echo '#include "base/context.h"' >"$work/plugins/x/bad.c"
echo '# include <base/context.h>' >"$work/plugins/x/worse.c"
echo '#include "../../core/base/bad.c"' >"$work/plugins/x/worst.c"
touch "$work/plugins/shared.h"
echo '#include "../shared.h"' >"$work/plugins/x/good.c"
echo '#include "base/text.h"' >"$work/core/base/good.c"
mkdir -p "$work/core/attic" && : >"$work/core/attic/old.c"
check "an upward include and an unknown room are found" test "$(wrong "$work" | wc -l)" = 2
check "a plugin's core includes are found" test "$(foreign_includes "$work/plugins" | wc -l)" = 3
finish
