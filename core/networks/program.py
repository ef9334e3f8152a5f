"""A network that is only a function: an ONNX program, run by ONNX Runtime, from pictures to logits.

The program lies as bytes in the checkpoint's ``model.safetensors``, as a tensor like any other: one file to copy, hash
and check. The session is opened at the first picture, and shared by all threads and copies of the network. Before that
the program is run in a process of its own (`core.networks.trial`): a checkpoint's folder may have been copied by hand
from anywhere, and what its card says of a trial proves nothing.
"""

from collections.abc import Mapping, Sequence
from threading import Lock
from typing import Any

import torch
from torch import nn

from core.errors import CheckpointError, RecipeError
from core.networks import trial
from core.networks.trial import INSTALL

LARGEST = 2**31 - 1  # bytes; what a protocol buffer can be


class Session:
    """ONNX Runtime's session of a program, tried and opened once; a copy of a network shares it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._opened: Any = None
        self.tried = False  # in a process of its own, by this one

    def __deepcopy__(self, memo: dict[int, Any]) -> "Session":
        return self

    def of(self, content: torch.Tensor, shape: Sequence[int]) -> Any:
        """The session of these bytes, uint8 (N,), which are first tried on an empty picture of a shape."""
        with self._lock:
            if self._opened is None:
                program = content.numpy(force=True).tobytes()
                if not self.tried:
                    trial.run(program, shape)
                    self.tried = True
                self._opened = opened(program)
            return self._opened


class Program(nn.Module):
    """Images (B, 1 or 3, S, S) -> logits (B, C).

    Args:
        n_classes: names of its outputs; 2 of a program with one output z make the logits (-z/2, z/2).
        config: "bytes": of the program; "layout": "NCHW" or Keras' "NHWC"; "batch": 1 where it takes one picture at a
            time, 0 for any; "input": the name of its input; "half": it takes float16.
    """

    program: torch.Tensor

    def __init__(self, n_classes: int, config: Mapping[str, Any]) -> None:
        super().__init__()
        size = config.get("bytes")
        if not isinstance(size, int) or not 0 < size <= LARGEST:
            raise RecipeError(f"a program of {size!r} bytes was asked for", f"1 to {LARGEST:,}")
        self.n_classes, self.config, self.session = n_classes, dict(config), Session()
        self.program: torch.Tensor
        self.register_buffer("program", torch.empty(size, dtype=torch.uint8))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Pictures go through one at a time where the program takes no more."""
        array = images.detach().to("cpu", torch.float32).contiguous().numpy()
        if self.config.get("layout") == "NHWC":
            array = array.transpose(0, 2, 3, 1)
        if self.config.get("half"):
            array = array.astype("float16")
        session, name = self.session.of(self.program, (1, *array.shape[1:])), str(self.config.get("input"))
        step = 1 if self.config.get("batch") == 1 else len(array)
        try:
            parts = [session.run(None, {name: array[i : i + step].copy()})[0] for i in range(0, len(array), step)]
            found = torch.cat([torch.from_numpy(part.astype("float32")).reshape(len(part), -1) for part in parts])
        except Exception as error:  # ONNX Runtime raises classes of its own
            reason = str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
            came = f"the program does not take a picture of {images.shape[-1]} px ({reason})"
            raise CheckpointError(came, remedy="Give the side it was made for: --size") from error
        if found.shape[1] == 1 and self.n_classes == 2:
            found = torch.cat((-found / 2, found / 2), dim=1)
        return found.to(images.device)


def opened(content: bytes) -> Any:
    """An ONNX Runtime session on the processor, with torch's number of threads.

    Raises:
        RecipeError: ONNX Runtime is not installed.
        CheckpointError: it cannot run the program.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise RecipeError("ONNX Runtime is not installed", remedy=INSTALL) from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = torch.get_num_threads(), 4
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        reason = str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
        raise CheckpointError(
            f"ONNX Runtime cannot open the program ({reason})", "a program of standard operators"
        ) from error
