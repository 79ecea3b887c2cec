#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""make_probabilities.py probabilities.safetensors: what PyTorch says in float64 of the crops that make_crops.py lists.

Needs PyTorch, torchvision and Pillow 12. Three narrow networks (MEMBERS) whose weights come from the formula in
tests/golden/make_train_golden.py. For each image and policy, WIDTHxHEIGHT/POLICY is [4, classes]: the softmax averaged
over the crops, one row for each network, and in the last row averaged over the networks."""
import os
import sys

import numpy as np
import torch
import torch.nn.functional as F
import torchvision
from torchvision.models.googlenet import BasicConv2d, Inception

import make_crops

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../golden"))
from make_train_golden import Bvlc, value, write

CLASSES = 10
# network, width, input, short side for one crop, BGR, mean, std
MEMBERS = [("torchvision", 0.25, 40, 45, False, [0.5, 0.5, 0.5], [0.5, 0.5, 0.5]),
           ("bvlc", 0.125, 40, 40, True, [0.4, 0.5, 0.6], [0.25, 0.25, 0.25]),
           ("torchvision", 0.25, 33, 36, False, [0.45, 0.45, 0.4], [0.2, 0.3, 0.25])]
IMAGES = [(60, 45), (28, 28), (30, 75), (260, 40)]


def narrow(channels, width):
    return max(8, 8 * int(channels * width / 8 + 0.5))


def modules(width):
    """For each module its channels: in, 1x1, 3x3_reduce, 3x3, 5x5_reduce, 5x5, pool_proj."""
    inside, out = narrow(192, width), {}
    for name, (_, *channels) in Bvlc.MODULES.items():
        out[name] = (inside, *(narrow(c, width) for c in channels))
        inside = out[name][1] + out[name][3] + out[name][5] + out[name][6]
    return out, inside


class NarrowBvlc:
    def __init__(self, width):
        (self.rows, last), (stem, second) = modules(width), (narrow(64, width), narrow(192, width))
        self.width, self.last, self.stem, self.second = width, last, stem, second

    def conv(self, name, x, channels, size, stride=1):
        weight = value(name + ".weight", (channels, x.shape[1], size, size))
        return F.relu(F.conv2d(x, weight, value(name + ".bias", (channels,)), stride, size // 2))

    def __call__(self, x):
        def lrn(v):
            return F.local_response_norm(v, 5, 1e-4, 0.75, 1.0)

        def pool(v):
            return F.max_pool2d(v, 3, 2, ceil_mode=True)
        x = lrn(pool(self.conv("conv1/7x7_s2", x, self.stem, 7, 2)))
        x = self.conv("conv2/3x3", self.conv("conv2/3x3_reduce", x, self.stem, 1), self.second, 3)
        x = pool(lrn(x))
        for module, (_, one, three_r, three, five_r, five, proj) in self.rows.items():
            n = f"inception_{module}/"
            x = torch.cat([self.conv(n + "1x1", x, one, 1),
                           self.conv(n + "3x3", self.conv(n + "3x3_reduce", x, three_r, 1), three, 3),
                           self.conv(n + "5x5", self.conv(n + "5x5_reduce", x, five_r, 1), five, 5),
                           self.conv(n + "pool_proj", F.max_pool2d(x, 3, 1, 1), proj, 1)], 1)
            if module in ("3b", "4e"):
                x = pool(x)
        name = "loss3/classifier"
        return F.linear(x.mean((2, 3)), value(name + ".weight", (CLASSES, self.last)), value(name + ".bias", (CLASSES,)))


def narrow_torchvision(width):
    model = torchvision.models.googlenet(num_classes=CLASSES, aux_logits=False, init_weights=False, transform_input=False)
    rows, last = modules(width)
    stem, second = narrow(64, width), narrow(192, width)
    model.conv1 = BasicConv2d(3, stem, kernel_size=7, stride=2, padding=3)
    model.conv2 = BasicConv2d(stem, stem, kernel_size=1)
    model.conv3 = BasicConv2d(stem, second, kernel_size=3, padding=1)
    for name, channels in rows.items():
        setattr(model, "inception" + name, Inception(*channels))
    model.fc = torch.nn.Linear(last, CLASSES)
    model.double().eval()
    state = model.state_dict()
    model.load_state_dict({k: value(k, tuple(v.shape)) if v.dtype == torch.float64 else v for k, v in state.items()})
    return model


def own_crop(image, size, short_side):
    whole = make_crops.resized(image, short_side)
    left, top = (make_crops.middle(side, size) for side in whole.size)
    return whole.crop((left, top, left + size, top + size)).tobytes()


def inputs(image, member, policy):
    _, _, size, short_side, bgr, mean, std = member
    if policy == 1:
        parts = [own_crop(image, size, short_side)]
    else:
        scales = [round(scale * size / 224) for scale in (256, 288, 320, 352)]
        parts = [make_crops.pixels(*crop, size) for crop in make_crops.crops(image, size, policy, scales)]
    x = np.stack([np.frombuffer(p, np.uint8).reshape(size, size, 3) for p in parts]).astype(np.float64) / 255
    x = ((x[..., ::-1] if bgr else x) - np.float32(mean)) / np.float32(std)
    return torch.from_numpy(np.ascontiguousarray(x.transpose(0, 3, 1, 2)))


def main(path):
    networks = [(narrow_torchvision if m[0] == "torchvision" else NarrowBvlc)(m[1]) for m in MEMBERS]
    out = {}
    with torch.no_grad():
        for shape in IMAGES:
            for policy in (1, 10, 144):
                rows = [F.softmax(network(inputs(make_crops.picture(*shape), member, policy)), 1).mean(0)
                        for network, member in zip(networks, MEMBERS)]
                out[f"{shape[0]}x{shape[1]}/{policy}"] = torch.stack(rows + [torch.stack(rows).mean(0)])
    write(path, out)


if __name__ == "__main__":
    main(*sys.argv[1:])
