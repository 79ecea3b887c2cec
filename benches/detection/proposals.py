#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Proposals beside OpenCV's selective search, with the same strategies: how many boxes, what they find, how fast.

    python3 -m venv /tmp/opencv && /tmp/opencv/bin/pip install 'numpy<2' pillow opencv-contrib-python-headless==4.6.0.66
    apt-get install opencv-doc dataset-fashion-mnist
    /tmp/opencv/bin/python benches/detection/proposals.py build/host/libtributary.so [--strategies fast,paper] [--json OUT]

The images are made by scenes.py, the same ones every time: eight of Fashion-MNIST's garments each, 20 to 160 pixels large,
tinted, translucent, turned over and half hidden, on photos of Debian's opencv-doc and on drawings. Their boxes are known.
Both programs get the same pixels, no least side and one thread; OpenCV's min size is set to k, as in the paper on
selective search (its own strategies always have 100). Recall: objects that a box covers with an intersection over union
of at least 0.5; best overlap: the mean over objects of the best box's. Times alternate, one image by one program after
the other; the ratio is that of each pair.
"""
import argparse
import ctypes
import json
import os
import statistics
import time

os.environ["OMP_NUM_THREADS"] = "1"
import cv2  # noqa: E402
import numpy as np  # noqa: E402
import scenes  # noqa: E402

SPACES, SETS, KS = 8, 16, 8
STRATEGIES = {"single": 0, "fast": 1, "quality": 2, "paper": 3}


class Options(ctypes.Structure):
    _fields_ = [("space_count", ctypes.c_int), ("set_count", ctypes.c_int), ("k_count", ctypes.c_int),
                ("spaces", ctypes.c_int * SPACES), ("sets", ctypes.c_uint * SETS), ("ks", ctypes.c_int * KS),
                ("pixels", ctypes.c_int), ("min_side", ctypes.c_int)]


class Image(ctypes.Structure):
    _fields_ = [("width", ctypes.c_int), ("height", ctypes.c_int), ("channels", ctypes.c_int),
                ("pixels", ctypes.c_void_p), ("note", ctypes.c_char_p)]


class Proposals(ctypes.Structure):
    _fields_ = [("boxes", ctypes.POINTER(ctypes.c_int)), ("count", ctypes.c_size_t)]


class Status(ctypes.Structure):
    _fields_ = [("code", ctypes.c_int), ("vendor_code", ctypes.c_int), ("line", ctypes.c_int), ("file", ctypes.c_char_p),
                ("call", ctypes.c_char_p), ("message", ctypes.c_char * 448)]


class Tributary:
    def __init__(self, path):
        self.lib = ctypes.CDLL(path)
        self.lib.trib_propose_as.restype = Options
        self.lib.trib_propose.restype = Status

    def options(self, strategy):
        options = self.lib.trib_propose_as(STRATEGIES[strategy])
        options.pixels = options.min_side = 0
        return options

    def boxes(self, rgb, options):
        image = Image(rgb.shape[1], rgb.shape[0], 3, rgb.ctypes.data, None)
        found = Proposals()
        status = self.lib.trib_propose(ctypes.byref(options), ctypes.byref(image), ctypes.byref(found))
        if status.code:
            raise RuntimeError(status.message.decode())
        boxes = np.ctypeslib.as_array(found.boxes, (found.count, 4)).copy()
        self.lib.trib_proposals_release(ctypes.byref(found))
        return boxes


def opencv_boxes(rgb, options):
    """The same spaces, sets of similarities and k, as far as OpenCV has them."""
    s = cv2.ximgproc.segmentation
    bgr = np.ascontiguousarray(rgb[:, :, ::-1])
    hsv, gray = cv2.cvtColor(bgr, cv2.COLOR_BGR2HSV), cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY)
    spaces = [hsv, cv2.cvtColor(bgr, cv2.COLOR_BGR2Lab), np.dstack([rgb[:, :, 0], rgb[:, :, 1], gray]),
              np.ascontiguousarray(hsv[:, :, 0]), gray]
    similarities = [s.createSelectiveSearchSegmentationStrategyColor, s.createSelectiveSearchSegmentationStrategyTexture,
                    s.createSelectiveSearchSegmentationStrategySize, s.createSelectiveSearchSegmentationStrategyFill]
    search = s.createSelectiveSearchSegmentation()
    search.setBaseImage(bgr)
    for i in range(options.space_count):
        search.addImage(spaces[options.spaces[i]])
    for k in options.ks[:options.k_count]:
        search.addGraphSegmentation(s.createGraphSegmentation(0.8, k, k))
    for members in options.sets[:options.set_count]:
        several = s.createSelectiveSearchSegmentationStrategyMultiple()
        for bit, create in enumerate(similarities):
            if members >> bit & 1:
                several.addStrategy(create(), 1.0)
        search.addStrategy(several)
    found = search.process()
    return np.concatenate([found[:, :2], found[:, :2] + found[:, 2:]], axis=1)


# ---- images ----

# Harder than those of composites.py: small garments, half of each may be hidden.
STYLE = scenes.Style(objects=(8, 8), sides=(20, 160), visible=50, opacity=(60, 100), bars=(0, 0), clutter=(0, 0))
PACKAGE = "opencv-doc"


def load_photos():
    photos = {}
    for split in scenes.SPLITS:
        photos.update(scenes.load_photos(split, [PACKAGE]))
    if not photos:
        raise SystemExit(f"no photos: apt-get install {PACKAGE}")
    return photos


def composites(count, garments, photos):
    """Every other one is on a photo, more or less. Boxes are half-open corners."""
    for i in range(count):
        image, objects, _ = scenes.make_scene(scenes.Random(2015, i), garments, photos if i % 2 else {}, STYLE)
        boxes = np.array([o.box for o in objects])
        boxes[:, 2:] += boxes[:, :2]
        yield image, boxes


def overlaps(a, b):
    low, high = np.maximum(a[:, None, :2], b[None, :, :2]), np.minimum(a[:, None, 2:], b[None, :, 2:])
    both = np.prod(np.clip(high - low, 0, None), axis=2)
    area = [np.prod(x[:, 2:] - x[:, :2], axis=1) for x in (a, b)]
    return both / (area[0][:, None] + area[1][None] - both)


# ---- comparison ----

def compare(strategy, options, tributary, images):
    rows = []
    for i, (image, truth) in enumerate(images):
        row = {}
        programs = [("tributary", tributary.boxes), ("opencv", opencv_boxes)]
        for name, boxes_of in programs if i % 2 else programs[::-1]:
            start = time.perf_counter(), time.process_time()
            boxes = boxes_of(image, options)
            row[name] = {"wall": time.perf_counter() - start[0], "cpu": time.process_time() - start[1],
                         "boxes": len(boxes), "large": int((np.min(boxes[:, 2:] - boxes[:, :2], axis=1) >= 20).sum())}
            best = overlaps(truth, boxes).max(1)
            row[name]["best"] = best.tolist()
            row[name]["first"] = {n: overlaps(truth, boxes[:n]).max(1).tolist() for n in (200, 500, 1000)}
        rows.append(row)
    report = {"strategy": strategy, "images": len(images), "objects": sum(len(t) for _, t in images)}
    for name in ("tributary", "opencv"):
        best = np.concatenate([r[name]["best"] for r in rows])
        report[name] = {"boxes": statistics.mean(r[name]["boxes"] for r in rows),
                        "boxes_20": statistics.mean(r[name]["large"] for r in rows),
                        "recall_05": float((best >= 0.5).mean()), "recall_07": float((best >= 0.7).mean()),
                        "best_overlap": float(best.mean()),
                        "cpu_seconds": statistics.median(r[name]["cpu"] for r in rows)}
        for n in (200, 500, 1000):
            first = np.concatenate([r[name]["first"][n] for r in rows])
            report[name][f"recall_05_first_{n}"] = float((first >= 0.5).mean())
    ratios = [r["opencv"]["cpu"] / r["tributary"]["cpu"] for r in rows]
    report["times_as_fast"] = {"median": statistics.median(ratios), "least": min(ratios), "most": max(ratios)}
    return report


def print_report(r):
    for name in ("tributary", "opencv"):
        p = r[name]
        first = "/".join(f"{100 * p[f'recall_05_first_{n}']:.1f}" for n in (200, 500, 1000))
        print(f"{r['strategy']:9} {name:9} {p['boxes']:6.0f} {p['boxes_20']:9.0f} {100 * p['recall_05']:10.1f} "
              f"{100 * p['recall_07']:10.1f} {100 * p['best_overlap']:13.1f}  {first:>29} {p['cpu_seconds']:6.3f}")
    t = r["times_as_fast"]
    print(f"{r['strategy']:9} {t['median']:.1f} times as fast as OpenCV ({t['least']:.1f} to {t['most']:.1f}), pairs of one "
          "image each", flush=True)


def halving(tributary, pictures):
    """Boxes of at least 20 pixels in the photos themselves, with `fast` and with superpixels of twice the size."""
    report = {}
    for name, boxes_of in (("tributary", tributary.boxes), ("opencv", opencv_boxes)):
        counts = [[], []]
        for picture in pictures:
            height = max(1, round(500 * picture.shape[0] / picture.shape[1]))
            image = cv2.resize(picture, (500, height), interpolation=cv2.INTER_AREA)
            for strategy, into in zip(("fast", "paper"), counts):
                boxes = boxes_of(image, tributary.options(strategy))
                into.append(int((np.min(boxes[:, 2:] - boxes[:, :2], axis=1) >= 20).sum()))
        means = [statistics.mean(c) for c in counts]
        report[name] = {"fast": means[0], "paper": means[1], "photos": len(pictures)}
        print(f"{name:9} {len(pictures)} photos of width 500, boxes >= 20 px: fast {means[0]:.0f}, paper {means[1]:.0f}, "
              f"{means[1] / means[0]:.2f} of these", flush=True)
    return report


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("library", help="libtributary.so")
    parser.add_argument("--strategies", default="single,fast,paper")
    parser.add_argument("--images", type=int, default=40)
    parser.add_argument("--garments", default=scenes.GARMENTS, help="folder of Fashion-MNIST")
    parser.add_argument("--json", help="write the numbers there, too")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    photos = load_photos()
    images = list(composites(arguments.images, scenes.Garments("t10k", arguments.garments), photos))
    tributary, reports = Tributary(arguments.library), []
    print(f"OpenCV {cv2.__version__}, {len(images)} images of 500x375, {sum(len(t) for _, t in images)} objects")
    print("strategy  program    boxes  >= 20 px  recall .5  recall .7  best overlap  first 200/500/1000: recall .5  cpu s")
    for strategy in arguments.strategies.split(","):
        r = compare(strategy, tributary.options(strategy), tributary, images)
        print_report(r)
        reports.append(r)
    halves = halving(tributary, list(photos.values()))
    if arguments.json:
        with open(arguments.json, "w") as f:
            json.dump({"opencv": cv2.__version__, "reports": reports, "halving": halves}, f, indent=1)
            f.write("\n")


if __name__ == "__main__":
    main()
