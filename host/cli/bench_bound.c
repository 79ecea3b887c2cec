/* SPDX-License-Identifier: Apache-2.0
 * What measured rates tell about each other. */
#include "bench_rates.h"

#include <stdio.h>
#include <string.h>

const char *cli_rate_name(cli_rate rate)
{
    static const char *const names[CLI_RATE_COUNT] = { "device", "with copies", "end to end" };
    return names[rate];
}

cli_rate cli_rates_main(const cli_rates *rates)
{
    static const cli_rate order[] = { CLI_RATE_COPIES, CLI_RATE_DEVICE, CLI_RATE_END_TO_END };
    int i = 0;
    while (i < 2 && rates->images_per_second[order[i]] <= 0) ++i;
    return order[i];
}

/* Rates closer than this count as equal. */
static const double same = 0.95;
/* Copies this close to their rate alone leave nothing to gain. */
static const double saturated = 0.8;

static const char *bound_with_copies(const cli_rates *rates, char *sentence, size_t size)
{
    const double *rate = rates->images_per_second, gb = rates->bytes_in * 1e-9;
    double copied = rate[CLI_RATE_COPIES] * gb, alone = rates->copy_alone * 1e-9;
    if (rate[CLI_RATE_COPIES] >= same * rate[CLI_RATE_DEVICE]) {
        snprintf(sentence, size,
                 "bound by computing: copies are hidden behind it, at %.2f GB/s of the %.2f that copies alone reach",
                 copied, alone);
        return "computing";
    }
    if (copied >= saturated * alone) {
        snprintf(sentence, size,
                 "bound by copies: %.2f GB/s of the %.2f that copies alone reach; computing could take %.2f", copied,
                 alone, rate[CLI_RATE_DEVICE] * gb);
        return "copies";
    }
    snprintf(sentence, size,
             "bound by submission: copies reach %.2f GB/s of the %.2f alone, computing %.0f %% of its rate alone; "
             "more batches in flight may help",
             copied, alone, 100 * rate[CLI_RATE_COPIES] / rate[CLI_RATE_DEVICE]);
    return "submission";
}

const char *cli_rates_bound(const cli_rates *rates, char *sentence, size_t size)
{
    const double *rate = rates->images_per_second, from = rate[CLI_RATE_END_TO_END];
    *sentence = '\0';
    if (rate[CLI_RATE_DEVICE] <= 0 || rate[CLI_RATE_COPIES] <= 0) return "";
    if (rates->copy_alone <= 0) {
        snprintf(sentence, size, "bound by computing: device memory is host memory, nothing is copied");
        return "computing";
    }
    const char *bound = bound_with_copies(rates, sentence, size);
    size_t used = strlen(sentence);
    if (from > 0 && from < same * rate[CLI_RATE_COPIES])
        snprintf(sentence + used, size - used,
                 "; end to end, bound by the host's copy out of ordinary memory: %.2f GB/s",
                 from * rates->bytes_in * 1e-9);
    return bound;
}
