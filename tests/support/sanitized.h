// SPDX-License-Identifier: Apache-2.0
#pragma once

#ifndef __has_feature
#define __has_feature(feature) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#define SUPPORT_ADDRESS_SANITIZED true
#else
#define SUPPORT_ADDRESS_SANITIZED false
#endif
#if defined(__SANITIZE_THREAD__) || __has_feature(thread_sanitizer)
#define SUPPORT_SANITIZED true
#else
#define SUPPORT_SANITIZED SUPPORT_ADDRESS_SANITIZED
#endif

namespace support
{

// Built with AddressSanitizer or ThreadSanitizer: everything is several times slower, and the allocator is theirs.
constexpr bool sanitized = SUPPORT_SANITIZED;
// With AddressSanitizer, which also takes terabytes of address space.
constexpr bool address_sanitized = SUPPORT_ADDRESS_SANITIZED;

} // namespace support
