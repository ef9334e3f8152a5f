"""A program out of a checkpoint's folder is tried in a process of its own: it may come from anywhere, and never end."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from core.errors import CheckpointError
from core.model.adopt.adopted import from_path
from core.model.checkpoint import load, save
from core.model.classifier import Classifier
from core.networks import trial
from tests.networks.test_onnx import SIDE, WISHES, exported, films


def endless() -> bytes:
    """A program that is well formed, takes such a picture and never ends."""
    turn, go, before, on, after = (
        helper.make_tensor_value_info(name, kind, shape)
        for name, kind, shape in (
            ("turn", TensorProto.INT64, []),
            ("go", TensorProto.BOOL, []),
            ("before", TensorProto.FLOAT, [1, 3]),
            ("on", TensorProto.BOOL, []),
            ("after", TensorProto.FLOAT, [1, 3]),
        )
    )
    same = [helper.make_node("Identity", [a], [b]) for a, b in (("go", "on"), ("before", "after"))]
    body = helper.make_graph(same, "body", [turn, go, before], [on, after])
    nodes = [
        helper.make_node("ReduceMean", ["x"], ["first"], axes=[2, 3], keepdims=0),
        helper.make_node("Loop", ["turns", "yes", "first"], ["z"], body=body),
    ]
    graph = helper.make_graph(
        nodes, "endless",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, SIDE, SIDE])],
        [helper.make_tensor_value_info("z", TensorProto.FLOAT, [1, 3])],
        [numpy_helper.from_array(np.array(2**62), "turns"), numpy_helper.from_array(np.array(True), "yes")],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def test_a_checkpoint_copied_from_anywhere_is_tried_in_a_process_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exported(tmp_path / "mine.onnx", nn.Identity())
    made = from_path(tmp_path / "mine.onnx", WISHES, "m")
    tried, real = [], trial.run
    monkeypatch.setattr(trial, "run", lambda content, shape: tried.append(shape) or real(content, shape))
    answers = [Classifier(made, "torch"), Classifier(load(save(made, tmp_path / "m")), "torch")]
    first, second = (model.predict_pictures(films())[0] for model in answers)
    np.testing.assert_array_equal(first, second)
    answers[1].predict_pictures(films())
    assert tried[-1] == (1, 3, SIDE, SIDE)
    asked = len(tried)
    answers[1].predict_pictures(films())
    assert len(tried) == asked
    [name] = [key for key in made.state if key.endswith("program")]
    content = endless()
    config = {**made.card.network_config, "bytes": len(content)}
    state = {**made.state, name: torch.frombuffer(bytearray(content), dtype=torch.uint8)}
    folder = save(replace(made, card=replace(made.card, network_config=config), state=state), tmp_path / "endless")
    monkeypatch.setattr(trial, "LONGEST", 5)
    with pytest.raises(CheckpointError, match="could not be run on a picture of 32 px within 5 s"):
        Classifier(load(folder), "torch").predict_pictures(films())
