#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Training GoogLeNet with PyTorch and Tributary on the same cores, and a recipe that shows that it learns.

The network is torchvision's GoogLeNet with auxiliary classifiers in float32; a step is forward, losses (0.3 for each
auxiliary one), backward and an update by SGD with momentum. Every measurement is a process of its own. Rounds are
pairs, Tributary and each way of PyTorch one after another, in turns first, so that a busy neighbour hurts both; what
counts is the ratio within a pair.

    train_torch.py -b 32 --rounds 3                               PyTorch alone
    train_torch.py -b 32 --ours build/tributary --json train.json and Tributary
    train_torch.py -b 32 --isa avx2 --ours build/tributary        as on a CPU without AVX-512
    train_torch.py --fashion /usr/share/datasets/fashion-mnist    trains on Fashion-MNIST and prints the accuracy
"""
import argparse, gzip, json, os, shlex, statistics, subprocess, sys, time, warnings

from peers import cpu_name, environment, usable_cores

ENGINES = {  # (channels last, bfloat16)
    "pytorch-channels-last": (True, False), "pytorch": (False, False), "pytorch-bf16": (True, True)}
ISAS = {  # what caps oneDNN (its old name, too) and PyTorch's own loops
    "avx2": ("AVX2", "avx2"), "avx512": ("AVX512_CORE", "avx512")}
RECIPE = {"batch": 128, "size": 64, "epochs": 3, "lr": 0.1, "weight_decay": 2e-4, "aux_weight": 0.3}


def googlenet(classes, channels_last=True):
    import torch, torchvision
    torch.manual_seed(0)
    network = torchvision.models.googlenet(weights=None, num_classes=classes, aux_logits=True, transform_input=False, init_weights=True)
    return network.to(memory_format=torch.channels_last) if channels_last else network


def loss_of(outputs, labels):
    from torch.nn.functional import cross_entropy
    return cross_entropy(outputs.logits, labels) + RECIPE["aux_weight"] * (
        cross_entropy(outputs.aux_logits1, labels) + cross_entropy(outputs.aux_logits2, labels))


def status_bytes(key):
    for line in open("/proc/self/status"):
        if line.startswith(key + ":"): return int(line.split()[1]) * 1024
    return 0


def reset_peak():
    """From here on VmHWM is the peak since now; where the kernel does not allow that, the peak may be that of the imports."""
    try:
        with open("/proc/self/clear_refs", "w") as file: file.write("5")
    except OSError: pass


# ---- speed and memory of a step ----

def worker(options):
    """Runs in its own process: one way, one batch size, one JSON line."""
    import torch
    torch.set_num_threads(options.cores)
    channels_last, bf16 = ENGINES[options.worker]
    network, batch = googlenet(options.classes, channels_last).train(), options.batch[0]
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9, weight_decay=RECIPE["weight_decay"])
    images, labels = torch.randn(batch, 3, options.size, options.size), torch.randint(0, options.classes, (batch,))
    if channels_last: images = images.contiguous(memory_format=torch.channels_last)

    def step():
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bf16): loss = loss_of(network(images), labels)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()

    reset_peak()
    before = status_bytes("VmRSS")
    for _ in range(2): step()
    times, cpu, start = [], time.process_time(), time.perf_counter()
    while time.perf_counter() - start < options.seconds or len(times) < 3:
        begin = time.perf_counter()
        step()
        times.append(time.perf_counter() - begin)
    cpu, elapsed = time.process_time() - cpu, time.perf_counter() - start
    images = batch * len(times)
    print(json.dumps({"version": torch.__version__, "images_per_second": images / elapsed, "cpu_seconds_per_image": cpu / images,
                      "median_step_ms": 1e3 * statistics.median(times), "rss_before_bytes": before, "peak_rss_bytes": status_bytes("VmHWM")}))


def capped(isa, variables):
    if not isa: return variables
    onednn, aten = ISAS[isa]
    return dict(variables, ONEDNN_MAX_CPU_ISA=onednn, DNNL_MAX_CPU_ISA=onednn, ATEN_CPU_CAPABILITY=aten)


def run(command, variables, reason):
    """The JSON object that a command prints, or line number `reason` of its messages as the error."""
    done = subprocess.run(command, env=variables, capture_output=True, text=True)
    if done.returncode: return {"error": (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[reason]}
    return json.loads(done.stdout[done.stdout.index("{"):])


def run_torch(engine, batch, options):
    return run([sys.executable, os.path.abspath(__file__), "--worker", engine, "-b", str(batch), "--size", str(options.size),
                "--classes", str(options.classes), "--cores", str(options.cores), "--seconds", str(options.seconds)],
               capped(options.isa, environment(options.cores)), reason=-1)


def run_ours(batch, options):
    """Tributary; the JSON fields read here are documented in README.md."""
    report = run(shlex.split(options.ours) + ["bench", "--train", "--arch", "torchvision", "--aux", "-b", str(batch), "--img-size", str(options.size),
                                              "--classes", str(options.classes), "--threads", str(options.cores),
                                              "--seconds", str(options.seconds), "--json", "-"], capped(options.isa, dict(os.environ)), reason=0)
    if "error" in report: return report
    return dict(next(r for r in report["results"] if r["batch"] == batch), version=report.get("version", ""))


def measure(options, engines):
    """Samples by (engine, batch), the ratios ours / theirs by the same, and errors."""
    samples, ratios, errors = {}, {}, {}
    for r in range(options.rounds):
        for batch in options.batch:
            for engine in engines:
                turns = ["tributary", engine] if options.ours else [engine]
                rates = {}
                for name in turns if r % 2 == 0 else turns[::-1]:
                    if sys.stderr.isatty(): print(f"\r\033[Kround {r + 1}/{options.rounds}: {name}, batch {batch}", end="", file=sys.stderr)
                    result = run_ours(batch, options) if name == "tributary" else run_torch(name, batch, options)
                    if "error" in result:
                        errors[name, batch] = result["error"]
                        continue
                    rates[name] = result["images_per_second"]
                    samples.setdefault((name, batch), []).append(result)
                if len(rates) == 2: ratios.setdefault((engine, batch), []).append(rates["tributary"] / rates[engine])
    if sys.stderr.isatty(): print("\r\033[K", end="", file=sys.stderr)
    return samples, ratios, errors


def growth(result):
    """Memory of a step: what the process grows by after the network, its gradients' owner and the input exist."""
    return result["peak_rss_bytes"] - result["rss_before_bytes"] if "rss_before_bytes" in result else None


def summary(samples):
    results = []
    for (engine, batch), runs in samples.items():
        rates = [r["images_per_second"] for r in runs]
        row = {"engine": engine, "version": runs[0]["version"], "batch": batch, "rounds": len(runs),
               "images_per_second": statistics.median(rates), "min": min(rates), "max": max(rates)}
        if all("cpu_seconds_per_image" in r for r in runs): row["cpu_seconds_per_image"] = min(r["cpu_seconds_per_image"] for r in runs)
        if growth(runs[0]) is not None: row["step_bytes"] = max(growth(r) for r in runs)
        results.append(row)
    return sorted(results, key=lambda r: (r["batch"], -r["images_per_second"]))


def print_tables(results, ratios, stream):
    print(f"{'engine':24}{'version':14}{'batch':>6}{'img/s':>9}{'min':>9}{'max':>9}{'CPU ms':>9}{'step MB':>9}", file=stream)
    optional = lambda value, scale, digits: f"{value * scale:9.{digits}f}" if value is not None else " " * 9
    for r in results:
        print(f"{r['engine']:24}{r['version'][:13]:14}{r['batch']:>6}{r['images_per_second']:>9.2f}{r['min']:>9.2f}{r['max']:>9.2f}"
              f"{optional(r.get('cpu_seconds_per_image'), 1e3, 1)}{optional(r.get('step_bytes'), 1e-6, 0)}", file=stream)
    for r in ratios:
        print(f"tributary / {r['engine']}, batch {r['batch']}: {r['ratio']:.2f} ({r['min']:.2f} to {r['max']:.2f} in {r['pairs']} pairs)", file=stream)


# ---- Fashion-MNIST ----

def read_idx(folder, name):
    import numpy as np, torch
    path = os.path.join(folder, name)
    with gzip.open(path + ".gz", "rb") if os.path.exists(path + ".gz") else open(path, "rb") as file: data = file.read()
    rank = data[3]
    shape = [int.from_bytes(data[4 + 4 * i:8 + 4 * i], "big") for i in range(rank)]
    return torch.from_numpy(np.frombuffer(data, np.uint8, offset=4 + 4 * rank).reshape(shape).copy())


def enlarged(images):
    """Gray bytes to three channels of RECIPE's size in -1 .. 1."""
    import torch
    size = RECIPE["size"]
    x = torch.nn.functional.interpolate(images[:, None].float(), (size, size), mode="bilinear", align_corners=False)
    return ((x / 255 - 0.5) / 0.5).expand(-1, 3, -1, -1).contiguous(memory_format=torch.channels_last)


def correct(network, images, labels):
    import torch
    network.eval()
    with torch.inference_mode():
        parts = zip(images.split(500), labels.split(500))
        return sum(int((network(enlarged(x)).argmax(1) == y).sum()) for x, y in parts)


def fashion(options):
    """The recipe of the model in models/pretrained: one-cycle learning rate, mirroring, auxiliary classifiers. Runs in a process of its own."""
    import torch
    torch.set_num_threads(options.cores)
    try:
        images, labels, test, truth = (read_idx(options.fashion, f"{part}-ubyte")[:options.limit] for part in
                                       ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"))
    except OSError as error: sys.exit(f"train_torch.py: {error}; on Debian: apt-get install dataset-fashion-mnist")
    labels, truth = labels.long(), truth.long()
    network, batch = googlenet(10).train(), RECIPE["batch"]
    steps = options.epochs * -(-len(images) // batch)
    optimizer = torch.optim.SGD(network.parameters(), lr=RECIPE["lr"], momentum=0.9, weight_decay=RECIPE["weight_decay"])
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RECIPE["lr"], total_steps=steps)
    done, start = 0, time.perf_counter()
    for epoch in range(options.epochs):
        for chosen in torch.randperm(len(images)).split(batch):
            x, y = enlarged(images[chosen]), labels[chosen]
            mirrored = torch.rand(len(x)) < 0.5
            x[mirrored] = x[mirrored].flip(3)
            loss = loss_of(network(x), y)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            done += 1
            if done < steps: schedule.step()
            if sys.stderr.isatty(): print(f"\r\033[Kepoch {epoch + 1}, step {done}/{steps}: loss {loss.item():.3f}", end="", file=sys.stderr)
    seconds = time.perf_counter() - start
    if sys.stderr.isatty(): print("\r\033[K", end="", file=sys.stderr)
    right = correct(network, test, truth)
    print(json.dumps({"version": torch.__version__, "images": len(images), "epochs": options.epochs, "steps": steps, "recipe": RECIPE,
                      "train_seconds": seconds, "images_per_second": len(images) * options.epochs / seconds, "last_loss": loss.item(),
                      "test_images": len(test), "top1": right / len(test)}))


def run_fashion(options):
    command = [sys.executable, os.path.abspath(__file__), "--worker", "fashion", "--fashion", options.fashion, "--epochs", str(options.epochs),
               "--cores", str(options.cores)] + (["--limit", str(options.limit)] if options.limit else [])
    done = subprocess.run(command, env=capped(options.isa, environment(options.cores)), stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout) if done.returncode == 0 else sys.exit(done.returncode)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-b", "--batch", type=lambda s: [int(v) for v in s.split(",")], default=[32], metavar="N,...")
    parser.add_argument("--size", type=int, default=224, help="height and width of the images")
    parser.add_argument("--classes", type=int, default=1000)
    parser.add_argument("--engines", default="pytorch-channels-last", help="comma separated: " + ", ".join(ENGINES))
    parser.add_argument("--ours", metavar="COMMAND", help="how to start tributary")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=10, help="for one measurement, after two steps to warm up; three steps at least")
    parser.add_argument("--cores", type=int, help="default: all that may be used, as 'tributary devices' counts them")
    parser.add_argument("--isa", choices=ISAS, help="the most that any of them may use; default: all that the CPU has")
    parser.add_argument("--fashion", metavar="FOLDER", help="train on the IDX files there instead (Debian: apt-get install dataset-fashion-mnist)")
    parser.add_argument("--epochs", type=int, default=RECIPE["epochs"], help="with --fashion")
    parser.add_argument("--limit", type=int, metavar="N", help="with --fashion: only the first N images for training, and for the test")
    parser.add_argument("--json", metavar="FILE", help="write the results; - for standard output")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    if options.worker: return fashion(options) if options.fashion else worker(options)
    if not options.cores: options.cores = usable_cores(options.ours)

    errors = {}
    if options.fashion:
        report = run_fashion(options)
        print(f"PyTorch {report['version']}, {report['epochs']} epochs of {report['images']} images: {report['train_seconds']:.0f} s, "
              f"{report['images_per_second']:.1f} img/s; {100 * report['top1']:.2f} % of {report['test_images']} test images are right",
              file=sys.stderr if options.json == "-" else sys.stdout)
    else:
        engines = [name for name in options.engines.split(",") if name]
        for name in engines:
            if name not in ENGINES: parser.error(f"no engine is called {name}; there are {', '.join(ENGINES)}")
        samples, pairs, errors = measure(options, engines)
        results = summary(samples)
        ratios = [{"engine": e, "batch": b, "ratio": statistics.median(r), "min": min(r), "max": max(r), "pairs": len(r)} for (e, b), r in pairs.items()]
        print_tables(results, ratios, sys.stderr if options.json == "-" else sys.stdout)
        for (engine, batch), reason in errors.items(): print(f"train_torch.py: {engine}, batch {batch}: {reason}", file=sys.stderr)
        report = {"size": options.size, "classes": options.classes, "seconds": options.seconds, "results": results, "ratios": ratios,
                  "errors": [{"engine": e, "batch": b, "reason": r} for (e, b), r in errors.items()]}
    if options.json:
        report = {"machine": {"cpu": cpu_name(), "cores": options.cores, "isa": options.isa or "all"}, **report}
        with sys.stdout if options.json == "-" else open(options.json, "w") as file: json.dump(report, file, indent=1); file.write("\n")
    return 1 if errors else 0


if __name__ == "__main__": sys.exit(main())
