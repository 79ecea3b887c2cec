// SPDX-License-Identifier: Apache-2.0
#include "tributary/internal/library.h"

#include <dlfcn.h>

#include <cstddef>
#include <cstring>

#include "support/support.h"

namespace
{

TEST(Library, IsFoundByNameOrElseByPath)
{
    char why[64] = "untouched";
    for (const char *name : { "libm.so.6", "libtributary-no-such-library.so.1" }) {
        void *library = trib_library_load(name, "libm.so.6", why, sizeof why);
        ASSERT_NE(library, nullptr) << why;
        EXPECT_NE(dlsym(library, "cos"), nullptr);
        EXPECT_STREQ(why, "untouched");
        dlclose(library);
    }
}

TEST(Library, AFailureHasTheLoadersReason)
{
    char why[200];
    EXPECT_EQ(trib_library_load("libtributary-no-such-library.so.1", nullptr, why, sizeof why), nullptr);
    EXPECT_NE(std::strstr(why, "libtributary-no-such-library.so.1"), nullptr) << why;
    support::TemporaryFolder folder;
    support::write_file(folder.file("damaged.so"), "no library");
    EXPECT_EQ(
        trib_library_load("libtributary-no-such-library.so.1", folder.file("damaged.so").c_str(), why, sizeof why),
        nullptr);
    EXPECT_NE(std::strstr(why, "damaged.so"), nullptr) << why;
    char little[8];
    EXPECT_EQ(trib_library_load("libtributary-no-such-library.so.1", nullptr, little, sizeof little), nullptr);
    EXPECT_EQ(std::strlen(little), 7u);
}

struct Functions {
    double (*cos)(double);
    void (*absent)(void);
    double (*fabs)(double);
    void (*absent_too)(void);
};

TEST(Library, FindsFunctionsAndNamesTheFirstThatIsMissing)
{
    const trib_library_function functions[] = {
        { "cos", offsetof(Functions, cos) },
        { "tributary_no_such_function", offsetof(Functions, absent) },
        { "fabs", offsetof(Functions, fabs) },
        { "tributary_nor_this_one", offsetof(Functions, absent_too) },
    };
    char why[64];
    void *library = trib_library_load("libm.so.6", nullptr, why, sizeof why);
    ASSERT_NE(library, nullptr);
    Functions found;
    std::memset(&found, 1, sizeof found);
    EXPECT_EQ(trib_library_find(library, functions, 1, &found), nullptr);
    EXPECT_STREQ(trib_library_find(library, functions, 4, &found), "tributary_no_such_function");
    EXPECT_EQ(found.cos(0), 1);
    EXPECT_EQ(found.fabs(-2), 2);
    EXPECT_EQ(found.absent, nullptr);
    EXPECT_EQ(found.absent_too, nullptr);
    dlclose(library);
}

} // namespace
