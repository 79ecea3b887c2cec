/* SPDX-License-Identifier: Apache-2.0
 * Random numbers that are a function of a key and their position: SplitMix64, whose state is a counter. */
#ifndef TRIBUTARY_IMAGE_DRAW_H
#define TRIBUTARY_IMAGE_DRAW_H

#include <stdint.h>

static const uint64_t trib_golden_ratio = 0x9E3779B97F4A7C15u;

/* A bijection of 64 bits in which every input bit changes half of the output bits. */
static inline uint64_t trib_mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return x ^ (x >> 31);
}

/* A key made of another and a number. */
static inline uint64_t trib_key_with(uint64_t key, uint64_t number)
{
    return trib_mix(key ^ trib_mix(number + trib_golden_ratio));
}

typedef struct trib_draws {
    uint64_t state;
} trib_draws;

static inline trib_draws trib_draws_of(uint64_t key) { return (trib_draws) { key }; }

static inline uint64_t trib_draw(trib_draws *draws) { return trib_mix(draws->state += trib_golden_ratio); }

/* [0, 1), in steps of 2^-53. */
static inline double trib_draw_unit(trib_draws *draws) { return (double)(trib_draw(draws) >> 11) * 0x1p-53; }

static inline double trib_draw_between(trib_draws *draws, double low, double high)
{
    return low + (high - low) * trib_draw_unit(draws);
}

/* 0 .. limit - 1, for limits below 2^32: none is more likely by more than 2^-32. */
static inline int64_t trib_draw_below(trib_draws *draws, int64_t limit)
{
    return (int64_t)(trib_draw_unit(draws) * (double)limit);
}

#endif
