#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""torch_files.py PROGRAM: torchvision's GoogLeNet as this machine's PyTorch writes it, read by `tributary run`, and what
`tributary convert` writes, read by PyTorch.

Logits must be PyTorch's within 1e-4 (norm of the difference over norm), converted tensors PyTorch's bit for bit. Needs
torch and torchvision; exits with 1 if something differs. "load" is the time that `tributary info` takes; "read", that of
reading the file's bytes.
"""
import argparse
import collections
import json
import pathlib
import struct
import subprocess
import sys
import tempfile
import time

import numpy as np
import torch
import torchvision


def write_input(path, pixels):
    entry = {"dtype": "F32", "shape": list(pixels.shape), "data_offsets": [0, pixels.nbytes]}
    header = json.dumps({"input": entry}).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header + pixels.tobytes())


def read_tensor(path, name):
    data = path.read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    entry = json.loads(data[8 : 8 + length])[name]
    begin, end = entry["data_offsets"]
    return np.frombuffer(data[8 + length + begin : 8 + length + end], "<f4")


def network():
    torch.manual_seed(1)
    net = torchvision.models.googlenet(weights=None, init_weights=False, aux_logits=True)
    for tensor in net.parameters():
        if tensor.dim() > 1:
            torch.nn.init.kaiming_normal_(tensor)
    return net.eval()


def forms(net, folder):
    """name -> (file, the weights it holds in float32)"""
    state = collections.OrderedDict((name, tensor.clone()) for name, tensor in net.state_dict().items())
    half = {name: tensor.half() for name, tensor in state.items() if tensor.is_floating_point()}
    strided = {n: t.contiguous(memory_format=torch.channels_last) if t.dim() == 4 else t for n, t in state.items()}
    parallel = collections.OrderedDict(("module." + name, tensor) for name, tensor in state.items())
    objects = {
        "state_dict": (state, {}),
        "before 1.6": (state, {"_use_new_zipfile_serialization": False}),
        "protocol 4": (state, {"pickle_protocol": 4}),
        "float16": (half, {}),
        "channels_last": (strided, {}),
        "checkpoint": ({"epoch": 3, "state_dict": parallel, "best": np.float64(0.5)}, {}),
        "whole model": (net, {}),
    }
    for name, (value, options) in objects.items():
        path = folder / (name.replace(" ", "-") + ".pth")
        torch.save(value, path, **options)
        yield name, path, half if name == "float16" else state


def logits_of(net, weights, pixels):
    net.load_state_dict({name: tensor.float() for name, tensor in weights.items()}, strict=False)
    net.transform_input = False
    with torch.no_grad():
        return net(torch.from_numpy(pixels)).numpy().ravel()


def tributary(program, *arguments):
    done = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"tributary {' '.join(map(str, arguments))}\n{done.stderr}")


def seconds(work):
    best = float("inf")
    for _ in range(3):
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return best


def check_converted(program, source, state, folder):
    """PyTorch reads what was written, strictly and safely, and it is what was read."""
    good = True
    for name, dtype in (("f32", torch.float32), ("f16", torch.float16), ("bf16", torch.bfloat16)):
        path = folder / f"converted-{name}.pth"
        tributary(program, "convert", source, path, "--dtype", name)
        found = torch.load(path, weights_only=True)
        same = all(torch.equal(found[key], state[key].to(dtype)) for key in found)
        torchvision.models.googlenet(weights=None, init_weights=False, aux_logits=True).load_state_dict(found)
        print(f"convert --dtype {name}: {len(found)} tensors, {'equal' if same else 'DIFFERENT'}")
        good = good and same
    return good


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    program = parser.parse_args().program
    good, net = True, network()
    pixels = np.random.default_rng(1).random((1, 3, 224, 224), np.float32)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        write_input(folder / "in.safetensors", pixels)
        state = {key: tensor.clone() for key, tensor in net.state_dict().items()}
        for form, path, weights in list(forms(net, folder)):
            tributary(program, "run", path, folder / "in.safetensors", "-o", folder / "out", "--overwrite")
            wanted, found = logits_of(net, weights, pixels), read_tensor(folder / "out", "logits")
            error = float(np.linalg.norm(found - wanted) / np.linalg.norm(wanted))
            load = seconds(lambda: tributary(program, "info", path))
            read = seconds(path.read_bytes)
            print(f"{form:14} logits within {error:.1e}; load {load * 1e3:4.0f} ms, read {read * 1e3:4.0f} ms")
            good = good and error <= 1e-4
        good = check_converted(program, folder / "state_dict.pth", state, folder) and good
    print(f"PyTorch {torch.__version__}, torchvision {torchvision.__version__}: {'good' if good else 'FAILED'}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
