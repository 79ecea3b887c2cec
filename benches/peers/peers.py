#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""GoogLeNet inference with ONNX Runtime, OpenVINO, PyTorch and Tributary on the same cores in the same run.

The network is the `torchvision` variant at 224x224 in float32 with random weights. Batch norm is already folded into
the convolutions, as each of these engines would do itself. Every measurement is a process of its own, so that its peak
memory is its own, and the engines take turns, so that a busy neighbour hurts all of them alike. Peers compute the same
logits for the same input: one that disagrees is reported and not ranked.

    peers.py -b 1,32 --rounds 3                                   all peers
    peers.py -b 1,32 --ours build/tributary --json peers.json     and Tributary
"""
import argparse, glob, json, os, shlex, statistics, subprocess, sys, tempfile, time

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


def write_onnx(path):
    """Writes the network as ONNX by hand: no exporter between us and the engines."""
    from onnx import TensorProto, checker, helper, numpy_helper, save
    weights, nodes, initializers = Weights(), [], []

    class Builder:
        input = "input"

        def add(self, op, inputs, **attributes):
            nodes.append(helper.make_node(op, inputs, [f"t{len(nodes)}"], **attributes))
            return nodes[-1].output[0]

        def parameters(self, name, *shape):
            for leaf, value in zip(("weight", "bias"), weights(*shape)):
                initializers.append(numpy_helper.from_array(value, f"{name}.{leaf}"))
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

    output = describe(Builder())
    value = lambda name, shape: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
    graph = helper.make_graph(nodes, "googlenet", [value("input", ["N", 3, 224, 224])], [value(output, ["N", 1000])], initializers)
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


# Engines: each takes (model path, batch, cores) and returns (version, function that runs one batch and returns its logits).

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


ENGINES = {"onnxruntime": onnxruntime, "onnxruntime-split": onnxruntime_split, "openvino-latency": openvino_latency,
           "openvino-throughput": openvino_throughput, "pytorch": pytorch,
           "pytorch-channels-last": pytorch_channels_last, "pytorch-compiled": pytorch_compiled}


def peak_rss():
    for line in open("/proc/self/status"):
        if line.startswith("VmHWM"): return int(line.split()[1]) * 1024
    return 0


def worker(engine, path, batch, cores, seconds):
    """Runs in its own process: one engine, one batch size, one JSON line."""
    version, run = ENGINES[engine](path, batch, cores)
    first = run()[0]
    start = time.perf_counter()
    while time.perf_counter() - start < min(1, seconds): run()
    calls, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds or calls < 3:
        run()
        calls += 1
    elapsed = time.perf_counter() - start
    print(json.dumps({"version": version, "images_per_second": calls * batch / elapsed, "peak_rss_bytes": peak_rss(),
                      "check": [float(v) for v in first[:16]]}))


def environment(cores):
    """For the default PyTorch wheel without its CUDA packages: what it needs may lie in the CUDA toolkit."""
    toolkit = os.environ.get("CUDA_HOME", "/usr/local/cuda")
    folders = glob.glob(os.path.join(sys.prefix, "lib/python*/site-packages/nvidia/*/lib")) + glob.glob(toolkit + "/lib*")
    folders += filter(None, [os.environ.get("LD_LIBRARY_PATH")])
    return dict(os.environ, LD_LIBRARY_PATH=":".join(folders), OMP_NUM_THREADS=str(cores))


def run_peer(engine, path, batch, cores, seconds):
    command = [sys.executable, os.path.abspath(__file__), "--worker", engine, "--model", path, "-b", str(batch), "--cores", str(cores), "--seconds", str(seconds)]
    done = subprocess.run(command, env=environment(cores), capture_output=True, text=True)
    if done.returncode: return {"error": (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]}
    return json.loads(done.stdout.strip().splitlines()[-1])


def run_ours(command, in_flight, path, batch, cores, seconds):
    """Tributary as one more engine; the JSON fields read here are documented in README.md."""
    done = subprocess.run(shlex.split(command) + ["bench", "--arch", "torchvision", "-b", str(batch), "--seconds", str(seconds),
                                                  "--threads", str(cores), "--in-flight", str(in_flight), "--json", "-"],
                          capture_output=True, text=True)
    if done.returncode: return {"error": (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]}
    report = json.loads(done.stdout)
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


def measure(options, path, engines):
    samples, errors, checks = {}, {}, {}
    # Larger batches are spread over the cores anyway.
    turns = [(batch, engine) for batch in options.batch for engine in engines
             if engine != "tributary-throughput" or batch < options.cores]
    for r in range(options.rounds):
        for i, (batch, engine) in enumerate(turns if r % 2 == 0 else turns[::-1]):
            if sys.stderr.isatty(): print(f"\r\033[Kround {r + 1}/{options.rounds}, {i + 1}/{len(turns)}: {engine}, batch {batch}", end="", file=sys.stderr)
            result = engines[engine](path, batch, options.cores, options.seconds)
            if "error" not in result and "check" in result:
                if not disagreement(result["check"], checks.setdefault(batch, result["check"])) <= 1e-3:
                    result = {"error": "its logits differ from those of the first peer"}
            if "error" in result: errors[engine, batch] = result["error"]
            else: samples.setdefault((engine, batch), []).append(result)
    if sys.stderr.isatty(): print("\r\033[K", end="", file=sys.stderr)
    return samples, errors


def summary(samples):
    results = []
    for (engine, batch), runs in samples.items():
        rates = [run["images_per_second"] for run in runs]
        results.append({"engine": engine, "version": runs[0]["version"], "batch": batch, "rounds": len(runs),
                        "images_per_second": statistics.median(rates), "min": min(rates), "max": max(rates),
                        "peak_rss_bytes": max(run["peak_rss_bytes"] for run in runs)})
    return sorted(results, key=lambda r: (r["batch"], -r["images_per_second"]))


def print_table(results, stream):
    print(f"{'engine':24}{'version':14}{'batch':>6}{'img/s':>9}{'min':>9}{'max':>9}{'RSS MB':>9}", file=stream)
    for r in results:
        print(f"{r['engine']:24}{r['version'][:13]:14}{r['batch']:>6}{r['images_per_second']:>9.1f}{r['min']:>9.1f}{r['max']:>9.1f}"
              f"{r['peak_rss_bytes'] / 1e6:>9.0f}", file=stream)


def cpu_name():
    lines = [line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith(("model name", "flags"))]
    flags = lines[1].split() if len(lines) > 1 else []
    return (lines[0] if lines else "unknown") + (" with AVX-512" if "avx512f" in flags else " with AVX2" if "avx2" in flags else "")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-b", "--batch", type=lambda s: [int(v) for v in s.split(",")], default=[1, 32], metavar="N,...")
    parser.add_argument("--engines", default=",".join(ENGINES), help="comma separated; --list shows them")
    parser.add_argument("--ours", metavar="COMMAND", help="how to start tributary")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5, help="for one measurement, after warming up")
    parser.add_argument("--cores", type=int, help="default: all that may be used, as 'tributary devices' counts them")
    parser.add_argument("--json", metavar="FILE", help="write the results; - for standard output")
    parser.add_argument("--list", action="store_true", help="list the engines and exit")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    parser.add_argument("--model", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker: return worker(options.worker, options.model, options.batch[0], options.cores, options.seconds)
    if options.list: return print("\n".join(ENGINES))

    if not options.cores: options.cores = usable_cores(options.ours)
    names = [name for name in options.engines.split(",") if name]
    for name in names:
        if name not in ENGINES: parser.error(f"no engine is called {name}; --list shows them")
    engines = {name: lambda *a, name=name: run_peer(name, *a) for name in names}
    if options.ours:
        engines = {"tributary": lambda *a: run_ours(options.ours, 1, *a),
                   "tributary-throughput": lambda *a: run_ours(options.ours, options.cores, *a), **engines}

    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "googlenet.onnx")
        try: write_onnx(path)
        except ImportError as error: sys.exit(f"peers.py: {error}; run it with the Python of the environment that setup.sh makes")
        samples, errors = measure(options, path, engines)
    results = summary(samples)
    print_table(results, sys.stderr if options.json == "-" else sys.stdout)
    for (engine, batch), reason in errors.items(): print(f"peers.py: {engine}, batch {batch}: {reason}", file=sys.stderr)
    if options.json:
        report = {"machine": {"cpu": cpu_name(), "cores": options.cores}, "seconds": options.seconds, "results": results,
                  "errors": [{"engine": e, "batch": b, "reason": r} for (e, b), r in errors.items()]}
        with sys.stdout if options.json == "-" else open(options.json, "w") as file: json.dump(report, file, indent=1); file.write("\n")
    return 1 if errors else 0


if __name__ == "__main__": sys.exit(main())
