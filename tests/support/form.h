// SPDX-License-Identifier: Apache-2.0
// Tests that take long have a short form, which `make test` runs, and a long one, which `make test-all` runs. Some are
// shorter still with sanitizers, where each pass is several times slower and only has to walk the same code.
#pragma once

#include <cstdlib>

#include "support/sanitized.h"

namespace support
{

// The environment's TRIB_TEST_LONG is set.
inline bool long_form()
{
    const char *value = std::getenv("TRIB_TEST_LONG");
    return value && *value;
}

template <typename T>
T by_form(T in_short, T in_long)
{
    return long_form() ? in_long : in_short;
}

template <typename T>
T by_form(T in_short_sanitized, T in_short, T in_long)
{
    return by_form(sanitized ? in_short_sanitized : in_short, in_long);
}

} // namespace support
