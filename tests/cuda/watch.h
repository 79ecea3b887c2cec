// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace watch
{

// This test deliberately does what no correct program does: what it leaves is not a failure.
void expect_violations();

} // namespace watch
