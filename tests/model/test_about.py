"""What the page says of itself: its drawing of the method and the weights in use."""

import hashlib
import re
from xml.etree import ElementTree

import torch

from app.texts import text
from app.views.diagram import TALL, TALL_BOXES, WIDE, WIDE_BOXES, diagram
from app.views.weights import source, weights_table
from hsc.weights.model_id import ASSETS, path_of
from hsc.weights.packages import write_weights


def test_the_drawing_is_well_formed_and_within_its_frame():
    drawings = re.findall(r"<svg.*?</svg>", diagram(), re.DOTALL)
    assert len(drawings) == 2
    for drawing in drawings:
        ElementTree.fromstring(drawing)
    for (width, height), boxes in ((WIDE, WIDE_BOXES), (TALL, TALL_BOXES)):
        assert {box.title for box in boxes} >= {"Photo", "Encoder", "SCN", "FCN", "Generator"}
        for box in boxes:
            assert 0 <= box.x and box.x + box.width <= width
            assert 0 <= box.y and box.y + box.height <= height


def test_every_weight_file_is_listed_with_its_hash():
    html = weights_table()
    files = list(ASSETS.glob("*.safetensors"))
    assert html.count("<tr>") == len(files) + 1
    scn = hashlib.sha256(path_of("scn").read_bytes()).hexdigest()
    assert f'title="{scn}">{scn[:16]}' in html
    # the decoder's come first
    assert html.index("generator") < html.index("attributes")


def test_where_weights_come_from(tmp_path):
    assert source(path_of("identity")).startswith("npm:")
    write_weights(tmp_path / "own.safetensors", {"w": torch.zeros(1)}, [])
    assert source(tmp_path / "own.safetensors") == ""


def test_the_citation_is_of_the_paper():
    assert "2502.16799" in text("citation") and text("citation").startswith("@article")
    assert "independent implementation" in text("about_sources")
