// SPDX-License-Identifier: Apache-2.0
// One op on a device, with all that it needs: memory full of canaries and NaN around what it may touch.
#pragma once

#include "conformance/conformance.h"
#include "conformance/op_case.h"

namespace conformance
{

// The whole output tensors afterwards, canaries and block padding included; empty when the device, asked to make what
// it offered, finds that it cannot (TRIB_UNSUPPORTED: a library that compiles when it is asked to). Neither inputs nor
// parameters may be written to, except for inputs that the case updates.
std::vector<std::vector<float>> run_op(trib_device *device, const OpCase &op, const char *implementation, int threads);

bool same_bits(const std::vector<float> &a, const std::vector<float> &b);
// EXPECTs that output `index`, the whole tensor that run_op gave, is as expected, and that nothing around it was
// written.
void expect_output(const OpCase &op, std::size_t index, const std::vector<float> &whole);
// Written so that NaN fails.
testing::AssertionResult close_to(const Values &seen, const Values &expected, double tolerance);

} // namespace conformance
