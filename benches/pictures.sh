#!/bin/sh
# Writes pictures of noise in CIFAR-10's binary format to data/noise, for
# benches/resnet.toml: label 0 to 9, then 3072 bytes.
set -eu
mkdir -p data/noise
for name in data_batch_1 data_batch_2 data_batch_3 data_batch_4 data_batch_5 \
    test_batch; do
    i=0
    while [ $i -lt 500 ]; do
        printf "\\00$((i % 8))"
        head -c 3072 /dev/urandom
        i=$((i + 1))
    done > "data/noise/$name.bin"
done
