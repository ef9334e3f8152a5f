"""The compiled decoders, kept at arm's length: one worker process, started when first needed, replaced when it dies."""

import contextlib
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np

from core.data.film.dicom.codestream import Codestream

TIME_LIMIT = 120.0  # seconds; the worker limits its own computing far closer
_WORKER = Path(__file__).with_name("worker.py")


class DecoderError(Exception):
    """The decoder refused the codestream, crashed on it, or did not come to an end."""


class Decoders:
    """One worker process behind one lock.

    Args:
        time_limit: seconds for one picture, after which the worker is ended.
    """

    def __init__(self, time_limit: float = TIME_LIMIT) -> None:
        self._limit, self._lock = time_limit, threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0

    def decode(self, stream: bytes, is_: Codestream) -> np.ndarray:
        """Integers (rows, columns) or (rows, columns, samples), as many bits each as the codestream says.

        Raises:
            DecoderError: with the decoder's words, or that it crashed or took too long.
        """
        request = {"kind": is_.kind, "precision": is_.precision, "rows": is_.rows, "columns": is_.columns}
        head = json.dumps(request | {"samples": is_.samples, "bytes": len(stream)}).encode() + b"\n"
        with self._lock:
            process = self._running()
            clock = threading.Timer(self._limit, process.kill)
            clock.daemon = True
            clock.start()
            try:
                answer, body = self._exchange(process, head + stream)
            finally:
                clock.cancel()
        if "error" in answer:
            raise DecoderError(answer["error"])
        return np.frombuffer(body, answer["dtype"]).reshape(answer["shape"])

    def close(self) -> None:
        """End the worker; the next picture starts another."""
        with self._lock:
            self._end()

    def _exchange(self, process: "subprocess.Popen[bytes]", message: bytes) -> tuple[dict[str, Any], bytes]:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(message)
            process.stdin.flush()
            answer = json.loads(process.stdout.readline())
            body = process.stdout.read(answer["bytes"])
            if len(body) < answer["bytes"]:
                raise ValueError("half an answer")
        except BaseException as error:  # the two may be out of step now: never use this worker again
            self._end()
            if isinstance(error, OSError | ValueError | KeyError | TypeError):
                raise DecoderError("the decoder crashed or did not come to an end") from None
            raise
        return answer, body

    def _running(self) -> "subprocess.Popen[bytes]":
        # A forked child inherits the pipe of its parent's worker and must not talk into it.
        if self._process is None or self._owner != os.getpid() or self._process.poll() is not None:
            command = [sys.executable, "-I", str(_WORKER)]
            pipe = subprocess.PIPE
            self._process = subprocess.Popen(
                command,
                stdin=pipe,
                stdout=pipe,
                stderr=subprocess.DEVNULL,  # GDCM complains there
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},  # its threads reserve memory that the limit counts
            )
            self._owner = os.getpid()
        return self._process

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None or self._owner != os.getpid():
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):  # what could not be sent any more
                    pipe.close()

    def _after_fork(self) -> None:
        self._process, self._lock = None, threading.Lock()  # another thread may have held it at the fork


DECODERS = Decoders()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=DECODERS._after_fork)
