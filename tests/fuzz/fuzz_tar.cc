// SPDX-License-Identifier: Apache-2.0
// Any bytes as a tar shard: read to the end, with and without labels, from a file and from a pipe, where links are
// found in different ways. Every item must be whole or say what is wrong.
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <thread>

#include <sys/mman.h>
#include <unistd.h>

#include "data/input.h"
#include "data/outputs.h"

// Takes `opened`; nullptr: the file is opened by its name.
static void read_all(const std::string &path, trib_reader *opened, bool need_labels)
{
    trib_input *input = nullptr;
    trib_passed_list passed = {};
    trib_outputs none = {};
    const trib_input_context context = { need_labels, -1, 0, false, 0, &passed, &none };
    trib_status s = trib_tar_input_open(&context, path.c_str(), opened, &input);
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

static void read_from_pipe(const uint8_t *data, size_t size, bool need_labels)
{
    int ends[2];
    if (pipe(ends)) abort();
    std::thread writer([=] {
        for (size_t at = 0; at < size;) {
            ssize_t n = write(ends[1], data + at, size - at);
            if (n <= 0) break; // nothing is read after the damage
            at += size_t(n);
        }
        close(ends[1]);
    });
    trib_reader reader = {};
    reader.path = "pipe";
    reader.fd = ends[0];
    reader.wake_fd = reader.size = -1;
    read_all("pipe", &reader, need_labels);
    writer.join();
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const bool quiet = signal(SIGPIPE, SIG_IGN) != SIG_ERR;
    int fd = memfd_create("shard", 0);
    if (!quiet || fd < 0 || write(fd, data, size) != ssize_t(size)) abort();
    const std::string path = "/proc/self/fd/" + std::to_string(fd);
    for (bool need_labels : { false, true }) {
        read_all(path, nullptr, need_labels);
        read_from_pipe(data, size, need_labels);
    }
    close(fd);
    return 0;
}
