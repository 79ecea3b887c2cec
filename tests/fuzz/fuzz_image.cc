// SPDX-License-Identifier: Apache-2.0
// Any bytes as an image: inspecting gives the truth, and small images that decode go through
// preprocessing.
#include <cmath>
#include <cstdint>
#include <cstdlib>

#include "support/heap.h"
#include "tributary/image.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    trib_image image = {};
    const trib_decode_options small { 1 << 18, size % 2 == 0 };
    trib_image_info info = {};
    trib_status told = trib_image_inspect(data, size, &small, &info);
    support::Heap heap;
    trib_status s = trib_image_decode(data, size, &small, &image);
    if (!trib_failed(&told) && heap.peak() > info.decode_bytes) abort();
    if (trib_failed(&told) && !trib_failed(&s)) abort();
    if (trib_failed(&s)) {
        if (image.pixels || !s.message[0]) abort();
        return 0;
    }
    if (!trib_image_recognised(data, size)) abort();
    bool as_told = info.width == image.width && info.height == image.height;
    bool turned = small.apply_orientation && info.width == image.height && info.height == image.width;
    if ((!as_told && !turned) || info.channels != image.channels) abort();
    float out[3 * 8 * 8];
    for (int mode = TRIB_RESIZE_SHORT_SIDE; mode <= TRIB_RESIZE_NONE; ++mode) {
        trib_preprocess p = trib_preprocess_torchvision();
        p.crop_height = p.crop_width = p.resize = 8;
        p.resize_mode = trib_resize_mode(mode);
        p.interpolation = trib_interpolation(data[size - 1] % 4);
        p.bgr = size % 2;
        s = trib_preprocess_image(&p, &image, mode % 2 ? TRIB_NHWC : TRIB_NCHW, out);
        for (float value : out)
            if (!trib_failed(&s) && !(std::fabs(value) <= 3)) abort();
    }
    trib_image_release(&image);
    return 0;
}
