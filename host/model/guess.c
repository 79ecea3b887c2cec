/* SPDX-License-Identifier: Apache-2.0
 * Mean and std decide whether a network sees what it was trained on: with the wrong ones the small network that comes
 * along falls from 91.68 % to 26.55 %. Names and shapes of tensors do not carry them, but two files are so widespread
 * that their 1000 classes give them away. */
#include "model/guess.h"

#include <string.h>

enum { IMAGENET_CLASSES = 1000 };

/* torchvision builds googlenet(weights=...) with transform_input, which turns images normalised by ImageNet's mean and
 * std into (value - 0.5) / 0.5; its state_dict does not say so. */
static trib_preprocess torchvision_pretrained(void)
{
    trib_preprocess p = trib_preprocess_torchvision();
    for (int c = 0; c < 3; ++c) p.mean[c] = p.std[c] = 0.5f;
    return p;
}

trib_preprocess trib_guess_preprocess(const trib_dialect *dialect, int classes, const char **why)
{
    bool caffe = !strcmp(trib_dialect_name(dialect), "caffe"), imagenet = classes == IMAGENET_CLASSES;
    if (why && caffe)
        *why = imagenet
                   ? "Caffe's names and 1000 classes: BGR 0..255 minus 104,117,123, as for BVLC's own weights"
                   : "the number of classes is not ImageNet's 1000, so it cannot be known; taken as for BVLC's own "
                     "weights: BGR 0..255 minus 104,117,123";
    else if (why)
        *why = imagenet ? "torchvision's names and 1000 classes: mean and std 0.5, as for torchvision's own weights "
                          "(transform_input)"
                        : "the number of classes is not ImageNet's 1000, so it cannot be known; taken as usual in "
                          "training: ImageNet's mean 0.485,0.456,0.406 and std 0.229,0.224,0.225";
    if (caffe) return trib_preprocess_caffe();
    return imagenet ? torchvision_pretrained() : trib_preprocess_torchvision();
}
