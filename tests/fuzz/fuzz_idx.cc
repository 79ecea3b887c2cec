// SPDX-License-Identifier: Apache-2.0
// Any bytes as an IDX file of images, and as its labels: opened and read to the end. Every item must be whole or say
// what is wrong.
#include <cstdint>
#include <cstdlib>
#include <string>

#include <sys/mman.h>
#include <unistd.h>

#include "tributary/dataset.h"

static std::string memory_file(const void *data, size_t size, int *fd)
{
    *fd = memfd_create("idx", 0);
    if (*fd < 0 || write(*fd, data, size) != ssize_t(size)) abort();
    return "/proc/self/fd/" + std::to_string(*fd);
}

static void read_all(const std::string &path, const char *labels)
{
    trib_source_options options = {};
    options.need_labels = labels != nullptr;
    options.labels_path = labels;
    trib_source *source = nullptr;
    const char *input = path.c_str();
    trib_status s = trib_source_open(&input, 1, &options, &source);
    if (trib_failed(&s)) return;
    for (bool end = false; !end;) {
        trib_item item = {};
        s = trib_source_next(source, &item, &end);
        if (trib_failed(&s)) break;
        if (!end && !item.name) abort();
        const trib_image &image = item.image;
        volatile uint8_t last =
            image.pixels ? image.pixels[size_t(image.width) * image.height * image.channels - 1] : 0;
        (void)last;
        trib_item_release(&item);
    }
    trib_source_close(source);
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const unsigned char one_image[] = "\0\0\x08\x03\0\0\0\1\0\0\0\1\0\0\0\1x";
    int images_fd = -1, fd = -1;
    const std::string path = memory_file(data, size, &fd);
    const std::string images = memory_file(one_image, sizeof one_image - 1, &images_fd);
    read_all(path, nullptr);
    read_all(images, path.c_str()); // the same bytes as labels
    close(fd);
    close(images_fd);
    return 0;
}
