"""The answer in words, as a viewer prints it."""

from core.report.dicom.text_report import text_report
from tests.report.dicom.test_objects import answer, film


def test_no_line_of_the_text_is_wider_than_a_viewers_page() -> None:
    """OHIF cut sentences of the trust card off at its right edge."""
    told = "The map does better than 94% of maps that know nothing, but this test has little power for this model. " * 2
    made = text_report(film(), answer(trust=(("Occlusion test", "cannot tell", told.strip()),)))
    values = [item.TextValue for item in made.ContentSequence]
    assert max(len(line) for value in values for line in value.splitlines()) <= 80
    assert f"Occlusion test: cannot tell. {told.strip()}" in [" ".join(value.split()) for value in values]
