/* SPDX-License-Identifier: Apache-2.0
 * Parameters from a formula, so that two programs can have the same network without exchanging a file:
 *     u(name, seed, i) = (splitmix64(h + i * GOLDEN) >> 40) / 2^24,   h = fnv1a64(name) ^ (seed * GOLDEN)
 *     weights of convolutions and linear layers   (2u - 1) * sqrt(6 / fan_in)      (He et al. 2015)
 *     biases, running means                       (2u - 1) * 0.1
 *     batch norm's weights, running variances     0.5 + u
 * in double, rounded once to float32. `name` is the parameter's name in files of a dialect. */
#include <math.h>

#include "network/row.h"
#include "tributary/internal/alloc.h"

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

static uint64_t stream_of(const char *name, uint64_t seed) { return fnv1a64(name) ^ seed * golden; }
static double uniform_at(uint64_t stream, uint64_t i)
{
    return (double)(splitmix64(stream + i * golden) >> 40) * 0x1p-24;
}

double trib_uniform(const char *name, uint64_t seed, uint64_t i) { return uniform_at(stream_of(name, seed), i); }

static double value_of(trib_role role, double he_bound, double u)
{
    switch (role) {
    case TRIB_WEIGHT: return (2 * u - 1) * he_bound;
    case TRIB_BN_WEIGHT:
    case TRIB_BN_VAR: return 0.5 + u;
    default: return (2 * u - 1) * 0.1;
    }
}

static void fill(const trib_parameter *parameter, const char *file_name, uint64_t seed, int64_t count, float *values)
{
    const uint64_t stream = stream_of(file_name, seed);
    const double fan_in = (double)count / (double)parameter->shape.dim[0];
    const double he_bound = sqrt(6.0 / fan_in);
    for (int64_t i = 0; i < count; ++i)
        values[i] = (float)value_of(parameter->role, he_bound, uniform_at(stream, (uint64_t)i));
}

/* Fails if the parameters cannot fit into memory. */
static trib_status count_all(const trib_graph *graph, int64_t *total)
{
    const int64_t limit = PTRDIFF_MAX / (int64_t)sizeof(float);
    int64_t sum = 0, count = 0;
    for (int i = 0; i < trib_graph_parameter_count(graph); ++i) {
        TRIB_TRY(trib_shape_count(&trib_graph_parameter(graph, i)->shape, &count));
        if (count > limit - sum) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "the network has too many parameters");
        sum += count;
    }
    *total = sum;
    return trib_success();
}

trib_status trib_parameters_random(const trib_graph *graph, const trib_dialect *dialect, uint64_t seed,
                                   trib_tensor *parameters, void **storage)
{
    char name[TRIB_NAME_TEXT];
    int64_t total = 0, count = 0;
    TRIB_TRY(count_all(graph, &total));
    float *values = trib_alloc((size_t)total * sizeof *values);
    if (!values) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for %lld parameters", (long long)total);
    *storage = values;
    for (int i = 0; i < trib_graph_parameter_count(graph); ++i, values += count) {
        const trib_parameter *p = trib_graph_parameter(graph, i);
        (void)trib_shape_count(&p->shape, &count); /* succeeded above */
        fill(p, trib_parameter_file_name(graph, dialect, i, name), seed, count, values);
        parameters[i] = (trib_tensor) { .name = p->name, .dtype = TRIB_F32, .shape = p->shape, .data = values };
    }
    return trib_success();
}

void trib_parameters_free_random(void *storage) { trib_free(storage); }
