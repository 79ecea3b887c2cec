#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""GoogLeNet inference with PyTorch, ONNX Runtime and TensorRT on a GPU, in every precision and the modes people use.

The network is that of peers.py: `torchvision` GoogLeNet with batch norm folded, random weights, channels last. It is handed
8-bit pixels, normalises them on the device, and is measured as `tributary bench` is: on the device alone, with copies from and
to page-locked memory, two batches in flight, each direction on a stream of its own, and end to end, from and to ordinary
memory. Every mode and precision is a process of its own. What fails (no compiler, out of memory, wrong logits) is reported with its reason,
what is not installed is skipped by name, and the rest goes on; the JSON file is written after every batch size.

With --train, steps of training with PyTorch instead (train_gpu.py says what a step is), as `tributary bench --train` measures them.

    peers_gpu.py --json peers-gpu.json
    peers_gpu.py --modes graph,streams-graph --precisions bf16 -b 1,256
    peers_gpu.py --train --precisions bf16 -b 32,256 --json train-gpu.json
    peers_gpu.py --device cpu --width 0.25 --image-size 64 -b 1,2 --seconds 0.2          tries the script without a GPU
"""
import argparse, importlib.util, itertools, json, os, statistics, subprocess, sys, tempfile, threading, time

from peers import disagreement, peak_rss, torch_network, write_onnx

ROUNDS, IN_FLIGHT = 10, 2
# Of the largest logit, against fp32 without TF32: rounding through 22 layers, with room.
TOLERANCE = {"fp32": 1e-3, "tf32": 2e-2, "fp16": 2e-2, "bf16": 1e-1}


def pixels(batch, size, seed):
    import numpy as np
    return np.random.default_rng(seed).integers(0, 256, (batch, size, size, 3), dtype="uint8")


class Skipped(Exception):
    """This mode does not exist here: nothing is wrong."""


# Modes: each takes the bench and an input, which stays where it is, and returns a function that computes the logits.

def eager(bench, x): return lambda: bench.network(x)


def captured(call):
    """One CUDA graph, replayed."""
    import torch
    stream = torch.cuda.Stream()  # PyTorch wants the first runs on a side stream
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3): call()
    torch.cuda.current_stream().wait_stream(stream)
    recorded = torch.cuda.CUDAGraph()
    with torch.cuda.graph(recorded): y = call()

    def run():
        recorded.replay()
        return y
    return run


def graph(bench, x):
    if not bench.gpu: raise RuntimeError("CUDA graphs need a GPU")
    return captured(eager(bench, x))


def compiled(bench, x):
    import torch
    torch._dynamo.reset()  # each batch size is compiled for itself, not as one with a size that varies
    fast = torch.compile(bench.network, mode="max-autotune", dynamic=False)
    return lambda: fast(x)


def branches_on_streams(network):
    """The first branch of a module stays on the stream of what is around it; the others begin behind its input and join before the
    concatenation. Events order the work, and the allocator is told who else uses a tensor."""
    import torch
    side = [torch.cuda.Stream() for _ in range(3)]

    class Streams(torch.nn.Module):
        def __init__(self, branches):
            super().__init__()
            self.branches = branches

        def forward(self, x):
            own = torch.cuda.current_stream()
            fork, results = own.record_event(), []
            for stream, branch in zip(side, list(self.branches)[1:]):
                stream.wait_event(fork)
                x.record_stream(stream)
                with torch.cuda.stream(stream): results.append(branch(x))
            results.insert(0, self.branches[0](x))
            for stream, y in zip(side, results[1:]):
                own.wait_event(stream.record_event())
                y.record_stream(own)
            return torch.cat(results, 1)
    return torch.nn.Sequential(*(Streams(layer.branches) if hasattr(layer, "branches") else layer for layer in network))


def streams(bench, x):
    """A stream for each branch of a module, as with Tributary's schedule of that name."""
    if not bench.gpu: raise RuntimeError("streams need a GPU")
    parallel = normalised(branches_on_streams(bench.network.network), bench.dtype)
    return lambda: parallel(x)


def streams_graph(bench, x): return captured(streams(bench, x))


def float_input(bench, x):
    """For engines that take what is already normalised: the input's memory, and a function that fills it from the pixels."""
    import torch
    batch, size = x.shape[0], x.shape[1]
    memory = torch.empty(batch, 3, size, size, dtype=bench.dtype, device=x.device)
    return memory, lambda: memory.copy_(x.permute(0, 3, 1, 2).to(torch.float32) / 127.5 - 1)


def onnxruntime(bench, x):
    """Its CUDA provider, on the stream that the others compute on; PyTorch normalises the pixels."""
    import numpy as np, onnxruntime as ort, torch
    precision = bench.options.precision
    if precision == "bf16": raise Skipped("ONNX Runtime has no convolutions in bf16")
    provider = "CUDAExecutionProvider" if bench.gpu else "CPUExecutionProvider"
    if provider not in ort.get_available_providers(): raise Skipped(f"this onnxruntime has no {provider}: install onnxruntime-gpu")
    settings = {"user_compute_stream": str(bench.streams[1].cuda_stream), "use_tf32": "1" if precision == "tf32" else "0",
                "cudnn_conv_algo_search": "EXHAUSTIVE"} if bench.gpu else {}
    session = ort.InferenceSession(bench.onnx(), providers=[(provider, settings)])
    memory, normalise = float_input(bench, x)
    logits = torch.empty(x.shape[0], 1000, dtype=bench.dtype, device=x.device)
    binding, kind = session.io_binding(), np.float16 if precision == "fp16" else np.float32
    binding.bind_input("input", x.device.type, 0, kind, tuple(memory.shape), memory.data_ptr())
    binding.bind_output(session.get_outputs()[0].name, x.device.type, 0, kind, tuple(logits.shape), logits.data_ptr())
    go_on = ort.RunOptions()
    go_on.add_run_config_entry("disable_synchronize_execution_providers", "1")  # the stream orders what follows

    def run():
        normalise()
        session.run_with_iobinding(binding, go_on)
        return logits
    return run


def tensorrt(bench, x):
    """An engine for this batch size, strongly typed, as one CUDA graph; PyTorch normalises the pixels."""
    import tensorrt as trt, torch
    if not bench.gpu: raise RuntimeError("TensorRT needs a GPU")
    logger = trt.Logger(trt.Logger.ERROR)
    builder = trt.Builder(logger)
    network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
    parser = trt.OnnxParser(network, logger)
    if not parser.parse_from_file(bench.onnx()): raise RuntimeError(f"TensorRT does not read the ONNX file: {parser.get_error(0).desc()}")
    config, profile = builder.create_builder_config(), builder.create_optimization_profile()
    if bench.options.precision == "fp32": config.clear_flag(trt.BuilderFlag.TF32)
    memory, normalise = float_input(bench, x)
    logits = torch.empty(x.shape[0], 1000, dtype=bench.dtype, device=x.device)
    profile.set_shape("input", *(tuple(memory.shape),) * 3)
    config.add_optimization_profile(profile)
    runtime, plan = trt.Runtime(logger), builder.build_serialized_network(network, config)
    if plan is None: raise RuntimeError("TensorRT built no engine")
    engine = runtime.deserialize_cuda_engine(plan)
    context = engine.create_execution_context()
    context.set_input_shape("input", tuple(memory.shape))
    context.set_tensor_address("input", memory.data_ptr())
    context.set_tensor_address(network.get_output(0).name, logits.data_ptr())

    def call():
        normalise()
        if not context.execute_async_v3(torch.cuda.current_stream().cuda_stream): raise RuntimeError("TensorRT did not run")
        return logits
    run = captured(call)
    run.kept = runtime, engine, context, memory  # as long as the graph
    return run


MODES = {"eager": eager, "graph": graph, "compile": compiled, "streams": streams, "streams-graph": streams_graph,
         "onnxruntime": onnxruntime, "tensorrt": tensorrt}
TRAINING = ("eager", "graph", "compile")  # the modes of train_gpu.py
OTHERS = ("onnxruntime", "tensorrt")  # than PyTorch: modules of that name, which may be missing


def engine_name(mode): return mode if mode in OTHERS else f"pytorch-{mode}"


def missing(mode, train):
    """Why a mode is skipped; None if it is not."""
    needs = ("torchvision",) if train else (mode, "onnx") if mode in OTHERS else ()
    for module in needs:
        if importlib.util.find_spec(module) is None: return f"this Python has no {module}"
    return None


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
        self.run = MODES[options.mode](bench, self.device)
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
        self.dtype = {"fp16": torch.float16, "bf16": torch.bfloat16}.get(options.precision, torch.float32)
        self.network = normalised(network.to(self.dtype), self.dtype)
        self.folder = None

    def onnx(self):
        """The network as a file, for engines that read one."""
        if not self.folder:
            self.folder = tempfile.TemporaryDirectory()
            write_onnx(self.folder.name + "/googlenet.onnx", self.options.width, self.options.image_size, str(self.dtype).split(".")[1])
        return self.folder.name + "/googlenet.onnx"

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
        return {"engine": engine_name(options.mode), "version": version_of(options.mode), "precision": options.precision, "batch": batch,
                "pixels": "u8", "in_flight": IN_FLIGHT, "rounds": ROUNDS, "images_per_second": median, "min": least, "max": most,
                "device_images_per_second": rate["device"][0], "end_to_end_images_per_second": rate["end_to_end"][0],
                "latency_ms": 1e3 * batch / rate["one_at_a_time"][0],
                "peak_rss_bytes": peak_rss(), "peak_device_bytes": torch.cuda.max_memory_allocated() if self.gpu else 0}


def machine(gpu):
    import torch
    if not gpu: return {"card": "none: on the CPU", "torch": torch.__version__}
    return {"card": torch.cuda.get_device_name(), "torch": torch.__version__, "cuda": torch.version.cuda, "cudnn": torch.backends.cudnn.version()}


def version_of(mode):
    return importlib.import_module(mode if mode in OTHERS else "torch").__version__


def reason(error): return f"{type(error).__name__}: {error}".strip().splitlines()[0][:300]


def measure_all(bench):
    """One JSON line for the machine, then one for each batch size."""
    print(json.dumps({"machine": machine(bench.gpu)}), flush=True)
    for batch in bench.options.batch:
        try: line = bench.measure(batch)
        except Skipped as error: line = {"batch": batch, "skipped": str(error)}
        except Exception as error: line = {"batch": batch, "error": reason(error)}
        print(json.dumps(line), flush=True)


def worker(options):
    """Runs in its own process."""
    import torch
    if options.train:
        from train_gpu import TrainingBench
        return measure_all(TrainingBench(options))
    with torch.inference_mode(options.mode != "compile"), torch.no_grad(): measure_all(Bench(options))


def skip(report, mode, why):
    entry = {"engine": engine_name(mode), "reason": why}
    if entry not in report["skipped"]: report["skipped"].append(entry)


def run_worker(options, mode, precision, seconds_left, report):
    """Adds what the worker measures to the report, and a reason for each batch size that it does not."""
    command = [sys.executable, os.path.abspath(__file__), "--worker", "--modes", mode, "--precisions", precision, "--device", options.device,
               "-b", ",".join(map(str, options.batch)), "--seconds", str(options.seconds), "--width", str(options.width),
               "--image-size", str(options.image_size)] + ["--train"] * options.train
    left = dict.fromkeys(options.batch)
    with tempfile.TemporaryFile("w+") as messages, subprocess.Popen(command, stdout=subprocess.PIPE, stderr=messages, text=True) as process:
        timer = threading.Timer(max(0, seconds_left), process.kill)
        timer.start()
        for text in process.stdout:
            try: line = json.loads(text)
            except ValueError: continue  # what a library prints
            if "machine" in line: report["machine"] = line["machine"]
            elif "error" in line: left[line["batch"]] = line["error"]
            elif "skipped" in line: left.pop(line["batch"]); skip(report, mode, line["skipped"])
            else: left.pop(line["batch"]); report["results"].append(line)
            write(options, report)
        process.wait()
        late = not timer.is_alive()
        timer.cancel()
        messages.seek(0)
        last = (messages.read().strip().splitlines() or [f"exit code {process.returncode}"])[-1]
    for batch, why in left.items():
        report["errors"].append({"engine": engine_name(mode), "precision": precision, "batch": batch,
                                 "reason": why or ("out of time" if late else last)})
    write(options, report)


def write(options, report):
    if not options.json or options.json == "-": return
    with open(options.json + ".new", "w") as file: json.dump(report, file, indent=1); file.write("\n")
    os.replace(options.json + ".new", options.json)


def print_table(report, stream):
    print(f"{'engine':24}{'precision':>10}{'batch':>6}{'img/s':>10}{'min':>10}{'max':>10}{'on device':>11}{'end to end':>12}{'latency ms':>12}", file=stream)
    optional = lambda value, width, digits: f"{value:{width}.{digits}f}" if value is not None else " " * width
    for r in sorted(report["results"], key=lambda r: (r["precision"], r["batch"], -r["images_per_second"])):
        latency = r["step_ms"]["p50"] if "step_ms" in r else r["latency_ms"]
        print(f"{r['engine']:24}{r['precision']:>10}{r['batch']:>6}{r['images_per_second']:>10.1f}{r['min']:>10.1f}{r['max']:>10.1f}"
              f"{r['device_images_per_second']:>11.1f}{optional(r.get('end_to_end_images_per_second'), 12, 1)}{latency:>12.3f}", file=stream)
    for e in report["skipped"]: print(f"peers_gpu.py: skipped {e['engine']}: {e['reason']}", file=sys.stderr)
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
    parser.add_argument("--train", action="store_true", help="steps of training instead; its modes are " + ", ".join(TRAINING))
    parser.add_argument("--modes", type=words(MODES), help="comma separated, default all: " + ", ".join(MODES))
    parser.add_argument("--precisions", type=words(TOLERANCE), default=list(TOLERANCE), help="comma separated: " + ", ".join(TOLERANCE))
    parser.add_argument("--seconds", type=float, default=1, help="for one batch size, all its rates together, after warming up; default 1")
    parser.add_argument("--minutes", type=float, help="stop after so long; what is left is reported as out of time")
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--width", type=float, default=1.0, help="every channel count times this")
    parser.add_argument("--image-size", type=int, default=224)
    parser.add_argument("--json", metavar="FILE", help="write the results; - for standard output")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    known = TRAINING if options.train else tuple(MODES)
    options.modes = options.modes or list(known)
    if not set(options.modes) <= set(known): parser.error(f"the modes of --train are {', '.join(known)}")
    if options.train and options.width != 1: parser.error("--train takes no --width: torchvision's network has one")
    options.mode, options.precision = options.modes[0], options.precisions[0]
    return options


def main():
    options = arguments()
    if options.worker: return worker(options)
    deadline = time.monotonic() + (60 * options.minutes if options.minutes else 1e6)
    report = {"machine": {}, "seconds": options.seconds, "results": [], "errors": [], "skipped": []}
    if options.train: report["includes"] = "forward, losses, backward, update; images from and loss to ordinary memory"
    for mode in options.modes:
        if missing(mode, options.train):
            skip(report, mode, missing(mode, options.train))
            write(options, report)
            continue
        for precision in options.precisions: run_worker(options, mode, precision, deadline - time.monotonic(), report)
    print_table(report, sys.stderr if options.json == "-" else sys.stdout)
    if options.json == "-": print(json.dumps(report, indent=1))
    return 1 if report["errors"] else 0


if __name__ == "__main__": sys.exit(main())
