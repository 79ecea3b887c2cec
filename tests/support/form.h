// SPDX-License-Identifier: Apache-2.0
// Tests that take long have a short form, which `make test` runs, and a long one, which `make test-all` runs.
#pragma once

namespace support
{

// The environment's TRIB_TEST_LONG is set.
bool long_form();

template <typename T>
T by_form(T in_short, T in_long)
{
    return long_form() ? in_long : in_short;
}

} // namespace support
