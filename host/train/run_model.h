/* SPDX-License-Identifier: Apache-2.0
 * A run's folder as a model. */
#ifndef TRIBUTARY_TRAIN_RUN_MODEL_H
#define TRIBUTARY_TRAIN_RUN_MODEL_H

#include "tributary/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* If `path` is the folder of a run: the path of its finished model, or of `model_best` if there is none yet, or of
 * `last`; free it with trib_free. NULL for all other paths. Fails if the run has none of them. */
trib_status trib_run_model_file(const char *path, char **file);

#ifdef __cplusplus
}
#endif
#endif
