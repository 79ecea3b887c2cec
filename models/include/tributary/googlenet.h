/* SPDX-License-Identifier: Apache-2.0
 * Tributary: GoogLeNet (Szegedy et al. 2014, "Going deeper with convolutions", Table 1) in the two forms people have
 * weights for. */
#ifndef TRIBUTARY_GOOGLENET_H
#define TRIBUTARY_GOOGLENET_H

#include "tributary/declare.h"
#include "tributary/graph.h"

TRIB_BEGIN_DECLS

typedef enum trib_variant {
    TRIB_BVLC = 0,    /* the paper and BVLC Caffe: LRN, biases, a 5x5 branch, 3x3 pool4 */
    TRIB_TORCHVISION, /* batch norm, a 3x3 convolution in the "5x5" branch, 2x2 pool4 */
    TRIB_VARIANT_COUNT
} trib_variant;
/* "bvlc", "torchvision". */
const char *trib_variant_name(trib_variant variant);
/* -1 when there is none of that name. */
int trib_variant_find(const char *name);

typedef struct trib_googlenet {
    trib_variant variant;
    int classes;             /* 0: 1000 */
    int height, width;       /* 0: 224 */
    bool aux;                /* the two auxiliary classifiers, outputs "aux1" and "aux2" */
    double width_multiplier; /* 0: 1; every channel count but the image's and the classes' times this, rounded to a
                                multiple of 8 */
} trib_googlenet;

/* Input "input"; outputs "logits", then "probabilities", then with aux "aux1", "aux2". Layers and parameters have
 * Caffe's names
 * ("inception_3a/3x3_reduce.weight"); batch norms are "inception_3a/3x3_reduce/bn". */
trib_status trib_googlenet_graph(const trib_googlenet *net, trib_graph **out);

/* The name `parameter` has in files of the variant: torchvision's state_dict key, or Caffe's LAYER.weight.
 * Returns `text` (at least 128 bytes). */
const char *trib_googlenet_parameter_name(const trib_graph *graph, trib_variant variant, int parameter, char *text);

/* Recognises a network by the names and shapes of its tensors: variant, classes, aux heads and width (height and width
 * of the input are not in the weights: they are set to 224). `module.` and `_orig_mod.` before names are ignored. Fails
 * with TRIB_BAD_DATA saying what is missing or unlike when it is another network. */
trib_status trib_googlenet_detect(const trib_tensor *tensors, int count, trib_googlenet *out);

/* False for tensors of auxiliary classifiers that `net` does not have: their values are not looked at. Tells nothing
 * else about `tensor_name`. */
bool trib_googlenet_uses(const trib_googlenet *net, const char *tensor_name);

/* Finds each parameter of `graph` among `tensors`: fills parameters[0 .. parameter_count). Fails, naming the tensor,
 * when one is missing, has another shape or is not floating, when a tensor is left over that is not part of the network
 * (aux heads the graph does not have, and num_batches_tracked, are left out silently), or when values are not finite.
 */
trib_status trib_googlenet_bind(const trib_graph *graph, trib_variant variant, const trib_tensor *tensors, int count,
                                trib_tensor *parameters);

/* Deterministic values for every parameter from `seed` (weights by He's rule, see golden data): for benchmarks and
 * tests. `parameters` as for trib_googlenet_bind; *storage holds the values and is freed with
 * trib_googlenet_free_random. */
trib_status trib_googlenet_random(const trib_graph *graph, trib_variant variant, uint64_t seed, trib_tensor *parameters,
                                  void **storage);
void trib_googlenet_free_random(void *storage);

/* The same formula for any tensor: i-th uniform value in [0,1) of the stream called `name`. */
double trib_uniform(const char *name, uint64_t seed, uint64_t i);

TRIB_END_DECLS
#endif
