"""The room for clips: a clip in, drawn beside the original, edited as a whole, files out."""

from pathlib import Path

from PIL import Image
from playwright.sync_api import expect

from hsc import sequence
from hsc.sequence.video import Clip, write_mp4


def test_a_clip_is_coded_drawn_edited_saved_and_opened(codec, server, visit, tmp_path):
    face = codec.random_face(7).resize((300, 300))
    frames = []
    for number in range(4):  # a made-up face that moves
        frame = Image.new("RGB", (480, 360), (90, 100, 110))
        frame.paste(face, (60 + 6 * number, 30))
        frames.append(frame)
    write_mp4(tmp_path / "clip.mp4", frames, 10)

    page = visit(server)
    page.get_by_role("tab", name="Video").click()
    page.locator("#video-rate input[value='5']").check()
    page.locator("#video-clip input[type=file]").set_input_files(tmp_path / "clip.mp4")
    player = page.locator("#video-player video")
    expect(player).to_be_visible()
    expect(page.locator("#video-facts")).to_contain_text("2 coded, 1 of them stills")
    expect(page.locator("#video-chart .bars .point")).to_have_count(6)
    expect(page.locator("#video-player figcaption")).to_contain_text("drawn at 256 px")
    page.wait_for_function(
        "() => document.querySelector('#video-player video').videoWidth === 1024"
    )
    expect(page.locator(".video-rate")).to_contain_text("kbit/s over the last second")
    plain = player.get_attribute("src")

    page.get_by_text("Edit the whole clip").click()
    smile = page.locator("#video-edit-smile input[type=number]")
    smile.fill("1")
    smile.press("Enter")
    smile.blur()
    page.locator("#video-apply").click()
    expect(page.locator("#video-player figcaption")).to_contain_text("edited: Smile +1")
    expect(player).not_to_have_attribute("src", plain)

    with page.expect_download() as download:
        page.locator("#video-save-file").click()
    file = tmp_path / "saved.hsv"
    download.value.save_as(file)
    assert sequence.unpack(file.read_bytes()).header.frames == 2
    with page.expect_download() as download:
        page.locator("#video-save-mp4").click()
    saved = tmp_path / "face.mp4"
    download.value.save_as(saved)
    assert Clip.open(saved).width == 256
    with page.expect_download() as download:
        page.locator("#video-save-gif").click()
    assert Path(download.value.path()).read_bytes().startswith(b"GIF8")

    with page.expect_file_chooser() as chooser:
        page.locator("#video-file").click()
    chooser.value.set_files(file)
    expect(page.locator("#video-player .video-pair.single")).to_be_visible()
    expect(page.locator("#video-save-pair")).to_be_hidden()
