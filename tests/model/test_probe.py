"""Read-outs straight from the semantics."""

import numpy as np
import torch
from generated import face, styles, to_pil

from hsc.research.training.probe import fit
from hsc.vision.agreement import Observer, compare
from hsc.vision.semantic_probe import COARSE_PX, PARTS, SemanticProbe, grouped

RIDGES = (0.01, 0.1, 1.0, 10.0)


def test_what_is_read_off_the_semantics_is_what_is_seen_in_the_picture() -> None:
    observer, probe = Observer.pretrained(), SemanticProbe.pretrained()
    seen = {seed: observer.observe(to_pil(face(seed))) for seed in (1, 2)}
    read = {seed: probe.observe(styles(seed)) for seed in seen}
    for seed in seen:
        own, other = compare(seen[seed], read[seed]), compare(seen[seed], read[3 - seed])
        assert own.landmark_error < 0.12 and own.landmark_error < other.landmark_error
        assert own.identity_l2 < other.identity_l2
        assert own.mask_overlap > 0.7
        assert abs(own.age_change) < 15
        assert np.isclose(sum(read[seed].face.expressions.values()), 1)


def test_a_linear_map_is_found_again() -> None:
    generator = torch.Generator().manual_seed(0)
    factors = torch.randn(240, 1, 6, generator=generator)
    axes = torch.randn(6, 512, generator=generator)
    w = grouped((factors @ axes).expand(-1, 23, -1))  # (240, 1536), six directions
    columns = {
        name: w @ torch.randn(w.shape[1], rows, generator=generator) / 30 + 1
        for name, rows in PARTS.items()
    }
    columns["mask"] = w @ torch.randn(w.shape[1], COARSE_PX**2, generator=generator) / 30
    probe, explained = fit({"w": w} | columns, RIDGES, folds=5)
    assert min(explained.values()) > 0.97
    again = probe(((factors[:5] @ axes) * 0.9).expand(-1, 23, -1))["age"]
    expected = (columns["age"][:5] - columns["age"].mean()) * 0.9 + columns["age"].mean()
    assert (again - expected).abs().max() < 0.1 * columns["age"].std()


def test_noise_is_not_explained() -> None:
    generator = torch.Generator().manual_seed(0)
    w = torch.randn(120, 1536, generator=generator)
    columns = {n: torch.randn(120, rows, generator=generator) for n, rows in PARTS.items()}
    columns["mask"] = torch.randn(120, COARSE_PX**2, generator=generator)
    _, explained = fit({"w": w} | columns, RIDGES, folds=5)
    assert max(explained.values()) < 0.15
