#!/bin/sh
# Wall time of ranking 10,000 runs: 20 workloads, 10 schedules, 5 multiples,
# 10 seeds. Usage: benches/ranking.sh [path of lrscout]
set -eu
lrscout=${1:-target/release/lrscout}
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
awk 'BEGIN {
    srand(1)
    print "workload,schedule,lr_multiple,seed,valid_loss"
    for (w = 0; w < 20; w++) for (j = 0; j < 10; j++)
        for (m = 0; m < 5; m++) for (s = 0; s < 10; s++)
            printf "w%d,s%d,%g,%d,%.9f\n", w, j, 2 ^ (m - 2), s, \
                1 + w / 20 + j / 100 + rand() / 10
}' > "$folder/runs.csv"
time "$lrscout" rank "$folder/runs.csv" --control s0 --format json > /dev/null
