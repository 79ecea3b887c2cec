// SPDX-License-Identifier: Apache-2.0
// The sets of boxes of tests/data/detect/make_expected.py, number by number: ties, crowds, difficult objects, empty
// images, duplicates, boxes without area, sizes at COCO's limits.
#pragma once

#include <algorithm>
#include <cstdint>
#include <sstream>
#include <string>
#include <vector>

#include "detect/boxes.h"
#include "support/support.h"

namespace detect
{

// Owners.
struct Truths : trib_truths {
    Truths() : trib_truths() {}
    ~Truths() { trib_truths_release(this); }
    Truths(const Truths &) = delete;
    Truths &operator=(const Truths &) = delete;
};
struct Detections : trib_detections {
    Detections() : trib_detections() {}
    ~Detections() { trib_detections_release(this); }
    Detections(const Detections &) = delete;
    Detections &operator=(const Detections &) = delete;
};

// splitmix64
class Draw
{
  public:
    explicit Draw(std::uint64_t seed) : state_(seed) {}
    int below(int n)
    {
        state_ += 0x9E3779B97F4A7C15u;
        std::uint64_t z = state_;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
        return int((z ^ (z >> 31)) % std::uint64_t(n));
    }

  private:
    std::uint64_t state_;
};

// In quarters of a pixel.
struct Quarters {
    int x, y, w, h;
    trib_box box() const { return { x / 4.0, y / 4.0, w / 4.0, h / 4.0 }; }
};

inline int side(Draw &d)
{
    static const int fixed[] = { 128, 384 }, below[] = { 128, 384, 1000 };
    const int kind = d.below(6);
    if (kind == 0) return d.below(3) == 0 ? 0 : d.below(40);
    return kind <= 2 ? fixed[kind - 1] : d.below(below[kind - 3]);
}

inline Quarters random_box(Draw &d)
{
    Quarters q = {};
    q.x = d.below(800);
    q.y = d.below(800);
    q.w = side(d);
    q.h = side(d);
    return q;
}

inline Quarters near(Draw &d, Quarters q)
{
    const int kind = d.below(8), w = q.w, h = q.h;
    if (kind < 2) return q;
    if (kind == 2) return { q.x, q.y, w / 2, h };
    q.x += d.below(w / 4 + 1) - w / 8;
    q.y += d.below(h / 4 + 1) - h / 8;
    q.w += d.below(w / 4 + 1) - w / 8;
    q.h += d.below(h / 4 + 1) - h / 8;
    return q;
}

struct RandomSet {
    Truths truths;
    Detections detections;

    explicit RandomSet(int seed) : draw_(std::uint64_t(seed))
    {
        const int images = 1 + draw_.below(6), categories = 1 + draw_.below(4);
        for (int i = 0; i < images; ++i)
            EXPECT_OK(trib_truths_add_image(&truths, ("image " + std::to_string(i)).c_str(), i + 1, 400, 400));
        for (int c = 0; c < categories; ++c)
            EXPECT_OK(trib_truths_add_category(&truths, ("class " + std::to_string(c)).c_str(), c + 1));
        for (int i = 0; i < images; ++i) {
            boxes_.clear();
            const std::size_t first = truths.count;
            const int count = draw_.below(4) == 0 ? 0 : draw_.below(7);
            for (int t = 0; t < count; ++t) add_truth(i, categories);
            add_detections(i, categories, first, seed % 20 == 0 && i == 0);
        }
    }

  private:
    void add_truth(int image, int categories)
    {
        trib_truth t = {};
        t.image = image;
        t.category = draw_.below(categories);
        Quarters q = random_box(draw_);
        t.difficult = draw_.below(6) == 0;
        t.crowd = draw_.below(8) == 0;
        if (draw_.below(8) == 0 && !boxes_.empty()) {
            t.category = truths.items[truths.count - 1].category;
            q = boxes_.back();
        }
        t.box = q.box();
        t.area = trib_box_area(&t.box) * (draw_.below(4) == 0 ? 0.5 : 1);
        boxes_.push_back(q);
        EXPECT_OK(trib_truths_add(&truths, &t));
    }

    void add_detections(int image, int categories, std::size_t first, bool many)
    {
        const std::size_t before = detections.count;
        int found = draw_.below(5) == 0 ? 0 : draw_.below(25);
        if (many) found = 400;
        for (int i = 0; i < found; ++i) {
            const int kind = draw_.below(10);
            trib_detection d = {};
            d.image = image;
            d.score = draw_.below(16) / 16.0;
            if (kind < 6 && !boxes_.empty()) {
                const int t = draw_.below(int(boxes_.size()));
                d.box = near(draw_, boxes_[std::size_t(t)]).box();
                d.category =
                    draw_.below(6) == 0 ? draw_.below(categories) : truths.items[first + std::size_t(t)].category;
            } else if (kind == 6 && detections.count > before) {
                d = detections.items[detections.count - 1];
            } else {
                d.box = random_box(draw_).box();
                d.category = draw_.below(categories);
            }
            EXPECT_OK(trib_detections_add(&detections, &d));
        }
    }

    Draw draw_;
    std::vector<Quarters> boxes_; // of the image at hand
};

using Numbers = std::vector<double>;

// A line of tests/data/detect/expected.txt after its first `skip` words.
inline Numbers numbers_of(std::istream &in, std::size_t skip)
{
    std::string line, word;
    std::getline(in, line);
    std::istringstream words(line);
    for (; skip > 0; --skip) words >> word;
    Numbers numbers;
    for (double value; words >> value;) numbers.push_back(value);
    return numbers;
}

} // namespace detect
