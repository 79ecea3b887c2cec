/* SPDX-License-Identifier: Apache-2.0 */
#include "cuda/ops/weights.h"

#include "tributary/internal/alloc.h"

/* Packed in host memory first. */
static trib_status upload(trib_cuda_device *device, trib_precision precision, int k, int channels, int taps,
                          const float *values, void **out)
{
    size_t bytes = (size_t)k * (size_t)channels * (size_t)taps * trib_dtype_size(trib_precision_dtype(precision));
    void *packed = trib_alloc(bytes);
    if (!packed) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "out of host memory for %zu bytes of parameters", bytes);
    trib_precision_pack(precision, k, channels, taps, channels, values, packed);
    trib_status status = trib_cuda_upload(device, packed, bytes, out);
    trib_free(packed);
    return status;
}

/* The precision whose tensors hold this type. */
static trib_precision precision_of(trib_dtype dtype)
{
    return dtype == TRIB_F16 ? TRIB_PRECISION_FP16 : dtype == TRIB_BF16 ? TRIB_PRECISION_BF16 : TRIB_PRECISION_FP32;
}

trib_status trib_cuda_weights_upload(trib_cuda_device *device, trib_precision precision, int k, int channels, int taps,
                                     const trib_op_parameters *parameters, bool has_bias, trib_dtype bias_type,
                                     trib_cuda_weights *out)
{
    trib_cuda_weights w = { 0 };
    trib_status status = upload(device, precision, k, channels, taps, parameters->weight, &w.weight);
    if (!trib_failed(&status) && has_bias)
        status = upload(device, precision_of(bias_type), k, 1, 1, parameters->bias, &w.bias);
    if (trib_failed(&status))
        trib_cuda_weights_free(device, &w);
    else
        *out = w;
    return status;
}

void trib_cuda_weights_free(trib_cuda_device *device, trib_cuda_weights *w)
{
    if (w->weight) trib_cuda_free(&device->base, NULL, w->weight);
    if (w->bias) trib_cuda_free(&device->base, NULL, w->bias);
    *w = (trib_cuda_weights) { 0 };
}
