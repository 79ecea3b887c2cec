/* SPDX-License-Identifier: Apache-2.0
 * decode_rate INPUT [WORKERS]: images per second of the loader alone: reading, decoding, resizing to 224x224 as
 * torchvision does, normalising. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "tributary.h"

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void check(trib_status s)
{
    if (!trib_failed(&s)) return;
    fprintf(stderr, "decode_rate: %s\n", s.message);
    exit(1);
}

int main(int argc, char **argv)
{
    if (argc < 2 || argc > 3) {
        fprintf(stderr, "usage: decode_rate INPUT [WORKERS]\n");
        return 2;
    }
    const trib_preprocess preprocess = trib_preprocess_torchvision();
    const trib_loader_options options = { .batch_size = 32, .workers = argc > 2 ? atoi(argv[2]) : 0 };
    trib_source *source = NULL;
    trib_loader *loader = NULL;
    const trib_batch *batch = NULL;
    long images = 0;
    check(trib_source_open((const char *const *)argv + 1, 1, NULL, &source));
    double start = now();
    check(trib_loader_create(source, &preprocess, &options, &loader));
    for (;;) {
        check(trib_loader_next(loader, &batch));
        if (!batch) break;
        images += batch->count;
        trib_loader_give_back(loader, batch);
    }
    printf("%.1f\n", (double)images / (now() - start));
    trib_loader_destroy(loader);
    trib_source_close(source);
    return 0;
}
