"""What the dashboard and the command line load before the first answer: no library that only some visitors need."""

import json
import subprocess
import sys
import textwrap

from tests.conftest import REPOSITORY

SELDOM = ("transformers", "timm", "onnxruntime", "ray", "monai", "torchxrayvision")  # seconds of importing each
LATER = ("scipy", "requests", "sklearn", "matplotlib", "torchvision", "fpdf")  # only where a visitor asks for more
LOADED = """
    import importlib, json, pathlib, sys
    for pattern in {files}:
        for file in sorted(pathlib.Path().glob(pattern)):
            parts = [part for part in file.with_suffix("").parts if part != "__init__"]
            if parts[-1] != "__main__":
                importlib.import_module(".".join(parts))
    from core.lungs.segment import default_finder
    default_finder()
    {more}
    print(json.dumps(sorted({{name.partition(".")[0] for name in sys.modules}})))
"""


def loaded(more: str = "", files: tuple[str, ...] = ("pages/shared/**/*.py", "core/cli/*.py")) -> set[str]:
    """The packages that a process has imported once it has these modules and the lung finder."""
    script = textwrap.dedent(LOADED).format(more=more, files=files)
    done = subprocess.run([sys.executable, "-c", script], cwd=REPOSITORY, check=True, capture_output=True, text=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_nothing_that_only_some_visitors_need_is_loaded_at_the_start() -> None:
    found = loaded("import timm")  # the control: one of them is, and is seen
    assert "torch" in found
    assert found & set(SELDOM) == {"timm"}


def test_what_answers_on_the_first_page_loads_no_library_that_is_asked_for_later() -> None:
    found = loaded("from core.examine.examined import Examined; import fpdf", ("pages/shared/*.py",))
    assert "torch" in found
    assert found & set(LATER) == {"fpdf"}
