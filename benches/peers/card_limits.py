#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What this card can do at most, measured with PyTorch: every other number is a fraction of one of these.

    card_limits.py --json limits.json
    card_limits.py --device cpu --megabytes 16 --size 256        tries the script without a GPU
"""
import argparse, json, statistics, sys, time

ROUNDS = 10


class Card:
    def __init__(self, options):
        import torch
        self.torch, self.options, self.gpu = torch, options, options.device == "cuda"
        if self.gpu and not torch.cuda.is_available(): raise RuntimeError("PyTorch sees no GPU")
        self.synchronize = torch.cuda.synchronize if self.gpu else lambda: None

    def seconds(self, call, count=10):
        """Of one call of `count` in a row: median of rounds, after warming up."""
        def timed():
            start = time.perf_counter()
            for _ in range(count): call()
            self.synchronize()
            return (time.perf_counter() - start) / count
        timed()
        return statistics.median(timed() for _ in range(ROUNDS))

    def bytes(self, device=None): return self.torch.ones(self.options.megabytes << 20, dtype=self.torch.uint8, device=device or self.options.device)

    def device_copy(self):
        source, target = self.bytes(), self.bytes()
        return 2 * source.numel() / self.seconds(lambda: target.copy_(source)) / 1e9

    def host_to_device(self):
        source, target = self.bytes("cpu"), self.bytes()
        if self.gpu: source = source.pin_memory()
        return source.numel() / self.seconds(lambda: target.copy_(source, non_blocking=True)) / 1e9

    def product(self, dtype, tf32=False):
        n = self.options.size
        self.torch.backends.cuda.matmul.allow_tf32 = tf32
        a, b, c = (self.torch.randn(n, n, device=self.options.device).to(dtype) for _ in range(3))
        return 2 * n ** 3 / self.seconds(lambda: self.torch.mm(a, b, out=c)) / 1e12

    def launch(self):
        x = self.torch.zeros(1, device=self.options.device)
        return 1e6 * self.seconds(lambda: x.add_(1), count=1000)

    def launch_and_wait(self):
        x = self.torch.zeros(1, device=self.options.device)
        return 1e6 * self.seconds(lambda: (x.add_(1), self.synchronize()), count=100)

    def need_gpu(self):
        if not self.gpu: raise RuntimeError("needs a GPU")

    def event(self):
        """Recorded on one stream and waited for on another and back, as at a fork and join."""
        self.need_gpu()
        streams = [self.torch.cuda.Stream() for _ in range(2)]

        def there_and_back():
            for a, b in (streams, streams[::-1]): b.wait_event(a.record_event())
        return 1e6 * self.seconds(there_and_back, count=1000)

    def graph_kernel(self):
        self.need_gpu()
        x, count, graph = self.torch.zeros(1, device=self.options.device), 200, self.torch.cuda.CUDAGraph()
        with self.torch.cuda.graph(graph):
            for _ in range(count): x.add_(1)
        return 1e6 * self.seconds(graph.replay) / count


def limits(card):
    torch = card.torch
    return {"device_copy_gb_per_s": card.device_copy, "host_to_device_gb_per_s": card.host_to_device,
            "bf16_tflop_per_s": lambda: card.product(torch.bfloat16), "fp16_tflop_per_s": lambda: card.product(torch.float16),
            "tf32_tflop_per_s": lambda: card.product(torch.float32, tf32=True), "fp32_tflop_per_s": lambda: card.product(torch.float32),
            "launch_us": card.launch, "launch_and_wait_us": card.launch_and_wait, "event_there_and_back_us": card.event,
            "graph_kernel_us": card.graph_kernel}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--megabytes", type=int, default=1024, help="size of what is copied; default 1024")
    parser.add_argument("--size", type=int, default=8192, help="rows and columns of the matrices; default 8192")
    parser.add_argument("--json", metavar="FILE", help="write the results")
    options = parser.parse_args()
    try: card = Card(options)
    except (ImportError, RuntimeError) as error: sys.exit(f"card_limits.py: {error}")
    report = {"card": card.torch.cuda.get_device_name() if card.gpu else "none: on the CPU", "limits": {}, "errors": {}}
    for name, measure in limits(card).items():
        try: report["limits"][name] = measure()
        except Exception as error: report["errors"][name] = f"{type(error).__name__}: {error}".splitlines()[0]
        print(f"{name:26}{report['limits'].get(name, report['errors'].get(name)):>12{'.4g' if name in report['limits'] else ''}}")
        if options.json:
            with open(options.json, "w") as file: json.dump(report, file, indent=1); file.write("\n")
    return 1 if report["errors"] else 0


if __name__ == "__main__": sys.exit(main())
