#!/usr/bin/env bash
# On a machine with a GPU, rented by the second: one model after the other, each until some second after the machine's start.
#
#   training/remote/run.sh start WORK PLAN     leaves the training running in WORK, which holds tokens/ and what the plan names
#   training/remote/run.sh wait WORK OUT NAME SECONDS     until NAME is done or the seconds are over, then OUT/NAME.model.0 …
#   training/remote/run.sh half WORK OUT NAME PIECES      some of OUT/NAME.half.0 …: too much to send, perhaps, at once
#
# A line of a plan is NAME CONFIG SECOND ARGUMENTS…: a run's folder in WORK, a file of training/configs, when to end, and what
# train.py is given besides, paths being those in WORK. Whoever waits has to ask for the next thing at once: such machines go back when
# idle, and take with them what has not been collected.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
work=$(realpath -m "$2")
# Seconds since the machine's start; one whose clock tells of something older counts as a minute old at `start`.
up() { echo $(($(date +%s) - $(cat "$work/zero"))); }
train() { # CONFIG RUN ARGUMENTS…
    local config=$1 run=$2
    shift 2
    cd "$work"
    PYTHONUNBUFFERED=1 python3 "$here/train.py" "$config" tokens "$here/../models/vocabulary.tsv" "$run" "$@" \
        >>"$run.log" 2>&1 </dev/null
}
train_until() { # RUN CONFIG SECOND ARGUMENTS…; once more from the last checkpoint, without quantisation, if something fails
    local run=$1 config=$here/configs/$2.json end=$3
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
    cp "$3" "$work/plan"
    setsid nohup "$0" all "$work" >"$work/all.log" 2>&1 </dev/null &
    ;;
all)
    while read -r run config end arguments; do
        # shellcheck disable=SC2086 # arguments are words
        train_until "$run" "$config" "$end" $arguments
        touch "$work/$run.done"
        echo "$run done at $(up)"
    done <"$work/plan"
    ;;
wait)
    [ -e "$work/zero" ] || { echo "nothing was started in $work on this machine" >&2; exit 1; }
    end=$(($(up) + $5))
    while [ "$(up)" -lt "$end" ] && ! [ -e "$work/$4.done" ]; do sleep 0.5; done
    if [ -e "$work/$4/float.safetensors" ]; then
        python3 "$here/export.py" "$work/$4/float.safetensors" "$here/../models/vocabulary.tsv" "$work/$4/model.safetensors"
        split -b 15M -d -a 1 "$work/$4/model.safetensors" "$3/$4.model."
    fi
    tar -czf "$3/logs.tgz" -C "$work" $(cd "$work" && ls -d -- *.log */*.csv)
    echo "at $(up):"
    tail -n 5 "$work"/*.log
    ;;
half)
    half=$work/$4/half
    [ -e "$half" ] || python3 "$here/remote/parts.py" half "$work/$4/float.safetensors" "$half"
    split -b 15M -d -a 1 "$half" "$half."
    for piece in $5; do cp "$half.$piece" "$3/$4.half.$piece"; done
    ;;
esac
