/* SPDX-License-Identifier: Apache-2.0
 * Writes a network with its parameters as an ONNX model, as PyTorch's exporter writes it when batch norms are kept. */
#ifndef TRIBUTARY_FORMATS_ONNX_WRITE_H
#define TRIBUTARY_FORMATS_ONNX_WRITE_H

#include "tributary/graph.h"
#include "tributary/safetensors.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Opset 17: input "input" of N x C x H x W, N free; output "logits". Layers that the logits do not need are left out,
 * and so is their dropout. `parameters` are the graph's, in its order, and their names the initialisers'; those that
 * are no float32 are cast to it where they are used. The pairs become metadata_props. The same arguments give the same
 * bytes. A file at `path` is replaced only on success. TRIB_UNSUPPORTED, naming the layer: ONNX has nothing like it. */
trib_status trib_onnx_write(const char *path, const trib_graph *graph, const trib_tensor *parameters,
                            const trib_key_value *metadata, int metadata_count);

#ifdef __cplusplus
}
#endif
#endif
