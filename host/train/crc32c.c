/* SPDX-License-Identifier: Apache-2.0
 * Eight bytes per step from eight tables (Intel's "slicing-by-8"). */
#include "train/crc32c.h"

#include <pthread.h>

enum { SLICES = 8 };
static const uint32_t polynomial = 0x82F63B78u; /* bits reversed */

static uint32_t tables[SLICES][256];
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* tables[k][b]: what byte b contributes when k bytes follow it. */
static void make_tables(void)
{
    for (uint32_t b = 0; b < 256; ++b) {
        uint32_t crc = b;
        for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? polynomial : 0);
        tables[0][b] = crc;
    }
    for (int k = 1; k < SLICES; ++k)
        for (int b = 0; b < 256; ++b) tables[k][b] = tables[k - 1][b] >> 8 ^ tables[0][tables[k - 1][b] & 0xFF];
}

static uint32_t eight_bytes(uint32_t crc, const unsigned char *p)
{
    for (int i = 0; i < 4; ++i) crc ^= (uint32_t)p[i] << (8 * i);
    uint32_t next = 0;
    for (int i = 0; i < 4; ++i) next ^= tables[7 - i][crc >> (8 * i) & 0xFF] ^ tables[3 - i][p[4 + i]];
    return next;
}

uint32_t trib_crc32c(uint32_t crc, const void *bytes, size_t size)
{
    const unsigned char *p = bytes;
    pthread_once(&once, make_tables);
    crc = ~crc;
    for (; size >= SLICES; size -= SLICES, p += SLICES) crc = eight_bytes(crc, p);
    for (; size; --size) crc = crc >> 8 ^ tables[0][(crc ^ *p++) & 0xFF];
    return ~crc;
}
