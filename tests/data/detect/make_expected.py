#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""make_expected.py > expected.txt: average precision of 200 random sets of boxes, computed by others' tools.

Made with pycocotools 2.0.11 and mean-average-precision 2024.1.5.0 (numpy 2.4, pandas 3.1). The sets are drawn as in
tests/detect/random_set.h, number by number. Coordinates are multiples of 1/4, so that no arithmetic on them rounds.

A line per set, "set N" and COCO's twelve numbers; then a line per category: COCO's AP and AP50, VOC's AP from 2010 on and
up to 2009. -1: nothing to be found.

mean-average-precision deviates from VOC's rules where VOC's devkit (VOCevaldet.m) is the authority; it is corrected here:
it counts difficult objects among those to be found, gives the mark `difficult` to wrong objects where an image has several
(np.repeat for np.tile), wants IoU > 0.5 where VOC has >=, takes the last of truths that overlap equally, and sorts ties in
no order. VOC knows no crowds: they are passed as difficult ones.
"""
import contextlib
import io

import mean_average_precision.mean_average_precision_2d as map_2d
import numpy as np
import pandas as pd
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

MASK = (1 << 64) - 1


class Draw:
    """splitmix64"""

    def __init__(self, seed):
        self.state = seed

    def below(self, n):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return (z ^ (z >> 31)) % n


def side(d):
    kind = d.below(6)
    if kind == 0:
        return 0 if d.below(3) == 0 else d.below(40)
    if kind <= 2:
        return (128, 384)[kind - 1]  # 32 and 96 pixels: the limits of COCO's sizes
    return d.below((128, 384, 1000)[kind - 3])


def random_box(d):
    x = d.below(800)
    y = d.below(800)
    w = side(d)
    h = side(d)
    return [x, y, w, h]


def near(d, box):
    x, y, w, h = box
    kind = d.below(8)
    if kind < 2:
        return [x, y, w, h]
    if kind == 2:
        return [x, y, w // 2, h]  # an IoU of 0.5
    x += d.below(w // 4 + 1) - w // 8
    y += d.below(h // 4 + 1) - h // 8
    w += d.below(w // 4 + 1) - w // 8
    h += d.below(h // 4 + 1) - h // 8
    return [x, y, w, h]


def random_set(seed):
    d = Draw(seed)
    images = 1 + d.below(6)
    categories = 1 + d.below(4)
    truths, detections = [], []
    for image in range(images):
        first = len(truths)
        count = 0 if d.below(4) == 0 else d.below(7)
        for i in range(count):
            category = d.below(categories)
            box = random_box(d)
            difficult = d.below(6) == 0
            crowd = d.below(8) == 0
            if d.below(8) == 0 and i > 0:
                category, box = truths[-1]["category"], truths[-1]["box"]
            halves = 1 if d.below(4) == 0 else 2
            truths.append(dict(image=image, category=category, box=box, difficult=difficult, crowd=crowd, halves=halves))
        first_detection = len(detections)
        found = 0 if d.below(5) == 0 else d.below(25)
        if seed % 20 == 0 and image == 0:
            found = 400
        for i in range(found):
            kind = d.below(10)
            score = d.below(16)
            if kind < 6 and count > 0:
                t = truths[first + d.below(count)]
                box = near(d, t["box"])
                category = d.below(categories) if d.below(6) == 0 else t["category"]
            elif kind == 6 and len(detections) > first_detection:
                last = detections[-1]
                box, category, score = last["box"], last["category"], last["score"]
            else:
                box = random_box(d)
                category = d.below(categories)
            detections.append(dict(image=image, category=category, box=box, score=score))
    return images, categories, truths, detections


def pixels(box):
    return [v / 4 for v in box]


def coco_of(images, categories, annotations):
    coco = COCO()
    coco.dataset = dict(images=[dict(id=i + 1) for i in range(images)],
                        categories=[dict(id=c + 1) for c in range(categories)], annotations=annotations)
    coco.createIndex()
    return coco


def annotation(i, item):
    x, y, w, h = pixels(item["box"])
    return dict(id=i + 1, image_id=item["image"] + 1, category_id=item["category"] + 1, bbox=[x, y, w, h], area=w * h, iscrowd=0)


def coco(images, categories, truths, detections):
    """The twelve numbers, and AP and AP50 per category."""
    truth, found = [], []
    for i, t in enumerate(truths):
        a = annotation(i, t)
        truth.append(dict(a, area=a["area"] * t["halves"] / 2, iscrowd=int(t["crowd"])))
    for i, d in enumerate(detections):
        found.append(dict(annotation(i, d), score=d["score"] / 16))
    evaluation = COCOeval(coco_of(images, categories, truth), coco_of(images, categories, found), "bbox")
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    precision = evaluation.eval["precision"][:, :, :, 0, 2]
    per_category = [(precision[:, :, c].mean(), precision[0, :, c].mean()) for c in range(categories)]
    return evaluation.stats, per_category


def inclusive(box):
    x, y, w, h = pixels(box)
    return [x, y, x + w - 1, y + h - 1]


def voc(images, categories, truths, detections):
    """AP from 2010 on and up to 2009 per category."""
    metric = map_2d.MeanAveragePrecision2d(categories)
    for image in range(images):
        # The last of equals in reverse order is the first.
        there = [t for t in reversed(truths) if t["image"] == image]
        rows = [inclusive(t["box"]) + [t["category"], int(t["difficult"] or t["crowd"]), 0] for t in there]
        found = [inclusive(d["box"]) + [d["category"], d["score"] / 16] for d in detections if d["image"] == image]
        metric.add(np.array(found).reshape(-1, 6), np.array(rows).reshape(-1, 7))
        for c in range(categories):
            metric.class_counter[-1, c] = sum(r[4] == c and not r[5] for r in rows)
    threshold = np.nextafter(0.5, 0)  # above this is at least 0.5
    result = []
    for c in range(categories):
        if metric.class_counter[:, c].sum() == 0:
            result.append((-1, -1))
        else:  # not metric.value(), which rounds to float32
            result.append((metric._evaluate_class(c, threshold, None)[0],
                           metric._evaluate_class(c, threshold, np.arange(11) / 10)[0]))
    return result


def make_sorts_stable():
    argsort, sort_values = np.argsort, pd.DataFrame.sort_values
    np.argsort = lambda a, axis=-1, kind=None, **rest: argsort(a, axis=axis, kind="stable", **rest)
    pd.DataFrame.sort_values = lambda self, by, ascending: sort_values(self, by=by, ascending=ascending, kind="stable")


def mark_the_right_objects():
    original = map_2d.compute_match_table

    def with_marks(preds, gt, image):
        table = original(preds, gt, image)
        table["difficult"] = [gt[:, 5].tolist() for _ in range(len(preds))]
        return table

    map_2d.compute_match_table = with_marks


def line(*words):
    return " ".join(w if isinstance(w, str) else "%.12g" % w for w in words)


def main():
    make_sorts_stable()
    mark_the_right_objects()
    np.seterr(all="ignore")
    for seed in range(200):
        drawn = random_set(seed)
        with contextlib.redirect_stdout(io.StringIO()):
            stats, of_coco = coco(*drawn)
            of_voc = voc(*drawn)
        print(line("set %d" % seed, *stats))
        for a, b in zip(of_coco, of_voc):
            print(line(*a, *b))


if __name__ == "__main__":
    main()
