"""Lung fields and the map's three bands as a BINARY Segmentation (PS3.3 A.51)."""

import highdicom as hd
import numpy as np
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from core.errors import ExplainError
from core.report.dicom.answer import CAUTION, Answer
from core.report.dicom.begun import maker
from core.report.dicom.source import referred, spacing

LUNGS = "Lung fields"
LUNG_COLOUR = (86, 180, 233)  # Okabe-Ito sky blue, as on the pages
BAND_COLOURS = ((240, 228, 66), (230, 159, 0), (213, 94, 0))  # yellow, orange, vermilion: weak to strong
_ANATOMY = Code("123037004", "SCT", "Anatomical Structure")
ABNORMALITY = Code("49755003", "SCT", "Morphologically Abnormal Structure")
OPACITY = Code("128477000", "SCT", "Abnormal opacity")
_WITHOUT_SPACING = (1.0, 1.0)  # millimetres; the functional group is asked for even where they are unknown


def segmentation(film: Dataset, answer: Answer) -> Dataset:
    """One segment for the lungs and one for each band, disjoint, with their thresholds as labels.

    Raises:
        ExplainError: neither lungs nor evidence: there is nothing to segment.
    """
    source = referred(film)
    masks = [(LUNGS, LUNG_COLOUR, answer.lungs)] if answer.lungs is not None and answer.lungs.any() else []
    masks += [
        (label, colour, mask) for (label, mask), colour in zip(answer.bands(), BAND_COLOURS, strict=False) if mask.any()
    ]
    if not masks:
        raise ExplainError("the map is blank and no lungs were found", "something to segment", "Leave this object out")
    segments = [
        described(
            answer,
            number,
            label,
            _ANATOMY if label == LUNGS else ABNORMALITY,
            codes.SCT.Lung if label == LUNGS else OPACITY,
            colour,
        )
        for number, (label, colour, _) in enumerate(masks, start=1)
    ]
    found = hd.seg.Segmentation(
        source_images=[source],
        pixel_array=np.stack([mask for *_, mask in masks], axis=-1)[None].astype(np.uint8),
        segmentation_type=hd.seg.SegmentationTypeValues.BINARY,
        segment_descriptions=segments,
        content_label="AI_EVIDENCE",
        **maker(source, answer, "bands", 3),
    )
    found.SeriesDescription = f"AI evidence bands {answer.class_name}, {CAUTION}"[:64]
    place(found, spacing(source))
    return found


def described(
    answer: Answer, number: int, label: str, category: Code, kind: Code, colour: tuple[int, int, int]
) -> hd.seg.SegmentDescription:
    """One segment: its label, what it is, its colour, and what found it."""
    algorithm = hd.AlgorithmIdentificationSequence(
        name=f"{answer.method} of {answer.model}"[:64],
        family=codes.DCM.ArtificialIntelligence,
        version=f"{answer.version}, weights {answer.weights_sha256[:12]}"[:64],
    )
    return hd.seg.SegmentDescription(
        segment_number=number,
        segment_label=label[:64],
        segmented_property_category=category,
        segmented_property_type=kind,
        algorithm_type=hd.seg.SegmentAlgorithmTypeValues.AUTOMATIC,
        algorithm_identification=algorithm,
        display_color=hd.color.CIELabColor.from_rgb(*colour),
    )


def place(found: Dataset, millimetres: tuple[float, float] | None) -> None:
    """Say where the segments lie: without these two groups a double click ends OHIF."""
    measures, orientation = Dataset(), Dataset()
    measures.PixelSpacing = list(millimetres or _WITHOUT_SPACING)
    measures.SliceThickness = 1.0  # means nothing on a projection, but highdicom reads no segmentation without it
    orientation.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    shared = found.SharedFunctionalGroupsSequence[0]
    shared.PixelMeasuresSequence = Sequence([measures])
    shared.PlaneOrientationSequence = Sequence([orientation])
