#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""GoogLeNet inference with ONNX Runtime, OpenVINO, PyTorch, TensorRT and Tributary on the same machine, in one table.

The network is the `torchvision` variant at 224x224 with random weights. Batch norm is already folded into the
convolutions, as each of these engines would do itself. Every measurement is a process of its own, so that its peak
memory is its own. With --ours, rounds are pairs: Tributary and a peer one after another, in the other order in every
second round. The ratio within a pair is what a busy neighbour disturbs least. Peers compute the same logits for the same
input: one that disagrees is reported and not ranked. An engine that is not installed, or has no GPU, is skipped by name.

    peers.py -b 1,32 --rounds 3                                   all peers
    peers.py -b 1,32 --ours build/tributary --json peers.json     and Tributary
    peers.py -b 1,256 --devices cuda --precision bf16 --ours build/tributary
"""
import argparse, collections, glob, importlib.util, json, os, shlex, statistics, subprocess, sys, tempfile, time

MODULES = {  # in: 1x1, 3x3_reduce, 3x3, 5x5_reduce, "5x5" (a 3x3 in this variant), pool_proj
    "3a": (64, 96, 128, 16, 32, 32), "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64), "4b": (160, 112, 224, 24, 64, 64), "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64), "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128), "5b": (384, 192, 384, 48, 128, 128)}


def describe(b, width=1.0):
    """Builds the network with a builder b that has conv, pool, concat, mean and linear. One line per branch."""
    channels = lambda *counts: [max(8, 8 * round(count * width / 8)) for count in counts]
    n1, n2, c = channels(64, 64, 192)
    x = b.conv("conv1", b.input, 3, n1, 7, stride=2)
    x = b.conv("conv2", b.pool(x, 3, 2), n1, n2, 1)
    x = b.pool(b.conv("conv3", x, n2, c, 3), 3, 2)
    for name, counts in MODULES.items():
        n1, n3r, n3, n5r, n5, npool = channels(*counts)
        x = b.concat([
            b.conv(name + "/1x1", x, c, n1, 1),
            b.conv(name + "/3x3", b.conv(name + "/3x3_reduce", x, c, n3r, 1), n3r, n3, 3),
            b.conv(name + "/5x5", b.conv(name + "/5x5_reduce", x, c, n5r, 1), n5r, n5, 3),
            b.conv(name + "/pool_proj", b.pool(x, 3, 1), c, npool, 1)])
        c = n1 + n3 + n5 + npool
        if name == "3b": x = b.pool(x, 3, 2)
        if name == "4e": x = b.pool(x, 2, 2)
    return b.linear("fc", b.mean(x), c, 1000)


class Weights:
    """He-uniform weights in a fixed order, so that every builder gets the same ones."""
    def __init__(self):
        import numpy as np
        self.np, self.random = np, np.random.default_rng(1)

    def __call__(self, *shape):
        bound = (6 / self.np.prod(shape[1:])) ** 0.5
        return (self.random.uniform(-bound, bound, shape).astype("float32"),
                self.random.uniform(-0.1, 0.1, shape[0]).astype("float32"))


def images(batch, size=224):
    import numpy as np
    return np.random.default_rng(2).uniform(-1, 1, (batch, 3, size, size)).astype("float32")


def onnx_tensor(name, value, dtype):
    from onnx import TensorProto, helper, numpy_helper
    if dtype != "bfloat16": return numpy_helper.from_array(value.astype(dtype), name)
    halves = ((value.view("uint32") + 0x8000) >> 16).astype("uint16")  # NumPy has no bfloat16: the upper half, rounded
    return helper.make_tensor(name, TensorProto.BFLOAT16, value.shape, halves.tobytes(), raw=True)


def write_onnx(path, width=1.0, size=224, dtype="float32"):
    """Writes the network as ONNX by hand: no exporter between us and the engines."""
    from onnx import TensorProto, checker, helper, save
    weights, nodes, initializers = Weights(), [], []

    class Builder:
        input = "input"

        def add(self, op, inputs, **attributes):
            nodes.append(helper.make_node(op, inputs, [f"t{len(nodes)}"], **attributes))
            return nodes[-1].output[0]

        def parameters(self, name, *shape):
            for leaf, value in zip(("weight", "bias"), weights(*shape)):
                initializers.append(onnx_tensor(f"{name}.{leaf}", value, dtype))
            return [f"{name}.weight", f"{name}.bias"]

        def conv(self, name, x, c, k, r, stride=1):
            x = self.add("Conv", [x] + self.parameters(name, k, c, r, r), kernel_shape=[r, r], strides=[stride] * 2, pads=[r // 2] * 4)
            return self.add("Relu", [x])

        def pool(self, x, r, stride):
            pad = 1 if stride == 1 else 0
            return self.add("MaxPool", [x], kernel_shape=[r, r], strides=[stride] * 2, pads=[pad] * 4, ceil_mode=1)

        def concat(self, xs): return self.add("Concat", xs, axis=1)
        def mean(self, x): return self.add("Flatten", [self.add("GlobalAveragePool", [x])])
        def linear(self, name, x, c, k): return self.add("Gemm", [x] + self.parameters(name, k, c), transB=1)

    output = describe(Builder(), width)
    kind = {"float32": TensorProto.FLOAT, "float16": TensorProto.FLOAT16, "bfloat16": TensorProto.BFLOAT16}[dtype]
    value = lambda name, shape: helper.make_tensor_value_info(name, kind, shape)
    graph = helper.make_graph(nodes, "googlenet", [value("input", ["N", 3, size, size])], [value(output, ["N", 1000])], initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    checker.check_model(model)
    save(model, path)


def torch_network(width=1.0):
    import torch
    from torch import nn
    weights = Weights()

    def filled(layer, *shape):
        with torch.no_grad():
            for parameter, value in zip((layer.weight, layer.bias), weights(*shape)): parameter.copy_(torch.from_numpy(value))
        return layer

    class Inception(nn.Module):
        def __init__(self, *branches):
            super().__init__()
            self.branches = nn.ModuleList(branches)

        def forward(self, x): return torch.cat([branch(x) for branch in self.branches], 1)

    class Builder:
        """Values are chains of layers; the chains that start at the same fork become one Inception module."""
        input = ()
        def conv(self, name, x, c, k, r, stride=1):
            return x + (filled(nn.Conv2d(c, k, r, stride, r // 2), k, c, r, r), nn.ReLU(inplace=True))
        def pool(self, x, r, stride): return x + (nn.MaxPool2d(r, stride, 1 if stride == 1 else 0, ceil_mode=True),)
        def concat(self, xs):
            shared = 0
            while all(x[shared] is xs[0][shared] for x in xs): shared += 1
            return xs[0][:shared] + (Inception(*(nn.Sequential(*x[shared:]) for x in xs)),)
        def mean(self, x): return x + (nn.AdaptiveAvgPool2d(1), nn.Flatten())
        def linear(self, name, x, c, k): return x + (filled(nn.Linear(c, k), k, c),)

    return nn.Sequential(*describe(Builder(), width)).eval()


# Engines on the CPU: each takes (model path, batch, cores) and returns (version, function that runs one batch and returns its
# logits).

def onnxruntime(path, batch, cores):
    import onnxruntime as ort
    options = ort.SessionOptions()
    options.intra_op_num_threads = cores
    session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    x = images(batch)
    return ort.__version__, lambda: session.run(None, {"input": x})[0]


def onnxruntime_split(path, batch, cores):
    """One thread per core, each with its share of the batch. With batch 1 this is one core."""
    import numpy as np, onnxruntime as ort
    from concurrent.futures import ThreadPoolExecutor
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    shares = [share for share in np.array_split(images(batch), cores) if len(share)]
    threads = ThreadPoolExecutor(len(shares))
    run = lambda share: session.run(None, {"input": share})[0]
    return ort.__version__, lambda: np.concatenate(list(threads.map(run, shares)))


def openvino_compiled(path, batch, cores, hint):
    import openvino as ov
    core = ov.Core()
    model = core.read_model(path)
    model.reshape([batch, 3, 224, 224])
    # f32 must be asked for: where the CPU has bf16 instructions OpenVINO would use them.
    config = {"PERFORMANCE_HINT": hint, "INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": cores}
    return ov.__version__.split("-")[0], core.compile_model(model, "CPU", config)


def openvino_latency(path, batch, cores):
    version, compiled = openvino_compiled(path, batch, cores, "LATENCY")
    request, x = compiled.create_infer_request(), images(batch)
    return version, lambda: request.infer([x], share_inputs=True)[0]


def openvino_throughput(path, batch, cores):
    """Several batches in flight: the function waits for the oldest and puts it back to work."""
    version, compiled = openvino_compiled(path, batch, cores, "THROUGHPUT")
    x = images(batch)
    requests = [compiled.create_infer_request() for _ in range(compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS"))]
    for request in requests: request.start_async([x], share_inputs=True)

    def run():
        request = requests.pop(0)
        request.wait()
        logits = request.get_output_tensor(0).data.copy()
        request.start_async([x], share_inputs=True)
        requests.append(request)
        return logits
    return version, run


def pytorch(path, batch, cores, channels_last=False, compiled=False):
    import torch
    torch.set_num_threads(cores)
    network, x = torch_network(), torch.from_numpy(images(batch))
    if channels_last: network, x = network.to(memory_format=torch.channels_last), x.to(memory_format=torch.channels_last)
    if compiled:
        import torch._inductor.config as inductor
        inductor.freezing = True
        network = torch.compile(network)

    def run():
        with torch.inference_mode(not compiled), torch.no_grad(): return network(x).numpy()
    return torch.__version__, run


def pytorch_channels_last(*a): return pytorch(*a, channels_last=True)
def pytorch_compiled(*a): return pytorch(*a, channels_last=True, compiled=True)


def pytorch_fork(path, batch, cores):
    """The branches of a module as tasks of TorchScript, which its threads run side by side."""
    import torch
    torch.set_num_threads(cores)
    torch.set_num_interop_threads(cores)

    class Forked(torch.nn.Module):
        def __init__(self, branches):
            super().__init__()
            self.branches = branches

        def forward(self, x):
            tasks: list[torch.jit.Future[torch.Tensor]] = []
            for branch in self.branches: tasks.append(torch.jit.fork(branch, x))
            return torch.cat([torch.jit.wait(task) for task in tasks], 1)

    layers = [Forked(layer.branches) if hasattr(layer, "branches") else layer for layer in torch_network()]
    network = torch.nn.Sequential(*layers).eval().to(memory_format=torch.channels_last)
    network, x = torch.jit.freeze(torch.jit.script(network)), torch.from_numpy(images(batch)).to(memory_format=torch.channels_last)

    def run():
        with torch.inference_mode(): return network(x).numpy()
    return torch.__version__, run


# device; modules that it needs; the way of Tributary that it is compared with; for a CPU the function above, for a GPU the mode
# of peers_gpu.py.
Engine = collections.namedtuple("Engine", "device needs ours how")
ONE, MANY = "tributary", "tributary-throughput"
ENGINES = {
    "onnxruntime": Engine("cpu", ("onnx", "onnxruntime"), ONE, onnxruntime),
    "onnxruntime-split": Engine("cpu", ("onnx", "onnxruntime"), ONE, onnxruntime_split),
    "openvino-latency": Engine("cpu", ("onnx", "openvino"), ONE, openvino_latency),
    "openvino-throughput": Engine("cpu", ("onnx", "openvino"), MANY, openvino_throughput),
    "pytorch": Engine("cpu", ("torch",), ONE, pytorch),
    "pytorch-channels-last": Engine("cpu", ("torch",), ONE, pytorch_channels_last),
    "pytorch-compiled": Engine("cpu", ("torch",), ONE, pytorch_compiled),
    "pytorch-fork": Engine("cpu", ("torch",), ONE, pytorch_fork),
    "cuda-pytorch": Engine("cuda", ("torch",), ONE, "eager"),
    "cuda-pytorch-graph": Engine("cuda", ("torch",), ONE, "graph"),
    "cuda-pytorch-streams": Engine("cuda", ("torch",), ONE, "streams"),
    "cuda-pytorch-streams-graph": Engine("cuda", ("torch",), ONE, "streams-graph"),
    "cuda-pytorch-compile": Engine("cuda", ("torch",), ONE, "compile"),
    "cuda-onnxruntime": Engine("cuda", ("torch", "onnx", "onnxruntime"), ONE, "onnxruntime"),
    "cuda-tensorrt": Engine("cuda", ("torch", "onnx", "tensorrt"), ONE, "tensorrt"),
}


def missing(name):
    """Why an engine cannot run here; None if nothing is known to be in its way."""
    for module in ENGINES[name].needs:
        if importlib.util.find_spec(module) is None: return f"this Python has no {module}"
    if ENGINES[name].device == "cuda" and not glob.glob("/dev/nvidia[0-9]*"): return "no NVIDIA GPU here"
    return None


def peak_rss():
    for line in open("/proc/self/status"):
        if line.startswith("VmHWM"): return int(line.split()[1]) * 1024
    return 0


def worker(engine, path, batch, cores, seconds):
    """Runs in its own process: one engine, one batch size, one JSON line."""
    version, run = ENGINES[engine].how(path, batch, cores)
    first = run()[0]
    start = time.perf_counter()
    while time.perf_counter() - start < min(1, seconds): run()
    calls, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds or calls < 3:
        run()
        calls += 1
    elapsed = time.perf_counter() - start
    print(json.dumps({"version": version, "images_per_second": calls * batch / elapsed, "peak_rss_bytes": peak_rss(),
                      "check": [float(v) for v in first[:16]]}), flush=True)
    os._exit(0)  # not every library ends its threads in time


def environment(cores):
    """For the default PyTorch wheel without its CUDA packages: what it needs may lie in the CUDA toolkit. GNU OpenMP waits no longer
    than `tributary` lets it: with its default, one busy core makes small batches many times slower."""
    toolkit = os.environ.get("CUDA_HOME", "/usr/local/cuda")
    folders = glob.glob(os.path.join(sys.prefix, "lib/python*/site-packages/nvidia/*/lib")) + glob.glob(toolkit + "/lib*")
    folders += filter(None, [os.environ.get("LD_LIBRARY_PATH")])
    return dict(os.environ, LD_LIBRARY_PATH=":".join(folders), OMP_NUM_THREADS=str(cores),
                GOMP_SPINCOUNT=os.environ.get("GOMP_SPINCOUNT", "1000"))


def run(command, variables=None):
    """The JSON object in the last line, or from the first brace on, of what a command prints; or its last message as the error."""
    done = subprocess.run(command, env=variables, capture_output=True, text=True)
    try:
        text = done.stdout[done.stdout.index("{"):]
        return json.loads(text if text.startswith("{\n") else text.strip().splitlines()[-1])
    except ValueError: return {"error": (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]}


def run_peer(name, batch, options):
    cores, engine = options.cores, ENGINES[name]
    if engine.device == "cpu":
        command = [sys.executable, os.path.abspath(__file__), "--worker", name, "--model", options.model, "-b", str(batch),
                   "--cores", str(cores), "--seconds", str(options.seconds)]
        return run(command, environment(cores))
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "peers_gpu.py")
    report = run([sys.executable, script, "--modes", engine.how, "--precisions", options.precision, "-b", str(batch),
                  "--seconds", str(2 * options.seconds), "--json", "-"])
    if report.get("results"): return report["results"][0]
    for kind in ("skipped", "errors"):
        for line in report.get(kind, []): return {kind.rstrip("s"): line["reason"]}
    return {"error": report.get("error", "no result")}


def run_ours(name, device, batch, options):
    """Tributary as one more engine; the JSON fields read here are documented in README.md."""
    command = shlex.split(options.ours) + ["bench", "--arch", "torchvision", "--device", device, "-b", str(batch), "--seconds", str(options.seconds),
                                           "--rate", "copies", "--json", "-"]
    if device == "cpu": command += ["--threads", str(options.cores), "--in-flight", str(options.cores if name == MANY else 1)]
    else: command += ["--precision", options.precision, "--schedule", "fused", "--launch", "graph"]
    report = run(command)
    if "error" in report: return report
    result = next(r for r in report["results"] if r["batch"] == batch)
    return {"version": report.get("version", ""), "images_per_second": result["images_per_second"], "peak_rss_bytes": result["peak_rss_bytes"]}


def usable_cores(command):
    """As Tributary counts them, control groups included; without it, by the affinity mask."""
    if not command: return len(os.sched_getaffinity(0))
    done = subprocess.run(shlex.split(command) + ["devices", "--json"], capture_output=True, text=True, check=True)
    return next(d["limits"]["cpus"] for d in json.loads(done.stdout) if d["spec"] == "cpu")


def disagreement(check, reference):
    """Largest difference of logits relative to the largest logit; NaN counts as infinite."""
    difference = max(abs(a - b) for a, b in zip(check, reference)) / max(map(abs, reference))
    return difference if difference == difference and not any(v != v for v in check) else float("inf")


def turns_of(name, batch, options):
    """Who runs in a pair: Tributary in the way that fits, and the engine. Larger batches are spread over the cores anyway."""
    engine = ENGINES[name]
    ours = engine.ours if batch < options.cores or engine.device == "cuda" else ONE
    return [(ours, engine.device), (name, engine.device)] if options.ours else [(name, engine.device)]


Measured = collections.namedtuple("Measured", "samples ratios errors skipped")


def take_turn(who, batch, options, measured, checks):
    """Images per second of one process, or None."""
    name, device = who
    result = run_ours(name, device, batch, options) if name in (ONE, MANY) else run_peer(name, batch, options)
    if "check" in result and not disagreement(result["check"], checks.setdefault(batch, result["check"])) <= 1e-3:
        result = {"error": "its logits differ from those of the first peer"}
    if "skipped" in result: measured.skipped[name] = result["skipped"]
    elif "error" in result: measured.errors[name, batch] = result["error"]
    else:
        measured.samples.setdefault((name, device, batch), []).append(result)
        return result["images_per_second"]
    return None


def measure(options, names):
    measured, checks = Measured({}, {}, {}, {}), {}
    for name in names:
        if missing(name): measured.skipped[name] = missing(name)
    pairs = [(batch, name) for batch in options.batch for name in names if name not in measured.skipped]
    for r in range(options.rounds):
        for i, (batch, name) in enumerate(pairs if r % 2 == 0 else pairs[::-1]):
            if name in measured.skipped or (name, batch) in measured.errors: continue
            if sys.stderr.isatty(): print(f"\r\033[Kround {r + 1}/{options.rounds}, {i + 1}/{len(pairs)}: {name}, batch {batch}", end="", file=sys.stderr)
            turns = turns_of(name, batch, options)
            rates = {who: take_turn(who, batch, options, measured, checks) for who in (turns if r % 2 == 0 else turns[::-1])}
            if len(turns) == 2 and all(rates.values()):
                measured.ratios.setdefault((name, batch), []).append(rates[turns[0]] / rates[turns[1]])
    if sys.stderr.isatty(): print("\r\033[K", end="", file=sys.stderr)
    return measured


def summary(measured, options):
    """A row for each engine on each device and batch size, the fastest first."""
    results = []
    for (engine, device, batch), runs in measured.samples.items():
        rates, ratios = [run["images_per_second"] for run in runs], measured.ratios.get((engine, batch))
        row = {"device": device, "engine": engine, "version": runs[0]["version"], "precision": options.precision if device == "cuda" else "fp32",
               "batch": batch, "rounds": len(runs), "images_per_second": statistics.median(rates), "min": min(rates), "max": max(rates),
               "peak_rss_bytes": max(run["peak_rss_bytes"] for run in runs)}
        if ratios: row["ratio"] = {"of": turns_of(engine, batch, options)[0][0], "median": statistics.median(ratios), "min": min(ratios),
                                   "max": max(ratios), "pairs": len(ratios)}
        results.append(row)
    return sorted(results, key=lambda r: (r["device"], r["batch"], -r["images_per_second"]))


def print_table(results, stream):
    print(f"{'device':7}{'engine':28}{'version':14}{'type':>5}{'batch':>6}{'img/s':>9}{'min':>9}{'max':>9}{'RSS MB':>8}  Tributary / it, range", file=stream)
    for r in results:
        ratio = r.get("ratio")
        said = f"{ratio['median']:.2f} ({ratio['min']:.2f} to {ratio['max']:.2f} in {ratio['pairs']})" if ratio else ""
        if ratio and ratio["of"] == MANY: said += " of " + MANY
        print(f"{r['device']:7}{r['engine']:28}{r['version'][:13]:14}{r['precision']:>5}{r['batch']:>6}{r['images_per_second']:>9.1f}{r['min']:>9.1f}"
              f"{r['max']:>9.1f}{r['peak_rss_bytes'] / 1e6:>8.0f}  {said}", file=stream)


def cpu_name():
    lines = [line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith(("model name", "flags"))]
    flags = lines[1].split() if len(lines) > 1 else []
    return (lines[0] if lines else "unknown") + (" with AVX-512" if "avx512f" in flags else " with AVX2" if "avx2" in flags else "")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-b", "--batch", type=lambda s: [int(v) for v in s.split(",")], default=[1, 32], metavar="N,...")
    parser.add_argument("--engines", help="comma separated; --list shows them; default: all of --devices")
    parser.add_argument("--devices", default="cpu,cuda", help="cpu, cuda or both (default)")
    parser.add_argument("--precision", choices=("fp32", "tf32", "fp16", "bf16"), default="bf16", help="on a GPU; a CPU computes in fp32. Default: bf16")
    parser.add_argument("--ours", metavar="COMMAND", help="how to start tributary")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5, help="for one measurement, after warming up")
    parser.add_argument("--cores", type=int, help="default: all that may be used, as 'tributary devices' counts them")
    parser.add_argument("--json", metavar="FILE", help="write the results; - for standard output")
    parser.add_argument("--list", action="store_true", help="list the engines, and what the missing ones lack, and exit")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    parser.add_argument("--model", help=argparse.SUPPRESS)
    options = parser.parse_args()
    devices = options.devices.split(",")
    for device in devices:
        if device not in ("cpu", "cuda"): parser.error(f"no device is called {device}; there are cpu and cuda")
    known = [name for name, engine in ENGINES.items() if engine.device in devices]
    options.names = [name for name in options.engines.split(",") if name] if options.engines else known
    for name in options.names:
        if name not in ENGINES: parser.error(f"no engine is called {name}; --list shows them")
    return options


def report(options, measured):
    results = summary(measured, options)
    print_table(results, sys.stderr if options.json == "-" else sys.stdout)
    for (engine, batch), reason in measured.errors.items(): print(f"peers.py: {engine}, batch {batch}: {reason}", file=sys.stderr)
    for engine, reason in measured.skipped.items(): print(f"peers.py: skipped {engine}: {reason}", file=sys.stderr)
    if not options.json: return
    text = {"machine": {"cpu": cpu_name(), "cores": options.cores}, "seconds": options.seconds, "results": results,
            "errors": [{"engine": e, "batch": b, "reason": r} for (e, b), r in measured.errors.items()],
            "skipped": [{"engine": e, "reason": r} for e, r in measured.skipped.items()]}
    with sys.stdout if options.json == "-" else open(options.json, "w") as file: json.dump(text, file, indent=1); file.write("\n")


def main():
    options = arguments()
    if options.worker: return worker(options.worker, options.model, options.batch[0], options.cores, options.seconds)
    if options.list: return print("\n".join(name + (f"  (skipped: {missing(name)})" if missing(name) else "") for name in ENGINES))
    if not options.cores: options.cores = usable_cores(options.ours)
    with tempfile.TemporaryDirectory() as folder:
        options.model = os.path.join(folder, "googlenet.onnx")
        if any("onnx" in ENGINES[name].needs and ENGINES[name].device == "cpu" and not missing(name) for name in options.names): write_onnx(options.model)
        measured = measure(options, options.names)
    report(options, measured)
    if not measured.samples: return print("peers.py: no engine ran; setup.sh makes an environment with the peers", file=sys.stderr) or 1
    return 1 if measured.errors else 0


if __name__ == "__main__": sys.exit(main())
