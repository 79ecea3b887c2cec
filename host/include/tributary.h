/* SPDX-License-Identifier: Apache-2.0
 * Tributary: everything. See examples/ in the installed documentation for a complete program in 30 lines. */
#ifndef TRIBUTARY_H
#define TRIBUTARY_H

#include "tributary/cpus.h"
#include "tributary/dataset.h"
#include "tributary/device.h"
#include "tributary/dtype.h"
#include "tributary/graph.h"
#include "tributary/image.h"
#include "tributary/image_loader.h"
#include "tributary/kernels.h"
#include "tributary/memory.h"
#include "tributary/model.h"
#include "tributary/network.h"
#include "tributary/op.h"
#include "tributary/plan.h"
#include "tributary/proposals.h"
#include "tributary/region.h"
#include "tributary/region_kernels.h"
#include "tributary/safetensors.h"
#include "tributary/sampling.h"
#include "tributary/session.h"
#include "tributary/shape.h"
#include "tributary/status.h"
#include "tributary/step_controls.h"
#include "tributary/timeline.h"
#include "tributary/train_schedule.h"
#include "tributary/trainer.h"
#include "tributary/training_data.h"
#include "tributary/training_kernels.h"
#include "tributary/tune.h"
#include "tributary/version.h"

#endif
