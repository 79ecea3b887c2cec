/* SPDX-License-Identifier: Apache-2.0 */
#include "reference/reference.h"
#include "tributary/dtype.h"

void trib_ref_pack_weights(const trib_pack_geometry *g, const float *w, float *packed)
{
    int64_t i = 0;
    for (int64_t k = 0; k < g->k; ++k)
        for (int tap = 0; tap < g->taps; ++tap)
            for (int c = 0; c < g->padded; ++c) {
                float value = c < g->c ? w[(k * g->c + c) * g->taps + tap] : 0;
                packed[i++] = g->tf32 ? trib_f32_to_tf32(value) : value;
            }
}
