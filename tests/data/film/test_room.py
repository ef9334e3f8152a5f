"""Where there is no room for a film it is refused by its header: nothing of it is decoded first."""

from io import BytesIO

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageFile

from core.data.film import opener
from core.data.film.dicom import reader
from core.errors import NoRoomError
from core.memory import Memory
from tests.data.film.dicom_files import dicom

KB = 1024
WHOLE = Memory(800 * KB)  # 100 for a visitor's uploads


def encoded(side: int, kind: str) -> bytes:
    """A film of this many pixels per side."""
    pixels = np.tile(np.arange(side, dtype=np.uint8), (side, 1))
    if kind == "DICOM":
        return dicom(pixels)
    file = BytesIO()
    if kind == "TIFF of 64-bit floats":  # which Pillow does not open
        tifffile.imwrite(file, pixels.astype(np.float64))
    else:
        Image.fromarray(pixels).save(file, kind)
    return file.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "TIFF of 64-bit floats", "DICOM"])
def test_a_film_beyond_its_quota_is_refused_before_it_is_decoded(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = WHOLE.shelf("films", WHOLE.most_of_visitor, pinned=True)

    def room(size: int) -> None:
        WHOLE.check_room(mine, size)

    def decoded(*_: object) -> None:
        pytest.fail("pixels were decoded")

    assert opener.read(encoded(300, kind), "small", room).shape == (300, 300)
    with monkeypatch.context() as patched:
        patched.setattr(ImageFile.ImageFile, "load", decoded)
        patched.setattr(tifffile.TiffPage, "asarray", decoded)
        patched.setattr(reader, "read_samples", decoded)
        with pytest.raises(NoRoomError, match=r"this session holds .* of uploads"):
            opener.read(encoded(400, kind), "large", room)
    assert opener.read(encoded(400, kind), "large").shape == (400, 400)
