#!/bin/sh
# anpe zoo with a registry that is a directory, and names in place of paths.
. "${ANPE_SRCDIR:-.}/tests/cli/common.sh"
case $ANPE in /*) ;; *) ANPE=$PWD/$ANPE ;; esac
source=$(cd "$ANPE_SRCDIR" && pwd)
tools=$(cd "${ANPE_BUILDDIR:-.}/tests/cli" && pwd)
cd "$work" || exit 99
unset ANPE_ZOO ANPE_REGISTRY
export XDG_DATA_HOME="$work/data" SOURCE_DATE_EPOCH=1700000000
zoo=$work/data/anpe/zoo
run "$ANPE" train "$source/tests/fuzz/tiny.cfg" -o m.h5 --quiet
check "a model" test "$status" = 0
[ -s m.h5 ] || finish

# ---- publishing -----------------------------------------------------------------------------------
run "$ANPE" zoo key secret
key=$(cat out)
check "a key pair" test "$status" = 0 -a "$(stat -c %a secret)" = 600 -a ${#key} = 64
run "$ANPE" zoo key secret
expect "a key is never written over" 1 "anpe: secret: cannot write the key: File exists"
publish() { run "$ANPE" zoo publish m.h5 registry --key secret --name mini --release "$@"; }
publish 1.0
expect "only what was validated" 1 "anpe: m.h5: is not validated; 'anpe validate m.h5' does that"
run "$ANPE" validate m.h5 -n 60 -s 20 --quiet
publish 1.0 --licence CC0 --summary "for tests" --citation "nobody (2026)"
expect_out "publish" 0 "registry: mini 1.0, signed with $key; index number 1"
check "the model is there as it is" cmp m.h5 registry/mini/1.0/mini.h5
publish 1.0
expect "a version is published once" 1 \
    "anpe: registry: has mini 1.0 already; what was published stays: give it another version"
publish ../1
expect_error "a version is no path" 1 "^anpe: '../1' is no version"
run "$ANPE" zoo publish m.h5 registry --key secret --name auto --release 1
expect_error "auto is no name" 1 "^anpe: 'auto' stands for a choice"
echo x >other
publish 1.1 --with other
expect_error "only files that the model was made of go with it" 1 "^anpe: other: is no file that the model was made of"
run "$ANPE" zoo key other_secret
run "$ANPE" zoo publish m.h5 registry --key other_secret --name mini --release 2.0
expect_error "an index has one owner" 1 "index.json: is signed with the key $key, and yours is"
run "$ANPE" zoo publish m.h5
expect_error "publish, where to?" 2 "^anpe zoo: publish: too few arguments"
run "$ANPE" zoo lsit
expect_error "misspelt" 2 "^anpe zoo: 'lsit' is not what can be done with a zoo; did you mean 'list'?"
if command -v python3 >/dev/null; then
    check "the index is JSON" python3 -c 'import json; i = json.load(open("registry/index.json"))
assert i["serial"] == 1 and i["models"][0]["instrument"] == "spectrum" and i["models"][0]["licence"] == "CC0"
assert i["models"][0]["certificate"]["mocks"] == 60 and len(i["models"][0]["labels"]) == 6'
else
    skip "the index is JSON" "python3 is not installed"
fi

# ---- getting --------------------------------------------------------------------------------------
run "$ANPE" zoo get mini
expect_error "get, from where?" 2 "get: from which registry"
get() { run "$ANPE" zoo get "$1" --from "${2-registry}" --quiet; }
get mini
expect_error "a key that is not trusted" 1 "index.json: is signed with a key that you do not trust: $key"
check "a key that is not trusted: nothing is fetched" test ! -e "$zoo/mini" -a ! -e "$zoo/.partial"
run "$ANPE" zoo trust 12ab
expect_error "no key" 1 "^anpe: '12ab' is no public key"
run "$ANPE" zoo trust "$key" --name tests
expect_out "trust" 0 "$key tests"
get mimi
expect_error "an unknown model" 1 "registry: has no model 'mimi'; did you mean 'mini'[?]$"
get mini@9
expect_error "an unknown version" 1 "registry: has no model 'mini@9'; it has other versions"
get mini http://localhost:1
expect "neither https nor file" 1 "anpe: http://localhost:1: a registry is a directory, or https:// or file://"
run "$ANPE" zoo get mini --from registry
check "get" grep -q "^mini 1.0: $zoo/mini/1.0/mini.h5, [0-9.]* MB$" out
check "what came is what was published" cmp m.h5 "$zoo/mini/1.0/mini.h5"
check "nothing else is left" test -z "$(ls "$zoo/.partial")"
run "$ANPE" zoo get mini --from registry
check "again: it is here" grep -q "which was here already" out
run "$ANPE" zoo verify # of those that are installed, too
check "verify" test "$status" = 0 -a "$(grep -v ': whole by its seal; not signed$' out)" = "mini 1.0: as it was signed by tests"

# ---- what is altered ------------------------------------------------------------------------------
flip() { # FILE BYTE
    byte=$(od -An -tu1 -j "$2" -N 1 "$1")
    # shellcheck disable=SC2059
    printf "\\$(printf '%03o' $((byte ^ 1)))" | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
}
refused() { # NAME RE: get refuses, and what was here stays
    get mini@1.1
    expect_error "$1" 1 "$2"
    check "$1: nothing takes its name" test ! -e "$zoo/mini/1.1"
}
cp -r registry first
publish 1.1
cp -r registry good
flip registry/mini/1.1/mini.h5 5000
refused "a bit of the model" "mini.h5: is not what was signed: SHA-256"
check "a bit of the model: what came is thrown away" test ! -e "$zoo/.partial/mini-1.1/mini.h5"
"$ANPE" zoo seal registry/mini/1.1/mini.h5 --quiet
refused "a bit of the model, and a seal that fits" "mini.h5: is not what was signed: SHA-256"
head -c 4000 good/mini/1.1/mini.h5 >registry/mini/1.1/mini.h5
refused "a model that is cut short" "mini.h5: ends after 4000 of [0-9]* bytes"
{ cat good/mini/1.1/mini.h5 && echo more; } >registry/mini/1.1/mini.h5
refused "a model that is longer" "mini.h5: is longer than [0-9]* bytes"
rm registry/mini/1.1/mini.h5
refused "a model that is not there" "mini.h5: No such file or directory"
alter_index() { # NAME SED RE
    rm -rf registry && cp -r good registry
    sed -i "$2" registry/index.json
    refused "$1" "$3"
}
alter_index "an index that is altered" 's/for tests/for tests!/' "its signature is not that of its content: altered, refused"
alter_index "an index that is not signed" '/"signature": "[0-9a-f]*"$/d' "is unsigned: it does not end with a signature"
alter_index "an index that is no JSON" 's/"serial"/serial/' "registry/index.json: "
alter_index "an index of another format" 's/anpe zoo 1/anpe zoo 2/' "is of format 'anpe zoo 2', this is anpe .* reads 'anpe zoo 1'"
# Signed by the owner, all the same: what an index says is not believed beyond what it may.
resign() { # SED, in an index of the owner's
    rm -rf registry && cp -r good registry
    sed -i "$1" registry/index.json
    python3 "$source/tests/cli/zoo_sign.py" registry/index.json secret
}
if python3 -c 'import ctypes.util; assert ctypes.util.find_library("sodium")' 2>/dev/null; then
    resign 's/"summary": "for tests"/"summary": "for test"/'
    refused "another index of the same number" "is number 2, but not the number 2 that was here before"
    resign 's/"serial": 2/"serial": 3/; s/"version": "1.1"/"version": "1.2"/'
    get mini@1.2
    expect_error "a signature of another version" 1 "the signature of mini 1.2 is not that of its key: altered, refused"
    resign 's/"serial": 2/"serial": 4/; s/"format": [0-9]*,/"format": 99,/'
    refused "a model of a newer format" "mini 1.1: is of model format 99, this is anpe .* reads up to 2"
    resign 's/"serial": 2/"serial": 5/; s,simulator/lines ,simulator/no_such ,'
    refused "a model with plugins that are not here" \
        "mini 1.1: is made with the plugin simulator/no_such, which is not here"
    resign 's/"serial": 2/"serial": 6/; s,"file": "mini.h5","file": "../mini.h5",'
    refused "a file that is a path" "the entry of 'mini' is none"
    resign 's/"serial": 2/"serial": 7/'
    get mini@1.1
    check "what is true is fetched" test "$status" = 0
    rm -rf "$zoo/mini/1.1"
else
    skip "indexes signed anew" "python3 with libsodium's library is not here"
fi
rm -rf registry && cp -r first registry
get mini
expect_error "an old index in place of a newer one" 1 "index.json: is number 1, and number [0-9]* was here before: an old index"
check "what was fetched is still good" "$ANPE" zoo verify --quiet
cp "$zoo/mini/1.0/mini.h5" kept
flip "$zoo/mini/1.0/mini.h5" 5000
run "$ANPE" zoo verify mini
expect_error "a model that was altered here" 1 "mini.h5: is not what was signed"
run "$ANPE" zoo show mini
expect_error "is not opened" 1 "mini.h5: the file is damaged: its contents do not match the digest in its seal"
cp kept "$zoo/mini/1.0/mini.h5"
run "$ANPE" zoo trust "$key" --remove
expect_out "trust --remove" 0 "no key is trusted"
run "$ANPE" zoo verify mini
expect_error "verify without trust" 1 "mini 1.0 is signed with a key that you do not trust"

# ---- names in place of paths ----------------------------------------------------------------------
awk 'BEGIN { print "wavelength flux error"; for (i = 0; i < 1200; i++) print 5150 + i / 24, 1 - 0.3 * (i % 7 == 0), 0.01 }' >star.txt
run "$ANPE" infer mini star.txt -o by_name.csv --quiet
check "infer by name" test -s by_name.csv
run "$ANPE" infer m.h5 star.txt -o by_path.csv --quiet
same_rows() { [ "$(grep -v '^#' by_name.csv)" = "$(grep -v '^#' "$1")" ]; }
check "is infer by path" same_rows by_path.csv
run "$ANPE" infer mini@1.0 star.txt -o version.csv --quiet
check "by name and version" same_rows version.csv
run "$ANPE" infer auto star.txt -o auto.csv
check "by what the file is" same_rows auto.csv
check "which is said" grep -q "model: $zoo/mini/1.0/mini.h5" err
run "$ANPE" infer minj star.txt -o n.csv
expect "an unknown name" 1 "anpe: minj: neither a file nor a model of the zoo; did you mean 'mini'? ('anpe zoo list' \
names those that are here)"
run "$ANPE" infer mini@3 star.txt -o n.csv
expect_error "an unknown version" 1 "^anpe: mini@3: neither a file nor a model of the zoo; there is version 1.0 "
for command in "info mini" "validate mini --dry -n 60 -s 20" "simulate mini -n 2 -o sims.h5" "zoo show mini"; do
    # shellcheck disable=SC2086
    run "$ANPE" $command --quiet
    check "anpe $command" test "$status" = 0
done
"$tools/make_spectrum" good apogee.fits 2>/dev/null && {
    run "$ANPE" infer auto star.txt apogee.fits -o n.csv
    expect_error "auto: files of two instruments" 1 \
        "files of different instruments: 1 of spectrum .star.txt., 1 of apogee .apogee.fits.; a catalogue is of one"
    run "$ANPE" infer auto apogee.fits -o n.csv
    if "$ANPE" zoo list | grep -q '^apogee '; then
        skip "auto: no model for it" "anpe is installed here, with one"
    else
        expect_error "auto: no model for it" 1 "^anpe: no model of the zoo is for the instrument 'apogee'"
    fi
}
echo nothing >nothing.xyz
run "$ANPE" infer auto nothing.xyz -o n.csv
expect_error "auto: a file of nobody's" 1 "^anpe: nothing.xyz: no installed instrument knows what it is"
mkdir -p more/mini/0.9 more/second/1 && cp m.h5 more/mini/0.9/mini.h5 && cp m.h5 more/second/1/second.h5
run env ANPE_ZOO="$work/more" "$ANPE" zoo show mini --json
check "ANPE_ZOO is looked at first" grep -q '"version": "0.9"' out
run env ANPE_ZOO="$work/more" "$ANPE" infer auto star.txt -o n.csv
expect "auto: several models" 1 "anpe: several models are for 'spectrum': mini, second; name one of them"
cp m.h5 mini
run "$ANPE" info mini
check "a file of that name comes first" grep -q '^digest' out
rm mini

# ---- the same again ---------------------------------------------------------------------------------
run "$ANPE" zoo build mini -o again.h5 --quiet
check "build" test "$status" = 0
check "build: the same file, byte for byte" cmp m.h5 again.h5
run "$ANPE" zoo build mini -o again.h5
check "build: it says so" grep -q "^again.h5: all [0-9]* weights are those of $zoo/mini/1.0/mini.h5, bit for bit" out
run "$ANPE" zoo build mini
expect_error "build, where to?" 2 "^anpe zoo: build: -o MODEL is needed"

# ---- a model that goes with its inputs --------------------------------------------------------------
mkdir -p there/instruments/x && printf '1 2 3\n10 20 30\n0.5 0.25 0.125\n4 5 6\n1 1 1\n2 2 2\n' >cannon.txt
printf '5000 2\n' >pivots.txt
"$ANPE" import cannon cannon.txt --pivots pivots.txt --labels teff,logg --range 4000:6000,0:5 --quiet \
    -o there/instruments/x/e.h5
cat >with.cfg <<'C'
simulator = { plugin = "cannon"; file = "there/instruments/x/e.h5"; };
prior = ({ plugin = "independent"; labels = ({ name = "teff"; type = "uniform"; }, { name = "logg"; type = "uniform"; }); });
instrument = { plugin = "array"; shape = [ 3 ]; };
noise = { plugin = "gaussian"; sigma = 0.1; };
network = { context = 4; };
featurizer = { plugin = "mlp"; hidden = [ 4 ]; };
flow = { plugin = "maf"; num_blocks = 1; hidden = 8; };
train = { batch = 8; steps = 2; epochs = 1; n_validation = 8; };
C
run "$ANPE" train with.cfg -o with.h5 --quiet
check "a model with an emulator" test "$status" = 0
can_simulate() { # NAME MODEL: its emulator is found
    run "$ANPE" simulate "$2" -n 2 -o sims.h5
    check "$1" test "$status" = 0
}
run "$ANPE" validate with.h5 -n 60 -s 50 --quiet
run "$ANPE" zoo publish with.h5 public --key secret --name w --release 1
check "published: with no path of this machine" test "$status" = 0 -a -s public/w/1/w.h5
check "published: the model had one" grep -q "$work" with.h5
check "published: its copy has none" sh -c '! grep -q "$0" public/w/1/w.h5' "$work"
mkdir -p away/zoo/w/1 away/instruments/x && cp with.h5 away/zoo/w/1/w.h5 && cp there/instruments/x/e.h5 away/instruments/x/
cp with.h5 away/beside.h5
mv there gone
run "$ANPE" simulate with.h5 -n 2 -o sims.h5
expect_error "an emulator that is gone" 1 "there/instruments/x/e.h5: "
can_simulate "an emulator three directories above, in its own" away/zoo/w/1/w.h5
can_simulate "an emulator beside its directory" away/beside.h5
cp public/w/1/w.h5 away/zoo/w/1/
can_simulate "an emulator of which the name alone is known" away/zoo/w/1/w.h5
run env ANPE_ZOO="$work/away/zoo" "$ANPE" simulate w -n 2 -o sims.h5
check "by name" test "$status" = 0
mkdir away/instruments/another && echo other >away/instruments/another/e.h5
mv away/instruments/x away/instruments/renamed
can_simulate "an emulator of an instrument, whatever the directory of the training was called" away/zoo/w/1/w.h5
mv away/instruments/renamed away/instruments/x
"$ANPE" import cannon cannon.txt --pivots pivots.txt --labels teff,logg --range 4000:6001,0:5 --quiet \
    -o away/instruments/x/e.h5
run "$ANPE" simulate away/beside.h5 -n 2 -o sims.h5
expect_error "an emulator that is another one is none" 1 "there/instruments/x/e.h5: "
finish
