#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""check.py PROGRAM: what `tributary convert` writes, read by the programs that the formats belong to.

Full-size networks with random weights: torchvision's, as PyTorch, and BVLC's. Each is converted to every format that can
hold it, in every element type. ONNX models pass onnx's checker, hold the source's tensors bit for bit, and compute in
onnxruntime and OpenCV what `tributary run` computes of the source; Caffe models do so in OpenCV's Caffe reader; PyTorch
files load with weights_only=True. Logits must be within 1e-4 (norm of the difference over norm). Needs torch,
torchvision, onnx, onnxruntime and opencv-python-headless before 5, which has no Caffe reader. Exits with 1 if something
differs.
"""
import argparse
import json
import pathlib
import struct
import sys
import tempfile

import cv2
import numpy as np
import onnx
import onnxruntime
import torch
import torch_files
from torch_files import logits_of, read_tensor, tributary, write_input

MODULES = {  # in, 1x1, 3x3_reduce, 3x3, 5x5_reduce, 5x5, pool_proj
    "3a": (192, 64, 96, 128, 16, 32, 32),
    "3b": (256, 128, 128, 192, 32, 96, 64),
    "4a": (480, 192, 96, 208, 16, 48, 64),
    "4b": (512, 160, 112, 224, 24, 64, 64),
    "4c": (512, 128, 128, 256, 24, 64, 64),
    "4d": (512, 112, 144, 288, 32, 64, 64),
    "4e": (528, 256, 160, 320, 32, 128, 128),
    "5a": (832, 256, 160, 320, 32, 128, 128),
    "5b": (832, 384, 192, 384, 48, 128, 128),
}
failures = []


def say(good, text):
    print(f"{text}{'' if good else ': FAILED'}", flush=True)
    if not good:
        failures.append(text)


def bvlc_tensors():
    """Caffe's names and shapes, with He's weights."""
    shapes = {"conv1/7x7_s2": (64, 3, 7, 7), "conv2/3x3_reduce": (64, 64, 1, 1), "conv2/3x3": (192, 64, 3, 3)}
    for name, (inputs, c1, c3r, c3, c5r, c5, pool) in MODULES.items():
        prefix = f"inception_{name}/"
        shapes |= {prefix + "1x1": (c1, inputs, 1, 1), prefix + "3x3_reduce": (c3r, inputs, 1, 1)}
        shapes |= {prefix + "3x3": (c3, c3r, 3, 3), prefix + "5x5_reduce": (c5r, inputs, 1, 1)}
        shapes |= {prefix + "5x5": (c5, c5r, 5, 5), prefix + "pool_proj": (pool, inputs, 1, 1)}
    shapes["loss3/classifier"] = (1000, 1024)
    random = np.random.default_rng(2)
    for name, shape in shapes.items():
        scale = np.sqrt(2 / np.prod(shape[1:]))
        yield name + ".weight", (random.standard_normal(shape) * scale).astype(np.float32)
        yield name + ".bias", (random.standard_normal(shape[0]) * 0.1).astype(np.float32)


def write_safetensors(path, tensors):
    header, at = {}, 0
    for name, values in tensors.items():
        header[name] = {"dtype": "F32", "shape": values.shape, "data_offsets": [at, at + values.nbytes]}
        at += values.nbytes
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(t.tobytes() for t in tensors.values()))


def near(found, wanted):
    error = float(np.linalg.norm(np.ravel(found) - wanted) / np.linalg.norm(wanted))
    return error <= 1e-4, f"logits within {error:.1e}"


def initialisers(model):
    """name -> values"""
    return {t.name: onnx.numpy_helper.to_array(t) for t in model.graph.initializer}


def check_onnx(path, state, dtype, wanted, pixels):
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    found = initialisers(model)
    same = all(np.array_equal(v.astype(np.float32), state[n].to(dtype).float().numpy()) for n, v in found.items())
    say(same, f"{path.name}: {len(found)} tensors, equal in onnx {onnx.__version__}")
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    good, text = near(session.run(["logits"], {"input": pixels})[0], wanted)
    say(good, f"{path.name}: onnxruntime {onnxruntime.__version__}: {text}")
    twice = session.run(["logits"], {"input": np.concatenate([pixels, pixels])})[0]
    say(near(twice[1], wanted)[0], f"{path.name}: onnxruntime {onnxruntime.__version__}, a batch of two")


def check_opencv(net, path, wanted, pixels, layer=None):
    net.setInput(pixels)
    good, text = near(net.forward(layer) if layer else net.forward(), wanted)
    say(good, f"{path.name}: OpenCV {cv2.__version__}: {text}")


def check_caffe(path, tensors, wanted, pixels):
    net = cv2.dnn.readNetFromCaffe(str(path.with_suffix(".prototxt")), str(path))
    blobs = {"weight": 0, "bias": 1}
    same = True
    for name, values in tensors.items():
        layer, leaf = name.rsplit(".", 1)
        found = net.getParam(net.getLayerId(layer), blobs[leaf])
        same = same and np.array_equal(found.ravel(), values.ravel())
    say(same, f"{path.name}: {len(tensors)} tensors, equal in OpenCV {cv2.__version__}")
    check_opencv(net, path, wanted, pixels, "loss3/classifier")


def check_torch(path, state, dtype, net, wanted, pixels):
    found = torch.load(path, weights_only=True)
    same = set(found) <= set(state) and all(torch.equal(found[n], state[n].to(dtype)) for n in found)
    say(same, f"{path.name}: {len(found)} tensors, equal in PyTorch {torch.__version__}")
    if net:
        good, text = near(logits_of(net, found, pixels), wanted)
        say(good, f"{path.name}: PyTorch {torch.__version__}: {text}")


def check_source(program, source, state, net, folder):
    """A model in every format and type. `state`: its tensors, in PyTorch's form; `net`: PyTorch's network, if it has it."""
    pixels = np.random.default_rng(1).standard_normal((1, 3, 224, 224), np.float32)
    write_input(folder / "in.safetensors", pixels)
    for name, dtype in (("f32", torch.float32), ("f16", torch.float16), ("bf16", torch.bfloat16)):
        path = folder / f"{source.stem}-{name}.onnx"
        tributary(program, "convert", source, path, "--dtype", name)
        tributary(program, "convert", path, path.with_suffix(".pth"))
        tributary(program, "run", path.with_suffix(".pth"), folder / "in.safetensors", "-o", folder / "out", "--overwrite")
        wanted = read_tensor(folder / "out", "logits")
        check_onnx(path, state, dtype, wanted, pixels)
        check_torch(path.with_suffix(".pth"), state, dtype, net, wanted, pixels)
        if name == "f32":
            check_opencv(cv2.dnn.readNetFromONNX(str(path)), path, wanted, pixels)
            if "conv1/7x7_s2.weight" in state:
                caffe = path.with_suffix(".caffemodel")
                tributary(program, "convert", path, caffe)
                check_caffe(caffe, {n: t.numpy() for n, t in state.items()}, wanted, pixels)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    program = parser.parse_args().program
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        net = torch_files.network()
        torch.save(net.state_dict(), folder / "torchvision.pth")
        state = {name: tensor.clone() for name, tensor in net.state_dict().items()}
        check_source(program, folder / "torchvision.pth", state, net, folder)
        tensors = dict(bvlc_tensors())
        write_safetensors(folder / "bvlc.safetensors", tensors)
        state = {name: torch.from_numpy(values) for name, values in tensors.items()}
        check_source(program, folder / "bvlc.safetensors", state, None, folder)
    print(f"{len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
