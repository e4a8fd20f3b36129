#!/bin/sh
# bfloat16 costs no accuracy: payne.cfg with the paper's kind of network, cut as the comment in that file
# says, trained with the same seeds and for the same number of steps in float and in bfloat16. Their
# validation losses differ by at most 0.05 nats, and posteriors of both cover the truth.
#
# Where the processor has no instructions for bfloat16 it is emulated (backend.emulate), which gives the same
# products and is slower. BFLOAT16_EPOCHS=N changes the length (250 steps of 64 spectra each).
. "${ANPE_SRCDIR:-.}/tests/long/common.sh"
need_shared
need_python json
[ -f "$ANPE_BUILDDIR/plugins/backend_onednn.la" ] || skip_all "the backend onednn is not built (libdnnl-dev)"
data=$ANPE_SHARED/data
epochs=${BFLOAT16_EPOCHS:-6}
get() { $python "$ANPE_SRCDIR/tests/long/json_get.py" "$1" "$2"; }

"$ANPE" import payne "$data/emulators/apogee_5label_perpixel.npz" -o emulator.h5 \
    --labels teff,logg,fe_h,mg_fe,vmacro --grid apogee --quiet || exit 99
"$ANPE" noise apogee "$data"/apogee/apstar/*.fits "$data"/apogee/aspcap/*.fits -o noise.h5 --quiet ||
    exit 99
# resnet_gru: every convolution of 32 channels and more is one of the products that bfloat16 changes.
sed -e '/^observe = {/,/^};/d' -e '/^featurizer = {/,/^};/d' -e '/^compute = /d' -e '/^train = {/,/^};/d' \
    "$ANPE_SRCDIR/instruments/apogee/payne.cfg" >cut.cfg
cat >>cut.cfg <<END
observe = { channels = [ "flux", "mask", "log_sigma" ]; sigma_floor = 0.005; };
featurizer = { plugin = "resnet_gru"; depth = 8; conv_min = 8; conv_max = 64; nlayer = 1; kernel = 5; };
train = { batch = 64; steps = 250; epochs = $epochs; rate = 0.001; n_validation = 1024; };
END

# train PRECISION BACKEND [OPTION...]
train() {
    precision=$1 backend=$2
    shift 2
    say "training in $precision with $backend $*, $epochs epochs"
    "$ANPE" train cut.cfg -o "$precision.h5" --resume --seed 1 --json \
        --set simulator.file=emulator.h5 --set noise.library=noise.h5 \
        --set instrument.exclude="$data/apogee/apogee_mask.npz" \
        --set instrument.continuum="$data/apogee/cannon_cont_pixels_apogee.npz" \
        --set compute.backend="$backend" --set compute.precision="$precision" "$@" \
        >"$precision.json" 2>"$precision.err" && return
    grep -q "no instructions for bfloat16" "$precision.err" && return 1
    cat "$precision.err"
    exit 99
}
train bfloat16 onednn || train bfloat16 onednn --set backend.emulate=true
train float openblas

for precision in float bfloat16; do
    figure "validation loss $precision" "$(get $precision.json validation_loss)"
    figure "training seconds $precision" "$(get $precision.json seconds)"
done
difference=$(awk -v a="$(get bfloat16.json validation_loss)" -v b="$(get float.json validation_loss)" \
    'BEGIN { d = a - b; print d }')
demand "validation loss of bfloat16 minus that of float" "$difference" "<=" 0.05

# 1000 mocks: the standard error of a fraction of 0.68 is 0.015; five of them, and a short training's bias.
"$ANPE" simulate float.h5 -n 1000 --observed -o mocks.h5 --quiet || exit 99
for precision in float bfloat16; do
    "$ANPE" infer $precision.h5 mocks.h5 -o $precision.fits --samples 1000 --json >"$precision-mocks.json" ||
        exit 99
    for label in teff logg fe_h mg_fe vmacro rv; do
        covered=$(get "$precision-mocks.json" recovery.$label.cover68)
        demand "68 % coverage of $label in $precision" "$covered" ">=" 0.58
        demand "68 % coverage of $label in $precision" "$covered" "<=" 0.78
    done
done
finish
