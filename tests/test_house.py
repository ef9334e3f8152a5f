"""The house: files of a size that is read at one sitting, and papers that name what is there."""

import re
import statistics
import tomllib

import pytest

from tests.conftest import REPOSITORY

ROOMS = ("core", "pages", "benchmarks", "tests")
LONGEST, MEDIAN = 300, 150  # lines


def lines() -> dict[str, int]:
    """Every Python file of the house -> how many lines it has."""
    files = [REPOSITORY / "dashboard.py", *(file for room in ROOMS for file in (REPOSITORY / room).rglob("*.py"))]
    return {str(file.relative_to(REPOSITORY)): len(file.read_text(encoding="utf-8").splitlines()) for file in files}


def test_no_file_is_longer_than_300_lines_and_half_are_below_150():
    found = lines()
    assert len(found) > 300
    assert {name: length for name, length in found.items() if length > LONGEST} == {}
    assert statistics.median(length for length in found.values() if length) < MEDIAN


def extras() -> dict[str, str]:
    """Name of each optional group of dependencies -> the file that lists it."""
    dynamic = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"][
        "dynamic"
    ]
    return {name: file for name, group in dynamic["optional-dependencies"].items() for file in group["file"]}


def test_each_file_of_requirements_is_an_extra_and_in_the_lock():
    files = {file.name for file in REPOSITORY.glob("requirements-*.txt")}
    assert extras() == {name.removeprefix("requirements-").removesuffix(".txt"): name for name in files}
    locked = set(re.findall(r"^([\w.-]+)==", (REPOSITORY / "requirements.lock").read_text(encoding="utf-8"), re.M))
    for name in ("requirements.txt", *files):
        lines = (REPOSITORY / name).read_text(encoding="utf-8").splitlines()
        wanted = {re.split(r"[\[<>=!~; ]", line)[0].lower() for line in lines if line.strip() and line[0] != "#"}
        assert wanted - locked == set(), name


PROGRAM = re.compile(r'"(dcm\w+|dciodvfy|dsrdump|openssl|nginx|Orthanc|systemd-analyze)["\\s]')


def unmarked(text: str) -> set[str]:
    """The programs of Debian's that a test file runs without a mark that says it needs some."""
    runs = set(PROGRAM.findall(text)) if "subprocess" in text else set()
    return set() if "mark.tool(" in text or "needs_orthanc" in text else runs


def test_tests_that_run_a_program_say_that_they_need_it():
    files = [file for file in (REPOSITORY / "tests").rglob("test_*.py") if file.name != "test_house.py"]
    assert {file.name: found for file in files if (found := unmarked(file.read_text(encoding="utf-8")))} == {}
    assert unmarked('subprocess.run(["dcmcjpls", "+el"])') == {"dcmcjpls"}


PAPERS = (".github/workflows/tests.yml", ".pre-commit-config.yaml", "Dockerfile", ".ci/run", "Makefile")


def missing(paper: str, text: str) -> set[str]:
    """The files of requirements and the targets of make that a text names and that are not there."""
    targets = set(re.findall(r"^([a-z]+):", (REPOSITORY / "Makefile").read_text(encoding="utf-8"), re.M))
    named = set(re.findall(r"\brequirements[\w.-]*\.(?:txt|lock)\b", text))
    asked = set(re.findall(r"(?:^|[^#].*\s)make ([a-z]+)\b", text)) if paper != "Makefile" else set()
    return {name for name in named if not (REPOSITORY / name).is_file()} | (asked - targets)


@pytest.mark.parametrize("paper", PAPERS)
def test_papers_name_what_is_there(paper):
    assert missing(paper, (REPOSITORY / paper).read_text(encoding="utf-8")) == set()


def test_a_paper_that_names_what_is_not_there_is_found():
    assert missing("x", "run: make lints LOCKED=... -r requirements-none.txt") == {"lints", "requirements-none.txt"}
