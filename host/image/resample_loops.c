/* SPDX-License-Identifier: Apache-2.0
 * Tributary: the inner loops of resampling: portable C, and AVX2 chosen at run time. All arithmetic is on integers, so
 * all variants give the same bytes. */
#include <string.h>

#include "image/resample.h"

#if defined(__GNUC__) && defined(__x86_64__)
#define HAVE_AVX2_VARIANT 1
#include <immintrin.h>
#else
#define HAVE_AVX2_VARIANT 0
#endif

static void columns_gray(const uint8_t *in, const trib_weights *w, int from, int to, uint8_t *out)
{
    for (int i = from; i < to; ++i) {
        const int32_t *weight = w->weight + (size_t)i * (size_t)w->taps;
        const uint8_t *p = in + w->begin[i];
        int32_t sum = TRIB_WEIGHT_HALF;
        for (int t = 0; t < w->length[i]; ++t) sum += p[t] * weight[t];
        out[i] = trib_clip_sum(sum);
    }
}

static void columns_rgb(const uint8_t *in, const trib_weights *w, int from, int to, uint8_t *out)
{
    for (int i = from; i < to; ++i) {
        const int32_t *weight = w->weight + (size_t)i * (size_t)w->taps;
        const uint8_t *p = in + 3 * (size_t)w->begin[i];
        int32_t r = TRIB_WEIGHT_HALF, g = r, b = r;
        for (int t = 0; t < w->length[i]; ++t, p += 3) {
            r += p[0] * weight[t];
            g += p[1] * weight[t];
            b += p[2] * weight[t];
        }
        out[3 * i] = trib_clip_sum(r);
        out[3 * i + 1] = trib_clip_sum(g);
        out[3 * i + 2] = trib_clip_sum(b);
    }
}

static void horizontal_portable(const uint8_t *in, size_t row_bytes, const uint8_t *end, int rows, int channels,
                                const trib_weights *w, uint8_t *out, size_t out_bytes)
{
    (void)end;
    for (int r = 0; r < rows; ++r, in += row_bytes, out += out_bytes)
        (channels == 1 ? columns_gray : columns_rgb)(in, w, 0, w->count, out);
}

/* Sums stay in a block small enough for the first cache while the rows pass through. */
enum { BLOCK = 128 };

static inline void vertical_block(const uint8_t *const *rows, const int32_t *weight, int taps, size_t at, int width,
                                  uint8_t *out)
{
    int32_t sum[BLOCK];
    for (int i = 0; i < width; ++i) sum[i] = TRIB_WEIGHT_HALF;
    for (int t = 0; t < taps; ++t) {
        const uint8_t *row = rows[t] + at;
        int32_t k = weight[t];
        for (int i = 0; i < width; ++i) sum[i] += row[i] * k;
    }
    for (int i = 0; i < width; ++i) out[at + (size_t)i] = trib_clip_sum(sum[i]);
}

static inline void vertical_loop(const uint8_t *const *rows, const int32_t *weight, int taps, size_t bytes,
                                 uint8_t *out)
{
    size_t at = 0;
    for (; at + BLOCK <= bytes; at += BLOCK) vertical_block(rows, weight, taps, at, BLOCK, out);
    if (at < bytes) vertical_block(rows, weight, taps, at, (int)(bytes - at), out);
}

static void vertical_portable(const uint8_t *const *rows, const int32_t *weight, int taps, size_t bytes, uint8_t *out)
{
    vertical_loop(rows, weight, taps, bytes, out);
}

trib_resample_kernels trib_resample_portable(void)
{
    return (trib_resample_kernels) { horizontal_portable, vertical_portable };
}

#if HAVE_AVX2_VARIANT

__attribute__((target("avx2"))) static void vertical_avx2(const uint8_t *const *rows, const int32_t *weight, int taps,
                                                          size_t bytes, uint8_t *out)
{
    size_t at = 0;
    for (; at + 16 <= bytes; at += 16) {
        __m256i low = _mm256_set1_epi32(TRIB_WEIGHT_HALF), high = low;
        for (int t = 0; t < taps; ++t) {
            const uint8_t *row = rows[t] + at;
            __m256i k = _mm256_set1_epi32(weight[t]);
            __m256i a = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)row));
            __m256i b = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(row + 8)));
            low = _mm256_add_epi32(low, _mm256_mullo_epi32(a, k));
            high = _mm256_add_epi32(high, _mm256_mullo_epi32(b, k));
        }
        low = _mm256_srai_epi32(low, TRIB_WEIGHT_BITS);
        high = _mm256_srai_epi32(high, TRIB_WEIGHT_BITS);
        __m256i words = _mm256_permute4x64_epi64(_mm256_packs_epi32(low, high), 0xD8);
        __m128i pixels = _mm_packus_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
        _mm_storeu_si128((__m128i *)(out + at), pixels);
    }
    if (at < bytes) vertical_block(rows, weight, taps, at, (int)(bytes - at), out);
}

/* Two taps of two rows at a time. A register holds, per row, the 16-bit pairs (r0,r1) (g0,g1) (b0,b1): one
 * multiply-add instruction then does a tap pair for six sums. Weights have 24 bits, too many for it, so they are taken
 * as high * 2^12 + low with both parts in 16 bits; sums are exact modulo 2^32 and the true sum fits. */
enum { LOW_BITS = 12 };

__attribute__((target("avx2"))) static inline __m256i pair_of_rows(const uint8_t *a, const uint8_t *b)
{
    const __m256i spread = _mm256_setr_epi8(0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1, /* row a */
                                            0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1);
    __m128i first = _mm_loadl_epi64((const __m128i *)a), second = _mm_loadl_epi64((const __m128i *)b);
    return _mm256_shuffle_epi8(_mm256_inserti128_si256(_mm256_castsi128_si256(first), second, 1), spread);
}

static inline void store_pixel(__m128i sum, uint8_t *out)
{
    sum = _mm_srai_epi32(sum, TRIB_WEIGHT_BITS);
    sum = _mm_packs_epi32(sum, sum);
    sum = _mm_packus_epi16(sum, sum);
    uint32_t pixel = (uint32_t)_mm_cvtsi128_si32(sum);
    memcpy(out, &pixel, 3);
}

/* Computes columns [0, to) of rows `in` and `in + row_bytes`. */
__attribute__((target("avx2"))) static void two_rows_avx2(const uint8_t *in, size_t row_bytes, const trib_weights *w,
                                                          int to, uint8_t *out, size_t out_bytes)
{
    const __m128i mask = _mm_set1_epi32((1 << LOW_BITS) - 1);
    for (int i = 0; i < to; ++i) {
        const int32_t *weight = w->weight + (size_t)i * (size_t)w->taps;
        const uint8_t *p = in + 3 * (size_t)w->begin[i];
        __m256i high = _mm256_setzero_si256(), low = _mm256_set1_epi32(TRIB_WEIGHT_HALF);
        for (int t = 0; t < w->length[i]; t += 2, p += 6) {
            __m128i k = _mm_loadl_epi64((const __m128i *)(weight + t));
            __m128i k_high = _mm_srai_epi32(k, LOW_BITS), k_low = _mm_and_si128(k, mask);
            __m256i pixels = pair_of_rows(p, p + row_bytes);
            __m256i pair_high = _mm256_broadcastd_epi32(_mm_packs_epi32(k_high, k_high));
            __m256i pair_low = _mm256_broadcastd_epi32(_mm_packs_epi32(k_low, k_low));
            high = _mm256_add_epi32(high, _mm256_madd_epi16(pixels, pair_high));
            low = _mm256_add_epi32(low, _mm256_madd_epi16(pixels, pair_low));
        }
        __m256i sum = _mm256_add_epi32(_mm256_slli_epi32(high, LOW_BITS), low);
        store_pixel(_mm256_castsi256_si128(sum), out + 3 * (size_t)i);
        store_pixel(_mm256_extracti128_si256(sum, 1), out + out_bytes + 3 * (size_t)i);
    }
}

/* The number of first columns whose 8-byte loads stay inside a row with `available` bytes. Windows move to the right,
 * so counting from the end finds them. */
static int safe_columns(const trib_weights *w, size_t available)
{
    int count = w->count;
    while (count > 0) {
        size_t last_pair = (size_t)w->begin[count - 1] + (size_t)((w->length[count - 1] - 1) / 2 * 2);
        if (3 * last_pair + 8 <= available) break;
        --count;
    }
    return count;
}

static void horizontal_avx2(const uint8_t *in, size_t row_bytes, const uint8_t *end, int rows, int channels,
                            const trib_weights *w, uint8_t *out, size_t out_bytes)
{
    int r = 0;
    for (; channels == 3 && r + 2 <= rows; r += 2, in += 2 * row_bytes, out += 2 * out_bytes) {
        int safe = safe_columns(w, (size_t)(end - in) - row_bytes);
        two_rows_avx2(in, row_bytes, w, safe, out, out_bytes);
        columns_rgb(in, w, safe, w->count, out);
        columns_rgb(in + row_bytes, w, safe, w->count, out + out_bytes);
    }
    horizontal_portable(in, row_bytes, end, rows - r, channels, w, out, out_bytes);
}

trib_resample_kernels trib_resample_best(void)
{
    if (!__builtin_cpu_supports("avx2")) return trib_resample_portable();
    return (trib_resample_kernels) { horizontal_avx2, vertical_avx2 };
}

#else

trib_resample_kernels trib_resample_best(void) { return trib_resample_portable(); }

#endif
