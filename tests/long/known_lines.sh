#!/bin/sh
# Known lines of real spectra are at their vacuum wavelengths, to a quarter of a resolution element, once the
# survey's velocity is taken out; velocities of LAMOST's stars are the header's.
. "${ANPE_SRCDIR:-.}/tests/long/common.sh"
need_shared
need_python "astropy, h5py"
probe=$ANPE_BUILDDIR/tests/cli/read_spectra
make -C "$ANPE_BUILDDIR" -s tests/cli/read_spectra || exit 99
"$python" -W ignore "$ANPE_SRCDIR/tests/long/known_lines.py" "$probe" "$ANPE" "$ANPE_SRCDIR" "$ANPE_SHARED" \
    >figures.txt || exit 99
cat figures.txt
get() { sed -n "s/^figure $1 //p" figures.txt; }
demand "lines" "$(get lines)" ">=" 25
demand "farthest of the lines, resolution elements" "$(get farthest)" "<=" 0.25
demand "LAMOST's FGK stars with a velocity in their header" "$(get LAMOST_FGK_spectra)" ">=" 3
demand "slope of LAMOST velocities, above" "$(get LAMOST_velocity_slope)" ">=" 0.9
demand "slope of LAMOST velocities, below" "$(get LAMOST_velocity_slope)" "<=" 1.1
demand "scatter of LAMOST velocities, km/s" "$(get LAMOST_velocity_scatter)" "<" 10
finish
