/* SPDX-License-Identifier: Apache-2.0 */
#include "cuda/cards.h"

#include <string.h>

#include "tributary/internal/kernels_cuda.h"

const trib_card trib_cards[] = {
    { .target = "h200",
      .name = "NVIDIA H200",
      .instructions = "sm_90",
      .multiprocessors = 132,
      .memory_bytes = 150754820096,
      .cache_bytes = 62914560,
      .copy_rate = 4.3e12,
      .math_rate = { [TRIB_PRECISION_FP32] = 53e12,
                     [TRIB_PRECISION_TF32] = 395e12,
                     [TRIB_PRECISION_FP16] = 790e12,
                     [TRIB_PRECISION_BF16] = 790e12 },
      .rates_source =
          "H200, copy 4.3 TB/s and bf16 790 TFLOP/s as measured; other precisions in proportion to their peaks",
      .description = "{\"name\":\"NVIDIA H200\",\"deviceName\":\"NVIDIA H200\",\"deviceVer\":900,\"driverVer\":13000,"
                     "\"driverVersion\":13000,\"cudaDeviceId\":0,\"deviceId\":0,\"totalGlobalMem\":150754820096,"
                     "\"maxGridSize\":[2147483647,65535,65535],\"maxBlockSize\":[1024,1024,64],\"regsPerBlock\":65536,"
                     "\"multiProcessorCount\":132,\"smClockRateKHz\":1980000,\"memClockRateKHz\":3201000,"
                     "\"l2CacheSize\":62914560,\"warpSize\":32,\"maxSharedMemoryPerBlock\":49152,"
                     "\"maxSharedMemoryPerBlockOptin\":232448,\"reservedSharedMemoryPerBlock\":1024,"
                     "\"maxRegistersPerSM\":65536,\"pciDeviceId\":0,\"maxCtasPerSM\":32,\"maxThreadsPerBlock\":1024,"
                     "\"maxThreadsPerSM\":2048,\"isTccDriver\":0,\"supportCoopLaunch\":1}" },
};
const int trib_card_count = sizeof trib_cards / sizeof *trib_cards;

const trib_card *trib_card_find(const char *target)
{
    for (int i = 0; i < trib_card_count; ++i)
        if (!strcmp(trib_cards[i].target, target)) return &trib_cards[i];
    return NULL;
}

void trib_card_rates(trib_device_info *info)
{
    for (int i = 0; i < trib_card_count; ++i) {
        const trib_card *card = &trib_cards[i];
        if (strcmp(card->name, info->name) != 0) continue;
        info->copy_rate = card->copy_rate;
        memcpy(info->math_rate, card->math_rate, sizeof info->math_rate);
        info->rates_source = card->rates_source;
    }
}

void trib_cuda_describe_abilities(trib_device_info *info)
{
    info->has_capture = true;
    info->normalises = true;
    info->layout_count = 1;
    info->layouts[0] = TRIB_NHWC;
    info->channel_multiple = TRIB_PREPROCESS_CHANNELS;
    info->precisions = (1u << TRIB_PRECISION_COUNT) - 1;
}
