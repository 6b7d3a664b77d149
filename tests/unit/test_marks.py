"""Marks of generated pictures: written into every kind of file, and read back by Pillow."""

import hashlib
import io
import json
import subprocess
from xml.etree import ElementTree

import pytest
from paths import ROOT
from PIL import Image

from hsc.images import marks

IPTC = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
MARK = marks.decoded(b"a file", "scn", {"smile": 0.5}, 0.25)
ODD = marks.Mark(marks.TRAINED, {"said": "a \"b\" & <c> 'd' é", "seed": 7})


def written(file_format: str, mark: marks.Mark, **options) -> bytes:
    picture = Image.new("RGB", (24, 16), (200, 120, 80))
    out = io.BytesIO()
    marks.save(marks.put(picture, mark).resize((12, 8)), out, file_format, **options)
    return out.getvalue()


@pytest.mark.parametrize("file_format", ["PNG", "WEBP", "JPEG", "AVIF"])
@pytest.mark.parametrize("mark", [MARK, ODD])
def test_pillow_reads_the_source_type_and_the_recipe_hash(file_format, mark):
    data = written(file_format, mark)
    with Image.open(io.BytesIO(data)) as picture:
        picture.load()
        xmp = ElementTree.fromstring(picture.info["xmp"])
    (said,) = xmp.iter("{http://www.w3.org/1999/02/22-rdf-syntax-ns#}Description")
    assert said.get(f"{{{IPTC}}}DigitalSourceType") == marks.VOCABULARY + mark.source
    assert said.get(f"{{{marks.NAMESPACE}}}recipeSha256") == mark.recipe_hash
    assert json.loads(said.get(f"{{{marks.NAMESPACE}}}recipe")) == mark.recipe
    assert marks.read(data) == mark


def test_a_png_says_it_in_text_chunks_too():
    with Image.open(io.BytesIO(written("PNG", MARK))) as picture:
        assert "neural network" in picture.text["Software"]
        recipe = json.loads(picture.text["hsc"])
    assert recipe["file_sha256"] == hashlib.sha256(b"a file").hexdigest()
    assert (recipe["layers"], recipe["edits"]) == ("scn", {"smile": 0.5})


def test_a_gif_keeps_its_frames_and_its_mark():
    frames = [Image.new("RGB", (12, 8), (shade, 0, 0)) for shade in (0, 120, 240)]
    data = written("GIF", ODD, save_all=True, append_images=frames, duration=50)
    with Image.open(io.BytesIO(data)) as picture:
        assert picture.n_frames == 4
        picture.seek(3)
        picture.load()
    assert marks.read(data) == ODD


def test_the_hash_does_not_depend_on_the_order_of_names():
    a = marks.Mark(marks.COMPOSITE, {"a": 1, "b": 2})
    assert a.recipe_hash == marks.Mark(marks.COMPOSITE, {"b": 2, "a": 1}).recipe_hash
    assert a.recipe_hash == hashlib.sha256(b'{"a":1,"b":2}').hexdigest()


def test_pictures_without_a_mark_stay_without_one():
    out = io.BytesIO()
    marks.save(Image.new("RGB", (4, 4)), out, "PNG")
    assert marks.read(out.getvalue()) is None
    assert marks.read(b"no picture at all") is None


def test_the_mark_of_the_receivers_pictures_is_read_too():
    """The receiver's own code marks a picture here, under Node."""
    plain = io.BytesIO()
    Image.new("RGB", (4, 4)).save(plain, "PNG")
    script = f"""
        import {{ marked }} from {json.dumps((ROOT / "web/src/png.js").as_uri())};
        const png = new Blob([Buffer.from("{plain.getvalue().hex()}", "hex")]);
        const done = await marked(png, {{ layers: "scn", edits: {{ smile: 0.5 }} }});
        process.stdout.write(Buffer.from(await done.arrayBuffer()));
    """
    command = ["node", "--input-type=module", "--eval", script]
    done = subprocess.run(command, capture_output=True, check=True).stdout
    assert marks.read(done) == marks.Mark(
        marks.COMPOSITE, {"layers": "scn", "edits": {"smile": 0.5}}
    )
