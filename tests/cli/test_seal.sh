#!/bin/sh
# The seal of models and emulators: what is damaged never reaches HDF5, what is older is opened when that is
# asked for; hundreds of altered files end in a message.
. "${ANPE_SRCDIR:-.}/tests/cli/common.sh"
case $ANPE in /*) ;; *) ANPE=$PWD/$ANPE ;; esac
source=$(cd "$ANPE_SRCDIR" && pwd)
fuzz=$(cd "${ANPE_BUILDDIR:-.}/tests/fuzz" && pwd)/fuzz
[ -x "$fuzz" ] || skip_all "tests/fuzz/fuzz is not built"
cd "$work" || exit 99
export ANPE
run sh "$source/tests/fuzz/files" "$source"
check "a model, an old one and an emulator" test "$status" = 0 -a -s model.h5 -a -s old.h5 -a -s emulator.h5
[ -s model.h5 ] || finish

# ---- what a seal is -------------------------------------------------------------------------------
is_sealed() {
    tail -c +513 "$1" >content
    printf 'anpe seal 1\nbytes %020d\nsha256 %s\n' "$(wc -c <content)" "$(sha256sum <content | cut -c 1-64)" >seal
    truncate -s 512 seal
    head -c 512 "$1" | cmp - seal
}
for file in model.h5 old.h5 emulator.h5; do
    check "$file: its seal is that of its content" is_sealed $file
done
run "$ANPE" validate model.h5 -n 60 -s 20 --quiet
check "a model that is changed is sealed anew" is_sealed model.h5
run "$ANPE" info model.h5
check "it is read" test "$status" = 0
if /usr/bin/python3 -c 'import h5py' 2>/dev/null; then
    check "and by others" /usr/bin/python3 -c \
        'import h5py; f = h5py.File("model.h5"); assert f.attrs["format_version"][0] == 2; f["parameters"]'
else
    skip "read by others" "h5py is not installed"
fi

# ---- what it keeps out ----------------------------------------------------------------------------
refused() { # NAME FILE SENTENCE
    run "$ANPE" info "$2"
    expect "$1" 1 "anpe: $2: $3"
}
size=$(wc -c <model.h5)
for at in 14 40 100 511 512 600 $((size / 2)) $((size - 1)); do
    cp model.h5 odd.h5
    byte=$(od -An -tu1 -j "$at" -N 1 odd.h5)
    # shellcheck disable=SC2059
    printf "\\$(printf '%03o' $((byte ^ 4)))" | dd of=odd.h5 bs=1 seek="$at" conv=notrunc 2>/dev/null
    case $at in
    14 | 40 | 511) refused "byte $at" odd.h5 "the file is damaged: its seal cannot be read" ;;
    *) refused "byte $at" odd.h5 "the file is damaged: its contents do not match the digest in its seal" ;;
    esac
done
sed '1s/anpe seal 1/anpe peal 1/' emulator.h5 >odd.h5
refused "an emulator whose seal has lost its first word" odd.h5 "the file is damaged: its seal cannot be read"
head -c 600 model.h5 >cut.h5
refused "the first 600 bytes" cut.h5 "the file is damaged: it has 600 bytes, and by its seal should have $size"
head -c 300 model.h5 >cut.h5
refused "the first 300 bytes" cut.h5 "the file is damaged: its seal cannot be read"
sed '1s/anpe seal 1/anpe seal 7/' model.h5 >new.h5
version=$("$ANPE" --version)
refused "a seal of another version" new.h5 "its seal is of format 7, this is $version which reads 1"
printf x >>model.h5
refused "a byte more" model.h5 "the file is damaged: it has $((size + 1)) bytes, and by its seal should have $size"
truncate -s "$size" model.h5
sed 's/anpe emulator 1/anpe emulator 9/' emulator.h5 >odd_emulator.h5
run "$ANPE" synth odd_emulator.h5 --set teff=5000 --set logg=2 -o s.csv
expect "an altered emulator" 1 \
    "anpe: odd_emulator.h5: the file is damaged: its contents do not match the digest in its seal"
run "$ANPE" zoo seal model.h5
expect_out "a seal that is there is renewed" 0 "model.h5: sealed"
check "and is the same" is_sealed model.h5

# ---- older files ----------------------------------------------------------------------------------
cp "$source/tests/old/clip.h5" clip.h5
chmod u+w clip.h5
run "$ANPE" infer clip.h5 "$source/tests/old/clip_spectra.h5" -o clip.csv
expect "a model without a seal is not opened" 1 "anpe: clip.h5: not a model with a seal, which is checked before a \
file is opened; if it is one of an earlier version, and you trust where it is from, 'anpe zoo seal clip.h5' adds it"
check "a model without a seal: nothing is written" test ! -e clip.csv
run "$ANPE" zoo seal clip.h5
expect_out "it is sealed when that is asked for" 0 "clip.h5: sealed"
run "$ANPE" infer clip.h5 "$source/tests/old/clip_spectra.h5" -o clip.csv --quiet
check "and then used" test "$status" = 0 -a -s clip.csv
cp "$source/tests/old/clip_spectra.h5" spectra.h5
chmod u+w spectra.h5
run "$ANPE" zoo seal spectra.h5
expect_error "only models and emulators are sealed" 1 "^anpe: spectra.h5: is .*, expected an 'anpe model' or an"
check "other files stay as they are" cmp spectra.h5 "$source/tests/old/clip_spectra.h5"
chmod u-w "$work/clip.h5"

# ---- hundreds -------------------------------------------------------------------------------------
for file in model.h5 emulator.h5; do
    run "$fuzz" $file 60 .
    check "$file altered: $(tail -1 out)" test "$status" = 0
    check "$file altered: none is opened" grep -q '^60 altered: 0 opened, 60 refused' out
    run "$fuzz" --seal $file 150 .
    check "$file altered, its seal renewed: $(tail -1 out)" test "$status" = 0
done
finish
