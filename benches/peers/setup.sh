#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes the virtual environment that peers.py and train_torch.py run in: ONNX Runtime, OpenVINO, PyTorch and torchvision,
# for the CPU.
#
#     benches/peers/setup.sh [FOLDER]          default: .venv-peers
#
# PyTorch comes from its CPU-only index. Where only PyPI can be reached, the default wheel is installed without its
# CUDA packages, but with the four small ones that the CUDA toolkit lacks; peers.py finds the rest in the toolkit.
set -eu

venv=${1:-.venv-peers}
here=$(cd "$(dirname "$0")" && pwd)
pip="$venv/bin/pip --disable-pip-version-check --quiet"

test -x "$venv/bin/python" || python3 -m venv "$venv"
$pip install -r "$here/requirements.txt"

if ! $pip install --index-url https://download.pytorch.org/whl/cpu torch torchvision 2>/dev/null; then
    echo "setup.sh: no CPU-only index of PyTorch; taking the default wheel without CUDA (pip will complain of conflicts)" >&2
    $pip install --no-deps torch torchvision
    $pip install --no-deps nvidia-cufile nvidia-cusparselt-cu13 nvidia-nvshmem-cu13 nvidia-nccl-cu13
    $pip install sympy networkx jinja2 fsspec filelock typing_extensions "setuptools>=77" pillow
fi

"$venv/bin/python" "$here/peers.py" --list
