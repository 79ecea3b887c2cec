# SPDX-License-Identifier: Apache-2.0
"""Steps of training with PyTorch on a GPU, for peers_gpu.py --train, which starts a process for each mode and precision.

The network is torchvision's GoogLeNet with auxiliary classifiers and dropout, random weights, channels last. A step is forward,
losses (0.3 for each auxiliary one), backward and an update by SGD with momentum and weight decay, in one fused kernel. 16 bits
are autocast; fp16 also has a GradScaler. Rates as in `tributary bench --train`: float images and labels in ordinary memory are
copied to the device, and the loss is waited for; and, on the device alone, of steps on images that lie there.
"""
import math, time

from peers import peak_rss
from peers_gpu import ROUNDS, captured, engine_name, rates
from train_torch import RECIPE, googlenet, loss_of

CLASSES, LEAST_STEPS = 1000, 3


def finite(loss):
    if not math.isfinite(loss): raise RuntimeError(f"its loss is {loss}")


class Step:
    """A network with what trains it, and a batch on the device. Called, it takes a step and returns the loss, which stays there."""
    def __init__(self, bench, batch):
        torch, options = bench.torch, bench.options
        self.torch, self.device = torch, options.device
        self.dtype = {"fp16": torch.float16, "bf16": torch.bfloat16}.get(options.precision)
        self.network = googlenet(CLASSES).to(options.device).train()
        self.optimizer = torch.optim.SGD(self.network.parameters(), lr=1e-4, momentum=0.9, weight_decay=RECIPE["weight_decay"], fused=True)
        # As after a step: the fused kernel leaves them unwritten if it skips the first one.
        for p in self.network.parameters(): self.optimizer.state[p]["momentum_buffer"] = torch.zeros_like(p)
        # Its first scale may be too large; a step that it skips takes as long.
        self.scaler = torch.amp.GradScaler(options.device, enabled=options.precision == "fp16")
        size = options.image_size
        self.host_images = (4 * torch.rand(batch, 3, size, size) - 2).contiguous(memory_format=torch.channels_last)
        self.host_labels = torch.randint(0, CLASSES, (batch,))
        self.images, self.labels = self.host_images.to(options.device), self.host_labels.to(options.device)
        self.loss = self.forward

    def forward(self, images, labels):
        with self.torch.autocast(self.device, dtype=self.dtype, enabled=self.dtype is not None): return loss_of(self.network(images), labels)

    def __call__(self):
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.loss(self.images, self.labels)
        self.scaler.scale(loss).backward()
        self.scaler.step(self.optimizer)  # fused, it reads the scale on the device: nothing is waited for
        self.scaler.update()
        return loss.detach()

    def load(self):
        self.images.copy_(self.host_images)
        self.labels.copy_(self.host_labels)


# Modes: each takes a step and returns what is called for it.

def eager(bench, step): return step


def graph(bench, step):
    """The whole step, update included, as one CUDA graph."""
    if not bench.gpu: raise RuntimeError("CUDA graphs need a GPU")
    return captured(step)


def compiled(bench, step):
    """Forward, losses and backward as torch.compile makes them, in CUDA graphs of its own. max-autotune takes many minutes."""
    bench.torch._dynamo.reset()  # each batch size is compiled for itself, not as one with a size that varies
    step.loss = bench.torch.compile(step.forward, mode="reduce-overhead" if bench.gpu else None, dynamic=False)

    def run():
        bench.torch.compiler.cudagraph_mark_step_begin()
        return step().clone()  # the next step writes into the same memory
    return run


MODES = {"eager": eager, "graph": graph, "compile": compiled}


class TrainingBench:
    """One mode and precision on one device."""
    def __init__(self, options):
        import torch
        self.torch, self.options, self.gpu = torch, options, options.device == "cuda"
        if self.gpu and not torch.cuda.is_available(): raise RuntimeError("PyTorch sees no GPU")
        self.synchronize = torch.cuda.synchronize if self.gpu else lambda: None
        torch.backends.cudnn.benchmark = True
        torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = options.precision == "tf32"

    def first(self, run):
        """Random weights tell no class from another: the loss of each classifier is the logarithm of their number."""
        loss, expected = float(run()), (1 + 2 * RECIPE["aux_weight"]) * math.log(CLASSES)
        if not abs(loss / expected - 1) <= 0.1: raise RuntimeError(f"its first loss is {loss:.3g}, not about {expected:.3g}")

    def times(self, step, run, seconds):
        """Of single steps with what surrounds them, after some to warm up."""
        def one():
            begin = time.perf_counter()
            step.load()
            finite(float(run()))  # waits for it
            return time.perf_counter() - begin
        for _ in range(LEAST_STEPS): one()
        times, start = [], time.perf_counter()
        while time.perf_counter() - start < seconds or len(times) < LEAST_STEPS: times.append(one())
        return sorted(times)

    def measure(self, batch):
        torch, options = self.torch, self.options
        if self.gpu: torch.cuda.reset_peak_memory_stats()
        torch.manual_seed(1)
        step = Step(self, batch)
        self.first(step)
        run = MODES[options.mode](self, step)
        times = self.times(step, run, options.seconds / 2)
        device = rates(run, self.synchronize, batch, options.seconds / 2)
        finite(float(run()))
        return {"engine": engine_name(options.mode), "version": torch.__version__, "precision": options.precision, "batch": batch,
                "pixels": "f32", "rounds": ROUNDS, "images_per_second": batch * len(times) / sum(times), "min": batch / times[-1], "max": batch / times[0],
                "device_images_per_second": device[0],
                "step_ms": {"count": len(times), "min": 1e3 * times[0], "mean": 1e3 * sum(times) / len(times), "p50": 1e3 * times[len(times) // 2]},
                "iterations": len(times), "peak_rss_bytes": peak_rss(), "peak_device_bytes": torch.cuda.max_memory_allocated() if self.gpu else 0}
