"""Every kind of file a reader may bring: what is read, how, and what is refused with which words."""

import io
import pickle
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.data.film import opener
from core.data.film.opener import read
from core.data.film.radiograph import from_pixels
from core.errors import FilmError
from tests.data.conftest import draw

FILM = draw(1)


def encoded(picture: Image.Image, form: str, **options: object) -> bytes:
    file = io.BytesIO()
    picture.save(file, form, **options)
    return file.getvalue()


def grey(form: str = "PNG", **options: object) -> bytes:
    return encoded(Image.fromarray(FILM), form, **options)


@pytest.mark.parametrize("form", ["PNG", "TIFF", "BMP"])
def test_lossless_formats_give_the_same_pixels(form: str) -> None:
    film = read(grey(form), "a")
    assert film.format == form
    assert film.bit_depth == 8
    np.testing.assert_array_equal(film.pixels, FILM)


@pytest.mark.parametrize("form", ["JPEG", "WEBP"])
def test_lossy_formats_give_nearly_the_same_pixels(form: str) -> None:
    film = read(grey(form, quality=95), "a")
    assert film.format == form
    assert np.abs(film.pixels.astype(int) - FILM).mean() < 3


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "LA", "CMYK"])
def test_every_colour_mode_of_a_grey_film(mode: str) -> None:
    picture = Image.fromarray(FILM).convert(mode)
    film = read(encoded(picture, "TIFF" if mode == "CMYK" else "PNG"), "a")
    assert np.abs(film.pixels.astype(int) - FILM).max() <= 1
    assert film.colour < 0.01


def test_one_bit() -> None:
    film = read(encoded(Image.fromarray(FILM).convert("1"), "PNG"), "a")
    assert set(np.unique(film.pixels)) == {0, 255}
    assert film.bit_depth == 1


@pytest.mark.parametrize("form", ["PNG", "TIFF"])
@pytest.mark.parametrize("depth", [10, 12, 16])
def test_deep_films_keep_their_whole_range(form: str, depth: int) -> None:
    deep = np.rint(FILM / 255 * (2**depth - 1)).astype(np.uint16)
    film = read(encoded(Image.fromarray(deep), form), "a")
    assert film.bit_depth == 16
    assert np.abs(film.pixels.astype(int) - FILM).max() <= 1
    assert "scaled to 8 bits" in film.notes[0]


def test_a_narrow_deep_film_is_stretched_and_says_so() -> None:
    narrow = (30000 + FILM.astype(np.uint16)).astype(np.uint16)
    film = read(encoded(Image.fromarray(narrow), "PNG"), "a")
    assert np.ptp(film.pixels) == 255
    assert "stretched" in film.notes[0]


def test_float_tiff() -> None:
    film = read(encoded(Image.fromarray(FILM.astype(np.float32) / 255), "TIFF"), "a")
    assert np.abs(film.pixels.astype(int) - FILM).max() <= 1


def test_white_is_zero_tiff_is_inverted_at_sixteen_bits() -> None:
    deep = Image.fromarray(FILM.astype(np.uint16) * 257)
    film = read(encoded(deep, "TIFF", tiffinfo={262: 0}), "a")
    np.testing.assert_array_equal(film.pixels, 255 - FILM)
    assert any("white is zero" in note for note in film.notes)


def test_transparency_lies_on_black() -> None:
    rgba = np.dstack([np.full((32, 32, 3), 200, np.uint8), np.zeros((32, 32), np.uint8)])
    film = read(encoded(Image.fromarray(rgba), "PNG"), "a")
    assert film.pixels.max() == 0
    assert any("transparency" in note for note in film.notes)


def test_exif_rotation() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: show it turned back, clockwise
    film = read(grey("TIFF", exif=exif), "a")
    np.testing.assert_array_equal(film.pixels, np.rot90(FILM, -1))
    assert film.notes == ("rotated by EXIF",)


def test_colour_is_averaged_noted_and_measured() -> None:
    red = np.zeros((32, 32, 3), np.uint8)
    red[..., 0] = 255
    film = read(encoded(Image.fromarray(red), "PNG"), "a")
    assert film.colour == 1.0
    assert "colour averaged to grey" in film.notes


@pytest.mark.parametrize("given", ["/secret/ward 7/film.png", r"C:\Users\Dr House\film.png", "film.png"])
def test_only_the_base_name_is_kept(given: str) -> None:
    assert read(grey(), given).name == "film.png"


def test_path_bytes_and_open_file_are_the_same_film(tmp_path: Path) -> None:
    path = tmp_path / "film.txt"  # the content decides, not the extension
    path.write_bytes(grey())
    with path.open("rb") as file:
        films = [read(path), read(str(path)), read(grey(), "film.txt"), read(file)]
    assert {f.sha256 for f in films} == {films[0].sha256}
    assert {f.name for f in films} == {"film.txt"}


def png_header(width: int, height: int) -> bytes:
    """A PNG that announces a size and ends after a few bytes of data."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    data = b"IDAT" + zlib.compress(b"")
    chunks = (struct.pack(">I", len(c) - 4) + c + struct.pack(">I", zlib.crc32(c)) for c in (header, data))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


TWO_PAGES = {"save_all": True, "append_images": [Image.fromarray(draw(2))]}
REFUSED: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "is empty"),
    "text renamed": (b"patient notes, nothing else\n" * 9, "a text file"),
    "cut off": (grey()[:-900], "damaged or cut-off PNG"),
    "cut off jpeg": (grey("JPEG")[:-900], "damaged or cut-off JPEG"),
    "cut off in the header": (grey()[:20], "not a picture"),
    "noise": (np.random.default_rng(0).bytes(4096), "not a picture"),
    "svg": (b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', "an SVG drawing"),
    "web page": (b"<!DOCTYPE html><html></html>", "a web page"),
    "pdf": (b"%PDF-1.7 ...", "a PDF document"),
    "heic": (b"\0\0\0\x18ftypheic" + bytes(64), "a HEIC"),
    "zip": (b"PK\x03\x04" + bytes(64), "a ZIP archive"),
    "gif": (grey("GIF"), "a GIF picture"),
    "tiff of two pages": (grey("TIFF", **TWO_PAGES), "holds 2 pictures"),
    "animated png": (grey("PNG", **TWO_PAGES), "holds 2 pictures"),
    "animated webp": (grey("WEBP", **TWO_PAGES), "holds 2 pictures"),
    "bomb": (png_header(40_000, 40_000), "far too many pixels"),
    "large": (png_header(9000, 9000), "9000 x 9000"),
    "icon": (encoded(Image.new("L", (8, 8)), "PNG"), "8 x 8"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refusals_say_what_came_what_was_expected_and_what_to_do(case: str) -> None:
    data, words = REFUSED[case]
    with pytest.raises(FilmError, match=words) as caught:
        read(data, "upload.png")
    assert caught.value.came.startswith('"upload.png"')
    assert caught.value.expected
    assert caught.value.remedy


def test_missing_file_folder_and_oversized_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(FilmError, match="no file"):
        read(tmp_path / "none.png")
    with pytest.raises(FilmError, match="is a folder"):
        read(tmp_path)
    monkeypatch.setattr(opener, "MAX_BYTES", 100)
    for source in (grey(), io.BytesIO(grey())):
        with pytest.raises(FilmError, match="more than"):
            read(source, "a.png")


def test_no_pixel_is_decoded_before_the_size_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    def explode(*_: object) -> None:
        raise AssertionError("decoded")

    monkeypatch.setattr(Image.Image, "load", explode)
    with pytest.raises(FilmError, match="9000"):
        read(REFUSED["large"][0], "a.png")


@pytest.mark.parametrize("form", ["PNG", "JPEG", "TIFF", "BMP", "WEBP"])
def test_a_film_cut_off_anywhere_is_refused_or_whole(form: str) -> None:
    data = grey(form)
    whole, refused = read(data, "a").pixels, 0
    cuts = range(1, len(data), max(1, len(data) // 40))
    for cut in cuts:
        try:
            film = read(data[:cut], "a")
        except FilmError:
            refused += 1
        else:  # nothing of the picture was in what is missing
            np.testing.assert_array_equal(film.pixels, whole)
    assert refused >= len(cuts) - 2


def test_pixels_are_read_only_and_altered_copies_have_their_own_digest() -> None:
    film = from_pixels(FILM, "drawn")
    with pytest.raises(ValueError, match="read-only"):
        film.pixels[0, 0] = 1
    darker = film.with_pixels(FILM // 2, "darkened")
    assert darker.sha256 != film.sha256
    assert darker.notes == ("darkened",)
    assert from_pixels(FILM.copy(), "other").sha256 == film.sha256
    assert pickle.loads(pickle.dumps(film)).shape == (96, 96)


@pytest.mark.parametrize("pixels", [np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4))])
def test_pixels_of_another_shape_or_type_are_refused(pixels: np.ndarray) -> None:
    with pytest.raises(FilmError, match="shape"):
        from_pixels(pixels, "drawn")


def deep_png(samples: np.ndarray, colour_type: int) -> bytes:
    """A PNG of 16 bits, (H, W, C) of 1 (type 0), 2 (4), 3 (2) or 4 (6) channels."""
    height, width = samples.shape[:2]
    raw = b"".join(b"\0" + row.astype(">u2").tobytes() for row in samples)
    head = struct.pack(">IIBBBBB", width, height, 16, colour_type, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(raw)), (b"IEND", b""))
    body = (struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(body)


@pytest.mark.parametrize("bits", [10, 12, 14, 16])
@pytest.mark.parametrize(("channels", "colour_type"), [(1, 0), (2, 4), (3, 2), (4, 6)])
def test_deep_channels_keep_their_low_byte(bits: int, channels: int, colour_type: int) -> None:
    deep = np.rint(FILM / 255 * (2**bits - 1))
    planes = [deep] * (channels if channels % 2 else channels - 1) + [np.full_like(deep, 65535)] * (channels % 2 == 0)
    film = read(deep_png(np.dstack(planes), colour_type), "a")
    assert np.abs(film.pixels.astype(int) - FILM).max() <= 1
    assert film.colour == 0.0


def test_deep_transparency_lies_on_black() -> None:
    deep, clear = FILM.astype(np.uint16) * 257, np.zeros_like(FILM, np.uint16)
    assert read(deep_png(np.dstack([deep, clear]), 4), "a").pixels.max() == 0


@pytest.mark.parametrize("factor", [256, 257])
def test_an_eight_bit_film_and_its_copy_in_sixteen_bits_are_the_same(factor: int) -> None:
    for film in (FILM, FILM // 6, 100 + FILM // 8):
        eight = read(encoded(Image.fromarray(film), "PNG"), "a").pixels
        copy = read(encoded(Image.fromarray(film.astype(np.uint16) * factor), "PNG"), "a").pixels
        assert np.abs(eight.astype(int) - copy).max() <= 1


def test_a_png_whose_data_ends_early_is_refused() -> None:
    def png(rows: int, black: int = 0) -> bytes:
        raw = b"".join(b"\0" + row.tobytes() for row in FILM[:rows]) + bytes(97 * black)
        chunks = (
            (b"IHDR", struct.pack(">IIBBBBB", 96, 96, 8, 0, 0, 0, 0)),
            (b"IDAT", zlib.compress(raw)),
            (b"IEND", b""),
        )
        body = (struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in chunks)
        return b"\x89PNG\r\n\x1a\n" + b"".join(body)

    assert read(png(96), "a").shape == (96, 96)
    assert read(png(90, black=6), "a").pixels[90:].max() == 0  # black rows that are there
    for rows in (0, 1, 50, 95):
        with pytest.raises(FilmError, match="cut-off PNG"):
            read(png(rows), "a")


def test_a_damaged_chunk_of_a_png_is_refused() -> None:
    data = bytearray(grey())
    data[data.index(b"IDAT") + 200] ^= 1
    with pytest.raises(FilmError, match="damaged"):
        read(bytes(data), "a")
