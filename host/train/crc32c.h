/* SPDX-License-Identifier: Apache-2.0
 * CRC-32C (Castagnoli): finds every single flipped bit, every burst of up to 32 bits, and other damage but once in 2^32
 * times. */
#ifndef TRIBUTARY_TRAIN_CRC32C_H
#define TRIBUTARY_TRAIN_CRC32C_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Continues `crc` (0 at the start) with `size` bytes. "123456789" has 0xE3069283. Safe from any thread. */
uint32_t trib_crc32c(uint32_t crc, const void *bytes, size_t size);

#ifdef __cplusplus
}
#endif
#endif
