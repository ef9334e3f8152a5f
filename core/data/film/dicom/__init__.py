"""DICOM radiographs: bytes -> Radiograph, one step of the standard per function.

    parsing.py     bytes -> data set (with or without meta header, deflated within a limit)
    attributes.py  one attribute, typed, or an error that names it
    header.py      the image pixel module, checked before anything is decoded (PS3.3 C.7.6.3)
    samples.py     pixel data -> stored values (PS3.5 section 8); codestream.py, decoders.py and worker.py serve it
    grayscale.py   stored values -> modality -> VOI -> presentation -> grey (PS3.3 C.11.1, C.11.2, C.11.6)
    geometry.py    pixels that are not square
    view.py        which view and which part of the body the file says it shows, and how it hangs
    quiet.py       libraries that would quote a file's values in warnings
    reader.py      the order of these steps

Decoders: JPEG baseline by Pillow; JPEG lossless and 12-bit JPEG by python-gdcm (BSD; its wheel is Apache-2.0),
JPEG-LS by pyjpegls (MIT), JPEG 2000 by pylibjpeg-openjpeg (MIT), RLE by our own bounded PackBits. pylibjpeg-libjpeg is
GPL-3 and is not used. Mutated codestreams crash GDCM and stall CharLS, so the compiled decoders run in a process of
their own.
"""

from core.data.film.dicom.quiet import quiet

quiet("pydicom")
