#!/bin/sh
# Several processes that work together: the same bytes for any number of ranks and threads; an error on one rank and a
# rank that is killed end all.
. "${ANPE_SRCDIR:-.}/tests/cli/common.sh"
export SOURCE_DATE_EPOCH=1700000000
srcdir=$(cd "$ANPE_SRCDIR" && pwd)
# mpirun waits twice this many seconds wherever a rank ends with an error, also when all have ended. Rank 0, which asks for
# the end, has spoken and tidied up before, so nobody needs them.
export OMPI_MCA_odls_base_sigkill_timeout=0
cd "$work" || exit 99
# A window of 200 pixels, so that the processes' own start is most of the work; batches of five micro-batches, the last
# one of validation smaller.
sed -e 's/^instrument = .*/instrument = { plugin = "spectrum"; windows = [ 5160.0, 5190.0 ]; resolution = 20000.0; };/' \
    -e 's/^noise = .*/noise = { plugin = "gaussian"; sigma = 0.02; };/' -e 's/depth = 8;/depth = 4;/' \
    -e 's/batch = .*/batch = 20;/; s/n_validation = .*/n_validation = 26;/; s/steps = .*/steps = 2;/; s/epochs = .*/epochs = 2;/' \
    "$srcdir/tests/cli/small.cfg" >small.cfg
echo 'compute = { micro_batch = 4; };' >>small.cfg

# ---- without MPI ----------------------------------------------------------------------------------------------

mkdir bare
for file in "$ANPE_BUILDDIR"/plugins/.libs/*.so; do
    [ "${file##*/}" = ranks_mpi.so ] || ln -s "$file" bare/
done
run env OMPI_COMM_WORLD_SIZE=2 OMPI_COMM_WORLD_RANK=0 ANPE_PLUGIN_PATH="$work/bare" "$ANPE" train small.cfg -o bad.h5
expect "started as one of two, without MPI" 1 "anpe: started as 2 processes, for which MPI is needed (Debian: \
libopenmpi-dev, then build anpe again; --ranks none: each process for itself): no ranks 'mpi' in $work/bare"
run env OMPI_COMM_WORLD_SIZE=2 OMPI_COMM_WORLD_RANK=1 ANPE_PLUGIN_PATH="$work/bare" "$ANPE" train small.cfg -o bad.h5
expect "the other one says nothing" 1
run env OMPI_COMM_WORLD_SIZE=2 OMPI_COMM_WORLD_RANK=1 ANPE_PLUGIN_PATH="$work/bare" "$ANPE" simulate small.cfg -n 3 \
    -o three.h5 --ranks none
check "--ranks none" test "$status" = 0 -a "$(cat "$work/out")" = "three.h5: 3 spectra"
run "$ANPE" train small.cfg -o bad.h5 --ranks mpich
expect "an unknown way" 2 "anpe train: --ranks must be one of auto|mpi|none, not 'mpich'
Try 'anpe train --help'."

# ---- the same bytes -------------------------------------------------------------------------------------------

[ -e "$ANPE_BUILDDIR/plugins/ranks_mpi.la" ] || { skip "MPI" "the plugin ranks/mpi is not built"; finish; }
command -v mpirun >/dev/null || { skip "MPI" "mpirun (Debian: openmpi-bin) is not installed"; finish; }
# Open MPI's mpirun itself, when all ranks have ended, now and then crashes or waits for ever while it puts its server away:
# once more.
launch() {
    for _ in 1 2 3 4 5; do
        mpirun --allow-run-as-root --oversubscribe "$@" >launched.out 2>launched.err &
        attend $!
        [ $alone -ge 600 ] || grep -q PMIx_server_finalize launched.err || break
    done
    cat launched.out
    cat launched.err >&2
    return "$code"
}
# attend MPIRUN: waits for it, but not for one that has had no ranks for a minute: $alone is 600 then. Its status is $code.
attend() {
    code=0 alone=0
    while kill -0 "$1" 2>/dev/null; do
        sleep 0.1
        if has_ranks "$1"; then alone=0; else alone=$((alone + 1)); fi
        [ $alone -lt 600 ] || kill -9 "$1"
    done
    wait "$1" || code=$?
}
# Of what mpirun has started, something has not ended.
has_ranks() {
    for children in "/proc/$1/task/"*/children; do
        processes=
        { read -r processes <"$children"; } 2>/dev/null
        for process in $processes; do
            [ ! -e "/proc/$process/exe" ] || return 0
        done
    done
    return 1
}
many() { # N COMMAND...
    n=$1
    shift
    launch -n "$n" "$@"
}
spread() { # the same, in the place of the shell that a & has made
    n=$1
    shift
    exec mpirun --allow-run-as-root --oversubscribe -n "$n" "$@"
}
run many 2 true
[ "$status" = 0 ] || { skip "MPI" "mpirun cannot start two processes here: $(head -n 1 "$work/err")"; finish; }

# Ranks x threads: a few of them; `make check-long STUDIES=mpi` tries more.
: "${MPI_CASES:=2x2}"
run "$ANPE" train small.cfg -o one.h5 --quiet --threads 1
check "a training" test "$status" = 0
for case in 3x1 $MPI_CASES; do
    ranks=${case%x*} threads=${case#*x}
    run many "$ranks" "$ANPE" train small.cfg -o many.h5 --quiet --threads "$threads"
    check "train, $ranks ranks x $threads threads: it ends well and says nothing" test "$status" = 0 -a ! -s "$work/out"
    check "train, $ranks ranks x $threads threads: the same model" cmp one.h5 many.h5
done
run many 3 "$ANPE" train small.cfg -o many.h5 --threads 1
check "rank 0 alone speaks" test "$(grep -c 'epoch 2/2' "$work/err")" = 1 -a "$(grep -c 'many.h5: 2 epochs' "$work/out")" = 1
check "and says how many there are" grep -q "1 threads on each of 3 ranks" "$work/err"

# What a network's inputs are fitted to; a fixed set that is kept, where a rank makes anew what another one has; an average
# of parameters.
fit="--set observe.channels=[] --set observe.basis=10 --set observe.newton=1 --set featurizer.plugin=mlp --set train.n_sims=60 \
--set train.schedule=stages --set train.average=4 --set train.keep=true"
sed '/^observe = /d; s/^featurizer = .*/featurizer = { hidden = [ 16 ]; };/' small.cfg >fit.cfg
# shellcheck disable=SC2086
run "$ANPE" train fit.cfg -o fit.h5 --quiet --threads 1 $fit
check "a training on fits" test "$status" = 0
# shellcheck disable=SC2086
run many 3 "$ANPE" train fit.cfg -o many.h5 --quiet --threads 1 $fit
check "its bytes by three ranks" cmp fit.h5 many.h5

run "$ANPE" simulate small.cfg -n 700 -o one_mocks.h5 --observed --quiet
check "mocks" test "$status" = 0
for case in $MPI_CASES; do
    ranks=${case%x*} threads=${case#*x}
    run many "$ranks" "$ANPE" simulate small.cfg -n 700 -o mocks.h5 --observed --threads "$threads"
    check "simulate, $ranks ranks x $threads threads: one of them says so" test "$(cat "$work/out")" = "mocks.h5: 700 spectra"
    check "simulate, $ranks ranks x $threads threads: the same file" cmp one_mocks.h5 mocks.h5
done
# Stored simulations, each rank reading its own.
run "$ANPE" simulate small.cfg -n 300 -o sims.h5 --quiet
check "simulations" test "$status" = 0
run "$ANPE" train small.cfg -o data.h5 --quiet --threads 1 --data sims.h5 --set train.epochs=1
check "a training on a file" test "$status" = 0
run many 2 "$ANPE" train small.cfg -o many.h5 --quiet --threads 1 --data sims.h5 --set train.epochs=1
check "its bytes by two ranks" cmp data.h5 many.h5

cp one.h5 model.h5
run "$ANPE" validate model.h5 -n 260 -s 20 --exact 2 --threads 1 --json
cp "$work/out" one.json
check "a validation" test "$status" = 0
for case in $MPI_CASES; do
    ranks=${case%x*} threads=${case#*x}
    cp one.h5 many.h5
    run many "$ranks" "$ANPE" validate many.h5 -n 260 -s 20 --exact 2 --threads "$threads" --json
    check "validate, $ranks ranks x $threads threads: the same model" cmp model.h5 many.h5
    sed 's/"many.h5"/"model.h5"/' "$work/out" >many.json
    check "validate, $ranks ranks x $threads threads: the same report" cmp one.json many.json
done

# Two files, so that blocks end in either; draws; posteriors that are made exact, a few in the first block and in the last.
run "$ANPE" simulate small.cfg -n 140 -o few.h5 --observed --seed 7 --quiet
check "a second file of mocks" test "$status" = 0
run "$ANPE" infer one.h5 few.h5 one_mocks.h5 -o one.fits --posterior one_draws.h5 -s 50 --threads 1 --quiet
check "an inference" test "$status" = 0
run "$ANPE" simulate one.h5 -n 300 -o bare.h5 --quiet
check "spectra without errors" test "$status" = 0
for n in 5 6; do "$ANPE" simulate small.cfg -n $n -o few$n.h5 --observed --seed $n --quiet || exit 99; done
run "$ANPE" infer one.h5 few5.h5 bare.h5 few6.h5 -o one.csv -s 50 --exact --exact-max 2000 --threads 1 --quiet
check "an exact one" test "$status" = 4
for case in $MPI_CASES; do
    ranks=${case%x*} threads=${case#*x}
    run many "$ranks" "$ANPE" infer one.h5 few.h5 one_mocks.h5 -o many.fits --posterior draws.h5 -s 50 --threads "$threads"
    check "infer, $ranks ranks x $threads threads: one of them says so" \
        test "$(grep -c '^many.fits: 840 spectra, 0 without a posterior, 42000 draws' "$work/out")" = 1
    check "infer, $ranks ranks x $threads threads: the same catalogue" cmp one.fits many.fits
    check "infer, $ranks ranks x $threads threads: the same draws" cmp one_draws.h5 draws.h5
    run many "$ranks" "$ANPE" infer one.h5 few5.h5 bare.h5 few6.h5 -o many.csv -s 50 --exact --exact-max 2000 --threads "$threads" --quiet
    check "infer --exact, $ranks ranks x $threads threads: the same catalogue" cmp one.csv many.csv
done

# Nothing can be used: the first spectrum's reason and status, though rank 0 works at a later block, of another reason, first.
run "$ANPE" infer one.h5 nowhere.h5 bare.h5 -o bad.csv --threads 1 --json --quiet
expect_error "no spectrum can be used" 1 "^anpe: none of 301 spectra could be used; the first: nowhere.h5: cannot open: "
check "with its status" grep -q '"status": "ANPE_EIO"' "$work/out"
cp "$work/out" none.json && grep -v '^anpe: warning' "$work/err" >none.said
for case in $MPI_CASES 3x1; do
    ranks=${case%x*} threads=${case#*x}
    run many "$ranks" "$ANPE" infer one.h5 nowhere.h5 bare.h5 -o bad.csv --threads "$threads" --json --quiet
    check "no spectrum, $ranks ranks x $threads threads: the same exit status" test "$status" = 1 -a ! -e bad.csv
    check "no spectrum, $ranks ranks x $threads threads: the same status and sentence" \
        sh -c 'grep -A 99 "^{" out | sed "/^}/q" | cmp - none.json && grep "^anpe: none" err | cmp - none.said'
done
run many 2 "$ANPE" infer one.h5 --group id few.h5 -o bad.csv --quiet
check "stars of several spectra are for one process" \
    test "$status" = 2 -a "$(grep -c 'anpe infer: --group: one process alone' "$work/err")" = 1

# ---- a rank is killed -----------------------------------------------------------------------------------------

# The process that mpirun, $child, has started as this rank.
process_of_rank() {
    for child_of in "/proc/$child/task/"*/children; do
        # shellcheck disable=SC2013
        for process in $(cat "$child_of" 2>/dev/null); do
            { tr '\0' '\n' <"/proc/$process/environ"; } 2>/dev/null | grep -qx "OMPI_COMM_WORLD_RANK=$1" && echo "$process"
        done
    done
}
left() { find . -name '.*.tmp*' -o -name '*.part'; }

run "$ANPE" train small.cfg -o whole.h5 --quiet --set train.epochs=60
check "a longer training" test "$status" = 0
# Here there is work to put down, and a busy machine needs the seconds; what comes next is done while mpirun waits.
mkdir killed
{
    export OMPI_MCA_odls_base_sigkill_timeout=10
    spread 2 "$ANPE" train small.cfg -o killed/killed.h5 --threads 1 --set train.epochs=60
} >killed.out 2>killed.err &
child=$!
await test -e killed/killed.h5
# shellcheck disable=SC2046
kill -9 $(process_of_rank 1) 2>/dev/null
training=$child

# ---- errors ---------------------------------------------------------------------------------------------------

# two COMMAND: rank 1 has the further options in $other.
two() { # shellcheck disable=SC2086
    launch -n 1 "$@" : -n 1 "$@" $other
}
rm -f many.h5
run many 2 "$ANPE" train small.cfg -o many.h5 --quiet --set train.bacth=3
check "an error of all is said once" test "$status" = 1 -a "$(grep -c "did you mean 'train.batch'\\|did you mean 'batch'" "$work/err")" = 1
other="--data nowhere.h5"
run two "$ANPE" train small.cfg -o many.h5 --quiet
expect_error "an error of rank 1 alone" 1 "^anpe: rank 1 on .*: nowhere.h5: "
other="--seed 2"
run two "$ANPE" train small.cfg -o many.h5 --quiet
expect_error "a rank that trains something else" 1 "^anpe: rank 1 on .*: simulated spectra come out other than on rank 0"
run two "$ANPE" simulate small.cfg -n 600 -o many.h5 --quiet
expect_error "a rank that simulates something else" 1 "^anpe: rank 1 on .*: the configuration or a file that it names is another"
check "nothing is left" none find . -path ./killed -prune -o -name '.*.tmp*' -print -o -name '*.part' -print
check "nothing is written" test ! -e many.h5
run two "$ANPE" validate one.h5 -n 60 -s 20 --dry --quiet
expect_error "a rank that validates something else" 1 \
    "^anpe: rank 1 on .*: one.h5: the model, the command line or a file that it names is another one on rank 0"
run many 2 "$ANPE" simulate small.cfg -n 600 -o nowhere/many.h5 --quiet
check "where nothing can be written, rank 0 says so" \
    test "$status" = 1 -a "$(grep -c "^anpe: nowhere/many.h5: " "$work/err")" = 1

# ---- the killed training --------------------------------------------------------------------------------------

attend "$training"
check "a killed rank ends a training" test "$code" != 0
check "with a sentence" grep -q "^anpe: one of the 2 ranks is gone, or the run was asked to end" killed.err
check "nothing but the checkpoint is left" none left
run "$ANPE" info killed/killed.h5
check "which is whole" test "$status" = 0
run many 2 "$ANPE" train small.cfg -o killed/killed.h5 --resume --threads 1 --quiet --set train.epochs=60
check "and gone on with" test "$status" = 0
check "to the same bytes" cmp whole.h5 killed/killed.h5

# ---- gone on with by others -----------------------------------------------------------------------------------

# The whole run is killed, mpirun too, which would take its time; with KILLED=rank, as the study mpi has it, rank 1 alone.
: "${KILLED:=run}"
export OMPI_MCA_odls_base_sigkill_timeout=10
export OMPI_MCA_orte_tmpdir_base="$work" OMPI_MCA_btl_vader_backing_directory="$work" # what a killed run leaves
grown() { [ -e "$1" ] && [ "$(wc -c <"$1")" -gt "$2" ]; }
# killed WHAT FILE BYTES COMMAND...: two ranks, until FILE has more than these.
killed() {
    what=$1 file=$2 bytes=$3
    shift 3
    spread 2 "$@" --resume --threads 1 >"$work/out" 2>"$work/err" &
    child=$!
    await grown "$file" "$bytes"
    victims=$(process_of_rank 1)
    [ "$KILLED" = rank ] || victims="$victims $(process_of_rank 0) $child"
    # shellcheck disable=SC2086
    kill -9 $victims 2>/dev/null
    attend "$child"
    status=$code
    for process in $victims; do # a file that one of them has open is in use
        while readlink "/proc/$process/exe" >/dev/null 2>&1; do sleep 0.02; done
    done
    [ "$KILLED" = rank ] || rm -f .*.tmp # which nobody could take away
    if [ "$status" = 0 ]; then
        skip "a killed rank ends $what" "it had ended before"
    elif [ "$KILLED" = rank ]; then
        check "a killed rank ends $what" grep -q "^anpe: one of the 2 ranks is gone" "$work/err"
    fi
}

run "$ANPE" simulate small.cfg -n 20000 -o all.h5 --quiet
check "more simulations" test "$status" = 0
killed "a simulation" part.h5.part 2000 "$ANPE" simulate small.cfg -n 20000 -o part.h5
[ "$status" = 0 ] || check "its file is not there" test ! -e part.h5
[ "$status" = 0 ] || check "but finished blocks" test "$(left)" = ./part.h5.part
run many 2 "$ANPE" simulate small.cfg -n 20000 -o part.h5 --resume --threads 1 --quiet
check "it is gone on with" test "$status" = 0
check "to the same bytes, too" cmp all.h5 part.h5
check "nothing else is left" none left

killed "an inference" part.fits.part 20000 "$ANPE" infer one.h5 few.h5 one_mocks.h5 -o part.fits --posterior part_draws.h5 -s 50
run "$ANPE" infer one.h5 few.h5 one_mocks.h5 -o part.fits --posterior part_draws.h5 -s 50 --resume --threads 1 --quiet
check "one process goes on with it" test "$status" = 0
check "to the same catalogue" cmp one.fits part.fits
check "and the same draws" cmp one_draws.h5 part_draws.h5

# One process began, two go on, these are killed, and three end it.
validate() { echo "$ANPE" validate "$1" -n 1300 -s 50 --exact 1 --json; }
cp one.h5 whole.h5
# shellcheck disable=SC2046
run $(validate whole.h5)
check "a longer validation" test "$status" = 0
cp "$work/out" whole.json
cp one.h5 killed.h5
# shellcheck disable=SC2046
exec_validate() { exec $(validate killed.h5) --resume --threads 2 >"$work/out" 2>"$work/err"; }
exec_validate &
child=$!
await grown killed.h5.validation.part 20000
kill -9 "$child" 2>/dev/null
wait "$child" 2>/dev/null
check "validate: killed, the model is as it was" cmp one.h5 killed.h5
# shellcheck disable=SC2046
killed "a validation" killed.h5.validation.part $(($(wc -c <killed.h5.validation.part) + 20000)) $(validate killed.h5)
[ "$status" = 0 ] || [ "$KILLED" = run ] || check "its finished blocks are kept" \
    grep -q "killed.h5.validation.part holds [1-9][0-9]* mocks; go on with --resume" "$work/err"
# shellcheck disable=SC2046
run many 3 $(validate killed.h5) --resume --threads 1
check "three ranks go on with it" test "$status" = 0
check "to the same model" cmp whole.h5 killed.h5
sed 's/"killed.h5"/"whole.h5"/' "$work/out" >killed.json
check "and the same report" cmp whole.json killed.json
check "nothing of it is left" none left
finish
