/* SPDX-License-Identifier: Apache-2.0
 * Parameters from a formula, so that two programs can have the same network without exchanging a file:
 *     u(name, seed, i) = (splitmix64(h + i * GOLDEN) >> 40) / 2^24,   h = fnv1a64(name) ^ (seed * GOLDEN)
 *     weights of convolutions and linear layers   (2u - 1) * sqrt(6 / fan_in)      (He et al. 2015)
 *     biases, running means                       (2u - 1) * 0.1
 *     batch norm's weights, running variances     0.5 + u
 * in double, rounded once to float32. `name` is the parameter's name in files of a dialect. */
#include <math.h>

#include "network/row.h"
#include "network/values.h"

static const uint64_t golden = 0x9E3779B97F4A7C15u; /* 2^64 / the golden ratio */

static uint64_t fnv1a64(const char *text)
{
    uint64_t hash = 0xCBF29CE484222325u;
    for (; *text; ++text) hash = (hash ^ (unsigned char)*text) * 0x100000001B3u;
    return hash;
}

static uint64_t splitmix64(uint64_t x)
{
    x += golden;
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
    x = (x ^ x >> 27) * 0x94D049BB133111EBu;
    return x ^ x >> 31;
}

uint64_t trib_stream_of(const char *name, uint64_t seed) { return fnv1a64(name) ^ seed * golden; }

double trib_uniform_at(uint64_t stream, uint64_t i)
{
    return (double)(splitmix64(stream + i * golden) >> 40) * 0x1p-24;
}

double trib_uniform(const char *name, uint64_t seed, uint64_t i)
{
    return trib_uniform_at(trib_stream_of(name, seed), i);
}

static double value_of(trib_role role, double he_bound, double u)
{
    switch (role) {
    case TRIB_WEIGHT: return (2 * u - 1) * he_bound;
    case TRIB_BN_WEIGHT:
    case TRIB_BN_VAR: return 0.5 + u;
    default: return (2 * u - 1) * 0.1;
    }
}

typedef struct source {
    const trib_dialect *dialect;
    uint64_t seed;
} source;

static void fill(const void *context, const trib_graph *graph, int parameter, int64_t count, float *values)
{
    const source *s = context;
    char name[TRIB_NAME_TEXT];
    const uint64_t stream = trib_stream_of(trib_parameter_file_name(graph, s->dialect, parameter, name), s->seed);
    const trib_parameter *p = trib_graph_parameter(graph, parameter);
    const double he_bound = sqrt(6.0 / ((double)count / (double)p->shape.dim[0]));
    for (int64_t i = 0; i < count; ++i)
        values[i] = (float)value_of(p->role, he_bound, trib_uniform_at(stream, (uint64_t)i));
}

trib_status trib_parameters_random(const trib_graph *graph, const trib_dialect *dialect, uint64_t seed,
                                   trib_tensor *parameters, void **storage)
{
    return trib_parameters_make(graph, NULL, fill, &(const source) { dialect, seed }, parameters, storage);
}
