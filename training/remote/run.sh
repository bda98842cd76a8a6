#!/usr/bin/env bash
# On a machine with a GPU, lent by the second: base until BASE_END seconds after the machine's start, then swift until SWIFT_END.
#
#   training/remote/run.sh start WORK     leaves the training running in WORK, which holds tokens/, base.counts and swift.half
#   training/remote/run.sh wait WORK OUT NAME SECONDS     until NAME is done or the seconds are over, then gathers what there is
#
# A second process compiles what the last part of base needs, and swift, while base trains. Whoever waits has to ask for the
# next thing at once: such machines go back when idle, and take with them what has not been collected.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
models=$here/../models
work=$(realpath -m "$2")
# Seconds since the machine's start; one whose clock tells of something older counts as a minute old at `start`.
up() { echo $(($(date +%s) - $(cat "$work/zero"))); }
train() { # CONFIG RUN ARGUMENTS…
    local config=$1 run=$2
    shift 2
    PYTHONUNBUFFERED=1 TORCHINDUCTOR_CACHE_DIR=$work/compiled python3 "$here/train.py" "$config" "$work/tokens" \
        "$models/vocabulary.tsv" "$work/$run" "$@" >>"$work/$run.log" 2>&1
}
train_until() { # SECONDS CONFIG RUN ARGUMENTS…; once more from the last checkpoint, without quantisation, if something fails
    local end=$1 config=$here/configs/$2.json run=$3
    shift 3
    minutes_left() { python3 -c "print(max(0.1, ($end - $(up)) / 60))"; }
    train "$config" "$run" "$@" --minutes "$(minutes_left)" && return
    sed 's/"quantise_last": [0-9.]*/"quantise_last": 0/' "$config" >"$work/$run.json"
    train "$work/$run.json" "$run" "$@" --minutes "$(minutes_left)" || true
}

case $1 in
start)
    age=$(cut -d. -f1 /proc/uptime)
    echo $(($(date +%s) - (age < 120 ? age : 60))) >"$work/zero"
    setsid nohup "$0" all "$work" >"$work/all.log" 2>&1 </dev/null &
    ;;
all)
    (train "$here/configs/base.json" rehearsal --counts "$work/base.counts" --rehearse --minutes 1
     train "$here/configs/swift-gpu.json" rehearsal --counts "$work/base.counts" --rehearse --minutes 1) &
    train_until "${BASE_END:-600}" base base --counts "$work/base.counts" --eval-minutes 2
    touch "$work/base.done"
    echo "base done at $(up)"
    train_until "${SWIFT_END:-812}" swift-gpu swift --counts "$work/swift.half" --start "$work/swift.half" --peak 0.8 \
        --eval-minutes 1.2
    touch "$work/swift.done"
    echo "swift done at $(up)"
    ;;
wait)
    [ -e "$work/zero" ] || { echo "nothing was started in $work on this machine" >&2; exit 1; }
    end=$(($(up) + $5))
    while [ "$(up)" -lt "$end" ] && ! [ -e "$work/$4.done" ]; do sleep 0.5; done
    for name in base swift; do
        if [ -e "$work/$name/float.safetensors" ]; then python3 "$here/remote/parts.py" collect "$work/$name" "$3"; fi
    done
    tar -czf "$3/logs.tgz" -C "$work" $(cd "$work" && ls -d -- *.log */*.csv)
    echo "at $(up):"
    tail -n 5 "$work"/*.log
    ;;
esac
