"""What the page says where the model shows something else than faces."""

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor

import gradio as gr
import pytest

from app.gradio_overrides import StudioBlocks
from app.page import head
from app.texts import text
from app.words import OTHERWISE, Words
from hsc.weights.model_id import FACES

CATS = Words("cat", of_faces=False)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("Choose a face.", "Choose a cat."),
        ("Face 2 of two faces", "Cat 2 of two cats"),
        ("A face in 900 bytes", "A cat in 900 bytes"),
        ("the face's part", "the cat's part"),
        ("No surface changed", "No surface changed"),
        ('<p class="face" id="face-chip" title="The face">A face</p>',
         '<p class="face" id="face-chip" title="The cat">A cat</p>'),
        ("see face.hsc and ?face=1 and /faces/a", "see face.hsc and ?face=1 and /faces/a"),
        ("Its features and hair", "Its parts"),
        ("face", "face"),
        ("Face", "Cat"),
    ],
)  # fmt: skip
def test_the_noun_takes_the_place_of_the_word(written: str, said: str) -> None:
    assert CATS.say(written) == said
    assert Words().say(written) == written


def test_the_article_fits() -> None:
    assert Words("insect").say("A face, or a face") == "An insect, or an insect"
    assert Words("insect").say("The face of an elf") == "The insect of an elf"


def test_texts_about_faces_have_another_version() -> None:
    for name in OTHERWISE:
        assert CATS.say(text(name)) == CATS.say(text(f"{name}_other"))
        assert not re.search(r"\b(face|person|hair|skin)s?\b", CATS.say(text(name)), re.I)
    portraits = Words("portrait", of_faces=True)
    assert portraits.say(text("caveat")) == text("caveat")


def test_names_in_updates_stay() -> None:
    update = {
        "__type__": "update", "label": "Which face?", "elem_id": "the face",
        "choices": [["This face", "This face"]],
    }  # fmt: skip
    assert CATS.update([update]) == [
        update | {"label": "Which cat?", "choices": [["This cat", "This face"]]}
    ]
    file = {"path": "/tmp/a face.png", "orig_name": "a face.png", "meta": {}}
    assert CATS.update(file) == file


def test_scripts_say_it_too() -> None:
    source = 'find("#my-face .face"); say("Choose a face");'
    assert CATS.script(source) == 'find("#my-face .face"); say("Choose a cat");'
    assert Words().script(source) == source


def test_a_page_says_it_when_it_opens_and_when_it_answers() -> None:
    with StudioBlocks() as page:
        page.words = CATS
        out = gr.Textbox(label="The face", placeholder="A face as text")

        def answer(fails: bool) -> str:
            if fails:
                raise gr.Error("There is no face yet.")
            return "Drawing this face …"

        gr.Button("Invent a face").click(answer, gr.Checkbox(), out)
    props = [each["props"] for each in page.get_config_file()["components"]]
    assert {"The cat", "Invent a cat"} <= {p.get("label", p.get("value")) for p in props} | {
        p.get("value") for p in props if isinstance(p.get("value"), str)
    }
    (block_fn,) = page.fns.values()
    with ThreadPoolExecutor(1) as pool:  # browser tests keep an event loop in this thread

        def call(fails: bool):
            return pool.submit(asyncio.run, page.process_api(block_fn, [fails])).result()

        assert call(False)["data"] == ["Drawing this cat …"]
        with pytest.raises(gr.Error) as raised:
            call(True)
    assert raised.value.message == "There is no cat yet."


def test_the_shipped_page_is_as_written() -> None:
    assert FACES.noun == ""
    assert '"next face"' in head()
