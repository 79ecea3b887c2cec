// SPDX-License-Identifier: Apache-2.0
#pragma once

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SUPPORT_SANITIZED true
#elif defined(__has_feature)
#define SUPPORT_SANITIZED (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#else
#define SUPPORT_SANITIZED false
#endif

namespace support
{

// Built with AddressSanitizer or ThreadSanitizer: everything is several times slower, and the allocator is theirs.
constexpr bool sanitized = SUPPORT_SANITIZED;

} // namespace support
