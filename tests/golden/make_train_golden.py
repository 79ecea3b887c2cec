#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Five steps of training torchvision's GoogLeNet in float64, for train_test.cc.

    make_train_golden.py OUT.safetensors      (PyTorch and torchvision; any recent version)

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
SGD = dict(lr=0.0001, momentum=0.9, weight_decay=2e-4)
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


def network():
    model = torchvision.models.googlenet(num_classes=CLASSES, aux_logits=True, init_weights=False, transform_input=False)
    model = model.double()
    state = model.state_dict()
    model.load_state_dict({k: value(k, tuple(v.shape)) if v.dtype == torch.float64 else v for k, v in state.items()})
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    return model.train()


def forward(model, x):
    """Logits and those of the two heads, by hooks: torchvision calls the first head's aux_logits2."""
    heads = {}
    hooks = [getattr(model, name).register_forward_hook(lambda m, i, o, name=name: heads.__setitem__(name, o))
             for name in ("aux1", "aux2")]
    logits = model(x).logits
    for hook in hooks:
        hook.remove()
    return logits, heads["aux1"], heads["aux2"]


def main(path):
    model, out = network(), {}
    scale = torch.tensor([np.float32((k + 1) / IMAGES) for k in range(IMAGES)], dtype=torch.float64)
    x = (value("input", (IMAGES, 3, SIZE, SIZE)) * scale[:, None, None, None]).float().double()
    y = torch.from_numpy(np.floor(uniform("labels", IMAGES) * CLASSES).astype(np.int64))
    optimizer, losses = torch.optim.SGD(model.parameters(), **SGD), []
    for step in range(STEPS):
        logits, aux1, aux2 = forward(model, x)
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
    main(sys.argv[1])
