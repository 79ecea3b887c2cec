// SPDX-License-Identifier: Apache-2.0
// A separate file: it brings the devices into a program, which not every test needs.
#include <cstdlib>

#include "support/support.h"

namespace support
{

std::vector<std::string> devices(const std::string &kind)
{
    const char *asked = std::getenv("TRIB_TEST_DEVICE");
    const std::string wanted = asked ? asked : "";
    std::vector<trib_device_listing> all(std::size_t(trib_device_list(nullptr, 0)));
    trib_device_list(all.data(), int(all.size()));
    std::vector<std::string> specs;
    for (const trib_device_listing &listing : all) {
        const std::string spec = listing.spec;
        if (listing.available && spec.rfind(kind, 0) == 0 && spec.rfind(wanted, 0) == 0) specs.push_back(spec);
    }
    return specs;
}

trib_status open_device(const std::string &spec, trib_device **out)
{
    trib_device_options options = {};
    const char *cache = std::getenv("TRIB_TEST_CHOICE_CACHE");
    options.choices_path = cache && *cache ? cache : nullptr;
    return trib_device_open(spec.c_str(), &options, out);
}

} // namespace support
