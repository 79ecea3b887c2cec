// SPDX-License-Identifier: Apache-2.0
#include "tributary/shape.h"

#include <string>

#include "support/support.h"

namespace
{

trib_shape shape(std::initializer_list<std::int64_t> extents)
{
    trib_shape s = {};
    for (std::int64_t extent : extents) s.dim[s.rank++] = extent;
    return s;
}

std::int64_t count(const trib_shape &s)
{
    std::int64_t elements = -1;
    EXPECT_OK(trib_shape_count(&s, &elements));
    return elements;
}

TEST(Shape, Counts)
{
    EXPECT_EQ(count(shape({})), 1);
    EXPECT_EQ(count(shape({ 7 })), 7);
    EXPECT_EQ(count(shape({ 2, 3, 224, 224 })), 2 * 3 * 224 * 224);
    EXPECT_EQ(count(shape({ 2, 0, 5 })), 0);
    EXPECT_EQ(count(shape({ std::int64_t(1) << 31, std::int64_t(1) << 31 })), std::int64_t(1) << 62);
    EXPECT_EQ(count(shape({ 1, 2, 1, 2, 1, 2, 1, 2 })), 16);
}

TEST(Shape, CountFailsOnWhatCannotBe)
{
    const std::int64_t big = std::int64_t(1) << 31;
    std::int64_t elements = -5;
    for (const trib_shape &s : { shape({ big, big, 2 }), shape({ INT64_MAX, INT64_MAX }), shape({ INT64_MAX }),
                                 shape({ 0, INT64_MAX, INT64_MAX }), shape({ (big << 31) + 1 }) })
        EXPECT_FAILS(trib_shape_count(&s, &elements), TRIB_BAD_DATA, "2^62");
    for (const trib_shape &s : { shape({ -1 }), shape({ 0, -2 }), shape({ INT64_MIN, 2 }) })
        EXPECT_FAILS(trib_shape_count(&s, &elements), TRIB_BAD_DATA, "negative extent");
    for (int rank : { -1, TRIB_MAX_RANK + 1, 1 << 30 }) {
        trib_shape s = {};
        s.rank = rank;
        EXPECT_FAILS(trib_shape_count(&s, &elements), TRIB_BAD_DATA, "rank " + std::to_string(rank));
    }
    EXPECT_EQ(elements, -5) << "left alone on failure";
}

TEST(Shape, Of)
{
    trib_shape s = trib_shape_of(2, 10, 1024, 3, 4), wanted = shape({ 10, 1024 });
    EXPECT_TRUE(trib_shape_equal(&s, &wanted));
    EXPECT_EQ(s.dim[2], 0);
    EXPECT_EQ(s.dim[3], 0);
}

TEST(Shape, Equality)
{
    trib_shape a = shape({ 2, 3 }), b = shape({ 2, 3 }), c = shape({ 3, 2 }), d = shape({ 2, 3, 1 }), e = shape({});
    b.dim[5] = 9; // beyond the rank
    EXPECT_TRUE(trib_shape_equal(&a, &b));
    EXPECT_FALSE(trib_shape_equal(&a, &c));
    EXPECT_FALSE(trib_shape_equal(&a, &d));
    EXPECT_FALSE(trib_shape_equal(&a, &e));
    EXPECT_TRUE(trib_shape_equal(&e, &e));
}

TEST(Shape, Text)
{
    char text[TRIB_SHAPE_TEXT];
    trib_shape s = shape({ 2, 3, 224, 224 }), scalar = shape({});
    EXPECT_STREQ(trib_shape_text(&s, text), "[2, 3, 224, 224]");
    EXPECT_STREQ(trib_shape_text(&scalar, text), "[]");
    trib_shape longest =
        shape({ INT64_MIN, INT64_MIN, INT64_MIN, INT64_MIN, INT64_MIN, INT64_MIN, INT64_MIN, INT64_MIN });
    EXPECT_LT(std::string(trib_shape_text(&longest, text)).size(), std::size_t(TRIB_SHAPE_TEXT));
    longest.rank = 1 << 30; // damaged: nothing beyond the extents is read
    EXPECT_LT(std::string(trib_shape_text(&longest, text)).size(), std::size_t(TRIB_SHAPE_TEXT));
}

} // namespace
