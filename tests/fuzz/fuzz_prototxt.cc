// SPDX-License-Identifier: Apache-2.0
// Any bytes as the text of a Caffe network, compared with one of ours.
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "formats/caffe.h"
#include "tributary/network.h"

namespace
{

const trib_graph *network()
{
    static trib_graph *graph = nullptr;
    const trib_network_spec spec = { trib_network_at(0), 7, 224, 224, false, 0.0625 };
    if (!graph && trib_network_graph(&spec, &graph).code != TRIB_OK) std::abort();
    return graph;
}

void check(const trib_status &s)
{
    if (trib_failed(&s) && !s.message[0]) std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    trib_caffe_net net = {};
    trib_status s = trib_caffe_read_text(reinterpret_cast<const char *>(data), size, &net);
    check(s);
    if (!trib_failed(&s)) {
        trib_preprocess preprocess;
        trib_caffe_images says;
        int height = -1, width = -1;
        check(trib_caffe_check(&net, network()));
        s = trib_caffe_preprocess(&net, &preprocess, &says);
        check(s);
        if (!trib_failed(&s) && says != TRIB_CAFFE_SAYS_NOTHING) check(trib_preprocess_check(&preprocess));
        trib_caffe_size(&net, &height, &width);
        if (height < 0 || width < 0) std::abort();
    }
    trib_caffe_release(&net);
    return 0;
}
