// SPDX-License-Identifier: Apache-2.0
// Any bytes as a tar shard: read to the end, with and without labels. Every item must be whole or say what is wrong.
#include <cstdint>
#include <cstdlib>
#include <string>

#include <sys/mman.h>
#include <unistd.h>

#include "data/input.h"

static void read_all(const std::string &path, bool need_labels)
{
    trib_input *input = nullptr;
    trib_status s = trib_tar_input_open(path.c_str(), need_labels, &input);
    if (trib_failed(&s)) return;
    for (bool end = false; !end;) {
        trib_item item = {};
        s = input->kind->next(input, &item, &end);
        if (trib_failed(&s)) break;
        if (!end && (!item.name || (trib_failed(&item.status) ? item.bytes != nullptr : item.bytes == nullptr)))
            abort();
        volatile uint8_t last = item.bytes && item.size ? item.bytes[item.size - 1] : 0;
        (void)last;
        trib_item_release(&item);
    }
    input->kind->close(input);
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int fd = memfd_create("shard", 0);
    if (fd < 0 || write(fd, data, size) != ssize_t(size)) abort();
    const std::string path = "/proc/self/fd/" + std::to_string(fd);
    read_all(path, false);
    read_all(path, true);
    close(fd);
    return 0;
}
