"""What archives keep and viewers do not show: a whole TID 1500, a presentation state, a FRACTIONAL Segmentation.

Each stands in a series of its own and is written only when it is asked for by name: in OHIF a measurement group without
a region leaves the viewport black, a presentation state opens nothing, and fractions are never drawn.
"""

from typing import Any

import highdicom as hd
import numpy as np
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from core.errors import ExplainError
from core.report.dicom.answer import CAUTION, Answer
from core.report.dicom.begun import maker
from core.report.dicom.regions import ESTIMATE, UNITLESS, algorithm, finding_code, measured, outlines, region_groups
from core.report.dicom.segmentation import ABNORMALITY, BAND_COLOURS, OPACITY, described, place
from core.report.dicom.source import referred, spacing

_OPERATING_POINT = Code("OPERATINGPOINT", "99HILUM", "Operating point")
_CALLED = Code("CALLED", "99HILUM", "Called at the operating point")
_LAYER = "AI_EVIDENCE"


def full_report(film: Dataset, answer: Answer) -> Dataset:
    """TID 1500 of every class (probability, operating point, whether it is called), and of the regions.

    The classes' groups have no region: valid, and in this object only.
    """
    source = referred(film)
    whole_film = [
        hd.sr.MeasurementsAndQualitativeEvaluations(
            tracking_identifier=hd.sr.TrackingIdentifier(
                uid=answer.uid(source.SOPInstanceUID, f"class {finding.name}"), identifier=finding.name[:64]
            ),
            finding_type=finding_code(finding),
            algorithm_id=algorithm(answer),
            measurements=[
                hd.sr.Measurement(name=ESTIMATE, value=round(finding.probability, 4), unit=UNITLESS),
                hd.sr.Measurement(name=_OPERATING_POINT, value=round(finding.operating_point, 4), unit=UNITLESS),
            ],
            qualitative_evaluations=[
                hd.sr.QualitativeEvaluation(name=_CALLED, value=codes.SCT.Yes if finding.called else codes.SCT.No)
            ],
        )
        for finding in answer.findings
    ]
    groups: list[Any] = [*whole_film, *region_groups(source, answer)]  # highdicom names neither kind in public
    return measured(source, answer, groups, "full report", "AI measurements", 6)


def presentation_state(film: Dataset, answer: Answer) -> Dataset:
    """A Grayscale Softcopy Presentation State (PS3.3 A.33.1): the bands' outlines over the film.

    Raises:
        ExplainError: the map is blank: there is nothing to draw.
    """
    source = referred(film)
    drawn = [
        hd.pr.GraphicObject(
            graphic_type=hd.pr.GraphicTypeValues.POLYLINE,
            graphic_data=outline,
            units=hd.pr.AnnotationUnitsValues.PIXEL,
            tracking_id=f"{label} {number}"[:64],
            tracking_uid=answer.uid(source.SOPInstanceUID, f"drawn {label} {number}"),
        )
        for label, mask in answer.bands()
        for number, outline in enumerate(outlines(mask), start=1)
    ]
    if not drawn:
        raise ExplainError("the map is blank", "evidence whose outline can be drawn", "Leave this object out")
    finding = answer.of_class()
    said = hd.pr.TextObject(
        text_value=f"{finding.name} p = {finding.probability:.2f}, {CAUTION}",
        units=hd.pr.AnnotationUnitsValues.DISPLAY,
        bounding_box=(0.0, 0.9, 1.0, 1.0),
    )
    layer = hd.pr.GraphicLayer(
        _LAYER, 1, description=CAUTION, display_color=hd.color.CIELabColor.from_rgb(*BAND_COLOURS[1])
    )
    state = hd.pr.GrayscaleSoftcopyPresentationState(
        referenced_images=[source],
        content_label=_LAYER,
        **maker(source, answer, "presentation", 7),
        graphic_layers=[layer],
        graphic_annotations=[hd.pr.GraphicAnnotation([source], layer, graphic_objects=drawn, text_objects=[said])],
        institution_name=None,
    )
    state.Laterality = ""
    state.SeriesDescription = f"AI outlines {answer.class_name}, {CAUTION}"[:64]
    return state


def fractions(film: Dataset, answer: Answer) -> Dataset:
    """The map itself as a FRACTIONAL Segmentation: the share of its maximum in 255 steps.

    Raises:
        ExplainError: the map is blank.
    """
    source, top = referred(film), float(answer.evidence.max())
    if top <= 0:
        raise ExplainError("the map is blank", "evidence to keep", "Leave this object out")
    found = hd.seg.Segmentation(
        source_images=[source],
        pixel_array=(answer.evidence / top).astype(np.float32)[None],
        segmentation_type=hd.seg.SegmentationTypeValues.FRACTIONAL,
        fractional_type=hd.seg.SegmentationFractionalTypeValues.OCCUPANCY,
        max_fractional_value=255,
        segment_descriptions=[
            described(answer, 1, f"Evidence, 255 is {top:.4g}", ABNORMALITY, OPACITY, BAND_COLOURS[1])
        ],
        content_label=_LAYER,
        **maker(source, answer, "fractions", 8),
    )
    found.SeriesDescription = f"AI evidence as fractions, {CAUTION}"[:64]
    place(found, spacing(source))
    return found
