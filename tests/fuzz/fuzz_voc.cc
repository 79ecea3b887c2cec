// SPDX-License-Identifier: Apache-2.0
// Any bytes as an annotation of VOC: what is accepted is a sound set, and comes back when it is written and read again.
#include <cstdint>
#include <cstdlib>

#include "detect/voc.h"

namespace
{

const trib_voc_options options = { 1, false };

void check(bool good)
{
    if (!good) std::abort();
}

// Names may change: what XML cannot hold becomes U+FFFD. Edges may round.
void expect_to_come_back(const trib_truths &truths)
{
    trib_text xml = {};
    trib_truths back = {};
    trib_by_image places = {};
    check(trib_truths_by_image(&truths, &places).code == TRIB_OK);
    trib_voc_write(&truths, &places, 0, 1, &xml);
    trib_by_image_release(&places);
    const trib_status s = trib_voc_read(xml.bytes, xml.size, "xml", &options, &back);
    check(!trib_failed(&s) && back.count == truths.count);
    trib_truths_release(&back);
    trib_text_free(&xml);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    trib_truths truths = {};
    trib_status s = trib_voc_read(reinterpret_cast<const char *>(data), size, "fuzz", &options, &truths);
    check(!trib_failed(&s) || s.message[0]);
    if (!trib_failed(&s)) {
        s = trib_boxes_check(&truths, nullptr);
        check(!trib_failed(&s));
        expect_to_come_back(truths);
    }
    trib_truths_release(&truths);
    return 0;
}
