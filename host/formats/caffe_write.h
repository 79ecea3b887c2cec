/* SPDX-License-Identifier: Apache-2.0
 * Writes a network with its parameters as Caffe saves it, and its text for deployment. */
#ifndef TRIBUTARY_FORMATS_CAFFE_WRITE_H
#define TRIBUTARY_FORMATS_CAFFE_WRITE_H

#include "tributary/graph.h"
#include "tributary/image.h"
#include "tributary/safetensors.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A NetParameter of newer layers, all of the graph's, with their blobs; at `prototxt`, unless NULL, the same as text
 * without blobs: input "data", output "prob", and the layers between them. `parameters` are the graph's, in its order,
 * in float32, the only type that Caffe's files have. Scale and mean of `preprocess` are written if Caffe has them: BGR
 * from 0 to 255, and the same divisor for all channels. NULL: unknown.
 *
 * The same arguments give the same bytes. Files are replaced once both are complete, the text first. Fails with
 * TRIB_UNSUPPORTED, naming the layer or tensor, if Caffe has nothing like it, as for batch norms. */
trib_status trib_caffe_write(const char *path, const char *prototxt, const trib_graph *graph,
                             const trib_tensor *parameters, const trib_preprocess *preprocess);

#ifdef __cplusplus
}
#endif
#endif
