"""Runs alone, in a process of its own: compiled decoders that hostile codestreams crash or stall.

Reads requests from standard input and writes answers to standard output, each a line of JSON and as many bytes as it
announces. It imports nothing of the project, so that it starts fast, and ends when its input does.
"""

import json
import signal
import sys
from typing import Any

import numpy as np

MEMORY = 3 * 2**30  # bytes; a film of 64 million samples needs half a gigabyte

COMPUTING = (2.0, 2.0)  # seconds, and seconds more for each million pixels; JPEG 2000 takes 0.2


def limit(seconds: float) -> None:
    """End this process after this many seconds of its own computing (not of waiting on a busy machine); 0: no limit."""
    if hasattr(signal, "setitimer"):  # elsewhere the parent's clock must do
        signal.setitimer(signal.ITIMER_PROF, seconds)


def decode(stream: bytes, kind: str, precision: int, rows: int, columns: int, samples: int) -> np.ndarray:
    """Integers (rows, columns) or (rows, columns, samples)."""
    if kind == "JPEG 2000":
        from openjpeg.utils import decode as decode_jpeg2000

        pixels = decode_jpeg2000(stream)
    elif kind == "JPEG-LS":
        import jpeg_ls

        pixels = jpeg_ls.decode(np.frombuffer(stream, np.uint8))
    else:
        pixels = _gdcm(stream, kind, precision, rows, columns, samples)
    shape = (rows, columns) if samples == 1 else (rows, columns, samples)
    if pixels.shape != shape:
        raise ValueError(f"{pixels.shape} instead of {shape}")
    return pixels


def _gdcm(stream: bytes, kind: str, precision: int, rows: int, columns: int, samples: int) -> np.ndarray:
    import gdcm

    fragment, fragments = gdcm.Fragment(), gdcm.SequenceOfFragments.New()
    fragment.SetByteStringValue(stream)
    fragments.AddFragment(fragment)
    element = gdcm.DataElement(gdcm.Tag(0x7FE0, 0x0010))
    element.SetValue(fragments.__ref__())
    image = gdcm.Image()
    image.SetNumberOfDimensions(2)
    image.SetDimensions((columns, rows, 1))
    image.SetDataElement(element)
    kind_of_colour = gdcm.PhotometricInterpretation.GetPIType("MONOCHROME2" if samples == 1 else "RGB")
    image.SetPhotometricInterpretation(gdcm.PhotometricInterpretation(kind_of_colour))
    syntax = "1.2.840.10008.1.2.4.57" if kind == "JPEG lossless" else "1.2.840.10008.1.2.4.51"
    image.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.GetTSType(syntax)))
    allocated = 8 if precision <= 8 else 16
    image.SetPixelFormat(gdcm.PixelFormat(samples, allocated, precision, precision - 1, 0))
    values = np.frombuffer(image.GetBuffer().encode("utf-8", "surrogateescape"), f"<u{allocated // 8}")
    return values.reshape((rows, columns) if samples == 1 else (rows, columns, samples))


def main() -> None:
    """Answer requests until the input ends."""
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (ImportError, ValueError, OSError):  # not on every system
        pass
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    while line := source.readline():
        request = json.loads(line)
        stream = source.read(request.pop("bytes"))
        answer: dict[str, Any]
        limit(COMPUTING[0] + COMPUTING[1] * request["rows"] * request["columns"] / 1e6)
        try:
            pixels = np.ascontiguousarray(decode(stream, **request))
            body = pixels.tobytes()
            answer = {"dtype": pixels.dtype.str, "shape": pixels.shape, "bytes": len(body)}
        except Exception as error:  # whatever a decoder raises is the film's fault
            body, answer = b"", {"error": f"{type(error).__name__}: {error}"[:300], "bytes": 0}
        limit(0.0)
        sink.write(json.dumps(answer).encode() + b"\n" + body)
        sink.flush()


if __name__ == "__main__":
    main()
