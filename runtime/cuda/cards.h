/* SPDX-License-Identifier: Apache-2.0
 * Known cards: their limits, and cuDNN's description of them, so that plans can be made on machines without them.
 */
#ifndef TRIBUTARY_RUNTIME_CUDA_CARDS_H
#define TRIBUTARY_RUNTIME_CUDA_CARDS_H

#include "tributary/device.h"

typedef struct trib_card {
    const char *target;       /* "h200" */
    const char *name;         /* the driver's name */
    const char *instructions; /* "sm_90" */
    int multiprocessors;
    int64_t memory_bytes, cache_bytes;
    double copy_rate, math_rate[TRIB_PRECISION_COUNT];
    const char *rates_source;
    const char *description; /* cuDNN's own JSON */
} trib_card;

extern const trib_card trib_cards[];
extern const int trib_card_count;

/* NULL if there is none of that name. */
const trib_card *trib_card_find(const char *target);
/* Fills in the rates of the card called info->name, if it is known. */
void trib_card_rates(trib_device_info *info);
/* Properties of all our CUDA devices. */
void trib_cuda_describe_abilities(trib_device_info *info);

#endif
