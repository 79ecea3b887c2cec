// SPDX-License-Identifier: Apache-2.0
#include "fakecuda/library.h"

#include <atomic>
#include <cstdlib>

namespace fakecuda::library
{

namespace
{

bool asked_to_round()
{
    const char *how = std::getenv("FAKECUDA_TF32");
    return !how || std::string(how) != "cut";
}

std::atomic<bool> rounding { asked_to_round() };
std::atomic<std::int64_t> compiled { 0 };

} // namespace

void plan_compiled() { ++compiled; }
std::int64_t plans_compiled() { return compiled; }
void round_tf32(bool yes) { rounding = yes; }
bool rounds_tf32() { return rounding; }

} // namespace fakecuda::library
