"""Outlines of the bands as a Comprehensive 3D SR (TID 1500), regions only.

A measurement group without a region leaves OHIF's viewport black, so there is none. The region's coordinates stand
inside the measurement, too, or the viewer does not keep it; the result stands in the finding's meaning, the only
text that survives there.
"""

import hashlib
from collections.abc import Iterable
from copy import deepcopy

import cv2
import highdicom as hd
import numpy as np
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.sr.coding import Code

from core.errors import ExplainError
from core.report.dicom.answer import CAUTION, MANUFACTURER, Answer, Finding
from core.report.dicom.source import referred, series_number

SMALLEST = 1e-3  # of the film: outlines of less are specks
MOST = 12  # regions of a band
Group = hd.sr.PlanarROIMeasurementsAndQualitativeEvaluations
ESTIMATE = Code("PROBABILITY", "99HILUM", "Calibrated probability")
UNITLESS = Code("1", "UCUM", "no units")


def regions(film: Dataset, answer: Answer) -> Dataset:
    """One polyline for each connected part of each band, with the class's probability.

    Raises:
        ExplainError: the map is blank: there is no region.
    """
    source = referred(film)
    groups = region_groups(source, answer)
    if not groups:
        raise ExplainError("the map is blank", "evidence whose outline can be drawn", "Leave this object out")
    return measured(source, answer, groups, "regions", f"AI regions {answer.class_name}", 4)


def region_groups(source: Dataset, answer: Answer) -> list[Group]:
    """A measurement group (TID 1410) of each outline, weakest band first; none where the map is blank."""
    image = hd.sr.SourceImageForRegion.from_source_image(source)
    return [
        _group(answer, source, image, f"{label} {number}", outline)
        for label, mask in answer.bands()
        for number, outline in enumerate(outlines(mask), start=1)
    ]


def measured(
    source: Dataset,
    answer: Answer,
    groups: Iterable[hd.sr.MeasurementsAndQualitativeEvaluations | Group],
    kind: str,
    series: str,
    step: int,
) -> Dataset:
    """A Comprehensive 3D SR by TID 1500 of these groups; ``kind``, ``series``, ``step`` as in `begun`."""
    device = hd.sr.ObserverContext(
        observer_type=hd.sr.CodedConcept("121007", "DCM", "Device"),
        observer_identifying_attributes=hd.sr.DeviceObserverIdentifyingAttributes(
            uid=answer.uid(answer.weights_sha256, "device"), name=answer.model, manufacturer_name=MANUFACTURER
        ),
    )
    content = hd.sr.MeasurementReport(
        observation_context=hd.sr.ObservationContext(observer_device_context=device),
        procedure_reported=Code("399208008", "SCT", "Plain chest X-ray"),
        imaging_measurements=list(groups),
        title=Code("126000", "DCM", "Imaging Measurement Report"),
    )
    report = hd.sr.Comprehensive3DSR(
        evidence=[source],
        content=content,
        series_instance_uid=answer.uid(source.SOPInstanceUID, f"{kind} series"),
        series_number=series_number(source, step),
        sop_instance_uid=answer.uid(source.SOPInstanceUID, kind),
        instance_number=1,
        manufacturer=MANUFACTURER,
        is_complete=False,
        is_final=False,
        is_verified=False,
    )
    _repeat_regions(report.ContentSequence)
    report.SeriesDescription = f"{series}, {CAUTION}"[:64]
    report.ManufacturerModelName, report.SoftwareVersions = answer.model[:64], answer.version
    return report


def outlines(mask: np.ndarray) -> list[np.ndarray]:
    """Closed outlines (N, 2) as (column, row) of the larger connected parts of bool (H, W), largest first."""
    found, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_TC89_L1)
    large = [c for c in found if len(c) > 2 and cv2.contourArea(c) >= SMALLEST * mask.size]
    large.sort(key=cv2.contourArea, reverse=True)
    return [np.concatenate([c[:, 0], c[:1, 0]]).astype(float) + 0.5 for c in large[:MOST]]


def _group(answer: Answer, source: Dataset, image: hd.sr.SourceImageForRegion, name: str, outline: np.ndarray) -> Group:
    finding = answer.of_class()
    region = hd.sr.ImageRegion(graphic_type=hd.sr.GraphicTypeValues.POLYLINE, graphic_data=outline, source_image=image)
    return Group(
        tracking_identifier=hd.sr.TrackingIdentifier(uid=answer.uid(source.SOPInstanceUID, name), identifier=name[:64]),
        referenced_region=region,
        finding_type=finding_code(finding),
        algorithm_id=algorithm(answer),
        measurements=[hd.sr.Measurement(name=ESTIMATE, value=round(finding.probability, 4), unit=UNITLESS)],
    )


def finding_code(finding: Finding) -> Code:
    """A class as a private code; the result stands in its meaning, which is what viewers keep."""
    number = hashlib.sha256(finding.name.encode()).hexdigest()[:12]
    return Code(f"F{number}", "99HILUM", f"{finding.name} p = {finding.probability:.2f}"[:64])


def algorithm(answer: Answer) -> hd.sr.AlgorithmIdentification:
    """Method, model, version and the first digits of the weights' hash (TID 4019)."""
    return hd.sr.AlgorithmIdentification(
        name=f"{answer.method} of {answer.model}", version=f"{answer.version}, {answer.weights_sha256[:12]}"
    )


def _repeat_regions(items: Sequence) -> None:
    """Put each group's SCOORD inside its NUM as well (TID 320): highdicom takes it in one place only."""
    for item in items:
        inside = item.get("ContentSequence", [])
        regions_here = [part for part in inside if part.ValueType == "SCOORD"]
        for number in (part for part in inside if part.ValueType == "NUM"):
            copies = [deepcopy(region) for region in regions_here]
            for region in copies:
                region.RelationshipType = "INFERRED FROM"
            if copies:  # an empty sequence would be an error
                number.ContentSequence = Sequence([*number.get("ContentSequence", []), *copies])
        _repeat_regions(inside)
