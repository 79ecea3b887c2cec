/* SPDX-License-Identifier: Apache-2.0
 * Mean and std decide whether a network sees what it was trained on: with the wrong ones, the small network in
 * models/pretrained falls from 91.67 % to 19.49 %. Names and shapes of tensors do not contain them, but two files are
 * so widespread that their 1000 classes identify them. */
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

typedef struct guess_row {
    const char *dialect;
    int classes; /* 0: any other number */
    trib_preprocess (*preprocess)(void);
    const char *why;
} guess_row;

/* The first row of the dialect that fits; for a dialect without a row, the last one. */
static const guess_row rows[] = {
    { "caffe", IMAGENET_CLASSES, trib_preprocess_caffe,
      "Caffe's names and 1000 classes: BGR 0..255 minus 104,117,123, as for BVLC's own weights" },
    { "caffe", 0, trib_preprocess_caffe,
      "the number of classes is not ImageNet's 1000, so it cannot be known; taken as for BVLC's own weights: BGR "
      "0..255 "
      "minus 104,117,123" },
    { "torchvision", IMAGENET_CLASSES, torchvision_pretrained,
      "torchvision's names and 1000 classes: mean and std 0.5, as for torchvision's own weights (transform_input)" },
    { "torchvision", 0, trib_preprocess_torchvision,
      "the number of classes is not ImageNet's 1000, so it cannot be known; taken as usual in training: ImageNet's "
      "mean "
      "0.485,0.456,0.406 and std 0.229,0.224,0.225" },
    { NULL, 0, trib_preprocess_torchvision,
      "the names of its tensors do not tell, so it cannot be known; taken as usual in training: ImageNet's mean "
      "0.485,0.456,0.406 and std 0.229,0.224,0.225" },
};

static bool fits(const guess_row *row, const char *dialect, int classes)
{
    return !row->dialect || (!strcmp(row->dialect, dialect) && (!row->classes || row->classes == classes));
}

trib_preprocess trib_guess_preprocess(const trib_dialect *dialect, int classes, const char **why)
{
    const guess_row *row = rows;
    while (!fits(row, trib_dialect_name(dialect), classes)) ++row;
    if (why) *why = row->why;
    return row->preprocess();
}
