# SPDX-License-Identifier: Apache-2.0
"""python3 for rehearse.sh: PyTorch on the CPU where it is installed; where it is not, the scripts' own reading of their
arguments, and made-up results in their format. Everything else is what Python does."""
import importlib.util, json, os, runpy, sys

HAS_TORCH = importlib.util.find_spec("torch") is not None


def made_up(script, arguments):
    sys.path.insert(0, os.path.dirname(script))
    if os.path.basename(script) == "card_limits.py":
        json_file = arguments[arguments.index("--json") + 1]
        report = {"card": "made up", "limits": {"device_copy_gb_per_s": 1.0}, "errors": {}}
    else:
        import peers_gpu
        sys.argv = [script] + arguments
        options = peers_gpu.arguments()
        json_file = options.json
        report = {"machine": {"card": "made up"}, "errors": [], "results": [
            {"engine": f"pytorch-{mode}", "precision": precision, "batch": batch, "images_per_second": 1.0, "device_images_per_second": 2.0}
            for mode in options.modes for precision in options.precisions for batch in options.batch]}
    with open(json_file, "w") as file: json.dump(report, file, indent=1)


def main():
    sys.dont_write_bytecode = True
    arguments = sys.argv[1:]
    if arguments[:1] == ["-c"]:
        if "find_spec" in arguments[1]: sys.exit(0)  # as if PyTorch was there
        exec(compile(arguments[1], "-c", "exec"), {"__name__": "__main__"})
    elif arguments[:1] == ["-"]:
        exec(compile(sys.stdin.read(), "-", "exec"), {"__name__": "__main__"})
    elif HAS_TORCH or not arguments[0].endswith((os.sep + "peers_gpu.py", os.sep + "card_limits.py")):
        sys.argv = arguments + (["--device", "cpu"] if HAS_TORCH else [])
        sys.path.insert(0, os.path.dirname(arguments[0]))
        runpy.run_path(arguments[0], run_name="__main__")
    else:
        made_up(arguments[0], arguments[1:])


if __name__ == "__main__": main()
