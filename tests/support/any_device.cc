// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

const char *support::kind_under_test() { return ""; }
