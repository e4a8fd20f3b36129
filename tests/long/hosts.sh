#!/bin/sh
# One run on two hosts: network namespaces with a wire between them, joined by mpirun over TCP. The same bytes as one
# process makes, and how many cross the wire, by command. Needs root.
. "${ANPE_SRCDIR:-.}/tests/long/common.sh"
[ "$(id -u)" = 0 ] || skip_all "network namespaces need root"
for tool in ip mpirun unshare; do
    command -v $tool >/dev/null || skip_all "$tool is not installed (Debian: iproute2, openmpi-bin, util-linux)"
done
[ -e "$ANPE_BUILDDIR/plugins/ranks_mpi.la" ] || skip_all "the plugin ranks/mpi is not built"
export SOURCE_DATE_EPOCH=1700000000
rm -rf ./*
a=anpe-$$-a b=anpe-$$-b
trap 'ip netns del $a 2>/dev/null; ip netns del $b 2>/dev/null; rm -rf "$work"' EXIT
ip netns add $a 2>err || skip_all "no network namespaces here: $(cat err)"
ip netns add $b
ip link add wire netns $a type veth peer name wire netns $b 2>err || skip_all "no virtual wire here: $(cat err)"
for host in $a:1 $b:2; do
    name=${host%:*}
    ip -n "$name" addr add "10.77.0.${host#*:}/24" dev wire
    ip -n "$name" link set lo up
    ip -n "$name" link set wire up
done
# In the place of ssh: each host has a name of its own, too.
cat >agent <<E2
#!/bin/sh
host=\$1
shift
case \$host in 10.77.0.1) space=$a ;; 10.77.0.2) space=$b ;; *) exit 99 ;; esac
exec ip netns exec \$space unshare --uts sh -c "hostname \$space; \$*"
E2
chmod +x agent
printf '10.77.0.%s slots=8\n' 1 2 >hosts
# together N COMMAND...: N ranks, on the hosts in turn.
together() {
    n=$1
    shift
    ip netns exec $a unshare --uts sh -c "hostname $a; exec \"\$@\"" - \
        mpirun --allow-run-as-root --hostfile hosts --map-by node -n "$n" --mca plm_rsh_agent "$PWD/agent" --mca pml ob1 \
        --mca btl tcp,self --mca btl_tcp_if_include 10.77.0.0/24 --mca oob_tcp_if_include 10.77.0.0/24 "$@"
}
run together 2 hostname
check "two hosts" test "$(sort -u "$work/out" | wc -l)" = 2
[ "$failures" = 0 ] || { cat "$work/err"; finish; }

# The configuration of tests/cli/test_mpi.sh.
sed -e 's/^instrument = .*/instrument = { plugin = "spectrum"; windows = [ 5160.0, 5190.0 ]; resolution = 20000.0; };/' \
    -e 's/^noise = .*/noise = { plugin = "gaussian"; sigma = 0.02; };/' -e 's/depth = 8;/depth = 4;/' \
    -e 's/batch = .*/batch = 20;/; s/n_validation = .*/n_validation = 20;/; s/steps = .*/steps = 5;/; s/epochs = .*/epochs = 1;/' \
    "$(cd "$ANPE_SRCDIR" && pwd)/tests/cli/small.cfg" >small.cfg
echo 'compute = { micro_batch = 4; };' >>small.cfg
anpe() { "$ANPE" "$@" --threads 1 --quiet; }

# ---- the same bytes -----------------------------------------------------------------------------------------------
anpe train small.cfg -o one.h5 || exit 99
anpe simulate small.cfg -n 700 --observed -o one_mocks.h5 || exit 99
anpe infer one.h5 one_mocks.h5 -o one.fits --posterior one_draws.h5 -s 50 || exit 99
cp one.h5 one_checked.h5
anpe validate one_checked.h5 -n 260 -s 20 --exact 9 || exit 99
for ranks in 2 3; do
    for command in "train small.cfg -o two.h5" "simulate small.cfg -n 700 --observed -o two_mocks.h5" \
        "infer one.h5 one_mocks.h5 -o two.fits --posterior two_draws.h5 -s 50" \
        "validate two_checked.h5 -n 260 -s 20 --exact 9"; do
        cp one.h5 two_checked.h5
        # shellcheck disable=SC2086
        run together $ranks "$ANPE" $command --threads 1 --quiet
        check "$ranks ranks on two hosts: ${command%% *}" test "$status" = 0
        case $command in validate*) check "its bytes, two_checked.h5" cmp one_checked.h5 two_checked.h5 ;; esac
    done
    for f in .h5 _mocks.h5 .fits _draws.h5; do check "$ranks ranks: the bytes of one process, two$f" cmp one$f two$f; done
done

# ---- what crosses the wire ----------------------------------------------------------------------------------------
# Bytes from the first host to the second, and back.
wire() { ip netns exec $a cat /sys/class/net/wire/statistics/tx_bytes /sys/class/net/wire/statistics/rx_bytes; }
# crossing COMMAND...: what two ranks sent, in $there and $back.
crossing() {
    set -- "$@" --threads 1 --quiet
    before=$(wire | tr '\n' ' ')
    together 2 "$ANPE" "$@" >/dev/null 2>err || { cat err; exit 99; }
    # shellcheck disable=SC2046,SC2086
    set -- $before $(wire)
    there=$(($3 - $1)) back=$(($4 - $2))
}
# each NAME FEW MANY COMMAND...: bytes of one more, the number in place of @. A single block is made by the second rank.
each() {
    what=$1 few=$2 many=$3
    shift 3
    cp one.h5 model.h5
    # shellcheck disable=SC2046
    crossing $(echo "$@" | sed "s/@/$few/g")
    base=$there based=$back
    cp one.h5 model.h5
    # shellcheck disable=SC2046
    crossing $(echo "$@" | sed "s/@/$many/g")
    figure "bytes of $what, to the second rank" "$(awk "BEGIN { printf \"%.0f\", ($there - $base) / ($many - $few) }")"
    figure "bytes of $what, from the second rank" "$(awk "BEGIN { printf \"%.0f\", ($back - $based) / ($many - $few) }")"
    figure "bytes of all else in such a run, both ways" "$(awk "BEGIN { k = $few / ($many - $few)
        printf \"%.0f\", $base + $based - k * ($there + $back - $base - $based) }")"
}
for n in 1 128; do anpe simulate small.cfg -n $n --observed -o mocks$n.h5 || exit 99; done
figure "parameters" "$("$ANPE" train small.cfg -o other.h5 --set train.steps=1 --threads 1 2>&1 | sed -n 's/.*[^0-9]\([0-9][0-9]*\) parameters.*/\1/p' | head -n 1)"
figure "pixels" "$("$ANPE" info one.h5 | sed -n 's/.*[^0-9]\([0-9][0-9]*\) pixels.*/\1/p' | head -n 1)"
rm -f other.h5
each "one step of train" 10 60 train small.cfg -o other.h5 --set train.steps=@
# Of a network of some size, with a batch of four; the message is the same as with the batch that it is trained with.
each "one step of train, lines.cfg" 2 10 train "$(cd "$ANPE_SRCDIR" && pwd)/instruments/apogee/lines.cfg" -o other.h5 \
    --set train.batch=4 --set compute.micro_batch=2 --set train.n_validation=4 --set train.epochs=1 --set train.steps=@
each "one spectrum of simulate" 1 256 simulate small.cfg -o other.h5 -n @
each "one spectrum of simulate --observed" 1 256 simulate small.cfg -o other.h5 --observed -n @
each "one mock of validate" 50 128 validate model.h5 -s 20 -n @
each "one spectrum of infer" 1 128 infer one.h5 mocks@.h5 -s 1000 -o other.fits
each "one spectrum of infer --posterior" 1 128 infer one.h5 mocks@.h5 -s 1000 --posterior other.h5 -o other.fits
finish
