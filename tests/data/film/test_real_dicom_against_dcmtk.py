"""Real DICOM files are read as dcmtk reads them, to one grey level; the exceptions are named, each with its reason."""

import subprocess
from pathlib import Path

import numpy as np
import pydicom
import pydicom.data
import pytest

from core.data.film.opener import read
from core.errors import FilmError
from tests.data.film.dicom_files import dcmtk

pytestmark = pytest.mark.tool("dcmj2pnm", "dcmtk")
PYDICOMS = Path(pydicom.data.__file__).parent / "test_files"
NO_WINDOW = "without a window it uses less than a quarter of its declared range, and is brought to a usual depth"
ON_PURPOSE = {
    "CT_small.dcm": NO_WINDOW,
    "JPEG-lossy.dcm": NO_WINDOW,
    "JPGExtended.dcm": NO_WINDOW,
    "liver_1frame.dcm": "one bit: full white is 255 here, 128 in dcmtk",
    "liver_expb_1frame.dcm": "one bit: full white is 255 here, 128 in dcmtk",
}
BEYOND_DCMJ2PNM = {"RG1_J2KI.dcm": "JPEG 2000", "RG1_JLSN.dcm": "JPEG-LS"}


def options(path: Path) -> list[str]:
    """What makes dcmj2pnm apply the file's own window or LUT."""
    header = pydicom.dcmread(path, stop_before_pixels=True)
    if "VOILUTSequence" in header:
        return ["+Wl", "1"]
    return ["+Wi", "1"] if header.get("WindowCenter") is not None else []


def difference(path: Path) -> int:
    """Grey levels between the two, at most; 255 where their shapes differ."""
    ours, theirs = read(path).pixels, dcmtk(path, *options(path))
    assert theirs is not None, path.name
    return int(np.abs(theirs.astype(int) - ours).max()) if theirs.shape == ours.shape else 255


@pytest.mark.real
def test_films_of_hospitals_and_collections(real_data: Path) -> None:
    paths = sorted(p for p in real_data.glob("dicom*/*.dcm") if p.name not in BEYOND_DCMJ2PNM)
    assert len(paths) >= 14
    found = {path.name: difference(path) for path in paths}
    assert {name: levels for name, levels in found.items() if levels > 1} == {}


@pytest.mark.real
def test_one_film_in_two_encodings_that_dcmj2pnm_lacks(real_data: Path, tmp_path: Path) -> None:
    """JPEG-LS by dcmtk's own decoder for it; JPEG 2000, which dcmtk lacks, by the same film's JPEG-LS."""
    wavelets, predicted = (real_data / "dicom-more" / name for name in BEYOND_DCMJ2PNM)
    plain = tmp_path / "plain.dcm"
    subprocess.run(["dcmdjpls", str(predicted), str(plain)], check=True)
    assert difference(plain) <= 1
    ours = read(predicted).pixels.astype(int)
    assert np.abs(ours - read(plain).pixels).max() <= 1
    assert np.abs(ours - read(wavelets).pixels).mean() < 1  # both are lossy


def grey_files() -> list[Path]:
    """pydicom's own test files that dcmj2pnm renders and that are one grey picture of 16 pixels per side or more."""
    found = []
    for path in sorted(PYDICOMS.glob("*.dcm")):
        header = pydicom.dcmread(path, stop_before_pixels=True, force=True)
        grey = str(header.get("PhotometricInterpretation", "")).startswith("MONOCHROME")
        if (
            grey
            and int(str(header.get("NumberOfFrames", 1) or 1).rstrip("A")) == 1
            and min(header.Rows, header.Columns) > 15
        ):
            found.append(path)
    return found


@pytest.mark.filterwarnings("ignore")
def test_pydicoms_files() -> None:
    found, refused = {}, set()
    for path in grey_files():
        if dcmtk(path, *options(path)) is None:
            continue
        try:
            found[path.name] = difference(path)
        except FilmError:
            refused.add(path.name)
    assert len(found) >= 12
    assert {name for name, levels in found.items() if levels > 1} == ON_PURPOSE.keys() & found.keys()
    assert refused <= {"badVR.dcm"}  # NumberOfFrames "1A"
