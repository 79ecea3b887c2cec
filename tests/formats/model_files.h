// SPDX-License-Identifier: Apache-2.0
// Model files of narrow networks, written by a test and spoiled as it likes.
#pragma once

#include <map>
#include <string>

#include "formats/files.h"
#include "models/weights.h"

namespace files
{

const char good_preprocessing[] =
    R"({"resize_mode":"squash","resize":72,"interpolation":"bicubic","crop":[64,48],)"
    R"("resample_order":"cheaper_first","channels":"bgr","scale":0.5,"mean":[1,2,3],"std":[4,5,6.5]})";

struct ModelFile {
    models::Weights weights;
    std::map<std::string, std::string> metadata;
    support::TemporaryFolder folder;
    std::string path = folder.file("model.safetensors");

    explicit ModelFile(trib_variant variant = TRIB_BVLC, bool aux = false, int classes = 3)
        : weights(models::network(variant, aux, 224, 0.125, classes))
    {
    }
    void write() const
    {
        std::vector<trib_key_value> pairs;
        for (auto &pair : metadata) pairs.push_back({ pair.first.c_str(), pair.second.c_str() });
        ASSERT_OK(trib_safetensors_write(path.c_str(), weights.tensors.data(), int(weights.tensors.size()),
                                         pairs.data(), int(pairs.size())));
    }
    trib_status load(Model &model, const trib_model_options *options = nullptr) const
    {
        write();
        return files::load(path, model, options);
    }
    trib_status load() const
    {
        Model model;
        return load(model);
    }
};

} // namespace files
