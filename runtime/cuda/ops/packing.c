/* SPDX-License-Identifier: Apache-2.0 */
#include "cuda/ops/packing.h"

#include "tributary/internal/kernels_cuda.h"

static int64_t bytes_of(const trib_pack_geometry *g, trib_dtype dtype)
{
    return (int64_t)g->k * g->taps * g->padded * (int64_t)trib_dtype_size(dtype);
}

static trib_pack_geometry bias_of(int k) { return (trib_pack_geometry) { .k = k, .c = 1, .taps = 1, .padded = 1 }; }

static int64_t bias_bytes(int k, trib_dtype dtype)
{
    trib_pack_geometry bias = bias_of(k);
    return bytes_of(&bias, dtype);
}

trib_cuda_packing trib_cuda_packing_of(trib_precision precision, int k, int channels, int taps, bool has_bias,
                                       trib_dtype bias_dtype)
{
    trib_cuda_packing p = {
        .weight = { .k = k, .c = channels, .taps = taps, .padded = channels, .tf32 = precision == TRIB_PRECISION_TF32 },
        .weight_dtype = trib_precision_dtype(precision),
        .bias_dtype = bias_dtype
    };
    p.place = trib_packing_of(bytes_of(&p.weight, p.weight_dtype), has_bias ? bias_bytes(k, bias_dtype) : 0);
    return p;
}

trib_cuda_packing trib_cuda_packing_of_columns(trib_precision precision, const trib_column_geometry *columns,
                                               bool has_bias, trib_dtype bias_dtype)
{
    trib_cuda_packing p = { .columns = *columns,
                            .weight = { .k = columns->k },
                            .weight_dtype = trib_precision_dtype(precision),
                            .bias_dtype = bias_dtype };
    const int64_t bytes = trib_column_values(columns) * (int64_t)trib_dtype_size(p.weight_dtype);
    p.place = trib_packing_of(bytes, has_bias ? bias_bytes(columns->outputs * columns->k, bias_dtype) : 0);
    return p;
}

static trib_status pack_weight(const trib_cuda_packing *p, const trib_op_parameters *parameters, void *packed,
                               void *stream)
{
    trib_pack_geometry weight = p->weight;
    trib_column_geometry columns = p->columns;
    if (parameters->channels) weight.c = columns.c = parameters->channels;
    if (columns.outputs) return trib_cuda_pack_columns(&columns, p->weight_dtype, parameters->weight, packed, stream);
    return trib_cuda_pack_weights(&weight, p->weight_dtype, parameters->weight, packed, stream);
}

trib_status trib_cuda_packing_run(const trib_cuda_packing *p, const trib_op_parameters *parameters, void *packed,
                                  void *stream)
{
    TRIB_TRY(pack_weight(p, parameters, packed, stream));
    if (!p->place.bias_offset) return trib_success();
    const trib_pack_geometry bias = bias_of(p->weight.k);
    char *to = (char *)packed + p->place.bias_offset;
    for (int i = 0; i < (p->columns.outputs ? p->columns.outputs : 1); ++i)
        TRIB_TRY(trib_cuda_pack_weights(&bias, p->bias_dtype, parameters->bias,
                                        to + i * bias_bytes(bias.k, p->bias_dtype), stream));
    return trib_success();
}
