"""Any legal header is read as dcmtk reads it, to one grey level; what it refuses is refused by the attribute's name."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from core.data.film.opener import read
from core.errors import FilmError
from tests.data.film.dicom_files import dataset, dcmtk, written

SHAPE = (17, 19)  # odd, and too small for dcmtk's shortcut, which renders an inverted sigmoid black
needs_dcmtk = pytest.mark.tool("dcmj2pnm", "dcmtk")


@st.composite
def headers(draw: st.DrawFn) -> tuple[Dataset, tuple[str, ...]]:
    """A data set, and the options that make dcmj2pnm apply its window or LUT."""
    allocated = draw(st.sampled_from((8, 16, 16, 16)))
    stored = draw(st.integers(8, allocated))
    high = draw(st.integers(stored - 1, allocated - 1))
    signed = draw(st.booleans())
    syntaxes = (ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian)
    data = dataset(draw(st.sampled_from(syntaxes)))
    data.Rows, data.Columns, data.SamplesPerPixel = *SHAPE, 1
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = allocated, stored, high, int(signed)
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    order = ">" if data.file_meta.TransferSyntaxUID == ExplicitVRBigEndian else "<"
    pixels = rng.integers(0, 2**allocated, SHAPE)  # the bits beside the stored ones carry rubbish, as old overlays do
    raw = pixels.astype(f"{order}u{allocated // 8}").tobytes()
    data.add_new("PixelData", "OW" if allocated == 16 else "OB", raw + b"\0" * (len(raw) % 2))
    low, top = (-(2 ** (stored - 1)), 2 ** (stored - 1) - 1) if signed else (0, 2**stored - 1)
    low, top = _modality(draw, data, rng, low, top)
    options = _voi(draw, data, rng, low, top)
    data.PhotometricInterpretation = draw(st.sampled_from(("MONOCHROME1", "MONOCHROME2")))
    shape = draw(st.sampled_from(("", "IDENTITY", "INVERSE")))
    if shape:
        data.PresentationLUTShape = shape
    if draw(st.booleans()):
        data.add_new("PixelPaddingValue", "SS" if signed else "US", 0)
    return data, options


def _modality(draw: st.DrawFn, data: Dataset, rng: np.random.Generator, low: int, top: int) -> tuple[int, int]:
    """A modality step and the range of its output. Slopes are whole: dcmtk cuts fractions off rescaled values."""
    kind = draw(st.sampled_from(("none", "rescale", "rescale", "lut")))
    if kind == "rescale":
        slope, intercept = draw(st.sampled_from((1, -1, 2, -3, 10))), draw(st.integers(-5000, 5000))
        data.RescaleSlope, data.RescaleIntercept, data.RescaleType = str(slope), str(intercept), "US"
        low, top = sorted((slope * low + intercept, slope * top + intercept))
    if kind == "lut":
        count, bits = min(top - low + 1, 32767), draw(st.sampled_from((8, 10, 12, 16)))
        data.ModalityLUTSequence = [_lut(rng, low, count, bits)]
        low, top = 0, 2**bits - 1
    return low, top


def _voi(draw: st.DrawFn, data: Dataset, rng: np.random.Generator, low: int, top: int) -> tuple[str, ...]:
    kind = draw(st.sampled_from(("none", "window", "window", "sigmoid", "lut")))
    if kind in ("window", "sigmoid"):
        width = draw(st.integers(1, 2 * (top - low)))
        centre = draw(st.integers(10 * low, 10 * top)) / 10
        data.WindowCenter, data.WindowWidth = [f"{centre:.1f}", "7"], [str(width), "40"]
        if kind == "sigmoid" or draw(st.booleans()):
            data.VOILUTFunction = "SIGMOID" if kind == "sigmoid" else "LINEAR"
        return ("+Wi", "1")
    if kind == "lut" and low >= -(2**15) and top < 2**16:
        first = low + draw(st.integers(0, 5))
        count, bits = min(max((top - low) // draw(st.integers(1, 3)), 2), 32767), draw(st.sampled_from((8, 12, 16)))
        if first < 0 and first + count > 2**15:
            return ()
        data.VOILUTSequence = [_lut(rng, first, count, bits)]
        return ("+Wl", "1")
    return ()


def _lut(rng: np.random.Generator, first: int, count: int, bits: int) -> Dataset:
    item = Dataset()
    item.add_new("LUTDescriptor", "SS" if first < 0 else "US", [count, first, bits])
    item.ModalityLUTType = "US"
    item.add_new("LUTData", "US", [int(v) for v in rng.integers(0, 2**bits, count)])
    return item


@needs_dcmtk
@pytest.mark.timeout(600)
@settings(max_examples=500, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(drawn=headers())
def test_any_legal_header_is_read_as_dcmtk_reads_it(
    drawn: tuple[Dataset, tuple[str, ...]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    data, options = drawn
    path = tmp_path_factory.getbasetemp() / "drawn.dcm"
    path.write_bytes(written(data))
    theirs = dcmtk(path, *options)
    assert theirs is not None
    ours = read(path).pixels
    assert np.abs(theirs.astype(int) - ours).max() <= 1, str(data)


ILLEGAL = [
    ("BitsAllocated", 12), ("BitsAllocated", None), ("BitsStored", 17), ("BitsStored", 0), ("BitsStored", None),
    ("HighBit", 3), ("HighBit", 16), ("PixelRepresentation", None),
    ("PhotometricInterpretation", None), ("PhotometricInterpretation", "CIELAB"),
]  # fmt: skip


@needs_dcmtk
@pytest.mark.parametrize(("keyword", "value"), ILLEGAL)
def test_what_dcmtk_refuses_is_refused_by_name(keyword: str, value: object, tmp_path: Path) -> None:
    path = tmp_path / "a.dcm"
    data = _ramp()
    path.write_bytes(written(data))
    assert dcmtk(path) is not None  # the file that it must pass
    assert read(path).shape == (64, 64)
    if value is None:
        delattr(data, keyword)
    else:
        setattr(data, keyword, value)
    path.write_bytes(written(data))
    if (keyword, value) != ("BitsAllocated", 12):  # dcmtk still reads this retired one
        assert dcmtk(path) is None
    with pytest.raises(FilmError, match=keyword):
        read(path)


TOLERATED: list[tuple[dict[str, object], str]] = [
    ({"RescaleSlope": "", "RescaleIntercept": "0"}, "RescaleSlope missing"),
    ({"RescaleSlope": "0", "RescaleIntercept": "5"}, "RescaleSlope 0"),
    ({"WindowCenter": "2048", "WindowWidth": "0"}, "WindowWidth 0"),
    ({"WindowCenter": "2048", "WindowWidth": "4096", "VOILUTFunction": "CUBIC"}, "unknown VOILUTFunction"),
    ({"HighBit": None}, ""),
]


@needs_dcmtk
@pytest.mark.parametrize(("tags", "note"), TOLERATED)
def test_faults_that_dcmtk_tolerates_are_tolerated_and_noted(
    tags: dict[str, object], note: str, tmp_path: Path
) -> None:
    data, path = _ramp(), tmp_path / "a.dcm"
    for keyword, value in tags.items():
        if value is None:
            delattr(data, keyword)
        else:
            setattr(data, keyword, value)
    path.write_bytes(written(data))
    theirs, film = dcmtk(path, *(["+Wi", "1"] if "WindowCenter" in data else [])), read(path)
    assert theirs is not None
    assert np.abs(theirs.astype(int) - film.pixels).max() <= 1
    assert any(note in said for said in (*film.notes, ""))


def _ramp() -> Dataset:
    data = dataset()
    data.Rows = data.Columns = 64
    data.SamplesPerPixel, data.PixelRepresentation = 1, 0
    data.BitsAllocated, data.BitsStored, data.HighBit = 16, 12, 11
    data.PixelData = np.arange(4096, dtype="<u2").tobytes()
    return data
