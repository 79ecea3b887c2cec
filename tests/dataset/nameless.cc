// SPDX-License-Identifier: Apache-2.0
// libarchive may give no name of a member, in no encoding. No shard is known that makes it do so: here it is made to.
#include <dlfcn.h>

#include "dataset/make.h"

struct archive_entry;

namespace
{

bool nameless = false;

// What libarchive itself answers.
const char *name_of(const char *function, archive_entry *entry)
{
    using Function = const char *(*)(archive_entry *);
    const auto real = reinterpret_cast<Function>(dlsym(RTLD_NEXT, function));
    return nameless || !real ? nullptr : real(entry);
}

} // namespace

// They take the place of libarchive's in this program.
extern "C" const char *archive_entry_pathname(archive_entry *entry) { return name_of(__func__, entry); }
extern "C" const char *archive_entry_pathname_utf8(archive_entry *entry) { return name_of(__func__, entry); }

TEST(Nameless, MembersAreFailedItems)
{
    if (!make::built_with_tar()) GTEST_SKIP() << "this build has no libarchive";
    support::TemporaryFolder t;
    support::write_file(t.file("s.tar"), make::tar({ { "a.jpg", "A" }, { "b.jpg", "B" } }));
    nameless = true;
    auto items = make::read_all({ t.file("s.tar") });
    nameless = false;
    ASSERT_EQ(items.size(), 2u);
    for (const auto &item : items) {
        EXPECT_EQ(item.code, TRIB_BAD_DATA);
        EXPECT_EQ(item.message, t.file("s.tar") + ": a member whose name cannot be read");
    }
    EXPECT_EQ(make::read_all({ t.file("s.tar") })[1].bytes, "B");
}
