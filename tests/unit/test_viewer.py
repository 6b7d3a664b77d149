"""The viewer's values, and the names on which its script and its template agree with them."""

import re
from dataclasses import fields

import gradio as gr
from PIL import Image

from app.viewer import Choice, Wanted, content, drawn, patch, viewer, wanted
from app.viewer.view import FOLDER, script

TEMPLATE = (FOLDER / "template.html").read_text("utf-8")


def test_a_value_carries_every_choice_and_a_patch_names_its_version():
    choices = [Choice("a", "A", "x.webp", 12), Choice("b", "B", missing="too small")]
    value = content(choices, "a", "b", version="v1", fresh=True)
    assert [each["name"] for each in value["choices"]] == ["a", "b"]
    assert set(value["choices"][0]) == {field.name for field in fields(Choice)}
    assert (value["left"], value["right"], value["fresh"], value["waiting"]) == (
        "a",
        "b",
        True,
        False,
    )
    assert patch("v1", choices[1]) == {"patch": "v1", "choices": [value["choices"][1]]}


def test_a_wish_comes_as_it_was_sent():
    event = gr.EventData(None, {"name": "avif", "side": "left", "version": "v1"})
    assert wanted(event) == Wanted("avif", "left", "v1")
    assert wanted(gr.EventData(None, None)) == Wanted("", "", "")


def test_the_component_says_what_it_shows_and_offers_its_event():
    with gr.Blocks() as page:
        box = viewer("here", "Before & after", empty="Nothing yet")
        box.wanted(lambda: None, None, box)
    assert 'aria-label="Before &amp; after"' in box.html_template
    assert "Nothing yet" in box.html_template
    (made,) = page.fns.values()
    assert made.targets == [(box._id, "wanted")]


def test_the_template_is_no_template_of_gradio():
    """Gradio fills in {{name}} and ${name} wherever they stand."""
    assert "{{" not in TEMPLATE and "${" not in TEMPLATE and "`" not in TEMPLATE


def test_the_script_finds_what_the_template_has():
    classes = set(re.findall(r"[\w-]+", " ".join(re.findall(r'class="([^"]+)"', TEMPLATE))))
    asked = re.findall(r'this\.\$\("((?:\.[\w-]+ ?)+)', script())
    assert asked
    for selector in asked:
        assert set(re.findall(r"\.([\w-]+)", selector)) <= classes, selector


def test_a_picture_is_written_without_loss(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    picture = Image.effect_noise((32, 32), 60).convert("RGB")
    path = drawn(picture, "face.webp").removeprefix("gradio_api/file=")
    with Image.open(path) as written:
        assert written.format == "WEBP"
        assert written.convert("RGB").tobytes() == picture.tobytes()
