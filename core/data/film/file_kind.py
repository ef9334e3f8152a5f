"""What a file is that is not a film, as far as its first bytes tell."""

_FOREIGN = (
    (b"%PDF", "a PDF document"),
    (b"GIF8", "a GIF picture"),
    (b"PK\x03\x04", "a ZIP archive or an office document"),
    (b"\x1f\x8b", "a gzip archive (NIfTI volumes often are)"),
    (b"\x00\x00\x00\x0cjP  ", "a JPEG 2000 picture"),
    (b"8BPS", "a Photoshop document"),
    (b"\x93NUMPY", "a NumPy array"),
)


def describe(data: bytes) -> str:
    """A few words ("a PDF document", "a text file") that fit into a sentence."""
    for magic, what in _FOREIGN:
        if data.startswith(magic):
            return what
    if data[4:8] == b"ftyp":
        return "a HEIC or AVIF photograph or a film clip"
    head = data[:1024].lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    if b"<svg" in head:
        return "an SVG drawing"
    if head.startswith((b"<!doctype html", b"<html")):
        return "a web page"
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(head) - 4:
            return "not a picture, or a damaged one"
    return "not a picture, or a damaged one" if b"\0" in head else "a text file"
