"""The Photographs tab: a photograph in, its faces chosen and edited, its file out and in again."""

import zipfile
from pathlib import Path

import pytest
from gradio_client import Client, handle_file
from paths import ASTRONAUT
from PIL import Image
from playwright.sync_api import expect
from steps import axe_violations

from hsc import photograph
from hsc.images import marks

RESULT = "#photograph-viewer .world img.right[data-name=result]"


def test_a_photograph_is_coded_edited_saved_and_opened(quick_server, visit, modules, tmp_path):
    page = visit(quick_server)
    page.get_by_role("tab", name="Photographs").click()
    page.locator("#photograph-photo input[type=file]").set_input_files(ASTRONAUT)
    picture = page.locator(RESULT)
    expect(picture).to_be_visible()
    rows = page.locator("#photograph-parts tbody tr")
    expect(rows).to_have_count(3)
    expect(rows.nth(2)).to_contain_text("level 3")
    plain = picture.get_attribute("src")

    page.locator("#photograph-faces .thumbnail-item").first.click()
    expect(page.locator("#photograph-edited")).to_contain_text("Edit face 0")
    smile = page.locator("#photograph-edit-smile input[type=number]")
    smile.fill("1.5")
    smile.press("Enter")
    smile.blur()
    expect(picture).not_to_have_attribute("src", plain)
    expect(page.locator("#photograph-viewer .caption.right")).to_contain_text("edited: 0")

    page.locator("#photograph-viewer .caption.left select").select_option("webp")
    expect(page.locator("#photograph-viewer .world img.left[data-name=webp]")).to_be_visible()

    with page.expect_download() as download:
        page.locator("#photograph-save-file").click()
    file = tmp_path / "saved.hscp"
    download.value.save_as(file)
    assert len(photograph.unpack(file.read_bytes()).faces) == 1
    with page.expect_download() as download:
        page.locator("#photograph-save-picture").click()
    mark = marks.read(Path(download.value.path()).read_bytes())
    assert mark.source == marks.COMPOSITE and mark.recipe["edits"] == {"0": {"smile": 1.5}}
    assert axe_violations(page, modules) == []

    page.locator("#photograph-coded input").uncheck()
    expect(rows).to_have_count(2)  # the face is part of the background now

    with page.expect_file_chooser() as chooser:
        page.locator("#photograph-file").click()
    chooser.value.set_files(file)
    expect(rows).to_have_count(3)
    expect(page.locator("#photograph-coded")).to_contain_text("Faces to draw")


def test_many_photographs_become_one_zip(quick_server, visit, modules, tmp_path):
    Image.new("RGB", (64, 64), "grey").save(tmp_path / "nobody.png")
    page = visit(quick_server)
    page.get_by_role("tab", name="Photographs").click()
    page.get_by_role("tab", name="Many photographs").click()
    page.locator("#batch-files input[type=file]").set_input_files(
        [ASTRONAUT, tmp_path / "nobody.png"]
    )
    expect(page.locator("#batch-files")).to_contain_text("nobody")  # they are uploaded
    page.get_by_role("radio", name="One size in bytes").check()
    page.locator("#batch-bytes input").fill("100000")
    page.locator("#batch-start").click()
    rows = page.locator("#batch-table tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.nth(0).locator("img")).to_have_count(2)
    expect(rows.nth(1)).to_contain_text("No face was found")
    expect(page.locator("#batch-note")).to_contain_text("1 of 2 photographs compressed")
    with page.expect_download() as download:
        page.locator("#batch-save").click()
    with zipfile.ZipFile(download.value.path()) as made:
        assert made.namelist() == ["table.csv", "astronaut.hsc", "astronaut.webp"]
    assert axe_violations(page, modules) == []


def test_the_api_codes_photographs(quick_server, tmp_path):
    client = Client(quick_server, verbose=False)
    path, picture, parts = client.predict(
        handle_file(ASTRONAUT), level=2, background_bytes=2000, api_name="/photographs"
    )
    data = Path(path).read_bytes()
    assert sum(part["bytes"] for part in parts) == len(data)
    file = photograph.unpack(data)
    assert len(file.faces) == 1 and len(file.background) <= 2000
    with Image.open(picture) as drawn:
        assert drawn.size == (file.width, file.height)
    with pytest.raises(Exception, match="There is no face 3 to edit"):
        client.predict(handle_file(ASTRONAUT), edits={"3": {"smile": 1}}, api_name="/photographs")

    # many at once, in a ZIP and beside it
    with zipfile.ZipFile(tmp_path / "holiday.zip", "w") as made:
        made.write(ASTRONAUT, "holiday/one.jpg")
    photos = [handle_file(tmp_path / "holiday.zip"), handle_file(ASTRONAUT)]
    path, rows = client.predict(photos, level=2, api_name="/batch")
    assert [row["file"] for row in rows] == ["one.hsc", f"{Path(ASTRONAUT).stem}.hsc"]
    with zipfile.ZipFile(path) as made:
        assert made.namelist()[0] == "table.csv" and len(made.namelist()) == 5
        assert [len(made.read(row["file"])) for row in rows] == [row["bytes"] for row in rows]
