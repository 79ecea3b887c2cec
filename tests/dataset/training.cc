// SPDX-License-Identifier: Apache-2.0
#include "dataset/training.h"

namespace make
{

TrainingSet::TrainingSet(const std::vector<std::string> &inputs, trib_training_set_options options)
{
    std::vector<const char *> paths;
    for (const auto &input : inputs) paths.push_back(input.c_str());
    status = trib_training_set_open(paths.data(), int(paths.size()), &options, &set);
}

int64_t TrainingSet::count() const
{
    return trib_training_set_count(set, TRIB_TRAINING) + trib_training_set_count(set, TRIB_VALIDATION);
}

std::vector<std::string> TrainingSet::names(trib_training_part part) const
{
    std::vector<std::string> list;
    for (int64_t i = 0; i < trib_training_set_count(set, part); ++i)
        list.push_back(trib_training_set_name(set, part, i));
    return list;
}

std::vector<int> TrainingSet::labels(trib_training_part part) const
{
    std::vector<int> list;
    for (int64_t i = 0; i < trib_training_set_count(set, part); ++i)
        list.push_back(trib_training_set_label(set, part, i));
    return list;
}

std::vector<std::string> TrainingSet::class_names() const
{
    std::vector<std::string> list;
    const char *const *names = trib_training_set_class_names(set);
    for (int i = 0; names && i < trib_training_set_classes(set); ++i) list.push_back(names[i]);
    return list;
}

std::string TrainingSet::notes() const
{
    std::string text;
    for (int i = 0; trib_training_set_note(set, i); ++i) text += trib_training_set_note(set, i) + std::string("\n");
    return text;
}

bool can_decode_png()
{
    const std::string bytes = png(1, 1, 1);
    trib_image image = {};
    trib_status s = trib_image_decode(bytes.data(), bytes.size(), nullptr, &image);
    trib_image_release(&image);
    return s.code != TRIB_UNSUPPORTED;
}

trib_preprocess as_is(int side)
{
    trib_preprocess p = trib_preprocess_torchvision();
    p.crop_height = p.crop_width = side;
    p.resize_mode = TRIB_RESIZE_NONE;
    p.scale = 1;
    for (int c = 0; c < 3; ++c) p.mean[c] = 0, p.std[c] = 1;
    return p;
}

std::vector<int> first_pixels(const trib_training_set *set, int count)
{
    trib_training_loader_options o = {};
    o.batch_size = count;
    o.workers = 2;
    o.layout = TRIB_NHWC;
    o.raw = true;
    o.in_order = true;
    TrainingBatches got = take_batches(set, as_is(4), o);
    EXPECT_EQ(got.status.code, TRIB_OK) << got.status.message;
    std::vector<int> pixels;
    for (size_t i = 0; i < got.labels.size(); ++i)
        pixels.push_back(got.labels[i] < 0 ? -1 : int(got.pixels[i * 4 * 4 * 3]));
    return pixels;
}

static void add(const trib_training_batch *batch, size_t row_bytes, TrainingBatches *out)
{
    auto bytes = static_cast<const unsigned char *>(batch->pixels);
    out->pixels.insert(out->pixels.end(), bytes, bytes + row_bytes * size_t(batch->count));
    for (int i = 0; i < batch->count; ++i) {
        out->labels.push_back(batch->labels[i]);
        out->samples.push_back(batch->samples[i]);
        out->names.push_back(batch->names[i]);
    }
    out->epochs.push_back(batch->epoch);
    out->positions.push_back(batch->position);
    out->steps.push_back(batch->step);
    out->ends_epoch.push_back(batch->ends_epoch);
}

TrainingBatches take_batches(const trib_training_set *set, const trib_preprocess &preprocess,
                             const trib_training_loader_options &options, int count)
{
    TrainingBatches out = {};
    trib_training_loader *loader = nullptr;
    const size_t row =
        size_t(preprocess.crop_height) * size_t(preprocess.crop_width) * 3 * (options.raw ? 1 : sizeof(float));
    out.status = trib_training_loader_create(set, &preprocess, &options, &loader);
    if (trib_failed(&out.status)) return out;
    for (int i = 0; i < count; ++i) {
        const trib_training_batch *batch = nullptr;
        out.status = trib_training_loader_next(loader, &batch);
        if (trib_failed(&out.status) || !batch) break;
        add(batch, row, &out);
        trib_training_loader_give_back(loader, batch);
    }
    int64_t sample = 0;
    trib_status reason;
    for (int i = 0; trib_training_loader_damaged(loader, i, &sample, &reason); ++i) {
        out.damaged.push_back(sample);
        out.reasons.push_back(reason.message);
    }
    out.stats = trib_training_loader_get_stats(loader);
    trib_training_loader_destroy(loader);
    return out;
}

} // namespace make
