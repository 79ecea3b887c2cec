#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""make_samples.py MODEL IMAGE... > samples.csv: probabilities of a torchvision GoogLeNet for images, by PyTorch.

Needs PyTorch, torchvision and Pillow 12. One line for each policy (10 and 144 crops, at the paper's scales) and image:
POLICY,FILE,PROBABILITY of each class. In float64; the model's mean and std are 0.5."""
import json
import os
import struct
import sys

import numpy as np
import torch
import torchvision
from PIL import Image

import make_crops

SIZE = 64


def load(path):
    with open(path, "rb") as file:
        length, = struct.unpack("<Q", file.read(8))
        header, data = json.loads(file.read(length)), file.read()
    model = torchvision.models.googlenet(num_classes=10, aux_logits=False, init_weights=False, transform_input=False)
    kinds, state = {"F16": np.float16, "F32": np.float32}, model.state_dict()
    for name, row in header.items():
        if name != "__metadata__":
            begin, end = row["data_offsets"]
            values = np.frombuffer(data[begin:end], kinds[row["dtype"]]).reshape(row["shape"])
            state[name] = torch.from_numpy(values.astype(np.float64))
    model.load_state_dict(state)
    return model.double().eval()


def probabilities(model, image, policy):
    scales = [round(scale * SIZE / 224) for scale in (256, 288, 320, 352)]
    parts = [make_crops.pixels(*crop, SIZE) for crop in make_crops.crops(image, SIZE, policy, scales)]
    x = np.stack([np.frombuffer(p, np.uint8).reshape(SIZE, SIZE, 3) for p in parts]).astype(np.float64)
    return torch.softmax(model(torch.from_numpy(((x / 255 - 0.5) / 0.5).transpose(0, 3, 1, 2).copy())), 1).mean(0)


def main(path, *images):
    model = load(path)
    with torch.no_grad():
        for policy in (10, 144):
            for image in images:
                p = probabilities(model, Image.open(image).convert("RGB"), policy)
                print(policy, os.path.basename(image), *(f"{v:.8f}" for v in p.tolist()), sep=",")


if __name__ == "__main__":
    main(*sys.argv[1:])
