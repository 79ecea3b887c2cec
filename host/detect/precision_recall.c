/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/precision_recall.h"

#include <math.h>

#include "data/input.h"
#include "tributary/internal/alloc.h"

void trib_precision_recall_release(trib_precision_recall *curve)
{
    trib_free(curve->hits);
    trib_free(curve->scores);
    *curve = (trib_precision_recall) { 0 };
}

trib_status trib_precision_recall_start(trib_precision_recall *curve, size_t truths, size_t capacity)
{
    if (capacity > curve->capacity) {
        trib_precision_recall_release(curve);
        curve->hits = trib_realloc_array(NULL, capacity, sizeof *curve->hits);
        curve->scores = trib_realloc_array(NULL, capacity, sizeof *curve->scores);
        if (!curve->hits || !curve->scores) {
            trib_precision_recall_release(curve);
            return trib_no_memory("a curve of precision and recall");
        }
        curve->capacity = capacity;
    }
    curve->truths = truths;
    curve->count = 0;
    return trib_success();
}

void trib_precision_recall_add(trib_precision_recall *curve, double score, bool hit)
{
    const size_t i = curve->count++;
    curve->hits[i] = (i ? curve->hits[i - 1] : 0) + hit;
    curve->scores[i] = score;
}

double trib_precision_at(const trib_precision_recall *curve, size_t i)
{
    return (double)curve->hits[i] / (double)(i + 1);
}

double trib_recall_at(const trib_precision_recall *curve, size_t i)
{
    return (double)curve->hits[i] / (double)curve->truths;
}

double trib_average_precision_area(const trib_precision_recall *curve)
{
    if (!curve->truths) return -1;
    double area = 0, best = 0;
    for (size_t i = curve->count; i-- > 0;) {
        const size_t before = i ? curve->hits[i - 1] : 0;
        best = fmax(best, trib_precision_at(curve, i));
        if (curve->hits[i] > before) area += best; /* a step of 1 / truths in recall */
    }
    return area / (double)curve->truths;
}

static bool reaches_tenths(const trib_precision_recall *curve, size_t i, int r)
{
    return 10 * curve->hits[i] >= (size_t)r * curve->truths;
}

static bool reaches_hundredths(const trib_precision_recall *curve, size_t i, int r)
{
    return trib_recall_at(curve, i) >= r * 0.01;
}

/* Mean of the best precision at recalls 0 .. last, from the highest down: what reaches one reaches all below it. */
static double mean_of_best(const trib_precision_recall *curve, int last,
                           bool (*reaches)(const trib_precision_recall *, size_t, int), double *points)
{
    double sum = 0, best = 0;
    size_t i = curve->count;
    for (int r = last; r >= 0; --r) {
        for (; i > 0 && curve->truths && reaches(curve, i - 1, r); --i)
            best = fmax(best, trib_precision_at(curve, i - 1));
        if (points) points[r] = curve->truths ? best : -1;
        sum += best;
    }
    return curve->truths ? sum / (last + 1) : -1;
}

double trib_average_precision_11(const trib_precision_recall *curve)
{
    return mean_of_best(curve, 10, reaches_tenths, NULL);
}

double trib_average_precision_101(const trib_precision_recall *curve, double *points)
{
    return mean_of_best(curve, TRIB_RECALL_POINTS - 1, reaches_hundredths, points);
}
