// SPDX-License-Identifier: Apache-2.0
// Models and images for tests of panels, and what a panel should answer.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "panel/panel.h"
#include "support/support.h"

namespace ask
{

struct Free {
    void operator()(trib_device *d) const { trib_device_close(d); }
    void operator()(trib_model *m) const { trib_model_destroy(m); }
    void operator()(trib_panel *p) const { trib_panel_destroy(p); }
    void operator()(trib_session *s) const { trib_session_destroy(s); }
};
using Device = std::unique_ptr<trib_device, Free>;
using Model = std::unique_ptr<trib_model, Free>;
using Panel = std::unique_ptr<trib_panel, Free>;
using Session = std::unique_ptr<trib_session, Free>;

enum { kClasses = 7 };

Device open(const std::string &spec);
// Two variants, one of them narrow, of different input sizes, with random parameters.
std::vector<Model> models(int count);

struct Picture {
    int width, height;
    std::vector<uint8_t> rgb;
};
Picture picture(int width, int height, unsigned seed);

// An item that owns what it shows to a panel.
class Item
{
  public:
    explicit Item(int rows = 1) : rows_(rows) {}
    int add(Picture p); // its index
    void ask(std::size_t member, int picture, int x, int y, int width, int height, int row = 0, double weight = 1,
             bool mirror = false);
    trib_panel_item view(void *context = nullptr);

    std::vector<Picture> pictures;
    std::vector<std::vector<trib_panel_region>> regions; // of each member

  private:
    int rows_;
    std::vector<trib_image> images_;
    std::vector<trib_panel_part> parts_;
};

// `count` images of different sizes, with 0 to 9 regions for each of `members` members, on up to 3 rows.
std::vector<Item> items(int count, int members, unsigned seed = 1);

struct Result {
    std::vector<double> joint, members;
};

struct Way {
    int batch = 4, in_flight = 0;
    trib_panel_options options = {};
    bool reference = false;
};
trib_status create(trib_device *device, const std::vector<Model> &models, const Way &way, Panel *out);

// Submits everything, and returns results in the order in which they came, which must be that of the items.
trib_status run(trib_panel *panel, std::vector<Item> &items, std::vector<Result> *out);

// What each member says about an item, region by region, in ordinary sessions: a row per region of 32-bit
// probabilities. Only for regions that are copies (as large as the input).
std::vector<float> alone(trib_device *device, const trib_model *model, const Item &item, std::size_t member);

} // namespace ask
