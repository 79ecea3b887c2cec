// SPDX-License-Identifier: Apache-2.0
// What the tests of training data share.
#pragma once

#include "dataset/make.h"

namespace make
{

// A training set that is closed at the end.
struct TrainingSet {
    trib_training_set *set = nullptr;
    trib_status status;
    explicit TrainingSet(const std::vector<std::string> &inputs, trib_training_set_options options = {});
    ~TrainingSet() { trib_training_set_close(set); }
    TrainingSet(const TrainingSet &) = delete;
    TrainingSet &operator=(const TrainingSet &) = delete;
    int64_t count() const; // of both parts
    std::vector<std::string> names(trib_training_part part) const;
    std::vector<int> labels(trib_training_part part) const;
    std::vector<std::string> class_names() const;
    std::string notes() const; // a line each
};

bool can_decode_png();

// The middle side x side pixels as they are, so that a row tells which image it was.
trib_preprocess as_is(int side);
// The first pixel of each of the first `count` training images, as a loader delivers them in order; -1: damaged.
std::vector<int> first_pixels(const trib_training_set *set, int count);

// What a training loader delivered.
struct TrainingBatches {
    std::vector<unsigned char> pixels;
    std::vector<int> labels;
    std::vector<int64_t> samples, epochs, positions, steps;
    std::vector<std::string> names;
    std::vector<bool> ends_epoch;
    std::vector<int64_t> damaged; // as listed
    std::vector<std::string> reasons;
    trib_training_loader_stats stats;
    trib_status status; // of the call that ended it
};
// Takes at most `count` batches.
TrainingBatches take_batches(const trib_training_set *set, const trib_preprocess &preprocess,
                             const trib_training_loader_options &options, int count = 1 << 30);

} // namespace make
