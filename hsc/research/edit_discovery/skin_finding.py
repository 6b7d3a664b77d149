"""Fit read-outs of skin to the generator's features: position, colour, and how to change it.

Faces are rendered, and their skin is marked with landmarks and a segmentation of the person; three
regressions do the rest. Most of the faces have the finer styles of another face, so that the
effect of styles on skin is separated from that of features.
"""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from hsc.editing.skin import CELLS, Skin, colour_px, fine_styles
from hsc.generators.exits import render_exit
from hsc.research.edit_discovery.effects import SampleRenderer, to_pil
from hsc.vision.appearance import JAW, LEFT_EYE, MOUTH, PX, RIGHT_EYE, FacePixels
from hsc.vision.face_readouts import aligned_landmarks

FACES, SEED = 600, 1_000_004
LEAST_TRUNCATION = 0.5
MOSTLY = 0.9
"""Share of a cell from which on it is taken for what it shows."""
LIKE_SKIN = 12.0
"""Distance in colour from the face's own, lightness at half, up to which a pixel may be skin."""
SHARP = 4.0
"""How steeply the mask goes from nothing to skin."""
SLOPED = 40
"""Faces on which the way back is measured."""
RIDGE = 100.0
CHIN, BRIDGE, NOSTRILS = 8, 27, 33
BROWS = [*range(17, 22)], [*range(22, 27)]


def skin_pixels(face: FacePixels) -> tuple[np.ndarray, np.ndarray]:
    """Pixels of a face's skin, and those of anything else: two of (256, 256) bool.

    Neck, ears and hands are in neither: their skin is not measured.
    """
    p, unit = face.points, face.unit
    up = (p[BRIDGE] - p[CHIN]) / np.linalg.norm(p[BRIDGE] - p[CHIN])
    forehead = p[[26, 24, 19, 17]] + up * unit * 0.22
    oval = face.inside(np.concatenate([p[JAW], forehead]))

    def grown(part: list[int], by: float) -> np.ndarray:
        middle = p[part].mean(0)
        return middle + (p[part] - middle) * by

    brows = [np.concatenate([p[b] - [0, 0.03 * unit], (p[b] + [0, 0.04 * unit])[::-1]])
             for b in BROWS]  # fmt: skip
    eyes = grown(LEFT_EYE, 1.6), grown(RIGHT_EYE, 1.6)
    cheeks = oval & ~face.inside(grown(MOUTH, 1.25), *eyes, *brows)
    shaven = cheeks & (np.arange(PX)[:, None] < p[NOSTRILS, 1])  # no beard grows there
    tone = np.median(face.lab[shaven], axis=0) if shaven.any() else np.zeros(3)
    unlike = np.sqrt((((face.lab - tone) / [2.0, 0.8, 0.8]) ** 2).sum(-1))
    skin = cheeks & (unlike < LIKE_SKIN)
    elsewhere = face.person & ~oval & (unlike < LIKE_SKIN)
    return skin, ~skin & ~elsewhere


def in_cells(pixels: np.ndarray, cells: int) -> np.ndarray:
    """Means over the cells of F, ``cells`` a side: (256, 256, ...) -> (32, 32, ...)."""
    cell = PX // cells
    return pixels.reshape(cells, cell, cells, cell, *pixels.shape[2:]).mean((1, 3))


@torch.no_grad()
def find_skin(renderer: SampleRenderer, count: int = FACES) -> Skin:
    """From rendered faces."""
    features, kinds, above_64, styles, colours = [], [], [], [], []
    spec = renderer.synthesis.spec
    cells = spec.feature_px
    for w_plus in _faces(renderer, count).to(renderer.synthesis.dtype).split(1):
        feature = renderer.synthesis.feature(w_plus)
        picture = (
            render_exit(renderer.synthesis, renderer.head, feature, w_plus)[0].float().clamp(-1, 1)
        )
        image = to_pil(picture.cpu())
        face = FacePixels.prepare(
            image, aligned_landmarks(image), renderer.reader.person.mask(image)
        )
        on_skin, other = (in_cells(pixels, cells) > MOSTLY for pixels in skin_pixels(face))
        vectors = feature[0].float().permute(1, 2, 0).cpu().numpy()  # (32, 32, 512)
        features += [vectors[on_skin], vectors[other]]
        kinds += [np.ones(on_skin.sum()), -np.ones(other.sum())]
        above = renderer.synthesis.run(feature, w_plus, cells, colour_px(spec)).float()
        above_64.append(F.avg_pool2d(above, 2)[0].permute(1, 2, 0).cpu().numpy()[on_skin])
        fine = fine_styles(w_plus.float(), spec).cpu().numpy()  # (1, 1024)
        styles.append(np.repeat(fine, on_skin.sum(), 0))
        colours.append(in_cells(face.lab, cells)[on_skin])
    vectors, kind = np.concatenate(features), np.concatenate(kinds)
    where, bias = _regressed(vectors, kind)
    inputs = np.concatenate([np.concatenate(above_64), np.concatenate(styles)], 1)
    colour, base = _regressed(inputs, np.concatenate(colours))
    colour, shade = np.split(colour.T, [above_64[0].shape[1]], axis=1)
    skin = Skin(*(
        torch.from_numpy(np.ascontiguousarray(x)).float()
        for x in (SHARP * where, np.array(SHARP * bias), colour, shade, base, np.zeros_like(colour))
    ))  # fmt: skip
    spread = np.cov(vectors[kind > 0].T)
    slopes = _slopes(renderer, skin, min(count, SLOPED)).numpy().astype(float)  # (3, 512)
    natural = slopes @ spread  # features that vary over skin anyway are changed most
    skin = Skin(**vars(skin) | {"tones": torch.from_numpy(
        np.linalg.solve(natural @ slopes.T, natural)
    ).float()})  # fmt: skip
    return skin


def _faces(renderer: SampleRenderer, count: int) -> Tensor:
    """(count, 23, 512), three of four with the styles above 32, 64 or 128 px of the last one."""
    spec, generator = renderer.synthesis.spec, torch.Generator().manual_seed(SEED)
    truncation = torch.rand(count, 1, generator=generator) * (1 - LEAST_TRUNCATION)
    z = torch.randn(count, spec.style_dim, generator=generator).to(renderer.mapping.w_mean)
    mean = renderer.mapping.w_mean
    w = mean + (LEAST_TRUNCATION + truncation).to(mean) * (renderer.mapping(z) - mean)
    w_plus = w[:, None].repeat(1, spec.styles, 1)
    for number, px in enumerate((spec.feature_px, colour_px(spec), 2 * colour_px(spec)), 1):
        fine = spec.styles_through(px)
        mixed = torch.arange(number, count, 4)
        w_plus[mixed, fine:] = w[mixed - 1, None]
    return w_plus


def _regressed(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Slopes and intercept of a ridge regression in standard deviations of each input."""
    mean, scale = x.mean(0), x.std(0) + 1e-6
    a = (x - mean) / scale
    slopes = np.linalg.solve(a.T @ a + RIDGE * np.eye(a.shape[1]), a.T @ (y - y.mean(0)))
    slopes = (slopes.T / scale).T
    return slopes, y.mean(0) - mean @ slopes


def _slopes(renderer: SampleRenderer, skin: Skin, count: int) -> Tensor:
    """What adding to F on skin does to the colour there, the mean over faces: (3, 512)."""
    total = torch.zeros(3, skin.where.shape[0])
    for w_plus in _faces(renderer, count).to(renderer.synthesis.dtype).split(1):
        feature = renderer.synthesis.feature(w_plus)
        mask = skin.mask(feature.float())
        cells = mask[:, :, CELLS[0], CELLS[1]].cpu()
        with torch.enable_grad():
            added = torch.zeros(1, feature.shape[1], 1, 1, requires_grad=True)
            changed = feature + (mask * added.to(feature.device)).to(feature.dtype)
            colours = skin.colours(renderer.synthesis, changed, w_plus).float().cpu()
            mean = (cells * colours).sum((2, 3))[0] / cells.sum()
            for number, value in enumerate(mean):
                (slope,) = torch.autograd.grad(value, added, retain_graph=True)
                total[number] += slope.flatten() / count
    return total
