# SPDX-License-Identifier: Apache-2.0
"""Made pictures whose objects are known: garments of Fashion-MNIST on photos or on drawn backgrounds.

Every pixel is the result of integer arithmetic, from a random number generator of our own to resizing, so that the same
key gives the same bits with every version of Python and numpy. Pillow only decodes the photos.

Order of a scene: background, clutter (shapes and patches of other places), garments, bars in front of them, light and
noise. A garment keeps at least `Style.visible` per cent of its pixels in sight, and its box is that of the pixels in
sight. Coordinates are half-open: x, y, x + width, y + height.
"""
import dataclasses
import gzip
import pathlib

import numpy as np

MASK = (1 << 64) - 1
CLASSES = ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"]
GARMENTS = "/usr/share/datasets/fashion-mnist"
SPLITS = ("train", "val", "test")
# Photographs in Debian's packages, by folder, and the split whose backgrounds they are. What may be passed on: those of
# python3-skimage are CC0 or in the public domain; lomiri-wallpapers are CC BY or BY-SA 3.0 and 4.0, mate-backgrounds
# GPL-2+; opencv-doc's are of mixed origin.
PHOTOS = {
    "opencv-doc": ("/usr/share/doc/opencv-doc/examples/data", {
        "train": "aero1.jpg aloeL.jpg apple.jpg baboon.jpg board.jpg box_in_scene.png building.jpg butterfly.jpg "
                 "chicky_512.png ela_original.jpg fruits.jpg graf1.png leuvenA.jpg licenseplate_motion.jpg messi5.jpg "
                 "rubberwhale1.png",
        "val": "orange.jpg basketball1.png", "test": "home.jpg squirrel_cls.jpg stuff.jpg"}),
    "python3-skimage": ("/usr/lib/python3/dist-packages/skimage/data", {
        "train": "camera.png grass.png hubble_deep_field.jpg", "val": "coins.png",
        "test": "astronaut.png brick.png chelsea.png coffee.png gravel.png motorcycle_left.png rocket.jpg"}),
    "lomiri-wallpapers-16.04": ("/usr/share/backgrounds", {
        "train": "Bridge_by_Sander_Klootwijk.jpg Dragonfly_by_Bolly.jpg Picture_0B_by_freespace.jpg "
                 "Wine_by_Jakkub_Mede.jpg friends_by_Aitzol_Berasategi.jpg greentock_by_Peter_Nerlich.jpg "
                 "seeding_by_Clements_Engelhardt.jpg sunset_by_Aitzol_Berasategi.jpg",
        "val": "picosdeeuropa_by_Aitzol_Berasategi.jpg free_by_Peter_Nerlich.jpg",
        "test": "Picture_1A_by_freespace.jpg aitzgorri_by_Aitzol_Berasategi.jpg life_by_Aitzol_Berasategi.jpg"}),
    "mate-backgrounds": ("/usr/share/backgrounds/mate/nature", {
        "train": "Aqua.jpg FreshFlower.jpg GreenMeadow.jpg LadyBird.jpg RainDrops.jpg Storm.jpg TwoWings.jpg",
        "val": "YellowFlower.jpg", "test": "Garden.jpg Wood.jpg"}),
}


@dataclasses.dataclass(frozen=True)
class Style:
    """How hard scenes are. Per cent where nothing else is said."""
    width: int = 500
    height: int = 375
    objects: tuple = (3, 6)
    sides: tuple = (40, 170)  # pixels of a garment's frame; the garment is a little smaller
    visible: int = 65         # of a garment's pixels
    opacity: tuple = (70, 100)
    bars: tuple = (0, 4)      # in front of garments
    clutter: tuple = (3, 9)
    noise: int = 6            # grey levels at most


# ---- random numbers ----

def mixed(x):
    """splitmix64's last steps, of integers or of arrays of uint64."""
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        x = ((x ^ (x >> shift)) * factor) & MASK if isinstance(x, int) else (x ^ (x >> np.uint64(shift))) * np.uint64(factor)
    return x ^ (x >> 31) if isinstance(x, int) else x ^ (x >> np.uint64(31))


class Random:
    """Whole numbers that depend on the key alone."""

    def __init__(self, *key):
        self.state = 0
        for k in key:
            self.state = mixed((self.state + k + 0x9E3779B97F4A7C15) & MASK)

    def below(self, n):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        return mixed(self.state) * n >> 64

    def between(self, low, high):
        """Both ends included."""
        return low + self.below(high - low + 1)

    def chance(self, percent):
        return self.below(100) < percent

    def pick(self, items):
        return items[self.below(len(items))]

    def colour(self, low=0, high=255):
        return np.array([self.between(low, high) for _ in range(3)], np.int64)

    def array(self, shape, n):
        """Numbers below n, for n up to 2^32."""
        count = int(np.prod(shape))
        start = np.uint64(self.below(1 << 63))
        numbers = mixed(start + np.arange(count, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15))
        return ((numbers >> np.uint64(32)) * np.uint64(n) >> np.uint64(32)).astype(np.int64).reshape(shape)

    def side(self, low, high):
        """A length; equally likely in every octave."""
        steps = [low]
        while steps[-1] * 9 // 8 < high:
            steps.append(max(steps[-1] + 1, steps[-1] * 9 // 8))
        i = self.below(len(steps))
        return self.between(steps[i], steps[i + 1] if i + 1 < len(steps) else high)


# ---- resizing ----

def taps(n, m):
    """For m samples of n pixels: the pixels on both sides, and the second's weight of 65536."""
    at = np.clip((2 * np.arange(m, dtype=np.int64) + 1) * n * 32768 // m - 32768, 0, (n - 1) << 16)
    low = at >> 16
    return low, np.minimum(low + 1, n - 1), at & 65535


def resized(image, height, width):
    """Bilinear; rounded to whole numbers after each direction."""
    image = image.astype(np.int64)
    for axis, size in ((0, height), (1, width)):
        low, high, weight = taps(image.shape[axis], size)
        weight = weight.reshape([-1 if a == axis else 1 for a in range(image.ndim)])
        image = (image.take(low, axis) * (65536 - weight) + image.take(high, axis) * weight + 32768) >> 16
    return image


def reduced(image, factor):
    """Means of squares of `factor` pixels."""
    h, w = (n // factor for n in image.shape[:2])
    squares = image[:h * factor, :w * factor].astype(np.int64).reshape(h, factor, w, factor, 3)
    return ((squares.sum((1, 3)) + factor * factor // 2) // (factor * factor)).astype(np.uint8)


# ---- what scenes are made of ----

class Garments:
    """One half of Fashion-MNIST, by class."""

    def __init__(self, part, folder=GARMENTS):
        """`part`: train or t10k."""
        def read(kind, header):
            path = pathlib.Path(folder) / f"{part}-{kind}-ubyte.gz"
            return np.frombuffer(gzip.decompress(path.read_bytes()), np.uint8, offset=header)
        images, labels = read("images-idx3", 16).reshape(-1, 28, 28), read("labels-idx1", 8)
        self.of = [images[labels == c] for c in range(len(CLASSES))]


def load_photo(path):
    from PIL import Image
    image = np.asarray(Image.open(path).convert("RGB"))
    return reduced(image, max(1, min(image.shape[1] // 640, image.shape[0] // 480)))


def load_photos(split, packages=PHOTOS):
    """{"package/file": pixels} of the packages that are installed. Without any, all backgrounds are drawn."""
    found = {}
    for package in packages:
        folder, splits = PHOTOS[package]
        for name in splits[split].split():
            if (path := pathlib.Path(folder) / name).is_file():
                found[f"{package}/{name}"] = load_photo(path)
    return found


def photo_background(random, photo, style):
    """A window of the photo with the scene's aspect ratio, perhaps mirrored, darker or brighter."""
    rows, columns = photo.shape[:2]
    most = min(columns, rows * style.width // style.height)
    width = random.between(max(most // 2, min(most, 320)), most)
    height = width * style.height // style.width
    x, y = random.between(0, columns - width), random.between(0, rows - height)
    window = resized(photo[y:y + height, x:x + width], style.height, style.width)
    return (window[:, ::-1] if random.chance(50) else window) * random.between(150, 290) >> 8


def drawn_background(random, style):
    y, x = np.mgrid[:style.height, :style.width]
    corners = [random.colour(30, 225) for _ in range(3)]
    image = corners[0] + ((corners[1] - corners[0]) * x[..., None] // style.width
                          + (corners[2] - corners[0]) * y[..., None] // style.height)
    for _ in range(random.between(6, 16)):
        draw_shape(random, image, random.between(40, 220))
    return image


def shape_mask(random, side, thin):
    """A parallelogram, an ellipse or a bar in a square of this side."""
    y, x = np.mgrid[:side, :side] - side // 2
    a, b = random.between(-9, 9), random.between(1, 9)
    c, d = (-b, a) if thin or random.chance(50) else (random.between(-9, 9), random.between(-9, 9))
    if not thin and random.chance(35):
        p, q = random.between(side // 6 + 1, side // 2 + 1), random.between(side // 6 + 1, side // 2 + 1)
        return x * x * q * q + y * y * p * p <= p * p * q * q
    length = abs(a) + abs(b)
    across = max(2, side // 16) if thin else random.between(side // 8 + 1, side // 3 + 1)
    inside = (abs(x * a + y * b) <= across * length // 2)
    return inside & (abs(x * c + y * d) <= max(1, side * (abs(c) + abs(d)) // 3))


def painted(random, mask):
    """Its colour or, one time in three, stripes of two."""
    colour = np.broadcast_to(random.colour(), mask.shape + (3,))
    if random.chance(33):
        y, x = np.mgrid[:mask.shape[0], :mask.shape[1]]
        period = random.between(4, 16)
        stripes = (x * random.between(-2, 2) + y * random.between(1, 2)) % period * 2 < period
        colour = np.where(stripes[..., None], colour, random.colour())
    return colour


def draw_shape(random, image, side, thin=False):
    """Returns where it is: window and mask."""
    side = min(side, *image.shape[:2])
    x, y = random.between(-side // 2, image.shape[1] - side // 2), random.between(-side // 2, image.shape[0] - side // 2)
    mask = shape_mask(random, side, thin)
    colour = painted(random, mask)
    window, part = clipped(image.shape, x, y, side, side)
    image[window] = np.where(mask[part][..., None], colour[part], image[window])
    return window, mask[part]


def copy_patch(random, image):
    """A part of the image itself, at another place: edges that are no object's."""
    h, w = image.shape[:2]
    side = random.between(30, 120)
    place = [(random.between(0, w - side), random.between(0, h - side)) for _ in range(2)]
    (ax, ay), (bx, by) = place
    image[by:by + side, bx:bx + side] = image[ay:ay + side, ax:ax + side].copy()


def clipped(shape, x, y, width, height):
    """The part of a rectangle inside the image, and the same part of the rectangle."""
    left, top, right, bottom = max(x, 0), max(y, 0), min(x + width, shape[1]), min(y + height, shape[0])
    right, bottom = max(right, left), max(bottom, top)
    return (slice(top, bottom), slice(left, right)), (slice(top - y, bottom - y), slice(left - x, right - x))


# ---- scenes ----

@dataclasses.dataclass
class Object:
    category: int
    box: tuple       # x, y, width, height of what is in sight
    area: int        # pixels in sight
    truncated: bool  # hidden in part, or beyond the edge


class Scene:
    def __init__(self, random, style, image):
        self.random, self.style, self.image = random, style, image
        self.owner = np.zeros(image.shape[:2], np.int64)  # 1 + index of the garment in sight, 0: none
        self.categories, self.sizes = [], []

    def in_sight(self, owner):
        counts = np.bincount(owner.ravel(), minlength=len(self.sizes) + 1)[1:len(self.sizes) + 1]
        return all(100 * c >= self.style.visible * s for c, s in zip(counts, self.sizes))

    def add_garment(self, category, grey):
        random = self.random
        side = random.side(*self.style.sides)
        width = side * random.between(85, 115) // 100
        if random.chance(50):
            grey = grey[:, ::-1]
        opaque, shade = resized((grey > 8) * 255, side, width), resized(grey, side, width)
        paint = shade[..., None] * self.tint() // 255
        alpha = opaque[..., None] * random.between(*self.style.opacity) // 100
        for _ in range(40):
            x = random.between(-width // 8, self.image.shape[1] - width * 7 // 8)
            y = random.between(-side // 8, self.image.shape[0] - side * 7 // 8)
            if self.place(category, x, y, opaque > 127, paint, alpha):
                return

    def tint(self):
        if self.random.chance(15):  # nearly the background's colour
            mean = self.image.reshape(-1, 3).sum(0) // (self.image.size // 3)
            return np.clip(mean * 3 // 2 + self.random.colour(-30, 30), 40, 255)
        return self.random.colour(70, 255)

    def place(self, category, x, y, mask, paint, alpha):
        window, part = clipped(self.image.shape, x, y, mask.shape[1], mask.shape[0])
        owner = self.owner.copy()
        owner[window][mask[part]] = len(self.sizes) + 1
        self.sizes.append(int(mask.sum()))
        if self.sizes[-1] == 0 or not self.in_sight(owner):
            self.sizes.pop()
            return False
        self.owner = owner
        self.categories.append(category)
        under = self.image[window]
        self.image[window] = (paint[part] * alpha[part] + under * (255 - alpha[part]) + 127) // 255
        return True

    def add_bar(self):
        before = self.image.copy(), self.owner.copy()
        window, mask = draw_shape(self.random, self.image, self.random.between(100, 240), thin=True)
        self.owner[window][mask] = 0
        if not self.in_sight(self.owner):
            self.image, self.owner = before

    def add_light(self):
        """Brighter towards one side; noise."""
        y, x = np.mgrid[:self.image.shape[0], :self.image.shape[1]]
        slope = [self.random.between(-40, 40) for _ in range(2)]
        light = 256 + slope[0] * (2 * x - x.shape[1]) // x.shape[1] + slope[1] * (2 * y - y.shape[0]) // y.shape[0]
        n = self.style.noise
        noise = self.random.array(self.image.shape, n + 1) + self.random.array(self.image.shape, n + 1) - n
        self.image = np.clip((self.image * light[..., None] >> 8) + noise, 0, 255)

    def objects(self):
        for i, (category, size) in enumerate(zip(self.categories, self.sizes), 1):
            rows, columns = np.nonzero(self.owner == i)
            x, y = int(columns.min()), int(rows.min())
            yield Object(category, (x, y, int(columns.max()) + 1 - x, int(rows.max()) + 1 - y), len(rows), len(rows) < size)


def make_scene(random, garments, photos, style=Style(), classes=range(len(CLASSES))):
    """(image, objects, background): RGB as uint8; photo's name, or "drawn". `photos`: those of load_photos; a fifth of
    the backgrounds is drawn even so. Objects have a place in `classes` as their category."""
    name = random.pick(sorted(photos)) if photos and not random.chance(20) else "drawn"
    background = drawn_background(random, style) if name == "drawn" else photo_background(random, photos[name], style)
    scene = Scene(random, style, np.clip(background, 0, 255))
    for _ in range(random.between(*style.clutter)):
        if random.chance(40):
            copy_patch(random, scene.image)
        else:
            draw_shape(random, scene.image, random.between(25, 130))
    for _ in range(random.between(*style.objects)):
        category = random.below(len(classes))
        scene.add_garment(category, random.pick(garments.of[classes[category]]))
    for _ in range(random.between(*style.bars)):
        scene.add_bar()
    scene.add_light()
    return scene.image.astype(np.uint8), list(scene.objects()), name
