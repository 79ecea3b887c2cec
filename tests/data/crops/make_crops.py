#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""make_crops.py > crops.txt: every crop of "Going deeper with convolutions", section 7, listed and cut by Pillow 12.

    "we resize the image to 4 scales where the shorter dimension (height or width) is 256, 288, 320 and 352
    respectively, take the left, center and right square of these resized images (in the case of portrait images, we
    take the top, center and bottom squares). For each square, we then take the 4 corners and the center 224x224 crop as
    well as the square resized to 224x224, and their mirrored versions."

10 crops are the corners and the centre of the centre square of the smallest scale, with their mirrored versions. The
long side and the centres are rounded as by torchvision's Resize and CenterCrop.

An image of W x H has the values (x * 7 + y * 3 + x * y // 5 + 85 * c) % 256. The output has for each case
    case WIDTH HEIGHT INPUT POLICY SCALE...
and for each distinct crop, in the order in which it comes first,
    RESIZED_WIDTH RESIZED_HEIGHT LEFT TOP SIDE MIRRORED TIMES CRC32
where a SIDE larger than INPUT is a square that is resized, and CRC32 is of its RGB pixels."""
import zlib
from PIL import Image, ImageOps, __version__

assert __version__.startswith("12."), "Pillow 13 has another order of passes"


def picture(width, height):
    return Image.frombytes("RGB", (width, height), bytes(
        (x * 7 + y * 3 + x * y // 5 + 85 * c) % 256 for y in range(height) for x in range(width) for c in range(3)))


def resized(image, scale):
    width, height = image.size
    size = (scale, int(scale * height / width)) if width <= height else (int(scale * width / height), scale)
    return image.resize(size, Image.Resampling.BILINEAR)


def middle(size, part):
    return int(round((size - part) / 2.0))


def squares(width, height):
    """Left or top, centre, right or bottom."""
    side = min(width, height)
    places = [0, middle(max(width, height), side), max(width, height) - side]
    return [(0, at) if height > width else (at, 0) for at in places]


def boxes(left, top, side, size, whole):
    """(left, top, side) of the parts of a square."""
    far, centre = side - size, middle(side, size)
    for x, y in [(0, 0), (far, 0), (0, far), (far, far), (centre, centre)]:
        yield left + x, top + y, size
    if whole:
        yield left, top, side


def crops(image, size, policy, scales):
    for scale in scales if policy == 144 else [min(scales)]:
        whole = resized(image, scale)
        places = squares(*whole.size)
        for left, top in places if policy == 144 else places[1:2]:
            for box in boxes(left, top, scale, size, policy == 144):
                for mirrored in (0, 1):
                    yield whole, box, mirrored


def pixels(whole, box, mirrored, size):
    left, top, side = box
    part = whole.crop((left, top, left + side, top + side)).resize((size, size), Image.Resampling.BILINEAR)
    return (ImageOps.mirror(part) if mirrored else part).tobytes()


def show(width, height, size, policy, scales):
    print("case", width, height, size, policy, *scales)
    found, times = {}, {}
    for whole, box, mirrored in crops(picture(width, height), size, policy, scales):
        key = (*whole.size, *box, mirrored)
        times[key] = times.get(key, 0) + 1
        if key not in found:
            found[key] = zlib.crc32(pixels(whole, box, mirrored, size))
    for key, crc in found.items():
        print(*key, times[key], f"{crc:08x}")


def main():
    for shape in [(375, 500), (500, 499)]:
        show(*shape, 224, 144, [256, 288, 320, 352])
    # Smaller, with what a size can do to the squares: they coincide, touch, overlap in crops, or lie apart.
    small = [36, 41, 46, 50]
    for shape in [(28, 28), (1, 1), (30, 31), (1, 3), (2000, 200), (640, 480), (100, 61), (50, 60)]:
        show(*shape, 32, 144, small)
    show(60, 40, 32, 144, [40, 32])
    for shape in [(375, 500), (28, 28), (2000, 200), (500, 499), (1, 1)]:
        show(*shape, 32, 10, small)


if __name__ == "__main__":
    main()
