"""Drawn shapes: the pictures of the toy domain, which anybody can make and nobody is in."""

import colorsys
import math
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

CORNERS = {"disc": 40, "square": 4, "triangle": 3}
"""Kinds of shape, by the corners of a regular polygon."""
OVERSAMPLED = 4
SUFFIX = ".png"


def draw(seed: int, px: int) -> Image.Image:
    """One shape on a plain ground, with a bright spot: RGB, px x px, the same for a seed."""
    random = np.random.default_rng(seed)
    side = OVERSAMPLED * px
    hue = random.random()
    ground = _colour((hue + random.uniform(0.3, 0.7)) % 1, 0.3, random.uniform(0.5, 0.95))
    image = Image.new("RGB", (side, side), ground)
    pen = ImageDraw.Draw(image)
    corners = list(CORNERS.values())[random.integers(len(CORNERS))]
    radius = side * random.uniform(0.22, 0.4)
    centre = side / 2 + side * random.normal(0, 0.03, 2)
    turned = random.uniform(0, 2 * math.pi)
    angles = turned + 2 * math.pi * np.arange(corners) / corners
    points = centre + radius * np.stack([np.cos(angles), np.sin(angles)], 1)
    edge = _colour(hue, 0.8, 0.35)
    pen.polygon([tuple(p) for p in points], _colour(hue, 0.75, 0.9), edge, width=side // 40)
    spot = centre - radius * 0.25
    reach = radius * 0.18
    pen.ellipse([*(spot - reach), *(spot + reach)], fill=_colour(hue, 0.2, 1.0))
    return image.resize((px, px), Image.Resampling.BOX)


def write(folder: Path, count: int, px: int) -> Path:
    """Draw a folder of shapes; those that are there are kept."""
    folder.mkdir(parents=True, exist_ok=True)
    for seed in range(count):
        path = folder / f"{seed:05d}{SUFFIX}"
        if not path.is_file():
            draw(seed, px).save(path)
    return folder


def _colour(hue: float, saturation: float, value: float) -> tuple[int, int, int]:
    red, green, blue = colorsys.hsv_to_rgb(hue, saturation, value)
    return round(255 * red), round(255 * green), round(255 * blue)
