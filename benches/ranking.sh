#!/bin/sh
# Wall time of ranking 10,000 runs, in studies of several shapes.
# Usage: benches/ranking.sh [path of lrscout]
set -eu
lrscout=${1:-target/release/lrscout}
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
while read -r workloads schedules multiples seeds; do
    awk -v W="$workloads" -v J="$schedules" -v M="$multiples" -v S="$seeds" '
    BEGIN {
        srand(1)
        print "workload,schedule,lr_multiple,seed,valid_loss"
        for (w = 0; w < W; w++) for (j = 0; j < J; j++)
            for (m = 0; m < M; m++) for (s = 0; s < S; s++)
                printf "w%d,s%d,%g,%d,%.9f\n", w, j, 2 ^ (m - 2), s, \
                    1 + w / W + j / 10 / J + rand() / 10
    }' > "$folder/runs.csv"
    echo "$workloads workloads, $schedules schedules," \
        "$multiples multiples, $seeds seeds:"
    time "$lrscout" rank "$folder/runs.csv" --control s0 --format json \
        > /dev/null
done <<SHAPES
20 10 5 10
2 10 5 100
100 100 1 1
1000 10 1 1
5000 2 1 1
SHAPES
