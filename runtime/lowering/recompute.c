/* SPDX-License-Identifier: Apache-2.0 */
#include "lowering/passes.h"

trib_status trib_pass_recompute(trib_lowering *l) { return trib_lowering_note(l, "recompute: nothing"); }
