#!/bin/sh
# tests/count: what a run of the suite adds up to, also after a crash or a test that never ran. tests/within: a test that
# hangs is ended with all that it has started, and names itself; any other is as it would be alone.
. "${ANPE_SRCDIR:-.}/tests/cli/common.sh"
cd "$work" || exit 99

result() { # NAME RESULT: the .trs file, and the log from standard input
    cat >"$1.log"
    printf ':test-result: %s\n:recheck: no\n' "$2" >"$1.trs"
}

result cunit_good PASS <<'END'
  Test: one ...passed
  Test: two ...passed
Run Summary:    Type  Total    Ran Passed Failed Inactive
              suites      1      1    n/a      0        0
               tests      2      2      2      0        0
             asserts      9      9      9      0      n/a
END
result cunit_bad FAIL <<'END'
  Test: one ...passed
  Test: two ...FAILED
Run Summary:    Type  Total    Ran Passed Failed Inactive
              suites      1      1    n/a      0        0
               tests      5      5      3      2        0
             asserts      9      9      7      2      n/a
END
result cunit_crash FAIL <<'END'
  Test: one ...passed
  Test: two ...tests/unit/x.c:5: runtime error: signed integer overflow
END
# All tests passed and then the leak checker made it end badly.
result cunit_leak FAIL <<'END'
               tests      4      4      4      0        0
END
result shell PASS <<'END'
ok one
skip two: no data here
END
result shell_bad FAIL <<'END'
ok one
not ok two
END
result silent PASS </dev/null
result nothing_here SKIP <<'END'
skipped: no survey files
END
result no_setup ERROR </dev/null

result cunit_aside PASS <<'END'
skipped, no/file.npz is absent
               tests      4      4      4      0        0
END

count() { run sh "$ANPE_SRCDIR/tests/count" "$@"; }
last() { [ "$status" = "$1" ] && [ "$(tail -n 1 "$work/out")" = "$2" ]; }
count 0 cunit_good.trs
check "CUnit tests are counted one by one" last 0 "2 passed, 0 failed"
count 2 cunit_good.trs cunit_bad.trs
check "failed tests" last 1 "5 passed, 2 failed"
count 2 cunit_crash.trs
check "a crash is a failure beside the tests before it" last 1 "1 passed, 1 failed"
count 2 cunit_leak.trs
check "a bad end is a failure though all tests passed" last 1 "4 passed, 1 failed"
count 0 shell.trs silent.trs nothing_here.trs
check "shell tests, silent programs, skips" last 0 "2 passed, 0 failed, 2 skipped"
count 0 cunit_aside.trs
check "a CUnit test that says it was skipped" last 0 "3 passed, 0 failed, 1 skipped"
count 2 shell_bad.trs no_setup.trs
check "a script's failure, an error" last 1 "1 passed, 2 failed"
count 2 cunit_good.trs absent.trs
check "a test that never ran is a failure" last 1 "2 passed, 1 failed"
count 2 cunit_good.trs
check "a failure of make itself is one more" last 1 "2 passed, 1 failed"
count 0
check "nothing at all is not a success" last 1 "0 passed, 0 failed"

if command -v setsid >/dev/null && command -v timeout >/dev/null; then
    within=$(cd "$OLDPWD" && cd "$ANPE_SRCDIR" && pwd)/tests/within
    run sh "$within" sh -c 'echo ok it; exit 77'
    check "a test that ends has its own status" test "$status" = 77 -a "$(cat out)" = "ok it"
    # shellcheck disable=SC2016
    run env ANPE_TEST_LIMIT=1 sh "$within" sh -c 'echo $$ >hung; sleep 997 & echo $! >>hung; trap "rm -f part; exit 0" TERM; : >part; wait'
    check "one that hangs is ended, and has failed whatever it says" test "$status" = 99
    check "and says so, with its processes" test "$(grep -c '^not ok it ends: after 1 s\|: sleep 997' out)" = 2
    check "has put its files away" test ! -e part
    while read -r process; do
        check "is gone, and what it has started" test ! -e "/proc/$process/exe"
    done <hung
else
    skip "a test that hangs" "no setsid or timeout (util-linux, coreutils)"
fi
finish
