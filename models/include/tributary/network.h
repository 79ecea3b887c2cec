/* SPDX-License-Identifier: Apache-2.0
 * Tributary: the networks there are, and their parameters in files.
 *
 * A network is an architecture: which layers, how wide. A dialect is a way of naming its
 * parameters in files: "caffe" names are also Tributary's own, "torchvision" names are those of a state_dict.
 *
 *     trib_network_spec spec = { .network = trib_network_find("bvlc"), .classes = 10 };
 *     trib_graph *graph;
 *     trib_status s = trib_network_graph(&spec, &graph);
 *
 * "bvlc" and "torchvision" are GoogLeNet (Szegedy et al. 2014, "Going deeper with convolutions", Table 1) in the two
 * forms people have weights for: as in the paper and in BVLC Caffe (LRN, biases, a 5x5 branch, 3x3 pool4), and as in
 * torchvision (batch norm, a 3x3 convolution in the "5x5" branch, 2x2 pool4). "bvlc-floor" is "bvlc" with pools that
 * round down, as the ONNX zoo's inception-v1: the same parameters, and 6x6 maps at the end where "bvlc" has 7x7. */
#ifndef TRIBUTARY_NETWORK_H
#define TRIBUTARY_NETWORK_H

#include <stddef.h>

#include "tributary/declare.h"
#include "tributary/graph.h"

TRIB_BEGIN_DECLS

/* Names of tensors that are not the network's but the state of its training begin with it: a checkpoint is a model with
 * such tensors beside the parameters. */
#define TRIB_TRAINING_PREFIX "training/"

/* One architecture; static. */
typedef struct trib_network trib_network;
/* NULL past the last. */
const trib_network *trib_network_at(int index);
/* By its name, or another it goes by ("googlenet" is "torchvision"); NULL when there is none. */
const trib_network *trib_network_find(const char *name);
/* The network that tensors of this one are taken for when nothing else is said: itself, or one with the same tensors.
 */
const trib_network *trib_network_by_tensors(const trib_network *network);
const char *trib_network_name(const trib_network *network);    /* "bvlc" */
const char *trib_network_summary(const trib_network *network); /* a line about it */

/* A column of the table of its modules: the channels of the convolution called MODULE/leaf. */
typedef struct trib_network_column {
    const char *leaf, *title;
    int width; /* of the printed column */
} trib_network_column;
enum { TRIB_MAX_COLUMNS = 16 };
const trib_network_column *trib_network_columns(const trib_network *network, int *count);

/* A way of naming parameters; static. */
typedef struct trib_dialect trib_dialect;
const trib_dialect *trib_dialect_find(const char *name); /* "caffe", "torchvision"; NULL when there is none */
const char *trib_dialect_name(const trib_dialect *dialect);
/* The dialect that the network's own published weights are in. */
const trib_dialect *trib_network_dialect(const trib_network *network);

/* A network with its sizes. */
typedef struct trib_network_spec {
    const trib_network *network;
    int classes;             /* 0: the network's default, 1000 */
    int height, width;       /* of the input; 0: the network's default, 224 */
    bool aux;                /* the auxiliary classifiers, outputs "aux1" and "aux2" */
    double width_multiplier; /* scales all channel counts but those of image and classes, rounded to a multiple of
                                8; 0: 1 */
} trib_network_spec;

/* Replaces zeros by defaults. Fails with TRIB_INVALID_ARGUMENT on an impossible value. */
trib_status trib_network_resolve(const trib_network_spec *spec, trib_network_spec *out);

/* Input "input"; outputs "logits", then "probabilities", then with aux "aux1", "aux2". Layers and parameters have
 * Caffe's names ("inception_3a/3x3_reduce.weight"); batch norms are "inception_3a/3x3_reduce/bn". */
trib_status trib_network_graph(const trib_network_spec *spec, trib_graph **out);

/* The name that the graph's `parameter` has in files of the dialect: a state_dict key, or Caffe's LAYER.weight.
 * Returns `text` (at least 128 bytes). */
const char *trib_parameter_file_name(const trib_graph *graph, const trib_dialect *dialect, int parameter, char *text);

/* Recognises a network, its dialect, number of classes, auxiliary classifiers and width by the names and shapes of
 * its tensors. The size of the input is not in the weights: the spec gets the default. The prefixes `module.` and
 * `_orig_mod.` are ignored. Of networks with the same tensors it is trib_network_by_tensors. Fails with TRIB_BAD_DATA
 * if it is another network, naming what is missing or different. */
trib_status trib_network_detect(const trib_tensor *tensors, int count, trib_network_spec *spec,
                                const trib_dialect **dialect);

/* Whether a network of this spec reads the tensor of that name from a file of the dialect; false for auxiliary
 * classifiers when spec->aux is false, and for the state of a training. The tensor need not exist. */
bool trib_network_uses(const trib_network_spec *spec, const trib_dialect *dialect, const char *tensor_name);

/* Finds each parameter of `graph`, built from `spec`, among `tensors`, and fills parameters[0 .. parameter_count).
 * Fails, naming the tensor, if one is missing, has another shape or is not of a floating type, if a tensor is not part
 * of the network, or if values are not finite. Auxiliary classifiers that the graph does not have,
 * num_batches_tracked, and the state of a training are ignored. */
trib_status trib_network_bind(const trib_network_spec *spec, const trib_graph *graph, const trib_dialect *dialect,
                              const trib_tensor *tensors, int count, trib_tensor *parameters);

/* ---- fine-tuning ---- */

/* As trib_network_bind, for training that begins with a model of other classes. The graph may have another number of
 * classes than the tensors, and auxiliary classifiers of which they have nothing: fresh[i], for each parameter, says
 * whether the tensors have no values for it. Those are classifiers (weight and bias; the tensors' own are ignored) when
 * class counts differ, and whole auxiliary classifiers. Their elements of `parameters` are left alone:
 * trib_parameters_initialise fills them. On failure `fresh` is not defined. */
trib_status trib_network_bind_pretrained(const trib_network_spec *spec, const trib_graph *graph,
                                         const trib_dialect *dialect, const trib_tensor *tensors, int count,
                                         trib_tensor *parameters, bool *fresh);

/* Sets selected[i] for each parameter of the graph whose name begins with `prefix`, and leaves the others alone. The
 * graph's own names count first ("inception_3", "conv1/7x7_s2.weight"); if none begins so, those in the network's
 * dialects ("inception3a.branch1"). Fails with TRIB_NOT_FOUND if there is no such parameter, naming the modules, and
 * with TRIB_INVALID_ARGUMENT on an empty prefix. */
trib_status trib_parameters_select(const trib_network *network, const trib_graph *graph, const char *prefix,
                                   bool *selected);

/* The names of the layers whose parameters are selected, for messages: "loss1/classifier, loss3/classifier". Names that
 * do not fit into `size` bytes are replaced by "...". Returns `text`. */
const char *trib_parameter_layers(const trib_graph *graph, const bool *selected, char *text, size_t size);

/* ---- values for training and tests ---- */

/* A way of choosing the values that training begins with; static.
 *
 *     xavier            uniform in +-sqrt(3 / fan_in); biases 0.2, those of classifiers 0. BVLC Caffe's GoogLeNet
 *     he                normal, sigma sqrt(2 / fan_in); biases 0. PyTorch's kaiming_normal_ with fan_in and ReLU
 *     truncated-normal  normal, sigma 0.01, within +-2, which no value reaches; biases uniform in
 *                       +-1 / sqrt(fan_in). torchvision's googlenet(init_weights=True)
 *
 * fan_in is the number of weights of one output channel. Batch norms begin with weight 1, bias 0, running mean 0 and
 * running variance 1. */
typedef struct trib_init_rule trib_init_rule;
/* NULL past the last. */
const trib_init_rule *trib_init_rule_at(int index);
const trib_init_rule *trib_init_rule_find(const char *name); /* NULL when there is none */
const char *trib_init_rule_name(const trib_init_rule *rule);
const char *trib_init_rule_summary(const trib_init_rule *rule); /* a line about it */
/* The network's default. */
const trib_init_rule *trib_network_init_rule(const trib_network *network);

/* Initial values by `rule` for each parameter i for which wanted[i] is true (NULL: all). Value k of a parameter depends
 * on the rule, the seed, its name and k alone. The other elements of `parameters` are left alone. *storage holds the
 * values and is freed with trib_parameters_free. */
trib_status trib_parameters_initialise(const trib_graph *graph, const trib_init_rule *rule, uint64_t seed,
                                       const bool *wanted, trib_tensor *parameters, void **storage);

/* Values for every parameter, determined by `seed` and its name in the dialect (weights by He's rule), for benchmarks
 * and tests: batch norms have values as if trained. `parameters` as for trib_network_bind; *storage as above. */
trib_status trib_parameters_random(const trib_graph *graph, const trib_dialect *dialect, uint64_t seed,
                                   trib_tensor *parameters, void **storage);
void trib_parameters_free(void *storage); /* NULL is fine */

/* The random numbers behind both: the i-th uniform value in [0,1) of the sequence called `name`. */
double trib_uniform(const char *name, uint64_t seed, uint64_t i);

TRIB_END_DECLS
#endif
