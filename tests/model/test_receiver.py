"""The receiver's JavaScript reads what the Python decoder reads, bit for bit, and refuses alike."""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from exact_digests import answer, coders
from hostile import files
from paths import ROOT, STREAMS

from hsc.bitstream import Container, unpack, with_layers
from hsc.bitstream.rans import encode_symbols
from hsc.bitstream.text import from_text, to_text
from hsc.editing.plausibility import share_within
from hsc.errors import BitstreamError
from hsc.export.web import write_weights
from hsc.latent_codecs.gaussian import load_tables
from hsc.weights.model_id import path_of

WEB = ROOT / "web"
NODE = shutil.which("node")
GOLDEN = sorted(STREAMS.glob("*.hsc"))


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("weights")
    write_weights(folder)
    return folder


@pytest.fixture(scope="module")
def ask(weights: Path):
    """Questions to web/test/answers.js, answered in one process."""
    assert NODE, "node is needed to test the receiver"

    def ask(questions: list[dict]) -> list[dict]:
        done = subprocess.run(
            [NODE, WEB / "test" / "answers.js", weights],
            input="\n".join(map(json.dumps, questions)),
            capture_output=True, text=True, timeout=900,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    return ask


@pytest.fixture(scope="module")
def layers():
    return coders()


def test_golden_streams_give_the_same_bits(ask) -> None:
    expected = json.loads((STREAMS / "digests.json").read_text())
    answers = ask([{"file": path.read_bytes().hex()} for path in GOLDEN])
    for path, given in zip(GOLDEN, answers, strict=True):
        assert given == expected[path.stem], path.stem


def test_a_thousand_damaged_files_are_read_or_refused_alike(ask, layers) -> None:
    good = [path.read_bytes() for path in GOLDEN]
    damaged = [data for _, data in files(good, 1000, seed=19)]
    # of those that only the entropy coder can tell, SCN alone: FCN takes the tests' time
    answers = ask([{"file": data.hex(), "layers": "scn"} for data in damaged])
    read = 0
    for data, given in zip(damaged, answers, strict=True):
        assert given == answer(data, layers, only_scn=True), data[:20].hex()
        read += "refusal" not in given
    assert 100 < read < 900


def test_files_of_other_formats_are_refused_alike(ask, layers) -> None:
    others = [magic + bytes(range(40)) for magic in (b"HSCP", b"HSCV", b"HSC\2", b"RIFFsizeWEBP")]
    others += [b"HSCP", b"HSC", b"\xff\xd8\xff"]
    answers = ask([{"file": data.hex()} for data in others])
    assert answers == [answer(data, layers, only_scn=False) for data in others]
    assert all("refusal" in given for given in answers)


def test_random_layers_give_the_same_bits(ask, layers) -> None:
    random = np.random.default_rng(7)
    model = unpack(GOLDEN[0].read_bytes()).model_id
    made = [
        Container(
            model, 1 + random.integers(251) / 50, random.bytes(int(random.integers(20, 90))),
            random.bytes(int(random.integers(100, 1500))),
        ).pack()
        for _ in range(12)
    ]  # fmt: skip
    answers = ask([{"file": data.hex()} for data in made])
    assert answers == [answer(data, layers, only_scn=False) for data in made]


def test_a_file_that_is_encoded_again_is_the_same_file(ask) -> None:
    good = [path.read_bytes() for path in GOLDEN]
    good += [with_layers(data, "scn") for data in good[:2]]
    answers = ask([{"again": data.hex()} for data in good])
    assert answers == [{"bytes": data.hex()} for data in good]


def test_symbols_are_coded_to_the_same_bytes_in_and_beyond_the_tables(ask) -> None:
    random = np.random.default_rng(3)
    tables = load_tables(path_of("entropy"))
    questions, expected = [], []
    for spread in (1, 40, 32768):
        indexes = random.integers(len(tables), size=500)
        symbols = random.integers(-spread, spread, size=500, endpoint=True)
        questions.append({"symbols": symbols.tolist(), "indexes": indexes.tolist()})
        expected.append({"bytes": encode_symbols(symbols, indexes, tables).hex()})
    assert ask(questions) == expected


def test_edits_that_go_too_far_are_held_back_alike(ask) -> None:
    random = np.random.default_rng(5)
    asked = [(2 + random.random(), sorted(random.uniform(1, 7, 5))) for _ in range(50)]
    asked += [(3.0, [1, 2, 5, 4, 3.5]), (2.0, [1.9, 1, 1, 1, 1.5]), (2.0, [2.5, 3, 3, 3, 3])]
    answers = ask([{"departures": list(d), "limit": limit} for limit, d in asked])
    expected = [share_within(limit, departures) for limit, departures in asked]
    assert [each["share"] for each in answers] == pytest.approx(expected, abs=1e-12)
    assert {0.0, 1.0} < set(expected)  # nothing, all, and shares between


def test_a_graphics_card_is_trusted_only_with_the_same_picture(ask) -> None:
    answers = ask([{"card": off} for off in (0, 1e-5, 0.1)])
    assert answers == [{"same": True}, {"same": True}, {"same": False}]


def test_texts_come_and_go_alike(ask) -> None:
    good = [path.read_bytes() for path in GOLDEN]
    texts = [to_text(data) for data in good]
    assert ask([{"bytes": data.hex()} for data in good]) == [{"text": text} for text in texts]
    text = texts[0]
    odd = ["", "  ", "HTTP://X", "HSC1", text[:-1] + "é", text[:-4], text.replace("A", "B", 1),
           f"https://a.example/?x=1&face={text.lower()}#top", text[:30] + "\n" + text[30:],
           "HSC1" + "0" * 3, text[:20] + "'" + text[20:], "HSC2" + text[4:]]  # fmt: skip

    def expected(text: str) -> dict:
        try:
            return {"bytes": from_text(text).hex()}
        except BitstreamError as error:
            return {"refusal": str(error)}

    assert ask([{"text": t} for t in odd]) == [expected(t) for t in odd]
