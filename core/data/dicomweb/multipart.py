"""The parts of a ``multipart/related`` answer (RFC 2046 5.1), as WADO-RS sends films."""

import re

_BOUNDARY = re.compile(r'boundary="?([^";,]{1,70})"?', re.IGNORECASE)
_MOST_HEAD = 16_384  # bytes of a part's header


def parts(content: bytes, content_type: str) -> list[bytes]:
    """The bodies of all parts.

    Raises:
        ValueError: no boundary, a part without an end, or none at all: the answer was cut off or is something else.
    """
    found = _BOUNDARY.search(content_type)
    if not content_type.lower().lstrip().startswith("multipart/") or not found:
        raise ValueError("no multipart answer")
    mark = b"--" + found[1].encode("latin-1", "replace")
    position = 0 if content.startswith(mark) else content.find(b"\r\n" + mark) + 2
    if position == 1:
        raise ValueError("the boundary never comes")
    bodies = []
    while True:
        position += len(mark)
        if content[position : position + 2] == b"--":
            break
        start = content.find(b"\r\n\r\n", position, position + _MOST_HEAD)
        end = content.find(b"\r\n" + mark, start + 2)
        if start < 0 or end < 0:
            raise ValueError("a part has no end")
        bodies.append(content[start + 4 : end])
        position = end + 2
    if not bodies:
        raise ValueError("no part")
    return bodies
