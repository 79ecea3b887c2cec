#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the model that is here from that of a training run, and PyTorch's answers for tests/golden/fashion_test.cc.

    models/pretrained/make.py RUN/model.safetensors    (PyTorch, torchvision, NumPy, Pillow, Debian's dataset-fashion-mnist)

Weights of convolutions and of the linear layer are rounded to float16; what PyTorch then makes of the test images is
written down, and how many it has right is added to the provenance. A model without class names gets those of classes.txt. `make rewrite-exact` brings the tests of the program up to date."""
import gzip
import json
import pathlib
import struct
import sys

import numpy as np
import torch
import torchvision
from PIL import Image

HERE = pathlib.Path(__file__).resolve().parent
DATA = pathlib.Path("/usr/share/datasets/fashion-mnist")
EXPECTED = HERE.parent.parent / "tests/data/googlenet-fashion-64.expected.safetensors"
DTYPES = {"F16": np.float16, "F32": np.float32, "I64": np.int64}


def read(path):
    """Tensors by name, and the metadata."""
    data = pathlib.Path(path).read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + size])
    texts = header.pop("__metadata__", {})
    part = lambda t: data[8 + size + t["data_offsets"][0]:8 + size + t["data_offsets"][1]]
    return {name: np.frombuffer(part(t), DTYPES[t["dtype"]]).reshape(t["shape"]) for name, t in header.items()}, texts


def write(path, tensors, texts):
    header, data = {"__metadata__": texts}, b""
    names = {np.dtype(dtype): name for name, dtype in DTYPES.items()}
    for name, values in sorted(tensors.items(), key=lambda item: -item[1].dtype.itemsize):
        header[name] = {"dtype": names[values.dtype], "shape": list(values.shape), "data_offsets": [len(data), len(data) + values.nbytes]}
        data += values.tobytes()
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def idx(name, header):
    return np.frombuffer(gzip.decompress((DATA / name).read_bytes()), np.uint8, offset=header)


def pixels(images, preprocessing):
    """As the model's preprocessing says: enlarged by PIL, in three equal channels, normalised."""
    size, mean, std = preprocessing["crop"][0], preprocessing["mean"], preprocessing["std"]
    assert preprocessing["resize_mode"] == "squash" and preprocessing["resize"] == size and preprocessing["interpolation"] == "bilinear"
    large = np.stack([np.asarray(Image.fromarray(image).resize((size, size), Image.BILINEAR)) for image in images])
    x = torch.from_numpy(large)[:, None].float().expand(-1, 3, -1, -1) * preprocessing["scale"]
    return (x - torch.tensor(mean).view(3, 1, 1)) / torch.tensor(std).view(3, 1, 1)


def logits_of(tensors, preprocessing):
    network = torchvision.models.googlenet(weights=None, num_classes=10, aux_logits=False, transform_input=False, init_weights=False).eval()
    values = {name: torch.from_numpy(t.astype(np.float32)) for name, t in tensors.items()}
    left_out = network.load_state_dict(values, strict=False)
    assert not left_out.unexpected_keys and all(name.endswith("num_batches_tracked") for name in left_out.missing_keys), left_out
    images = idx("t10k-images-idx3-ubyte.gz", 16).reshape(-1, 28, 28)
    with torch.inference_mode():
        return torch.cat([network(pixels(images[i:i + 64], preprocessing)) for i in range(0, len(images), 64)]).numpy()


def main(path):
    tensors, texts = read(path)
    tensors = {name: t.astype(np.float16 if t.ndim > 1 else np.float32) for name, t in tensors.items()}
    logits = logits_of(tensors, json.loads(texts["tributary.preprocessing"]))
    predictions = logits.argmax(1)
    right = int((predictions == idx("t10k-labels-idx1-ubyte.gz", 8)).sum())
    texts.setdefault("tributary.labels", json.dumps((HERE / "classes.txt").read_text().splitlines()))
    texts["tributary.provenance"] += (f"; then rounded to float16: PyTorch classifies {right:,} of the {len(predictions):,} "
                                      f"test images of Fashion-MNIST correctly, {100 * right / len(predictions):.2f} %")
    write(HERE / "googlenet-fashion-64.safetensors", tensors, texts)
    write(EXPECTED, {"logits_u8": logits[:64], "predictions_u8": predictions.astype(np.int64)},
          {"written_by": f"models/pretrained/make.py, PyTorch {torch.__version__}, torchvision {torchvision.__version__}"})
    print(texts["tributary.provenance"])


if len(sys.argv) != 2: sys.exit(__doc__)
main(sys.argv[1])
