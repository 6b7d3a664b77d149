"""The room for clips: a clip in, drawn beside the original, edited, files out; the camera live."""

import io
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import expect

from hsc import sequence
from hsc.sequence.video import Clip, write_mp4

# each frame of the page comes 250 ms late
LATE_FRAMES = """() => {
  const real = window.requestAnimationFrame.bind(window);
  window.requestAnimationFrame = (call) => setTimeout(() => real(call), 250);
  window.inFrames = async (count) => {
    for (; count; count--) await new Promise((done) => window.requestAnimationFrame(done));
    window.requestAnimationFrame = real;
  };
}"""


@pytest.fixture(scope="module")
def frames(codec):
    """A made-up face that moves."""
    face = codec.random_face(7).resize((300, 300))
    frames = []
    for number in range(4):
        frame = Image.new("RGB", (480, 360), (90, 100, 110))
        frame.paste(face, (60 + 6 * number, 30))
        frames.append(frame)
    return frames


def test_a_clip_is_coded_drawn_edited_saved_and_opened(frames, server, visit, tmp_path):
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

    # in a busy browser frames are late, and Gradio fills in new fields in one of them
    page.evaluate(LATE_FRAMES)
    page.get_by_text("Edit the whole clip").click()
    smile = page.locator("#video-edit-smile input[type=number]")
    smile.fill("1")
    smile.press("Enter")
    smile.blur()
    page.evaluate("inFrames(6)")
    expect(smile).to_have_value("1")
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


def test_the_camera_is_coded_live_and_recorded(frames, camera, server, visit, tmp_path):
    jpegs = []
    for frame in [*frames, *frames[::-1]]:
        buffer = io.BytesIO()
        frame.save(buffer, "JPEG", quality=92)
        jpegs += [buffer.getvalue()] * 5  # 30 a second, whatever is in it
    camera.write_bytes(b"".join(jpegs))

    page = visit(f"{server}?tab=live")
    page.locator("#live-start").click()
    decoded = page.locator(".live-decoded img")
    expect(decoded).to_be_visible()
    expect(page.locator("[data-live=last]")).to_contain_text("predicted")
    expect(page.locator("[data-live=latency]")).to_contain_text(" ms")
    expect(page.locator("[data-live=rate]")).to_contain_text("kbit/s")
    smile = page.locator("#live-edit-smile input[type=number]")
    smile.fill("1")
    with page.expect_request(lambda r: '"smile":1' in r.headers.get("x-hsc-camera", "")) as asked:
        smile.press("Enter")
    answer = asked.value.response().json()
    # a frame like the one before has no bytes but its header
    assert answer["total"] > answer["scn"] + answer["fcn"] >= 0
    with page.expect_download() as download:
        page.locator("#live-save").click()
    saved = sequence.unpack(Path(download.value.path()).read_bytes())
    assert saved.lost == 0 and saved.frames[0].key and not saved.frames[1].key
    assert all(saved.frames[0].layers) and saved.frames[0].key
    page.locator("#live-stop").click()
    expect(page.locator("#live-start")).to_be_visible()
    expect(decoded).to_be_visible()  # the last picture stays
    assert page.evaluate("document.querySelector('#live video').srcObject === null")

    page.locator("#video-parts").get_by_role("tab", name="Clip").click()
    page.locator("#video-rate input[value='5']").check()
    page.locator("#video-bitrate input[value='Other']").check()
    expect(page.locator("#video-level")).to_be_hidden()
    page.locator("#video-kbits input").fill("1")
    page.locator("#video-clip").get_by_label("Capture from camera").click()
    page.get_by_text("Click to Access Webcam").click()
    page.locator("#video-clip").get_by_label("start recording").click()
    page.wait_for_timeout(1500)
    page.locator("#video-clip .button-wrap button").first.click()
    expect(page.get_by_text("at least 2 kbit/s, got 1.")).to_be_visible()
    page.locator("#video-kbits input").fill("30")
    page.locator("#video-start").click()
    expect(page.locator("#video-facts")).to_contain_text("1 of them stills")
    expect(page.locator("#video-facts")).to_contain_text("30 kbit/s aimed at")
    expect(page.locator("#video-player video")).to_be_visible()
