#!/bin/sh
# anpe plugins: the list, one plugin in full, JSON, and plugins that are refused.
. "${ANPE_SRCDIR:-.}/tests/cli/common.sh"
odd=$ANPE_BUILDDIR/tests/unit/odd
[ -e "$odd/.libs/simulator_good.so" ] || skip_all "the plugins of the unit tests were not built"
ANPE_PLUGIN_PATH=$work
export ANPE_PLUGIN_PATH
cp "$odd/.libs/simulator_good.so" "$work"

run "$ANPE" plugins
expect_out "list" 0 "simulator
  good           1        for tests

noise
  good           1        for tests"
run "$ANPE" plugins noise
expect_out "one kind" 0 "noise
  good           1        for tests"
run "$ANPE" plugins simulator/good
expect_out "one plugin" 0 "simulator/good 1
for tests

Options:
  level  (number, default 1, range [0, 1])
      flux of every pixel
  refuse  (text, default none)
      what create answers"
run "$ANPE" plugins simulator/good --json
expect_out "JSON" 0 '{
  "plugins": [
    {
      "kind": "simulator",
      "name": "good",
      "version": "1",
      "summary": "for tests",
      "capabilities": 0,
      "options": [
        {
          "name": "level",
          "type": "real",
          "unit": "",
          "help": "flux of every pixel",
          "required": false,
          "default": 1.0,
          "min": 0.0,
          "max": 1.0
        },
        {
          "name": "refuse",
          "type": "text",
          "unit": "",
          "help": "what create answers",
          "required": false,
          "default": ""
        }
      ]
    }
  ]
}'
run "$ANPE" plugins simulater
expect "unknown kind" 2 "anpe plugins: unknown kind 'simulater'; did you mean 'simulator'?
Try 'anpe plugins --help'."
run "$ANPE" plugins simulator/godo
expect "unknown plugin" 1 "anpe: no simulator 'godo' in $work; did you mean 'good'?"
run "$ANPE" plugins simulator/../good
expect "a path for a name" 1 \
    "anpe: simulator '../good': a plugin's name is made of a-z, 0-9 and _, it is not a path"
run "$ANPE" plugins a b
expect "too many arguments" 2 "anpe plugins: unexpected argument 'b'
Try 'anpe plugins --help'."
run env ANPE_DEBUG=1 "$ANPE" plugins flow/none
expect_error "where an error was raised" 1 "^anpe: no flow 'none' in .* \(.*loader\.c:[0-9]+, ANPE_EPLUGIN\)$"

# A plugin that cannot be loaded is a warning in the list, an error by name.
head -c 3000 "$odd/.libs/simulator_good.so" >"$work/simulator_cut.so"
run "$ANPE" plugins
expect_error "a truncated plugin in the list" 0 "^anpe: warning: $work/simulator_cut.so: truncated: 3000 bytes"
run "$ANPE" plugins simulator/cut
expect_error "a truncated plugin" 1 "^anpe: $work/simulator_cut.so: truncated: 3000 bytes of at least [0-9]+$"
run "$ANPE" plugins simulator/cut --json
check "an error in JSON" grep -q '"status": "ANPE_EPLUGIN"' "$work/out"
for name in major symbol stranger; do
    cp "$odd/.libs/simulator_$name.so" "$work"
done
run "$ANPE" plugins simulator/major
minor=$(sed -n 's/^#define ANPE_ABI_MINOR \([0-9]*\)u.*/\1/p' "$ANPE_SRCDIR/include/anpe/plugin.h")
expect "another ABI" 1 \
    "anpe: $work/simulator_major.so: plugin ABI 2.$minor, anpe has 1.$minor: rebuild it"
run "$ANPE" plugins simulator/symbol
expect "undefined symbol" 1 \
    "anpe: $work/simulator_symbol.so: undefined symbol: anpe_test_nobody_has_this"
run "$ANPE" plugins simulator/stranger
expect "linked to another library" 1 \
    "anpe: $work/simulator_stranger.so: linked to another copy of libanpe"
finish
