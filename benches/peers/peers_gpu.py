#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""GoogLeNet inference with PyTorch on a GPU, in every precision and the three modes people use.

The network is that of peers.py: `torchvision` GoogLeNet with batch norm folded, random weights, channels last. It is handed
8-bit pixels, normalises them on the device, and is measured as `tributary bench` is: on the device alone, with copies from and
to page-locked memory, two batches in flight, each direction on a stream of its own, and end to end, from and to ordinary
memory. Every mode and precision is a process of its own. What fails (no compiler, out of memory, wrong logits) is reported with its reason,
and the rest goes on; the JSON file is written after every batch size.

    peers_gpu.py --json peers-gpu.json
    peers_gpu.py --modes graph --precisions bf16 -b 1,256
    peers_gpu.py --device cpu --width 0.25 --image-size 64 -b 1,2 --seconds 0.2          tries the script without a GPU
"""
import argparse, itertools, json, os, statistics, subprocess, sys, tempfile, threading, time

from peers import disagreement, peak_rss, torch_network

ROUNDS, IN_FLIGHT = 10, 2
# Of the largest logit, against fp32 without TF32: rounding through 22 layers, with room.
TOLERANCE = {"fp32": 1e-3, "tf32": 2e-2, "fp16": 2e-2, "bf16": 1e-1}


def pixels(batch, size, seed):
    import numpy as np
    return np.random.default_rng(seed).integers(0, 256, (batch, size, size, 3), dtype="uint8")


# Modes: each takes the network and its input, which stays where it is, and returns a function that computes the logits.

def eager(network, x): return lambda: network(x)


def graph(network, x):
    """One CUDA graph, replayed."""
    import torch
    if x.device.type != "cuda": raise RuntimeError("CUDA graphs need a GPU")
    stream = torch.cuda.Stream()  # PyTorch wants the first runs on a side stream
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3): network(x)
    torch.cuda.current_stream().wait_stream(stream)
    recorded = torch.cuda.CUDAGraph()
    with torch.cuda.graph(recorded): y = network(x)

    def run():
        recorded.replay()
        return y
    return run


def compiled(network, x):
    import torch
    torch._dynamo.reset()  # each batch size is compiled for itself, not as one with a size that varies
    fast = torch.compile(network, mode="max-autotune", dynamic=False)
    return lambda: fast(x)


MODES = {"eager": eager, "graph": graph, "compile": compiled}


def rates(call, synchronize, batch, seconds):
    """Images per second: median, least and most of ROUNDS rounds, after warming up."""
    def timed(count):
        start = time.perf_counter()
        for _ in range(count): call()
        synchronize()
        return (time.perf_counter() - start) / count
    timed(3)
    count = max(1, int(seconds / ROUNDS / timed(3)))
    timed(count)
    times = [timed(count) for _ in range(ROUNDS)]
    return batch / statistics.median(times), batch / max(times), batch / min(times)


def normalised(network, dtype):
    """The network behind what `tributary` does on the device, too: 8-bit pixels, N,H,W,C, to its input."""
    import torch

    class Normalised(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.network = network

        def forward(self, pixels):
            x = pixels.permute(0, 3, 1, 2).to(torch.float32)  # N,H,W,C as it lies is channels last
            return self.network((x / 127.5 - 1).to(dtype))
    return Normalised().eval()


class Slot:
    """A batch in flight: memory on both sides, the call that computes it, and how far it has come."""
    def __init__(self, bench, batch, number):
        torch, options = bench.torch, bench.options
        self.ordinary = torch.from_numpy(pixels(batch, options.image_size, seed=number))
        self.results = torch.empty(batch, 1000)
        pin = (lambda x: x.pin_memory()) if bench.gpu else (lambda x: x)
        self.host, self.host_logits = pin(self.ordinary.clone()), pin(torch.empty(batch, 1000))
        self.device, self.logits = self.host.to(options.device), torch.empty(batch, 1000, device=options.device)
        self.run = MODES[options.mode](bench.network, self.device)
        self.loaded, self.computed, self.fetched = ([torch.cuda.Event() for _ in range(3)] if bench.gpu else [None] * 3)
        self.used = False


class Bench:
    """One mode and precision on one device."""
    def __init__(self, options):
        import torch
        self.torch, self.options, self.gpu = torch, options, options.device == "cuda"
        if self.gpu and not torch.cuda.is_available(): raise RuntimeError("PyTorch sees no GPU")
        self.synchronize = torch.cuda.synchronize if self.gpu else lambda: None
        self.streams = [torch.cuda.Stream() for _ in range(3)] if self.gpu else None  # in, computing, out
        torch.backends.cudnn.benchmark = True
        torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
        network = torch_network(options.width).to(options.device, memory_format=torch.channels_last)
        first = torch.from_numpy(pixels(1, options.image_size, seed=0)).to(options.device)
        self.reference = normalised(network, torch.float32)(first)[0, :16].tolist()
        torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = options.precision == "tf32"
        dtype = {"fp16": torch.float16, "bf16": torch.bfloat16}.get(options.precision, torch.float32)
        self.network = normalised(network.to(dtype), dtype)

    def machine(self):
        torch = self.torch
        if not self.gpu: return {"card": "none: on the CPU", "torch": torch.__version__}
        return {"card": torch.cuda.get_device_name(), "torch": torch.__version__, "cuda": torch.version.cuda, "cudnn": torch.backends.cudnn.version()}

    def hand_over(self, slot):
        """To the device, computed, back: each on its stream, behind what it needs and nothing else."""
        torch = self.torch
        if not self.gpu:
            slot.device.copy_(slot.host)
            slot.logits.copy_(slot.run())
            slot.host_logits.copy_(slot.logits)
            return
        load, compute, fetch = self.streams
        with torch.cuda.stream(load):
            if slot.used: load.wait_event(slot.computed)
            slot.device.copy_(slot.host, non_blocking=True)
            slot.loaded.record(load)
        with torch.cuda.stream(compute):
            compute.wait_event(slot.loaded)
            if slot.used: compute.wait_event(slot.fetched)
            slot.logits.copy_(slot.run())
            slot.computed.record(compute)
        with torch.cuda.stream(fetch):
            fetch.wait_event(slot.computed)
            slot.host_logits.copy_(slot.logits, non_blocking=True)
            slot.fetched.record(fetch)

    def take(self, slot):
        """The results of the batch before, if there was one."""
        if slot.used and self.gpu: slot.fetched.synchronize()
        slot.used = True

    def ways(self, slots):
        """The three rates, as `tributary bench` defines them, and one batch at a time: functions for the next batch."""
        turn = itertools.cycle(slots)

        def with_copies():
            slot = next(turn)
            self.take(slot)
            self.hand_over(slot)

        def end_to_end():
            slot = next(turn)
            self.take(slot)
            slot.results.copy_(slot.host_logits)
            slot.host.copy_(slot.ordinary)
            self.hand_over(slot)

        def one_at_a_time():
            self.take(slots[0])
            self.hand_over(slots[0])
            self.synchronize()

        def device():
            if not self.gpu: return slots[0].run()
            with self.torch.cuda.stream(self.streams[1]): slots[0].run()
        return {"device": device, "with_copies": with_copies, "end_to_end": end_to_end, "one_at_a_time": one_at_a_time}

    def measure(self, batch):
        torch, options = self.torch, self.options
        if self.gpu: torch.cuda.reset_peak_memory_stats()
        slots = [Slot(self, batch, number) for number in range(IN_FLIGHT)]
        self.synchronize()  # what made them ran on another stream
        ways = self.ways(slots)
        ways["one_at_a_time"]()
        difference = disagreement(slots[0].host_logits[0, :16].tolist(), self.reference)
        if not difference <= TOLERANCE[options.precision]: raise RuntimeError(f"its logits differ by {difference:.2g} from fp32's")
        rate = {name: rates(call, self.synchronize, batch, options.seconds / len(ways)) for name, call in ways.items()}
        median, least, most = rate["with_copies"]
        return {"engine": f"pytorch-{options.mode}", "version": torch.__version__, "precision": options.precision, "batch": batch,
                "pixels": "u8", "in_flight": IN_FLIGHT, "rounds": ROUNDS, "images_per_second": median, "min": least, "max": most,
                "device_images_per_second": rate["device"][0], "end_to_end_images_per_second": rate["end_to_end"][0],
                "latency_ms": 1e3 * batch / rate["one_at_a_time"][0],
                "peak_rss_bytes": peak_rss(), "peak_device_bytes": torch.cuda.max_memory_allocated() if self.gpu else 0}


def reason(error): return f"{type(error).__name__}: {error}".strip().splitlines()[0][:300]


def worker(options):
    """Runs in its own process: one JSON line for the machine, then one for each batch size."""
    import torch
    with torch.inference_mode(options.mode != "compile"), torch.no_grad():
        bench = Bench(options)
        print(json.dumps({"machine": bench.machine()}), flush=True)
        for batch in options.batch:
            try: line = bench.measure(batch)
            except Exception as error: line = {"batch": batch, "error": reason(error)}
            print(json.dumps(line), flush=True)


def run_worker(options, mode, precision, seconds_left, report):
    """Adds what the worker measures to the report, and a reason for each batch size that it does not."""
    command = [sys.executable, os.path.abspath(__file__), "--worker", "--modes", mode, "--precisions", precision, "--device", options.device,
               "-b", ",".join(map(str, options.batch)), "--seconds", str(options.seconds), "--width", str(options.width),
               "--image-size", str(options.image_size)]
    missing = dict.fromkeys(options.batch)
    with tempfile.TemporaryFile("w+") as messages, subprocess.Popen(command, stdout=subprocess.PIPE, stderr=messages, text=True) as process:
        timer = threading.Timer(max(0, seconds_left), process.kill)
        timer.start()
        for text in process.stdout:
            try: line = json.loads(text)
            except ValueError: continue  # what a library prints
            if "machine" in line: report["machine"] = line["machine"]
            elif "error" in line: missing[line["batch"]] = line["error"]
            else: missing.pop(line["batch"]); report["results"].append(line)
            write(options, report)
        process.wait()
        late = not timer.is_alive()
        timer.cancel()
        messages.seek(0)
        last = (messages.read().strip().splitlines() or [f"exit code {process.returncode}"])[-1]
    for batch, why in missing.items():
        report["errors"].append({"engine": f"pytorch-{mode}", "precision": precision, "batch": batch,
                                 "reason": why or ("out of time" if late else last)})
    write(options, report)


def write(options, report):
    if not options.json or options.json == "-": return
    with open(options.json + ".new", "w") as file: json.dump(report, file, indent=1); file.write("\n")
    os.replace(options.json + ".new", options.json)


def print_table(report, stream):
    print(f"{'engine':18}{'precision':>10}{'batch':>6}{'img/s':>10}{'min':>10}{'max':>10}{'on device':>11}{'end to end':>12}{'latency ms':>12}", file=stream)
    for r in sorted(report["results"], key=lambda r: (r["precision"], r["batch"], -r["images_per_second"])):
        print(f"{r['engine']:18}{r['precision']:>10}{r['batch']:>6}{r['images_per_second']:>10.1f}{r['min']:>10.1f}{r['max']:>10.1f}"
              f"{r['device_images_per_second']:>11.1f}{r['end_to_end_images_per_second']:>12.1f}{r['latency_ms']:>12.3f}", file=stream)
    for e in report["errors"]: print(f"peers_gpu.py: {e['engine']}, {e['precision']}, batch {e['batch']}: {e['reason']}", file=sys.stderr)


def arguments():
    def words(known):
        def parse(text):
            for word in text.split(","):
                if word not in known: raise argparse.ArgumentTypeError(f"'{word}' is none of {', '.join(known)}")
            return text.split(",")
        return parse

    def numbers(text):
        values = [int(value) for value in text.split(",")]
        if min(values) < 1: raise argparse.ArgumentTypeError(f"'{text}': batch sizes are at least 1")
        return values
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-b", "--batch", type=numbers, default=[1, 8, 32, 64, 128, 256, 512, 1024], metavar="N,...")
    parser.add_argument("--modes", type=words(MODES), default=list(MODES), help="comma separated: " + ", ".join(MODES))
    parser.add_argument("--precisions", type=words(TOLERANCE), default=list(TOLERANCE), help="comma separated: " + ", ".join(TOLERANCE))
    parser.add_argument("--seconds", type=float, default=1, help="for one batch size, all its rates together, after warming up; default 1")
    parser.add_argument("--minutes", type=float, help="stop after so long; what is left is reported as out of time")
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--width", type=float, default=1.0, help="every channel count times this")
    parser.add_argument("--image-size", type=int, default=224)
    parser.add_argument("--json", metavar="FILE", help="write the results; - for standard output")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.mode, options.precision = options.modes[0], options.precisions[0]
    return options


def main():
    options = arguments()
    if options.worker: return worker(options)
    deadline = time.monotonic() + (60 * options.minutes if options.minutes else 1e6)
    report = {"machine": {}, "seconds": options.seconds, "results": [], "errors": []}
    for mode in options.modes:
        for precision in options.precisions: run_worker(options, mode, precision, deadline - time.monotonic(), report)
    print_table(report, sys.stderr if options.json == "-" else sys.stdout)
    if options.json == "-": print(json.dumps(report, indent=1))
    return 1 if report["errors"] else 0


if __name__ == "__main__": sys.exit(main())
