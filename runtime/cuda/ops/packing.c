/* SPDX-License-Identifier: Apache-2.0 */
#include "cuda/ops/packing.h"

#include "tributary/internal/kernels_cuda.h"

static int64_t bytes_of(const trib_pack_geometry *g, trib_dtype dtype)
{
    return (int64_t)g->k * g->taps * g->padded * (int64_t)trib_dtype_size(dtype);
}

static trib_pack_geometry bias_of(const trib_cuda_packing *p)
{
    return (trib_pack_geometry) { .k = p->weight.k, .c = 1, .taps = 1, .padded = 1 };
}

trib_cuda_packing trib_cuda_packing_of(trib_precision precision, int k, int channels, int taps, bool has_bias,
                                       trib_dtype bias_dtype)
{
    trib_cuda_packing p = {
        .weight = { .k = k, .c = channels, .taps = taps, .padded = channels, .tf32 = precision == TRIB_PRECISION_TF32 },
        .weight_dtype = trib_precision_dtype(precision),
        .bias_dtype = bias_dtype
    };
    trib_pack_geometry bias = bias_of(&p);
    p.place = trib_packing_of(bytes_of(&p.weight, p.weight_dtype), has_bias ? bytes_of(&bias, bias_dtype) : 0);
    return p;
}

trib_status trib_cuda_packing_run(const trib_cuda_packing *p, const trib_op_parameters *parameters, void *packed,
                                  void *stream)
{
    trib_pack_geometry weight = p->weight, bias = bias_of(p);
    if (parameters->channels) weight.c = parameters->channels;
    TRIB_TRY(trib_cuda_pack_weights(&weight, p->weight_dtype, parameters->weight, packed, stream));
    if (!p->place.bias_offset) return trib_success();
    return trib_cuda_pack_weights(&bias, p->bias_dtype, parameters->bias, trib_packed_bias(&p->place, packed), stream);
}
