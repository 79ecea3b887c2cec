// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace watch
{

// This test does on purpose what no correct program does: what is left at its end is not held against it.
void expect_violations();

} // namespace watch
