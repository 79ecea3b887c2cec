// SPDX-License-Identifier: Apache-2.0
#pragma once

#ifndef __has_feature
#define __has_feature(feature) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer) || defined(__SANITIZE_THREAD__) || \
    __has_feature(thread_sanitizer)
#define SUPPORT_SANITIZED true
#else
#define SUPPORT_SANITIZED false
#endif

namespace support
{

// Built with AddressSanitizer or ThreadSanitizer: everything is several times slower, and the allocator is theirs.
constexpr bool sanitized = SUPPORT_SANITIZED;

} // namespace support
