#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A data set for detection: 500x375 pictures with three to six of Fashion-MNIST's garments, the same bits every time.

    apt-get install python3-numpy python3-pil dataset-fashion-mnist     # needed
    apt-get install opencv-doc python3-skimage lomiri-wallpapers-16.04 mate-backgrounds    # photos, for backgrounds
    benches/detection/composites.py OUT [--train 800 --val 50 --test 200] [--voc] [--format png]
    benches/detection/composites.py --check

Garments are tinted, 40 to 170 pixels large, mirrored, translucent in part, half hidden now and then by one another and by
bars, on photos (a fifth on drawn backgrounds) with clutter. Those of `train` and `val` come from Fashion-MNIST's training
half, those of `test` from its test half, and no two splits share a photo. scenes.py draws them and lists the photos with
their licences.

OUT gets a folder of images per split and SPLIT.json, COCO's truth; --voc adds SPLIT-voc/ with an XML file per image. The
last lines are SHA-256 sums, of all pixels and boxes (the same for every version of numpy and Pillow, as long as the
photos are) and of all files (JPEG's bytes depend on libjpeg). --check makes a few scenes without photos, twice, and
compares with the sum they must have.
"""
import argparse
import hashlib
import io
import json
import pathlib
import sys
from xml.sax.saxutils import escape

SKIPPED = 77  # what ctest takes for "skipped"
try:
    import PIL  # noqa: F401
    import scenes
except ModuleNotFoundError as e:
    print(f"composites.py: {e}: apt-get install python3-numpy python3-pil", file=sys.stderr)
    sys.exit(SKIPPED)

KEYS = {"train": 1, "val": 2, "test": 3}
CHECK_SUM = "38ba3861d5dd35e33c27959ea0467b440b6cb462bdfbbe68ea7f0700afc2db23"


def make(split, index, seed, garments, photos, classes):
    return scenes.make_scene(scenes.Random(seed, KEYS[split], index), garments, photos, classes=classes)


def encoded(image, kind):
    from PIL import Image
    file = io.BytesIO()
    if kind == "png":
        Image.fromarray(image).save(file, "PNG", compress_level=1)
    else:
        Image.fromarray(image).save(file, "JPEG", quality=92, subsampling=0)
    return file.getvalue()


def coco(images, names):
    annotations = [{"id": 0, "image_id": i, "category_id": o.category + 1, "bbox": list(o.box), "area": o.area, "iscrowd": 0}
                   for i, (_, _, objects, _) in enumerate(images, 1) for o in objects]
    for i, a in enumerate(annotations, 1):
        a["id"] = i
    return {"images": [{"id": i, "file_name": name, "width": w, "height": h, "background": background}
                       for i, (name, (w, h), _, background) in enumerate(images, 1)],
            "categories": [{"id": i, "name": name} for i, name in enumerate(names, 1)], "annotations": annotations}


def voc(name, size, objects, names):
    """VOC counts from 1, ends included."""
    lines = ["<annotation>", f"  <filename>{escape(name)}</filename>",
             f"  <size><width>{size[0]}</width><height>{size[1]}</height><depth>3</depth></size>"]
    for o in objects:
        x, y, w, h = o.box
        lines += [f"  <object><name>{escape(names[o.category])}</name><truncated>{int(o.truncated)}</truncated>"
                  f"<difficult>0</difficult><bndbox><xmin>{x + 1}</xmin><ymin>{y + 1}</ymin><xmax>{x + w}</xmax>"
                  f"<ymax>{y + h}</ymax></bndbox></object>"]
    return "\n".join(lines + ["</annotation>", ""])


class Sums:
    """Of pixels and boxes, and of files."""

    def __init__(self):
        self.content, self.files = hashlib.sha256(), hashlib.sha256()

    def add_scene(self, image, objects):
        self.content.update(image.tobytes())
        self.content.update(json.dumps([(o.category, o.box, o.area) for o in objects]).encode())

    def write(self, path, data):
        path.write_bytes(data)
        self.files.update(path.name.encode() + b"\0" + data)


def write_split(out, split, count, arguments, classes, sums):
    garments = scenes.Garments("t10k" if split == "test" else "train", arguments.garments)
    photos = {} if arguments.drawn else scenes.load_photos(split)
    names, images = [scenes.CLASSES[c] for c in classes], []
    for folder in [out / split] + [out / f"{split}-voc"] * arguments.voc:
        folder.mkdir(parents=True, exist_ok=True)
    for i in range(count):
        image, objects, background = make(split, i, arguments.seed, garments, photos, classes)
        name, size = f"{split}-{i:04}.{'png' if arguments.format == 'png' else 'jpg'}", image.shape[1::-1]
        sums.add_scene(image, objects)
        sums.write(out / split / name, encoded(image, arguments.format))
        images.append((name, size, objects, background))
        if arguments.voc:
            sums.write(out / f"{split}-voc" / f"{split}-{i:04}.xml", voc(name, size, objects, names).encode())
    sums.write(out / f"{split}.json", (json.dumps(coco(images, names), indent=0) + "\n").encode())
    print(f"{split}: {count} images, {sum(len(o) for _, _, o, _ in images)} objects, {len(photos)} photos", flush=True)


def check(arguments):
    """Two runs with the same bytes, and the sum of pixels and boxes that every machine must get."""
    if not pathlib.Path(arguments.garments).is_dir():
        print(f"composites.py: there is no {arguments.garments}: apt-get install dataset-fashion-mnist", file=sys.stderr)
        return SKIPPED
    garments, runs = scenes.Garments("t10k", arguments.garments), []
    for _ in range(2):
        sums = Sums()
        for i in range(4):
            image, objects, _ = make("test", i, 1, garments, {}, range(10))
            sums.add_scene(image, objects)
            sums.files.update(encoded(image, "jpeg") + encoded(image, "png"))
        runs.append((sums.content.hexdigest(), sums.files.hexdigest()))
    print(f"content {runs[0][0]}")
    if runs[0] != runs[1]:
        sys.exit(f"composites.py: two runs differ: {runs[0]} and {runs[1]}")
    if runs[0][0] != CHECK_SUM:
        sys.exit(f"composites.py: the content's sum should be {CHECK_SUM}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", nargs="?", type=pathlib.Path)
    for split, count in (("train", 800), ("val", 50), ("test", 200)):
        parser.add_argument(f"--{split}", type=int, default=count, metavar="N", help=f"images of {split}; default {count}")
    parser.add_argument("--classes", default=",".join(scenes.CLASSES), help="names, with commas; default: all ten")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--format", choices=("jpeg", "png"), default="jpeg", help="png keeps every bit")
    parser.add_argument("--voc", action="store_true", help="XML files, too")
    parser.add_argument("--drawn", action="store_true", help="no photos")
    parser.add_argument("--garments", default=scenes.GARMENTS, help="folder of Fashion-MNIST")
    parser.add_argument("--check", action="store_true", help="see above; writes nothing")
    arguments = parser.parse_args()
    if arguments.check:
        sys.exit(check(arguments))
    if not arguments.out:
        parser.error("OUT is missing")
    if unknown := set(arguments.classes.split(",")) - set(scenes.CLASSES):
        parser.error(f"unknown class {', '.join(sorted(unknown))}; there are {', '.join(scenes.CLASSES)}")
    classes, sums = [scenes.CLASSES.index(c) for c in arguments.classes.split(",")], Sums()
    for split in scenes.SPLITS:
        write_split(arguments.out, split, getattr(arguments, split), arguments, classes, sums)
    print(f"content {sums.content.hexdigest()}\nfiles   {sums.files.hexdigest()}")


if __name__ == "__main__":
    main()
