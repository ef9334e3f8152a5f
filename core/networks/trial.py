"""A program from outside is first run in a process of its own, with bounded memory and time.

What makes it end, hang or take all memory is then a sentence, and the server, or the command, goes on.
"""

import math
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from core.errors import CheckpointError, RecipeError

INSTALL = "pip install -r requirements-models.txt"
LONGEST = 300  # seconds that the first run, or a conversion, may take
MEMORY = 24 * 2**30  # bytes of address space that they may take

_BOUND = """
import sys
try:
    import resource
    resource.setrlimit(resource.RLIMIT_AS, ({memory}, {memory}))
except (ImportError, ValueError):
    pass
"""
_TRY = """
import numpy, onnxruntime
options = onnxruntime.SessionOptions()
options.log_severity_level = 4
session = onnxruntime.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
[given] = session.get_inputs()
shape, kind = [int(n) for n in sys.argv[2].split(",")], {"tensor(float)": "f4", "tensor(float16)": "f2"}[given.type]
print(",".join(map(str, session.run(None, {given.name: numpy.zeros(shape, kind)})[0].shape)))
"""


def run(content: bytes, shape: Sequence[int]) -> int:
    """Run an ONNX program once on an empty picture of shape (1, C, S, S) or (1, S, S, C); how many outputs it has.

    Raises:
        CheckpointError: it cannot be run within bounds, or answers with something else than one row of numbers.
        RecipeError: ONNX Runtime is not installed.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "tried.onnx"
        file.write_bytes(content)
        doing = f"run on a picture of {sorted(shape)[-1]} px"
        said = alone(_TRY, file, ",".join(map(str, shape)), doing=doing, folder=Path(folder))
    row = [int(n) for n in said.strip().split(",") if n]
    if row[:1] != [1] or math.prod(row) < 1 or len([n for n in row if n != 1]) > 1:
        came = f"the program answers one picture with an array of shape {tuple(row)}"
        raise CheckpointError(came, "one row of numbers, a number for each class")
    return math.prod(row)


def alone(script: str, file: Path, argument: str, doing: str, folder: Path) -> str:
    """What a script prints, run by another process with bounded memory and time."""
    command = [sys.executable, "-I", "-c", _BOUND.format(memory=MEMORY) + script, str(file), argument]
    try:
        done = subprocess.run(command, check=True, capture_output=True, timeout=LONGEST, cwd=folder, text=True)
    except subprocess.TimeoutExpired as error:
        raise CheckpointError(f"the program could not be {doing} within {LONGEST} s") from error
    except subprocess.CalledProcessError as error:
        last = (error.stderr.strip().splitlines() or ["it ended without a word"])[-1][:300]
        if "No module named" in last:
            raise RecipeError(f"ONNX programs need a package that is not installed ({last})", remedy=INSTALL) from error
        remedy = "If it is the side of the picture, give it with --size"
        raise CheckpointError(f"the program could not be {doing} ({last})", remedy=remedy) from error
    return done.stdout
