// SPDX-License-Identifier: Apache-2.0
// Shuffles and votes. All lanes of a warp take part: partial masks are refused.
#pragma once

#include "block.h"

namespace emulation
{

template <class T>
struct Exchange {
    T given, got;
    int from; // lane; outside the warp: own value
};

template <class T>
T exchange(T value, int from, unsigned mask, Site site)
{
    Thread &thread = running(site.what);
    if (mask != 0xFFFFFFFFu) thread.block->fail("a shuffle or vote of a part of a warp");
    Exchange<T> mine = { value, value, from };
    thread.block->collective(site, &mine, [](void *const *arguments, int lanes) {
        for (int lane = 0; lane < lanes; ++lane) {
            auto *to = static_cast<Exchange<T> *>(arguments[lane]);
            if (to->from >= 0 && to->from < lanes) to->got = static_cast<Exchange<T> *>(arguments[to->from])->given;
        }
    });
    return mine.got;
}

struct Ballot {
    bool given;
    unsigned got;
};

inline unsigned ballot(bool value, unsigned mask, Site site)
{
    Thread &thread = running(site.what);
    if (mask != 0xFFFFFFFFu) thread.block->fail("a shuffle or vote of a part of a warp");
    Ballot mine = { value, 0 };
    thread.block->collective(site, &mine, [](void *const *arguments, int lanes) {
        unsigned votes = 0;
        for (int lane = 0; lane < lanes; ++lane)
            votes |= unsigned(static_cast<Ballot *>(arguments[lane])->given) << lane;
        for (int lane = 0; lane < lanes; ++lane) static_cast<Ballot *>(arguments[lane])->got = votes;
    });
    return mine.got;
}

inline int lane() { return running("a shuffle or vote").lane; }

} // namespace emulation

#define EMULATION_SITE const char *file = __builtin_FILE(), int line = __builtin_LINE()

template <class T>
T __shfl_sync(unsigned mask, T value, int from, EMULATION_SITE)
{
    return emulation::exchange(value, from & 31, mask, { "__shfl_sync", file, line });
}
template <class T>
T __shfl_xor_sync(unsigned mask, T value, int lanes, EMULATION_SITE)
{
    return emulation::exchange(value, emulation::lane() ^ lanes, mask, { "__shfl_xor_sync", file, line });
}
template <class T>
T __shfl_up_sync(unsigned mask, T value, int lanes, EMULATION_SITE)
{
    return emulation::exchange(value, emulation::lane() - lanes, mask, { "__shfl_up_sync", file, line });
}
template <class T>
T __shfl_down_sync(unsigned mask, T value, int lanes, EMULATION_SITE)
{
    return emulation::exchange(value, emulation::lane() + lanes, mask, { "__shfl_down_sync", file, line });
}
inline unsigned __ballot_sync(unsigned mask, bool value, EMULATION_SITE)
{
    return emulation::ballot(value, mask, { "__ballot_sync", file, line });
}
inline bool __any_sync(unsigned mask, bool value, EMULATION_SITE)
{
    return emulation::ballot(value, mask, { "__any_sync", file, line }) != 0;
}
inline bool __all_sync(unsigned mask, bool value, EMULATION_SITE)
{
    return emulation::ballot(!value, mask, { "__all_sync", file, line }) == 0;
}
