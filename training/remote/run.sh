#!/usr/bin/env bash
# On a machine with a GPU, lent by the second: base until BASE_END seconds after the machine's start, then swift until SWIFT_END.
#
#   training/remote/run.sh start WORK     leaves the training running in WORK, which holds tokens/, base.counts and swift.half
#   training/remote/run.sh wait WORK OUT SECONDS     comes back when both are done, or the seconds are over, with what there is
#
# A second process compiles what the last part of base needs, and swift, while base trains. Whoever waits has to ask for the
# next thing at once: such machines go back when idle, and take with them what has not been collected.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
models=$here/../models
work=$(realpath -m "$2")
up() { cut -d. -f1 /proc/uptime; }
train() { # CONFIG RUN ARGUMENTS…
    local name=$1 run=$2
    shift 2
    PYTHONUNBUFFERED=1 TORCHINDUCTOR_CACHE_DIR=$work/compiled python3 "$here/train.py" "$here/configs/$name.json" "$work/tokens" \
        "$models/vocabulary.tsv" "$work/$run" "$@" >"$work/$run.log" 2>&1
}
minutes_to() { python3 -c "print(max(0.1, ($1 - $(up)) / 60))"; }

case $1 in
start)
    setsid nohup "$0" all "$work" >"$work/all.log" 2>&1 </dev/null &
    ;;
all)
    (train base rehearsal --counts "$work/base.counts" --rehearse --minutes 1
     train swift-gpu rehearsal2 --counts "$work/base.counts" --rehearse --minutes 1) &
    train base base --counts "$work/base.counts" --minutes "$(minutes_to "${BASE_END:-620}")" --eval-minutes 2.5
    touch "$work/base.done"
    train swift-gpu swift --counts "$work/swift.half" --start "$work/swift.half" --peak 0.8 --eval-minutes 9 \
        --minutes "$(minutes_to "${SWIFT_END:-840}")"
    touch "$work/swift.done"
    ;;
wait)
    end=$(($(up) + $4))
    [ -e "$work/all.log" ] || { echo "nothing was started in $work on this machine" >&2; exit 1; }
    while [ "$(up)" -lt "$end" ] && ! [ -e "$work/swift.done" ] && pgrep -f 'run.sh all' >/dev/null; do sleep 1; done
    for name in base swift; do
        if [ -e "$work/$name/float.safetensors" ]; then python3 "$here/remote/parts.py" collect "$work/$name" "$3"; fi
    done
    cp "$work"/*.log "$3"
    tail -n 4 "$work"/*.log
    ;;
esac
