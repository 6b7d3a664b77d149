"""Many photographs: rows, sizes, stopping, what comes out, and ZIPs that are refused."""

import csv
import io
import stat
import zipfile

import gradio as gr
import pytest
from fakes import FakeCodec
from paths import ASTRONAUT
from PIL import Image

from app.executor import CancelToken
from app.services import batch
from app.services.batch import BatchPhoto, archive, collect
from app.services.measure import Distances
from app.studio import Studio
from app.tabs.photographs.batch import BY_BYTES, BY_LEVEL, BatchPart
from hsc.bitstream import unpack
from hsc.errors import HscError, PhotoError
from hsc.images.photo import read_photo


@pytest.fixture
def studio(monkeypatch):
    """Over a stand-in, with distances that need no networks."""
    studio = Studio(FakeCodec)
    near = Distances(psnr=20.0, lpips=0.1, identity=0.2, faceres=0.3)
    monkeypatch.setattr(studio.measures, "measure", lambda *_: near)
    return studio


@pytest.fixture
def photos(tmp_path):
    """Two photographs of one name in two folders, one without a face, one that is no picture."""
    for name in ("a/face.png", "b/Face.png"):
        (tmp_path / name).parent.mkdir()
        read_photo(ASTRONAUT).resize((300, 300)).save(tmp_path / name)
    Image.new("RGB", (64, 64), "grey").save(tmp_path / "empty.png")
    (tmp_path / "=cmd.jpg").write_bytes(b"no picture")
    return [
        tmp_path / "a/face.png", tmp_path / "b/Face.png", tmp_path / "empty.png",
        tmp_path / "=cmd.jpg",
    ]  # fmt: skip


def zipped(path, members: dict[str, bytes], **options):
    with zipfile.ZipFile(path, "w", **options) as made:
        for name, data in members.items():
            made.writestr(name, data)
    return path


def test_every_photograph_has_a_row_and_the_zip_has_all(studio, photos):
    results = list(studio.batches.steps(collect(photos), 2))
    assert [result.doing for result in results] == [
        "face.png", "Face.png", "empty.png", "=cmd.jpg", ""
    ]  # fmt: skip
    last = results[-1]
    assert [bool(row.data) for row in last.rows] == [True, True, False, False]
    assert last.rows[0].words == "The same person" and last.rows[0].thumbnail.size == (160, 160)
    assert last.rows[2].problem.startswith("No face was found")
    assert last.rows[3].problem.startswith("This is not a picture")
    with zipfile.ZipFile(io.BytesIO(archive(last))) as made:
        assert sorted(made.namelist()) == [
            "Face-2.hsc", "Face-2.webp", "face.hsc", "face.webp", "table.csv"
        ]  # fmt: skip
        assert unpack(made.read("face.hsc")).level == 2
        assert Image.open(io.BytesIO(made.read("face.webp"))).size == (1024, 1024)
        rows = list(csv.DictReader(io.StringIO(made.read("table.csv").decode())))
    assert [row["photo"] for row in rows] == ["face.png", "Face.png", "empty.png", "'=cmd.jpg"]
    assert int(rows[0]["bytes"]) == len(last.rows[0].data) and rows[0]["faceres"] == "0.300"
    assert rows[2]["bytes"] == "" and "No face" in rows[2]["problem"]


def test_one_size_for_all(studio, photos):
    *_, plain = studio.batches.steps(collect(photos[:1]), 3)
    size = len(plain.rows[0].data) - 1
    *_, last = studio.batches.steps(collect(photos[:2]), 3, size)
    assert all(len(row.data) <= size and 1 < row.level < 3 for row in last.rows)
    *_, last = studio.batches.steps(collect(photos[:1]), 3, 5)
    assert last.rows[0].problem.startswith("The smallest file of this face")


def test_stopping_keeps_what_is_done(studio, photos):
    asked = iter([False, True])
    *_, last = studio.batches.steps(collect(photos), 3, cancelled=lambda: next(asked))
    assert last.cancelled and len(last.rows) == 1 and last.rows[0].data and last.total == 4
    with zipfile.ZipFile(io.BytesIO(archive(last))) as made:
        assert "face.hsc" in made.namelist()


def test_a_zip_is_its_pictures(studio, photos, tmp_path):
    path = zipped(
        tmp_path / "all.zip",
        {
            "holiday/": b"",
            "holiday/one.png": photos[0].read_bytes(),
            "__MACOSX/holiday/._one.png": b"shadow",
            "holiday/.DS_Store": b"x",
        },
    )
    found = collect([path, photos[1]])
    assert found == [
        BatchPhoto("one.png", path, "holiday/one.png"), BatchPhoto("Face.png", photos[1])
    ]  # fmt: skip
    assert found[0].read() == photos[0].read_bytes()


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"../../one.png": b"x"}, "leads out of it"),
        ({"/etc/one.png": b"x"}, "leads out of it"),
        ({"..\\one.png": b"x"}, "leads out of it"),
        ({"C:\\one.png": b"x"}, "leads out of it"),
        ({"one.png": b"x", "run.exe": b"x"}, "something else than pictures in it, run.exe"),
        ({"inner.zip": b"x"}, "something else than pictures"),
        ({f"{n}.png": b"x" for n in range(51)}, "up to 50"),
        ({f"{n}.png": b"x" for n in range(501)}, "501 entries"),
        ({}, "no photograph among these"),
    ],
)
def test_hostile_zips_are_refused_in_one_sentence(tmp_path, members, words):
    with pytest.raises(PhotoError, match=words) as caught:
        collect([zipped(tmp_path / "bad.zip", members)])
    said = str(caught.value)
    assert said.endswith(".") and ". " not in said and str(tmp_path) not in said


def test_bombs_are_refused_by_their_header_and_by_what_they_unpack_to(tmp_path, monkeypatch):
    monkeypatch.setattr(batch, "MAX_PHOTO_BYTES", 1 << 20)
    bomb = zipped(
        tmp_path / "bomb.zip", {"a.png": bytes(2 << 20)}, compression=zipfile.ZIP_DEFLATED
    )
    with pytest.raises(PhotoError, match="unpacks to more than 1 MB a picture"):
        collect([bomb])
    lying = tmp_path / "lying.zip"  # its directory says 100 bytes
    lying.write_bytes(bomb.read_bytes().replace((2 << 20).to_bytes(4, "little"), b"\x64\0\0\0"))
    with pytest.raises(PhotoError, match=r"a\.png (cannot be read|is damaged|has more)"):
        collect([lying])[0].read()


def test_links_passwords_and_what_is_no_zip_are_refused(tmp_path):
    link = zipfile.ZipInfo("one.png")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "links.zip", "w") as made:
        made.writestr(link, "/etc/passwd")
    with pytest.raises(PhotoError, match="has links in it"):
        collect([tmp_path / "links.zip"])
    locked = zipped(tmp_path / "locked.zip", {"one.png": b"x"}).read_bytes()
    at = locked.index(b"PK\x01\x02") + 8
    (tmp_path / "locked.zip").write_bytes(locked[:at] + b"\x01" + locked[at + 1 :])
    with pytest.raises(PhotoError, match="has a password"):
        collect([tmp_path / "locked.zip"])
    (tmp_path / "no.zip").write_bytes(b"MZ" + bytes(500))
    with pytest.raises(PhotoError, match="is no ZIP"):
        collect([tmp_path / "no.zip"])


def test_the_page_shows_a_row_for_each_and_offers_one_zip(studio, photos):
    with gr.Blocks():
        part = BatchPart(studio)
    arguments = ([str(path) for path in photos[:3]], BY_LEVEL, 2, None, CancelToken())
    updates = list(part.run(*arguments))
    assert updates[0][part.start].interactive is False
    assert "1 of 3: face.png" in updates[1][part.note]
    table = updates[-2][part.table]
    assert table.count("<tr") == 4 and table.count("<img") == 4
    assert "The same person" in table and "No face was found" in table
    assert "2 of 3 photographs compressed" in updates[-1][part.note]
    packed = part.pack(updates[-1][part.result])
    with zipfile.ZipFile(packed[part.save].value["path"]) as made:
        assert made.namelist()[0] == "table.csv" and len(made.namelist()) == 5
    assert packed[part.start].interactive is True
    with pytest.raises(HscError, match="Give the number of bytes"):
        list(part.run(arguments[0], BY_BYTES, 2, None, CancelToken()))
    with pytest.raises(PhotoError, match="no photograph among these"):
        list(part.run(None, BY_LEVEL, 2, None, CancelToken()))
    assert part.save not in part.pack(None)
