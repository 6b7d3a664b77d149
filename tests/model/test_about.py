"""What the page says of itself: its drawing of the method and the weights in use."""

import hashlib
import re
from xml.etree import ElementTree

import torch

from app.services.facts import weight_files
from app.tabs.about.html import weights_table
from app.tabs.about.view import diagram
from app.texts import text
from hsc.weights.model_id import ASSETS, path_of
from hsc.weights.packages import write_weights

SVG = "{http://www.w3.org/2000/svg}"


def test_the_drawing_is_well_formed_and_within_its_frame():
    drawings = [
        ElementTree.fromstring(svg) for svg in re.findall(r"<svg.*?</svg>", diagram(), re.DOTALL)
    ]
    assert len(drawings) == 2
    for drawing in drawings:
        _, _, width, height = map(float, drawing.attrib["viewBox"].split())
        titles = {text.text for text in drawing.findall(".//*[@class='title']")}
        assert titles >= {"Photo", "Encoder", "SCN", "FCN", "Generator"}
        boxes = [box.attrib for box in drawing.iter(f"{SVG}rect")]
        assert len(boxes) == 11
        for box in boxes:
            assert float(box["x"]) >= 0 and float(box["x"]) + float(box["width"]) <= width
            assert float(box["y"]) >= 0 and float(box["y"]) + float(box["height"]) <= height


def test_the_drawing_has_only_colours_of_the_theme():
    colours = re.findall(r"(?:fill|stroke|--c): ([^;]+);", diagram())
    fixed = {colour for colour in colours if not re.match(r"var\(|color-mix\(|none", colour)}
    assert fixed == {"#10201e", "white"}  # of the words on the file's own colours


def test_every_weight_file_is_listed_with_its_hash():
    html = weights_table()
    files = list(ASSETS.glob("*.safetensors"))
    assert html.count("<tr>") == len(files) + 1
    scn = hashlib.sha256(path_of("scn").read_bytes()).hexdigest()
    assert f'title="{scn}">{scn[:16]}' in html
    # the decoder's come first
    assert html.index("generator") < html.index("attributes")


def test_where_weights_come_from(tmp_path):
    (identity,) = [file for file in weight_files() if file.name == "identity"]
    assert identity.source.startswith("npm:")
    write_weights(tmp_path / "own.safetensors", {"w": torch.zeros(1)}, [])
    (own,) = weight_files(tmp_path)
    assert own.source == "" and not own.in_decoder


def test_the_citation_is_of_the_paper():
    assert "2502.16799" in text("citation") and text("citation").startswith("@article")
    assert "independent implementation" in text("about_sources")
