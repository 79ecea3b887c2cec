/* SPDX-License-Identifier: Apache-2.0
 * Dropout, and its random numbers: Philox 4x32-10 (Salmon et al. 2011), a function of a counter and a key, so that
 * forward and backward, on any device and in any order, see the same mask and nothing stores it. */
#include "reference/reference.h"

enum { ROUNDS = 10, WORDS = 4 };

static void philox(uint32_t x[WORDS], uint32_t low, uint32_t high)
{
    for (int round = 0; round < ROUNDS; ++round) {
        const uint64_t a = (uint64_t)0xD2511F53u * x[0], b = (uint64_t)0xCD9E8D57u * x[2];
        const uint32_t y[WORDS] = { (uint32_t)(b >> 32) ^ x[1] ^ low, (uint32_t)b, (uint32_t)(a >> 32) ^ x[3] ^ high,
                                    (uint32_t)a };
        for (int i = 0; i < WORDS; ++i) x[i] = y[i];
        low += 0x9E3779B9u;
        high += 0xBB67AE85u;
    }
}

float trib_random_uniform(uint64_t seed, uint64_t step, uint32_t salt, uint64_t index)
{
    const uint64_t block = index / WORDS;
    uint32_t x[WORDS] = { (uint32_t)block, (uint32_t)(block >> 32), (uint32_t)step, (uint32_t)(step >> 32) };
    philox(x, (uint32_t)seed, (uint32_t)(seed >> 32) ^ salt);
    return (float)(x[index % WORDS] >> 8) * (1.0f / 16777216);
}

void trib_ref_dropout(const trib_dropout_geometry *g, const float *x, float *y)
{
    const float keep = 1 / (1 - g->p);
    for (int64_t i = 0; i < g->n * g->pixels; ++i)
        for (int c = 0; c < g->c; ++c) {
            const int64_t element = (i / g->pixels * g->c + c) * g->pixels + i % g->pixels;
            const float u = trib_random_uniform(g->seed, g->step, g->salt, (uint64_t)element);
            y[i * g->y_pitch + c] = u < g->p ? 0 : x[i * g->x_pitch + c] * keep;
        }
}
