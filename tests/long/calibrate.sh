#!/bin/sh
# anpe calibrate in the H band: how far the Sun and Arcturus are from their atlases before and after.
. "${ANPE_SRCDIR:-.}/tests/long/common.sh"
need_shared
need_python numpy,h5py
forward=$ANPE_SHARED/data/forward
[ -d "$forward" ] || skip_all "the data of the forward model is not here (ANPE_SHARED)"
$python "$ANPE_SRCDIR/tests/long/calibrate.py" "$forward" "${LOW:-15160}" "${HIGH:-16960}" || exit 99
"$ANPE" calibrate hband.cfg -o hband.lines --json --quiet >report.json || exit 99
figures() { sed -n "s/.*\"$1\": \([-+.0-9e]*\),*/\1/p" report.json | sed -n "$2p"; }
figure "lines" "$(figures n_lines 1)"
figure "log gf that were fitted" "$(figures n_log_gf 1)"
figure "Sun: rms before" "$(figures before 1)"
figure "Arcturus: rms before" "$(figures before 2)"
# a published synthesis of the Sun stands at 0.0059, of Arcturus at 0.0109
demand "Sun: rms after" "$(figures after 1)" "<=" 0.0075
demand "Arcturus: rms after" "$(figures after 2)" "<=" 0.0115
finish
