#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Five steps of training GoogLeNet in float64, for train_test.cc.

    make_train_golden.py bvlc|torchvision OUT.safetensors      (PyTorch and torchvision; any recent version)

In float32 PyTorch's own results depend on its threads: a value next to 0 before a ReLU may be on either side of it, which
changes gradients by up to 0.4 % and, through batch norm over two images, the loss of later steps by several percent.
Float64 has no such values here. The learning rate is small for the same reason: at 0.01 differences grow tenfold a step.

Weights, image and labels come from a formula, the same as in models/network/random.c: element i of tensor NAME has
u = splitmix64(fnv1a64(NAME) ^ seed * G + i * G) / 2^64, of which 24 bits are used; G = 0x9E3779B97F4A7C15."""
import json
import struct
import sys

import numpy as np
import torch
import torch.nn.functional as F
import torchvision

SEED, IMAGES, SIZE, CLASSES, STEPS, AUX = 1, 2, 224, 10, 5, 0.3
SGD = dict(momentum=0.9, weight_decay=2e-4)
RATES = {"bvlc": 0.0005, "torchvision": 0.0001}
MASK = (1 << 64) - 1
GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def uniform(name, count):
    h = 0xCBF29CE484222325
    for byte in name.encode():
        h = ((h ^ byte) * 0x100000001B3) & MASK
    h ^= SEED * int(GOLDEN) & MASK
    with np.errstate(over="ignore"):
        x = np.uint64(h) + np.arange(count, dtype=np.uint64) * GOLDEN + GOLDEN
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        x = x ^ (x >> np.uint64(31))
    return (x >> np.uint64(40)).astype(np.float64) / 2.0**24


def value(name, shape):
    u, leaf = uniform(name, int(np.prod(shape))), name.rsplit(".", 1)[-1]
    if leaf in ("running_var",) or (leaf == "weight" and len(shape) == 1):
        v = 0.5 + u
    elif leaf in ("running_mean", "bias"):
        v = (2 * u - 1) * 0.1
    elif leaf == "weight":
        v = (2 * u - 1) * np.sqrt(6.0 / np.prod(shape[1:]))
    else:
        v = 2 * u - 1
    return torch.from_numpy(v.astype(np.float32).astype(np.float64).reshape(shape))


class Bvlc(torch.nn.Module):
    """GoogLeNet of BVLC Caffe: biases, LRN, a 5x5 branch, pools that round up."""
    MODULES = {"3a": (192, 64, 96, 128, 16, 32, 32), "3b": (256, 128, 128, 192, 32, 96, 64),
               "4a": (480, 192, 96, 208, 16, 48, 64), "4b": (512, 160, 112, 224, 24, 64, 64),
               "4c": (512, 128, 128, 256, 24, 64, 64), "4d": (512, 112, 144, 288, 32, 64, 64),
               "4e": (528, 256, 160, 320, 32, 128, 128), "5a": (832, 256, 160, 320, 32, 128, 128),
               "5b": (832, 384, 192, 384, 48, 128, 128)}
    HEADS = {"4a": ("loss1", 512), "4d": ("loss2", 528)}

    def __init__(self):
        super().__init__()
        self.layers = {}
        self.conv("conv1/7x7_s2", 3, 64, 7, 2, 3)
        self.conv("conv2/3x3_reduce", 64, 64, 1)
        self.conv("conv2/3x3", 64, 192, 3, 1, 1)
        for module, (c, one, three_r, three, five_r, five, pool) in self.MODULES.items():
            name = f"inception_{module}/"
            for leaf, *sizes in (("1x1", c, one, 1), ("3x3_reduce", c, three_r, 1), ("3x3", three_r, three, 3, 1, 1),
                                 ("5x5_reduce", c, five_r, 1), ("5x5", five_r, five, 5, 1, 2), ("pool_proj", c, pool, 1)):
                self.conv(name + leaf, *sizes)
        for head, channels in self.HEADS.values():
            self.conv(head + "/conv", channels, 128, 1)
            self.layers[head + "/fc"] = torch.nn.Linear(2048, 1024)
            self.layers[head + "/classifier"] = torch.nn.Linear(1024, CLASSES)
        self.layers["loss3/classifier"] = torch.nn.Linear(1024, CLASSES)
        for name, layer in self.layers.items():
            for leaf, p in layer.double().named_parameters():
                p.data = value(f"{name}.{leaf}", tuple(p.shape))

    def conv(self, name, *sizes):
        self.layers[name] = torch.nn.Conv2d(*sizes)

    def named_parameters(self, *args, **kwargs):
        return [(f"{name}.{leaf}", p) for name, layer in self.layers.items() for leaf, p in layer.named_parameters()]

    def state_dict(self, *args, **kwargs):
        return dict(self.named_parameters())

    def relu(self, name, x):
        return F.relu(self.layers[name](x))

    def forward(self, x):
        def lrn(v):
            return F.local_response_norm(v, 5, 1e-4, 0.75, 1.0)

        def pool(v):
            return F.max_pool2d(v, 3, 2, ceil_mode=True)
        x, heads = lrn(pool(self.relu("conv1/7x7_s2", x))), []
        x = pool(lrn(self.relu("conv2/3x3", self.relu("conv2/3x3_reduce", x))))
        for module in self.MODULES:
            n = f"inception_{module}/"
            x = torch.cat([self.relu(n + "1x1", x), self.relu(n + "3x3", self.relu(n + "3x3_reduce", x)),
                           self.relu(n + "5x5", self.relu(n + "5x5_reduce", x)),
                           self.relu(n + "pool_proj", F.max_pool2d(x, 3, 1, 1))], 1)
            if module in self.HEADS:
                head = self.HEADS[module][0]
                h = self.relu(head + "/conv", F.avg_pool2d(x, 5, 3, ceil_mode=True)).flatten(1)
                heads.append(self.layers[head + "/classifier"](self.relu(head + "/fc", h)))
            if module in ("3b", "4e"):
                x = pool(x)
        return self.layers["loss3/classifier"](x.mean((2, 3))), *heads


class Torchvision(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.model = torchvision.models.googlenet(num_classes=CLASSES, aux_logits=True, init_weights=False,
                                                  transform_input=False).double()
        state = self.model.state_dict()
        self.model.load_state_dict({k: value(k, tuple(v.shape)) if v.dtype == torch.float64 else v for k, v in state.items()})
        for module in self.model.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.0
        self.heads = {}
        for name in ("aux1", "aux2"):
            getattr(self.model, name).register_forward_hook(lambda m, i, o, name=name: self.heads.__setitem__(name, o))
        self.model.train()

    def named_parameters(self, *args, **kwargs):
        return self.model.named_parameters()

    def state_dict(self, *args, **kwargs):
        return self.model.state_dict()

    def forward(self, x):
        """torchvision calls the logits of aux1 aux_logits2 and those of aux2 aux_logits1: the heads are asked themselves."""
        return self.model(x).logits, self.heads["aux1"], self.heads["aux2"]


def main(variant, path):
    model, out = {"bvlc": Bvlc, "torchvision": Torchvision}[variant](), {}
    scale = torch.tensor([np.float32((k + 1) / IMAGES) for k in range(IMAGES)], dtype=torch.float64)
    x = (value("input", (IMAGES, 3, SIZE, SIZE)) * scale[:, None, None, None]).float().double()
    y = torch.from_numpy(np.floor(uniform("labels", IMAGES) * CLASSES).astype(np.int64))
    optimizer, losses = torch.optim.SGD([p for _, p in model.named_parameters()], lr=RATES[variant], **SGD), []
    for step in range(STEPS):
        logits, aux1, aux2 = model(x)
        loss = F.cross_entropy(logits, y) + AUX * (F.cross_entropy(aux1, y) + F.cross_entropy(aux2, y))
        optimizer.zero_grad()
        loss.backward()
        losses.append(loss.item())
        if step == 0:
            out.update(logits=logits, aux1=aux1, aux2=aux2)
            for name, p in model.named_parameters():
                g = p.grad.flatten().numpy()
                out["grad_norm/" + name] = [np.linalg.norm(g)]
                out["grad_probe/" + name] = [g @ (2 * uniform(name + "/probe", g.size) - 1)]
                out["grad_first/" + name] = g[:8]
        optimizer.step()
    out["losses"] = losses
    for name, v in model.state_dict().items():
        if v.dtype == torch.float64:
            out["after_norm/" + name] = [v.norm().item()]
    write(path, out)


def write(path, tensors):
    header, blobs, offset = {"__metadata__": {k: str(v) for k, v in SGD.items()} | {"torch": torch.__version__}}, [], 0
    for name, v in tensors.items():
        a = np.ascontiguousarray(v.detach().numpy() if torch.is_tensor(v) else v, dtype=np.float32)
        header[name] = {"dtype": "F32", "shape": list(a.shape), "data_offsets": [offset, offset + a.nbytes]}
        offset += a.nbytes
        blobs.append(a.tobytes())
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(blobs))


if __name__ == "__main__":
    main(*sys.argv[1:])
