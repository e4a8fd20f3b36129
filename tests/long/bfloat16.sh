#!/bin/sh
# bfloat16 costs no accuracy: payne_alone.cfg as it is, and with the paper's kind of network, cut as the comment in
# that file says (`pixels`), trained with the same seed and for the same number of steps in float and in
# bfloat16. Their validation losses differ by at most 0.05 nats, and posteriors of both cover the truth.
#
# Where the processor has no instructions for bfloat16 it is emulated (backend.emulate), which gives the same
# numbers and is slower. BFLOAT16_EPOCHS=N changes the length; TASKS="payne pixels" and SEEDS="1 2 ..." choose.
. "${ANPE_SRCDIR:-.}/tests/long/common.sh"
need_shared
need_python json
[ -f "$ANPE_BUILDDIR/plugins/backend_onednn.la" ] || skip_all "the backend onednn is not built (libdnnl-dev)"
data=$ANPE_SHARED/data
epochs=${BFLOAT16_EPOCHS:-8}
get() { $python "$ANPE_SRCDIR/tests/long/json_get.py" "$1" "$2"; }

"$ANPE" import payne "$data/emulators/apogee_5label_perpixel.npz" -o emulator.h5 \
    --labels teff,logg,fe_h,mg_fe,vmacro --grid apogee --quiet || exit 99
"$ANPE" noise apogee "$data"/apogee/apstar/*.fits "$data"/apogee/aspcap/*.fits -o noise.h5 --quiet ||
    exit 99
# resnet_gru: every convolution of 32 channels and more is one of the products that bfloat16 changes.
sed -e '/^observe = {/,/^};/d' -e '/^featurizer = {/,/^};/d' -e '/^compute = /d' -e '/^train = {/,/^};/d' \
    "$ANPE_SRCDIR/instruments/apogee/payne_alone.cfg" >pixels.cfg
cat >>pixels.cfg <<END
observe = { channels = [ "flux", "mask", "log_sigma" ]; sigma_floor = 0.005; };
featurizer = { plugin = "resnet_gru"; depth = 8; conv_min = 8; conv_max = 64; nlayer = 1; kernel = 5; };
train = { batch = 64; steps = 250; rate = 0.001; n_validation = 1024; };
END
cp "$ANPE_SRCDIR/instruments/apogee/payne_alone.cfg" payne.cfg

# train TASK SEED PRECISION BACKEND [OPTION...]
train() {
    task=$1 seed=$2 precision=$3 backend=$4
    shift 4
    say "$task, seed $seed: training in $precision with $backend $*, $epochs epochs"
    "$ANPE" train "$task.cfg" -o "$task-$seed-$precision.h5" --resume --seed "$seed" --json \
        --set simulator.file=emulator.h5 --set noise.library=noise.h5 \
        --set instrument.exclude="$data/apogee/apogee_mask.npz" \
        --set instrument.continuum="$data/apogee/cannon_cont_pixels_apogee.npz" \
        --set train.epochs="$epochs" --set train.max_minutes=0 \
        --set compute.backend="$backend" --set compute.precision="$precision" "$@" \
        >"$task-$seed-$precision.json" 2>"$task-$seed-$precision.err" && return
    grep -q "no instructions for bfloat16" "$task-$seed-$precision.err" && return 1
    cat "$task-$seed-$precision.err"
    exit 99
}

# cover TASK SEED: 1000 mocks; the standard error of a fraction of 0.68 is 0.015; five of them, and a short
# training's bias.
cover() {
    "$ANPE" simulate "$1-$2-float.h5" -n 1000 --observed -o mocks.h5 --quiet || exit 99
    for precision in float bfloat16; do
        "$ANPE" infer "$1-$2-$precision.h5" mocks.h5 -o mocks.fits --samples 1000 --json >mocks.json || exit 99
        for label in teff logg fe_h mg_fe vmacro rv; do
            covered=$(get mocks.json recovery.$label.cover68)
            demand "$1, seed $2: 68 % coverage of $label in $precision" "$covered" ">=" 0.58
            demand "$1, seed $2: 68 % coverage of $label in $precision" "$covered" "<=" 0.78
        done
    done
}

for task in ${TASKS:-payne pixels}; do
    sum=0 count=0
    for seed in ${SEEDS:-1}; do
        train "$task" "$seed" bfloat16 onednn || train "$task" "$seed" bfloat16 onednn --set backend.emulate=true
        train "$task" "$seed" float openblas
        for precision in float bfloat16; do
            figure "$task, seed $seed: validation loss in $precision" \
                "$(get "$task-$seed-$precision.json" validation_loss)"
        done
        sum=$(awk -v s="$sum" -v a="$(get "$task-$seed-bfloat16.json" validation_loss)" \
            -v b="$(get "$task-$seed-float.json" validation_loss)" 'BEGIN { print s + a - b }')
        count=$((count + 1))
        cover "$task" "$seed"
    done
    demand "$task: validation loss of bfloat16 minus that of float, mean of the seeds" \
        "$(awk -v s="$sum" -v n="$count" 'BEGIN { print s / n }')" "<=" 0.05
done
finish
