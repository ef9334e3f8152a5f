"""Films as hospitals send them: each was read wrongly or refused before."""

import subprocess
from io import BytesIO
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence

from core.data.film.dicom import parsing
from core.data.film.opener import read
from core.errors import FilmError
from core.model.domain import Gate
from tests.data.film.dicom_files import dcmtk, dicom, written

RAMP = np.rint(np.tile(np.linspace(0.1, 0.8, 64), (64, 1)) * 4095).astype(int)
GREY = RAMP * (255 / 4095)
WINDOW = {"WindowCenter": 2048, "WindowWidth": 4096}


def off(data: bytes, expected: np.ndarray = GREY) -> float:
    """The largest difference, in grey levels, between a film and what it should be."""
    return float(np.abs(read(data, "a").pixels - expected.astype(float)).max())


def test_a_hot_pixel_does_not_move_a_windowed_film() -> None:
    hot = RAMP.copy()
    hot[0, 0] = 4095
    assert off(dicom(RAMP, bits=12, **WINDOW)) <= 1
    assert np.array_equal(
        read(dicom(hot, bits=12, **WINDOW), "a").pixels[1:], read(dicom(RAMP, bits=12, **WINDOW), "a").pixels[1:]
    )


@pytest.mark.parametrize(
    ("stored", "tags"),
    [
        (4095 - RAMP, {"RescaleSlope": -1, "RescaleIntercept": 4095, **WINDOW}),
        (4095 - RAMP, {"PresentationLUTShape": "INVERSE", **WINDOW}),
        (4095 - RAMP, {"PresentationLUTShape": "INVERSE", "PhotometricInterpretation": "MONOCHROME1", **WINDOW}),
        (RAMP, {"PresentationLUTShape": "IDENTITY", **WINDOW}),
        (RAMP, {"RescaleSlope": 0.0625, "RescaleIntercept": 0}),
        (RAMP, {"RescaleSlope": 4, "RescaleIntercept": -1024}),
        (RAMP, {"BitsStored": 16, "HighBit": 15}),
        (RAMP - 2048, {"BitsStored": 16, "HighBit": 15, "RescaleSlope": 1, "RescaleIntercept": 2048}),
    ],
)
def test_polarity_and_rescale(stored: np.ndarray, tags: dict) -> None:
    assert off(dicom(stored, bits=12, **tags)) <= 1


def test_contradictory_polarity_is_noted() -> None:
    tags = {"PhotometricInterpretation": "MONOCHROME1", "PresentationLUTShape": "IDENTITY"}
    assert any("contradicts itself" in n for n in read(dicom(RAMP, bits=12, **tags), "a").notes)
    assert not any("contradicts" in n for n in read(dicom(RAMP, bits=12), "a").notes)


@pytest.mark.parametrize("share", [0.003, 0.02])
@pytest.mark.parametrize("value", [4500, 16383, 65535])
def test_neither_label_nor_padding_moves_the_range(share: float, value: int) -> None:
    marked = np.tile(RAMP, (2, 2))
    rows = max(1, round(len(marked) * share))
    marked[:rows] = value
    deep = {"BitsStored": 16, "HighBit": 15}
    for tags in (deep, deep | {"PixelPaddingValue": value}):
        film = read(dicom(marked, bits=16, **tags), "a").pixels
        np.testing.assert_allclose(film[rows:, :64], np.tile(GREY, (2, 1))[rows:], atol=1)


def test_files_without_meta_header_or_syntax() -> None:
    plain = dicom(RAMP, bits=12)
    meta, start = parsing._meta(plain)
    assert meta == parsing.EXPLICIT
    assert off(plain[start:]) <= 1
    nameless = plain.replace(b"\x02\x00\x10\x00UI", b"\x02\x00\x99\x00UI", 1)
    assert parsing._meta(nameless)[0] == ""
    assert off(nameless) <= 1


def test_deflated_films_are_inflated_within_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    data = dicom(RAMP, syntax=parsing.DEFLATED, bits=12)
    assert off(data) <= 1
    monkeypatch.setattr(parsing, "MAX_BYTES", 5000)
    with pytest.raises(FilmError, match="inflates to more"):
        read(data, "a")


def _codes(value: str) -> Sequence:
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, "SCT", "a view"
    return Sequence([code])


@pytest.mark.parametrize(
    ("tags", "refused"),
    [
        ({"ViewPosition": "PA"}, ""),
        ({"PatientOrientation": ["L", "F"], "SeriesDescription": "Chest PA and lateral"}, ""),
        ({"BodyPartExamined": "CHEST"}, ""),
        ({"ViewPosition": "LL"}, "lateral"),
        ({"ViewPosition": "LLD"}, "lateral"),
        ({"ViewCodeSequence": _codes("399173006")}, "lateral"),
        ({"ViewCodeSequence": _codes("399198007"), "ViewPosition": "AP"}, "lateral"),
        ({"PatientOrientation": ["A", "F"]}, "lateral"),
        ({"SeriesDescription": "W033 Thorax lat."}, "lateral"),
        ({"BodyPartExamined": "HAND"}, "HAND"),
    ],
)
def test_views_and_parts_that_are_no_frontal_chest_are_refused(tags: dict, refused: str) -> None:
    film = read(dicom(RAMP, bits=12, **tags), "a")
    verdict = Gate().judge(film, film.pixels, np.zeros(1))
    assert (verdict.status == "out") == bool(refused)
    assert refused in verdict.sentence


def test_pixels_that_are_not_square_are_made_square() -> None:
    film = read(dicom(RAMP, bits=12, PixelAspectRatio=["2", "1"]), "a")
    assert (film.shape, film.source_shape) == ((128, 64), (64, 64))
    assert any("square" in note for note in film.notes)
    assert read(dicom(RAMP, bits=12, PixelSpacing=["0.2", "0.1"]), "a").shape == (128, 64)
    assert read(dicom(RAMP, bits=12, PixelSpacing=["0", "0"]), "a").shape == (64, 64)
    with pytest.raises(FilmError, match="PixelAspectRatio"):
        read(dicom(RAMP, bits=12, PixelAspectRatio=["9", "1"]), "a")


def test_colour_of_more_than_eight_bits() -> None:
    rgb = np.repeat(RAMP[..., None], 3, axis=2)
    tags = {
        "SamplesPerPixel": 3,
        "PlanarConfiguration": 0,
        "PhotometricInterpretation": "RGB",
        "Rows": 64,
        "Columns": 64,
    }
    assert off(dicom(rgb, bits=12, **tags)) <= 1


def test_palettes_are_looked_up() -> None:
    tags: dict = {"PhotometricInterpretation": "PALETTE COLOR"}
    for colour in ("Red", "Green", "Blue"):
        tags[f"{colour}PaletteColorLookupTableDescriptor"] = [256, 0, 8]
        tags[f"{colour}PaletteColorLookupTableData"] = bytes(range(255, -1, -1))
    index = np.tile(np.arange(64), (64, 1))
    np.testing.assert_array_equal(read(dicom(index, **tags), "a").pixels, 255 - index)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (dicom(np.stack([RAMP, RAMP]), bits=12), "2 frames"),
        (dicom(RAMP, bits=12, PresentationIntentType="FOR PROCESSING"), "for processing"),
        (dicom(RAMP, bits=12)[:-2000], "cut off"),
        (dicom(RAMP, bits=12, PixelAspectRatio=["1", "10"]), "PixelAspectRatio"),
        (
            dicom(RAMP, bits=12, PixelRepresentation=0, RescaleSlope="0", RescaleIntercept="1").replace(
                b"MONOCHROME2", b"MONOCHROMEX"
            ),
            "PhotometricInterpretation",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_reason(data: bytes, words: str) -> None:
    with pytest.raises(FilmError, match=words):
        read(data, "a")


CODERS = {
    "JPEG extended, 12 bit": ("dcmcjpeg", "+ee", 1.0),  # lossy: dcmtk's own decoder is the judge
    "JPEG lossless (.57)": ("dcmcjpeg", "+el", 1.0),
    "JPEG lossless (.70)": ("dcmcjpeg", "+e1", 1.0),
    "JPEG-LS": ("dcmcjpls", "+el", 1.0),
    "JPEG-LS near lossless": ("dcmcjpls", "+en", 1.0),
    "RLE": ("dcmcrle", "-q", 1.0),
    "deflated": ("dcmconv", "+td", 1.0),
    "big endian": ("dcmconv", "+tb", 1.0),
    "implicit": ("dcmconv", "+ti", 1.0),
}


@pytest.mark.tool("dcmcjpeg", "dcmtk")
@pytest.mark.parametrize("kind", CODERS)
def test_every_transfer_syntax(kind: str, tmp_path: Path) -> None:
    coder, option, tolerance = CODERS[kind]
    plain, coded = tmp_path / "plain.dcm", tmp_path / "coded.dcm"
    plain.write_bytes(dicom(RAMP, bits=12))
    subprocess.run([coder, option, str(plain), str(coded)], check=True, capture_output=True)
    theirs = dcmtk(coded) if option == "+ee" else GREY
    assert theirs is not None
    assert off(coded.read_bytes(), theirs) <= tolerance


@pytest.mark.tool("dcmcjpeg", "dcmtk")
def test_a_compressed_film_that_was_cut_off_is_said_to_be(tmp_path: Path) -> None:
    plain, coded = tmp_path / "plain.dcm", tmp_path / "coded.dcm"
    plain.write_bytes(dicom(RAMP, bits=12))
    subprocess.run(["dcmcjpeg", "+el", str(plain), str(coded)], check=True, capture_output=True)
    data = coded.read_bytes()
    for kept in (len(data) - 20, len(data) * 3 // 4):
        with pytest.raises(FilmError, match="cut off"):
            read(data[:kept], "a")


def test_a_window_without_width_is_noted_and_not_applied() -> None:
    film = read(dicom(RAMP, bits=12, WindowCenter=100, WindowWidth=0), "a")
    assert "WindowWidth 0 is not a window: not applied" in film.notes
    assert np.abs(film.pixels - GREY).max() <= 1


def test_jpeg_2000() -> None:
    import openjpeg

    stream = openjpeg.encode(RAMP.astype(np.uint16), bits_stored=12)
    data = _encapsulated(bytes(stream), "1.2.840.10008.1.2.4.90")
    assert off(data) <= 1


def test_a_codestream_of_another_size_is_refused_by_the_attribute() -> None:
    import openjpeg

    stream = bytes(openjpeg.encode(RAMP[:40].astype(np.uint16), bits_stored=12))
    with pytest.raises(FilmError, match="Rows 64, but 40"):
        read(_encapsulated(stream, "1.2.840.10008.1.2.4.90"), "a")


def _encapsulated(stream: bytes, syntax: str) -> bytes:
    data = pydicom.dcmread(BytesIO(dicom(RAMP, bits=12)))
    data.file_meta.TransferSyntaxUID = pydicom.uid.UID(syntax)
    data.PixelData = encapsulate([stream])
    data["PixelData"].is_undefined_length = True
    return written(data)
