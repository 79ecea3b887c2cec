// SPDX-License-Identifier: Apache-2.0
#pragma once

#if defined(__SANITIZE_ADDRESS__)
#define SUPPORT_SANITIZED true
#elif defined(__has_feature)
#define SUPPORT_SANITIZED __has_feature(address_sanitizer)
#else
#define SUPPORT_SANITIZED false
#endif

namespace support
{

// Built with AddressSanitizer: everything is several times slower.
constexpr bool sanitized = SUPPORT_SANITIZED;

} // namespace support
