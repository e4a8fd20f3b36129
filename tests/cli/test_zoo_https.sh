#!/bin/sh
# anpe zoo over https, with a server and a certificate of this test: cut connections, servers that cannot begin in
# the middle, a full disk, two at once, kill -9 at random moments (KILLS of them).
. "${ANPE_SRCDIR:-.}/tests/cli/common.sh"
case $ANPE in /*) ;; *) ANPE=$PWD/$ANPE ;; esac
source=$(cd "$ANPE_SRCDIR" && pwd)
grep -q '^#define ANPE_HAVE_CURL' "$ANPE_BUILDDIR/config.h" || skip_all "built without libcurl"
command -v openssl >/dev/null || skip_all "openssl is not installed"
python3 -c 'import ssl, http.server' 2>/dev/null || skip_all "python3 with ssl is not installed"
cd "$work" || exit 99
unset ANPE_ZOO ANPE_REGISTRY https_proxy HTTPS_PROXY ALL_PROXY all_proxy
export XDG_DATA_HOME="$work/data"
zoo=$work/data/anpe/zoo
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out cert.pem -days 3 \
    -subj /CN=localhost -addext subjectAltName=DNS:localhost 2>openssl.log || skip_all "openssl makes no certificate"

# A model of a few hundred kB, so that there are moments in between.
sed 's/hidden = 8;/hidden = 120;/; s/hidden = \[ 4 \]/hidden = [ 200, 200 ]/' "$source/tests/fuzz/tiny.cfg" >c.cfg
"$ANPE" train c.cfg -o m.h5 --quiet && "$ANPE" validate m.h5 -n 60 -s 20 --quiet >out || exit 99
size=$(wc -c <m.h5)
key=$("$ANPE" zoo key secret)
"$ANPE" zoo publish m.h5 registry --key secret --name mini --release 1.0 --quiet || exit 99
"$ANPE" zoo trust "$key" --quiet

python3 "$source/tests/cli/zoo_server.py" registry cert.pem key.pem port 2>server.log &
child=$!
server=$child
trap 'kill $server 2>/dev/null; rm -rf "$work"' EXIT
await test -s port
[ -s port ] || skip_all "the server does not start: $(tail -1 server.log)"
url=https://localhost:$(cat port)
get() { run "$ANPE" zoo get "${1-mini}" --from "$url" --quiet; }
fresh() { rm -rf "$zoo/mini" "$zoo/.partial" registry/cut registry/slow registry/whole registry/requests; }
requests() { grep -c 'mini\.h5' registry/requests; }
whole() { cmp -s m.h5 "$zoo/mini/1.0/mini.h5" && [ -z "$(ls "$zoo/.partial")" ]; }

get
expect_error "a certificate that nobody vouches for" 1 "^anpe: $url/index.json: .*certificate"
export CURL_CA_BUNDLE="$work/cert.pem"
fresh
get
check "get" test "$status" = 0
check "get: what was published" whole
run "$ANPE" zoo list --from "$url"
check "list" grep -q '^mini  *1.0  *spectrum' out

fresh
echo "$((size / 3)) 2" >registry/cut
get
check "a connection that breaks twice is taken up again" test "$status" = 0
check "from where it broke" grep -q "mini.h5 $((2 * (size / 3)))$" registry/requests
check "and what came is whole" whole

fresh
echo "$((size / 2)) 100" >registry/cut
run env ANPE_DEBUG=0 "$ANPE" zoo get mini --from "$url" --quiet
check "a connection that breaks again and again brings it in pieces" test "$status" = 0
fresh
echo "0 100" >registry/cut
get
expect_error "one that brings nothing ends in a message" 1 "^anpe: $url/mini/1.0/mini.h5: "
check "and in no model" test ! -e "$zoo/mini/1.0"

fresh
: >registry/whole
mkdir -p "$zoo/.partial/mini-1.0" && head -c 1000 m.h5 >"$zoo/.partial/mini-1.0/mini.h5"
get
check "a server that cannot begin in the middle" test "$status" = 0
check "gives it from the beginning" whole

fresh
mkdir -p "$zoo/.partial/mini-1.0" && head -c $((size / 2)) m.h5 >"$zoo/.partial/mini-1.0/mini.h5"
get
check "what an earlier attempt left is not fetched again" grep -q "mini.h5 $((size / 2))$" registry/requests
check "what an earlier attempt left: whole" whole
fresh
mkdir -p "$zoo/.partial/mini-1.0" && head -c $((size / 2)) /dev/zero >"$zoo/.partial/mini-1.0/mini.h5"
get
check "what is left of another file is fetched anew" whole

fresh
cp registry/mini/1.0/mini.h5 kept
printf x | dd of=registry/mini/1.0/mini.h5 bs=1 seek=$((size / 2)) conv=notrunc 2>/dev/null
get
expect_error "an altered model" 1 "mini.h5: is not what was signed: SHA-256"
check "an altered model is not kept" test ! -e "$zoo/mini/1.0" -a ! -e "$zoo/.partial/mini-1.0/mini.h5"
cp kept registry/mini/1.0/mini.h5

# ---- a full disk ------------------------------------------------------------------------------------
fresh
block=$( (ulimit -f 1; head -c 4096 /dev/zero >blocks) 2>/dev/null; wc -c <blocks)
limited() { (
    ulimit -f $((size / 2 / block))
    "$@"
); }
run limited "$ANPE" zoo get mini --from "$url" --quiet
expect_error "no room" 1 "^anpe: $zoo/.partial/mini-1.0/mini.h5: cannot write: File too large$"
check "no room: nothing takes the name" test ! -e "$zoo/mini/1.0"
get
check "with room again" whole
check "it goes on from what there was room for" test "$(grep -c 'mini.h5 0$' registry/requests)" = 1

# ---- two at once ------------------------------------------------------------------------------------
fresh
echo 4000 >registry/slow
"$ANPE" zoo get mini --from "$url" --quiet 2>one.err &
one=$!
"$ANPE" zoo get mini --from "$url" --quiet 2>two.err &
two=$!
wait $one && first=0 || first=$?
wait $two && second=0 || second=$?
check "two at once: both succeed ($(cat one.err two.err))" test $first$second = 00
check "two at once: the model came once" test "$(requests)" = 1
check "two at once: whole" whole

# ---- kill -9 ----------------------------------------------------------------------------------------
# Whatever the moment, counted in bytes that have come: no model, or the one that was signed; the next attempt
# goes on. Of every second round nothing is left for the next.
fresh
echo 2000 >registry/slow
has_come() { [ "$(stat -c %s "$zoo/.partial/mini-1.0/mini.h5" 2>/dev/null || echo 0)" -ge "$1" ]; }
bad=0 amid=0
kills=${KILLS:-6}
for k in $(seq "$kills"); do
    rm -rf "$zoo/mini"
    [ $((k % 2)) = 0 ] || rm -rf "$zoo/.partial"
    "$ANPE" zoo get mini --from "$url" --quiet 2>/dev/null &
    child=$!
    await has_come "$(awk -v k="$k" -v n="$size" 'BEGIN { srand(k); print int(1.1 * n * rand()) }')"
    kill -9 $child 2>/dev/null && amid=$((amid + 1))
    wait $child 2>/dev/null || true
    if [ -e "$zoo/mini/1.0" ]; then
        cmp -s m.h5 "$zoo/mini/1.0/mini.h5" && "$ANPE" zoo verify mini --quiet >/dev/null || bad=$((bad + 1))
    else
        "$ANPE" info mini >/dev/null 2>&1 && bad=$((bad + 1))
    fi
done
check "kill -9, $kills times, $amid of them before the end: no model but the one that was signed" test $bad = 0
rm registry/slow
get
check "afterwards" test "$status" = 0
check "afterwards: whole" whole
check "afterwards: nothing is left of the runs that were killed" test -z "$(find "$zoo" "$XDG_DATA_HOME" -name '.*.tmp')"
finish
