/* SPDX-License-Identifier: Apache-2.0
 * FIPS 180-4. */
#include "formats/sha256.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "formats/file.h"

enum { BLOCK = 64, ROUNDS = 64, LENGTH_AT = 56, PIECE = 16384 };

static const uint32_t constants[ROUNDS] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t rotate(uint32_t x, int n) { return x >> n | x << (32 - n); }

static void schedule(const unsigned char block[BLOCK], uint32_t w[ROUNDS])
{
    for (int i = 0; i < 16; ++i, block += 4)
        w[i] = (uint32_t)block[0] << 24 | (uint32_t)block[1] << 16 | (uint32_t)block[2] << 8 | block[3];
    for (int i = 16; i < ROUNDS; ++i) {
        const uint32_t a = w[i - 15], b = w[i - 2];
        w[i] =
            w[i - 16] + (rotate(a, 7) ^ rotate(a, 18) ^ a >> 3) + w[i - 7] + (rotate(b, 17) ^ rotate(b, 19) ^ b >> 10);
    }
}

static void add_block(uint32_t state[8], const unsigned char block[BLOCK])
{
    uint32_t w[ROUNDS], s[8];
    schedule(block, w);
    memcpy(s, state, sizeof s);
    for (int i = 0; i < ROUNDS; ++i) {
        const uint32_t choice = (s[4] & s[5]) ^ (~s[4] & s[6]);
        const uint32_t majority = (s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]);
        const uint32_t first =
            s[7] + (rotate(s[4], 6) ^ rotate(s[4], 11) ^ rotate(s[4], 25)) + choice + constants[i] + w[i];
        const uint32_t second = (rotate(s[0], 2) ^ rotate(s[0], 13) ^ rotate(s[0], 22)) + majority;
        memmove(s + 1, s, 7 * sizeof *s);
        s[4] += first;
        s[0] = first + second;
    }
    for (int i = 0; i < 8; ++i) state[i] += s[i];
}

/* The last bytes, fewer than a block, then a bit, zeros, and the length in bits. */
static void add_end(uint32_t state[8], const unsigned char *bytes, size_t size, uint64_t all)
{
    unsigned char end[2 * BLOCK] = { 0 };
    const size_t blocks = size < LENGTH_AT ? 1 : 2;
    if (size) memcpy(end, bytes, size);
    end[size] = 0x80;
    for (int i = 0; i < 8; ++i) end[blocks * BLOCK - 1 - (size_t)i] = (unsigned char)(all * 8 >> (8 * i));
    for (size_t i = 0; i < blocks; ++i) add_block(state, end + i * BLOCK);
}

static trib_status sum(trib_blob *blob, uint32_t state[8])
{
    unsigned char piece[PIECE];
    uint64_t all = 0;
    size_t got = 0, at = 0;
    do {
        TRIB_TRY(trib_blob_read(blob, piece, sizeof piece, &got));
        for (at = 0; at + BLOCK <= got; at += BLOCK) add_block(state, piece + at);
        all += got;
    } while (got == sizeof piece);
    add_end(state, piece + at, got - at, all);
    return trib_success();
}

static const uint32_t initial[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                     0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 };

static void write_digits(const uint32_t state[8], char text[TRIB_SHA256_TEXT])
{
    for (int i = 0; i < 8; ++i) snprintf(text + 8 * (ptrdiff_t)i, 9, "%08x", (unsigned)state[i]);
}

trib_status trib_sha256_of_file(const char *path, char text[TRIB_SHA256_TEXT])
{
    uint32_t state[8];
    trib_blob blob;
    text[0] = '\0';
    memcpy(state, initial, sizeof state);
    TRIB_TRY(trib_blob_open(path, &blob));
    const bool regular = trib_blob_size(&blob) >= 0;
    trib_status s = regular ? sum(&blob, state) : trib_success();
    trib_blob_close(&blob);
    if (regular && !trib_failed(&s)) write_digits(state, text);
    return s;
}

void trib_sha256_of_bytes(const void *bytes, size_t size, char text[TRIB_SHA256_TEXT])
{
    uint32_t state[8];
    const unsigned char *p = bytes;
    size_t at = 0;
    memcpy(state, initial, sizeof state);
    for (; at + BLOCK <= size; at += BLOCK) add_block(state, p + at);
    add_end(state, p + at, size - at, size);
    write_digits(state, text);
}
