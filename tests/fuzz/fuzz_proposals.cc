// SPDX-License-Identifier: Apache-2.0
// Any bytes as a file of proposals, and as one line of it: what is accepted has boxes inside the image, and is the same
// when it was written and read again.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>

#include "detect/proposal_store.h"

static void check(bool good)
{
    if (!good) std::abort();
}

static void check_boxes(const trib_proposal_line &line)
{
    for (std::size_t i = 0; i < line.proposals.count; ++i) {
        const trib_proposal &b = line.proposals.boxes[i];
        check(b.x0 >= 0 && b.x0 < b.x1 && b.x1 <= line.width && b.y0 >= 0 && b.y0 < b.y1 && b.y1 <= line.height);
    }
}

static void check_same(const trib_proposal_line &a, const trib_proposal_line &b)
{
    check(!std::strcmp(a.image, b.image) && !std::strcmp(a.sha256, b.sha256) && a.width == b.width &&
          a.height == b.height && a.proposals.count == b.proposals.count);
    check(a.by && b.by ? !std::strcmp(a.by, b.by) : a.by == b.by);
    for (std::size_t i = 0; i < a.proposals.count; ++i)
        check(!std::memcmp(&a.proposals.boxes[i], &b.proposals.boxes[i], sizeof(trib_proposal)));
}

static void read_line(const char *bytes, std::size_t size)
{
    trib_proposal_line line = {}, again = {};
    trib_status s = trib_proposal_line_read(bytes, size, &line);
    check(!trib_failed(&s) || s.message[0]);
    if (trib_failed(&s)) return;
    check_boxes(line);
    trib_text text = {};
    trib_proposal_line_write(&line, &text);
    check(!text.failed && text.bytes[text.size - 1] == '\n');
    s = trib_proposal_line_read(text.bytes, text.size - 1, &again);
    check(!trib_failed(&s));
    check_same(line, again);
    trib_text_free(&text);
    trib_proposal_line_release(&line);
    trib_proposal_line_release(&again);
}

static void read_store(const std::string &path)
{
    trib_proposal_store *store = nullptr;
    trib_proposal_line line = {};
    trib_status s = trib_proposal_store_open(path.c_str(), &store);
    check(trib_failed(&s) ? !store && s.message[0] : store != nullptr);
    if (!store) return;
    const std::string sum(64, 'a');
    s = trib_proposal_store_find(store, "a", sum.c_str(), &line);
    check(s.code == TRIB_OK || s.code == TRIB_NOT_FOUND);
    if (!trib_failed(&s)) check(line.sha256 == sum);
    trib_proposal_line_release(&line);
    trib_proposal_store_close(store);
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    const int file = memfd_create("fuzz", MFD_CLOEXEC);
    check(file >= 0 && write(file, data, size) == ssize_t(size));
    read_line(reinterpret_cast<const char *>(data), size);
    read_store("/proc/self/fd/" + std::to_string(file));
    close(file);
    return 0;
}
