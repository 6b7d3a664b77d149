"""What networks are sized for: the arithmetic of styles, and the way into weight files and back."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from hsc.config import FACE_1024, SHIPPED, CodecConfig
from hsc.errors import WeightsError
from hsc.generators.registry import family
from hsc.weights.loading import read_config, save_weights

SMALL = replace(FACE_1024, image_px=64, feature_px=8, channels={4: 16, 8: 16, 16: 16, 32: 8})
"""A generator of pictures of 64 px."""


def test_styles_of_the_shipped_generator() -> None:
    assert FACE_1024.w_plus_shape == (23, 512) and FACE_1024.feature_channels == 512
    assert [FACE_1024.styles_through(px) for px in (4, 16, 32, 64)] == [1, 7, 10, 13]
    assert FACE_1024.styles_of_block(8) == slice(1, 4)
    assert FACE_1024.styles_of_block(512) == slice(19, 22)
    with pytest.raises(ValueError):
        FACE_1024.styles_of_block(1024)


def test_styles_of_another_architecture() -> None:
    # StyleGAN2 at 1024 px: two styles a block, 18 in all
    channels = dict.fromkeys((4, 8, 16, 32, 64, 128, 256, 512, 1024), 512)
    spec = replace(FACE_1024, styles_per_block=2, channels=channels)
    assert spec.styles == 18 and spec.styles_of_block(8) == slice(1, 3)


def test_a_configuration_travels_in_the_metadata(tmp_path: Path) -> None:
    config, path = CodecConfig(SMALL, input_px=64), tmp_path / "generator.safetensors"
    save_weights({"x": torch.ones(2)}, path, config, {"source": "a test"})
    assert read_config(path) == config


def test_files_without_one_are_the_shipped_codecs(tmp_path: Path) -> None:
    path = tmp_path / "generator.safetensors"
    save_weights({"x": torch.ones(2)}, path)
    assert read_config(path) == SHIPPED
    assert b"codec" not in path.read_bytes()  # the shipped files keep their bytes
    with pytest.raises(WeightsError, match="found no file"):
        read_config(tmp_path / "scn.safetensors")


def test_odd_metadata_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "generator.safetensors"
    save_weights({"x": torch.ones(2)}, path, metadata={"codec": '{"generator": 3}'})
    with pytest.raises(WeightsError, match="metadata"):
        read_config(path)


def test_a_generator_is_built_for_its_specification() -> None:
    networks = family(SMALL.name)
    synthesis = networks.synthesis(SMALL).eval()
    w_plus = torch.randn(2, *SMALL.w_plus_shape, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        feature = synthesis.feature(w_plus)
        assert feature.shape == (2, 16, 8, 8)
        assert synthesis.image(feature, w_plus).shape == (2, 3, 64, 64)
        assert networks.exact_features(synthesis, 8).feature(w_plus.double()).shape == (2, 16, 8, 8)
        assert networks.cpu_backend(synthesis, torch.float32)(w_plus).shape == (2, 3, 64, 64)
    assert len(synthesis.style_layers()) == SMALL.styles
    with pytest.raises(WeightsError, match="stylegan2, got 'another'"):
        family("another")
