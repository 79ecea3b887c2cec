/* SPDX-License-Identifier: Apache-2.0
 * A window of an image as network input. */
#ifndef TRIB_DATA_WINDOW_ROW_H
#define TRIB_DATA_WINDOW_ROW_H

#include "data/training_windows.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Float32 in loading->layout. Fails with TRIB_INTERNAL if the loading makes other pixels, and if the network's input
 * has no room for the context. */
trib_status trib_window_row(const trib_window *window, int context, bool mirror, const trib_loading *loading,
                            const trib_image *image, float *row);

#ifdef __cplusplus
}
#endif
#endif
