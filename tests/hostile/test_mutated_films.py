"""Thousands of mutated films: the reader gives one film or one FilmError, never anything else."""

import io
import random
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from pydicom.datadict import dictionary_VR, keyword_for_tag, tag_for_keyword

from core.data.film.dicom.codestream import describe
from core.data.film.dicom.decoders import DecoderError, Decoders
from core.data.film.opener import read
from core.data.film.radiograph import Radiograph
from core.errors import FilmError
from tests.data.conftest import draw
from tests.data.film.dicom_files import dicom

MUTATIONS = 3000
needs_dcmtk = pytest.mark.tool("dcmcjpeg", "dcmtk")  # which writes the compressed ones
FILM = draw(5)
DEEP = FILM.astype(int) * 16


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """One small film of every kind that is read."""
    folder = tmp_path_factory.mktemp("seeds")
    found = []
    for form in ("PNG", "JPEG", "TIFF", "BMP", "WEBP"):
        file = io.BytesIO()
        Image.fromarray(FILM).save(file, form)
        found.append(file.getvalue())
    plain = folder / "plain.dcm"
    plain.write_bytes(dicom(DEEP, bits=12, WindowCenter=2048, WindowWidth=4096, RescaleSlope=1, RescaleIntercept=0))
    found.append(plain.read_bytes())
    for number, command in enumerate(
        ("dcmcjpeg +el", "dcmcjpeg +ee", "dcmcjpls +el", "dcmcrle -q", "dcmconv +td", "dcmconv +tb")
    ):
        coded = folder / f"{number}.dcm"
        subprocess.run([*command.split(), str(plain), str(coded)], check=True, capture_output=True)
        found.append(coded.read_bytes())
    return found


def mutated(data: bytes, chance: random.Random) -> bytes:
    """Bytes changed, cut, removed, repeated or inserted, the header more often than the rest."""
    new = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 4, 16))):
        kind = chance.random()
        place = chance.randrange(min(len(new), 1200) if chance.random() < 0.6 else len(new))
        span = chance.randrange(1, 40)
        if kind < 0.6:
            new[place] = chance.choice((0, 255, chance.randrange(256), new[place] ^ (1 << chance.randrange(8))))
        elif kind < 0.7:
            del new[max(place, 8) :]
        elif kind < 0.8:
            del new[place : place + span]
        elif kind < 0.9:
            new[place:place] = new[place : place + span]
        else:
            new[place:place] = chance.randbytes(span)
        if len(new) < 8:
            break
    return bytes(new)


def attempt(data: bytes) -> Radiograph | None:
    """The film, or None where it is refused in words; any other exception is a bug."""
    try:
        return read(data, "a")
    except FilmError as refusal:
        error = refusal
    assert error.came
    assert error.expected
    return None


@needs_dcmtk
@pytest.mark.timeout(600)
def test_a_mutated_film_is_a_film_or_an_error_with_words(seeds: list[bytes]) -> None:
    read_, refused = 0, 0
    for number in range(MUTATIONS):
        chance = random.Random(number)
        data = mutated(chance.choice(seeds), chance)
        film = attempt(data)
        refused += film is None
        read_ += film is not None
    assert read_ > 100
    assert refused > 1000


_KEYWORDS = [keyword_for_tag(0x00280000 + element) for element in (
    0x0002, 0x0004, 0x0006, 0x0008, 0x0010, 0x0011, 0x0030, 0x0034, 0x0100, 0x0101, 0x0102, 0x0103, 0x0120, 0x0121,
    0x1050, 0x1051, 0x1052, 0x1053, 0x1056,
)] + ["PatientAge", "ViewPosition", "PatientOrientation", "BodyPartExamined", "PresentationLUTShape"]  # fmt: skip
_VALUES = st.one_of(
    st.just(b""), st.binary(max_size=12), st.integers(0, 65535).map(lambda v: v.to_bytes(2, "little")),
    st.floats().map(lambda v: f"{v:.9g}".encode()), st.integers(-(10**9), 10**9).map(lambda v: str(v).encode()),
)  # fmt: skip


@settings(max_examples=300, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(changes=st.dictionaries(st.sampled_from(_KEYWORDS), _VALUES, min_size=1, max_size=4))
def test_any_header_is_a_film_or_an_error_with_words(changes: dict[str, bytes]) -> None:
    data = dicom(DEEP, bits=12)
    for keyword, value in changes.items():
        data = patched(data, keyword, value)
    attempt(data)


def patched(data: bytes, keyword: str, value: bytes) -> bytes:
    """An explicit little endian file with another value, which no writer would write, of an attribute of short VR."""
    number = tag_for_keyword(keyword) or 0
    tag = struct.pack("<HH", number >> 16, number & 0xFFFF)
    vr = dictionary_VR(number).split(" ")[0].encode()
    even = value + b" " * (len(value) % 2)
    start = data.find(tag + vr)
    end = start + 8 + int.from_bytes(data[start + 6 : start + 8], "little")
    if start < 0:
        start = end = data.index(b"\xe0\x7f\x10\x00")
    return data[:start] + tag + vr + struct.pack("<H", len(even)) + even + data[end:]


@needs_dcmtk
def test_a_decoder_that_dies_or_stalls_is_replaced(tmp_path: Path) -> None:
    plain, coded = tmp_path / "plain.dcm", tmp_path / "coded.dcm"
    plain.write_bytes(dicom(DEEP, bits=12))
    subprocess.run(["dcmcjpls", "+el", str(plain), str(coded)], check=True, capture_output=True)
    data = coded.read_bytes()
    stream = data[data.index(b"\xff\xd8\xff") :]
    decoders = Decoders()
    try:
        whole = decoders.decode(stream, describe(stream))
        np.testing.assert_array_equal(whole, DEEP)
        decoders._process.kill()  # type: ignore[union-attr]
        decoders._process.wait()  # type: ignore[union-attr]
        np.testing.assert_array_equal(decoders.decode(stream, describe(stream)), DEEP)
        hasty = Decoders(time_limit=0.0)
        with pytest.raises(DecoderError, match="did not come to an end"):
            hasty.decode(stream, describe(stream))
        hasty.close()
    finally:
        decoders.close()
