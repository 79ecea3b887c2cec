/* SPDX-License-Identifier: Apache-2.0
 * The rules by which a network's parameters begin. A normal value is Box and Muller's, from numbers 2k and 2k + 1 of
 * the parameter's sequence, so that any value can be computed alone. */
#include <math.h>
#include <string.h>

#include "network/row.h"
#include "network/values.h"

/* One parameter. */
typedef struct target {
    uint64_t stream;
    double fan_in; /* of its layer */
    bool classifier;
} target;

struct trib_init_rule {
    const char *name, *summary;
    double (*weight)(const target *t, uint64_t k);
    double (*bias)(const target *t, uint64_t k);
};

/* ---- values ---- */

static double symmetric(const target *t, double bound, uint64_t k)
{
    return (2 * trib_uniform_at(t->stream, k) - 1) * bound;
}

static double normal(const target *t, double sigma, uint64_t k)
{
    const double two_pi = 6.28318530717958647693;
    double radius = 1 - trib_uniform_at(t->stream, 2 * k); /* never 0 */
    return sigma * sqrt(-2 * log(radius)) * cos(two_pi * trib_uniform_at(t->stream, 2 * k + 1));
}

static double xavier_weight(const target *t, uint64_t k) { return symmetric(t, sqrt(3 / t->fan_in), k); }
static double he_weight(const target *t, uint64_t k) { return normal(t, sqrt(2 / t->fan_in), k); }

/* Below 2 in any case: the smallest radius is 2^-24, so no value is beyond 5.8 sigma. */
static double small_weight(const target *t, uint64_t k) { return normal(t, 0.01, k); }

static double xavier_bias(const target *t, uint64_t k)
{
    (void)k;
    return t->classifier ? 0 : 0.2;
}

static double zero(const target *t, uint64_t k)
{
    (void)t, (void)k;
    return 0;
}

static double torch_bias(const target *t, uint64_t k) { return symmetric(t, 1 / sqrt(t->fan_in), k); }

/* ---- the rules ---- */

const trib_init_rule trib_init_xavier = {
    .name = "xavier",
    .summary = "uniform in +-sqrt(3 / fan_in), biases 0.2 and 0 in classifiers, as in BVLC Caffe",
    .weight = xavier_weight,
    .bias = xavier_bias,
};

const trib_init_rule trib_init_he = {
    .name = "he",
    .summary = "normal with sigma sqrt(2 / fan_in), biases 0; PyTorch's kaiming_normal_",
    .weight = he_weight,
    .bias = zero,
};

const trib_init_rule trib_init_truncated_normal = {
    .name = "truncated-normal",
    .summary = "normal with sigma 0.01, biases uniform in +-1 / sqrt(fan_in), as in torchvision",
    .weight = small_weight,
    .bias = torch_bias,
};

static const trib_init_rule *const rules[] = { &trib_init_xavier, &trib_init_he, &trib_init_truncated_normal };

const trib_init_rule *trib_init_rule_at(int index)
{
    return index >= 0 && (size_t)index < sizeof rules / sizeof *rules ? rules[index] : NULL;
}

const trib_init_rule *trib_init_rule_find(const char *name)
{
    for (int i = 0; trib_init_rule_at(i); ++i)
        if (!strcmp(rules[i]->name, name)) return rules[i];
    return NULL;
}

const char *trib_init_rule_name(const trib_init_rule *rule) { return rule->name; }
const char *trib_init_rule_summary(const trib_init_rule *rule) { return rule->summary; }

/* ---- parameters ---- */

typedef struct source {
    const trib_init_rule *rule;
    uint64_t seed;
} source;

/* 1 if the layer has no weights, as a batch norm. */
static double fan_in_of(const trib_graph *graph, const trib_layer *layer)
{
    int64_t count = 1;
    if (layer->parameters[TRIB_WEIGHT] == TRIB_NO_PARAMETER) return 1;
    const trib_shape *shape = &trib_graph_parameter(graph, layer->parameters[TRIB_WEIGHT])->shape;
    for (int d = 1; d < shape->rank; ++d) count *= shape->dim[d];
    return (double)count;
}

static double value_of(const trib_init_rule *rule, trib_role role, const target *t, uint64_t k)
{
    switch (role) {
    case TRIB_WEIGHT: return rule->weight(t, k);
    case TRIB_BIAS: return rule->bias(t, k);
    case TRIB_BN_WEIGHT:
    case TRIB_BN_VAR: return 1;
    default: return 0;
    }
}

static void fill(const void *context, const trib_graph *graph, int parameter, int64_t count, float *values)
{
    const source *s = context;
    const trib_parameter *p = trib_graph_parameter(graph, parameter);
    const target t = { .stream = trib_stream_of(p->name, s->seed),
                       .fan_in = fan_in_of(graph, trib_graph_layer(graph, p->layer)),
                       .classifier = trib_is_classifier(graph, p->layer) };
    for (int64_t k = 0; k < count; ++k) values[k] = (float)value_of(s->rule, p->role, &t, (uint64_t)k);
}

trib_status trib_parameters_initialise(const trib_graph *graph, const trib_init_rule *rule, uint64_t seed,
                                       const bool *wanted, trib_tensor *parameters, void **storage)
{
    return trib_parameters_make(graph, wanted, fill, &(const source) { rule, seed }, parameters, storage);
}
