/* SPDX-License-Identifier: Apache-2.0
 * The order of an epoch: a Feistel network permutes the numbers of 2h bits, a power of four that is at least `count`.
 * A result beyond `count` is permuted again until it is below: that walks along the cycle of the permutation, so that
 * different positions end at different numbers. Fewer than four steps are needed on average, 64 for tiny counts. */
#include "image/draw.h"
#include "tributary/training_data.h"

enum { ROUNDS = 8, LEAST_HALF_BITS = 3 };

static int half_bits(uint64_t count)
{
    int bits = LEAST_HALF_BITS;
    while (count > (uint64_t)1 << 2 * bits) ++bits;
    return bits;
}

static uint64_t permute(uint64_t key, int bits, uint64_t x)
{
    uint64_t mask = ((uint64_t)1 << bits) - 1, left = x >> bits, right = x & mask;
    for (uint64_t round = 0; round < ROUNDS; ++round) {
        uint64_t next = left ^ (trib_mix((key ^ right) + round * trib_golden_ratio) & mask);
        left = right;
        right = next;
    }
    return left << bits | right;
}

int64_t trib_training_order(uint64_t seed, int64_t epoch, int64_t position, int64_t count)
{
    int bits = half_bits((uint64_t)count);
    uint64_t key = trib_key_with(trib_key_with(0, seed), (uint64_t)epoch), x = (uint64_t)position;
    do x = permute(key, bits, x);
    while (x >= (uint64_t)count);
    return (int64_t)x;
}
