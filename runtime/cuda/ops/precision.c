/* SPDX-License-Identifier: Apache-2.0 */
#include "cuda/ops/precision.h"

#include <stddef.h>

static void store(void *out, trib_precision precision, size_t i, float value)
{
    switch (precision) {
    case TRIB_PRECISION_FP16: ((uint16_t *)out)[i] = trib_f32_to_f16(value); break;
    case TRIB_PRECISION_BF16: ((uint16_t *)out)[i] = trib_f32_to_bf16(value); break;
    case TRIB_PRECISION_TF32: ((float *)out)[i] = trib_f32_to_tf32(value); break;
    default: ((float *)out)[i] = value;
    }
}

void trib_precision_pack(trib_precision precision, int k, int channels, int taps, int padded, const float *weights,
                         void *out)
{
    size_t i = 0;
    for (size_t row = 0; row < (size_t)k; ++row)
        for (size_t tap = 0; tap < (size_t)taps; ++tap)
            for (size_t c = 0; c < (size_t)padded; ++c)
                store(out, precision, i++,
                      c < (size_t)channels ? weights[(row * (size_t)channels + c) * (size_t)taps + tap] : 0);
}
