"""Which processor computes, and in which number format: one place for training and serving."""

import functools
import platform
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import torch

from core.errors import RecipeError


def pick(name: str | torch.device | None = None) -> torch.device:
    """The named device, else the best there is: CUDA, Apple MPS, CPU.

    Raises:
        RecipeError: the machine has no such device.
    """
    present = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name is None:
        return torch.device(next(kind for kind in ("cuda", "mps", "cpu") if present[kind]))
    kind = str(name).split(":", maxsplit=1)[0]
    if not present.get(kind):
        raise RecipeError(f"this machine has no device {name}", " or ".join(k for k, there in present.items() if there))
    return torch.device(name)


def serving() -> torch.device:
    """Where one film is answered and explained: CUDA where there is any, else the CPU.

    Not MPS: it lacks operations that some heatmaps need.
    """
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def describe(device: torch.device) -> str:
    """The processor by its name, and of a CPU the number of threads: without them a time means nothing."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    if device.type == "mps":
        return f"{platform.processor() or platform.machine()} (MPS)"
    threads = torch.get_num_threads()
    return f"{_cpu_name()}, {threads} {'thread' if threads == 1 else 'threads'}"


def _cpu_name() -> str:
    """As Linux tells it, else what Python knows."""
    table = Path("/proc/cpuinfo")
    lines = table.read_text(encoding="utf-8").splitlines() if table.is_file() else []
    named = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return named or platform.processor() or platform.machine()


def has_bf16(device: torch.device) -> bool:
    """Whether bfloat16 is faster there than float32: newer NVIDIA cards, and CPUs with AMX or AVX512-BF16."""
    if device.type == "cuda":
        native: bool = torch.cuda.is_bf16_supported(including_emulation=False)
        return native
    able = torch.cpu.get_capabilities()
    return device.type == "cpu" and bool(able.get("amx_bf16") or able.get("avx512_bf16"))


def autocast(device: torch.device) -> AbstractContextManager[Any]:
    """Mixed precision where ``has_bf16``, else nothing."""
    return torch.autocast(device.type, torch.bfloat16) if has_bf16(device) else nullcontext()


@functools.cache
def _threads() -> int:
    """Of a network's sums, as many as the owner allows (OMP_NUM_THREADS): at first one for each core."""
    return torch.get_num_threads()


def use_cores(count: int) -> None:
    """Let networks that this thread asks compute on so many cores, and never on more than the owner allows."""
    wanted = min(count, _threads())
    if torch.get_num_threads() != wanted:
        torch.set_num_threads(wanted)


def exact(device: torch.device) -> None:
    """No TF32 in convolutions and products on NVIDIA cards: it keeps 10 bits, and one film would get two answers."""
    if device.type == "cuda":
        torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
