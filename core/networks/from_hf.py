"""Networks of `transformers`: ``hf:FOLDER_OR_REPO`` of an ``AutoModelForImageClassification``, ``hf:KIND`` in a card.

A folder of ``save_pretrained`` tells everything: ``config.json`` the network, its classes and what its outputs mean,
``model.safetensors`` the weights, ``preprocessor_config.json`` how films are shown. Only safetensors are read, and no
code that a folder brings is run. The card keeps the configuration, so that the checkpoint opens without the folder.
"""

import json
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import torch
from torch import nn

from core.errors import CheckpointError, RecipeError
from core.networks.attention import HF_DINOV2, HF_VIT
from core.networks.from_scratch import named
from core.networks.hf_processor import look_of
from core.networks.network import MAP, Layout, Network, NetworkSpec
from core.networks.sources import Offered

INSTALL = "pip install -r requirements-models.txt"
MAX_BYTES = 4_000_000  # of a configuration
DEEPEST, WIDEST = 500, 1_000_000  # layers in all, and any other number: a card may come from anybody
MEANINGS = {"single_label_classification": "softmax", "multi_label_classification": "sigmoid"}
_NOISE = (
    "_name_or_path",
    "transformers_version",
    "model_type",
    "id2label",
    "label2id",
    "auto_map",
    "dtype",
)


_DOORS = ("quantization_config", "attn_implementation", "_attn_implementation", "_attn_implementation_internal")


def names() -> tuple[str, ...]:
    """None: what there is lies in folders and repositories of any name."""
    return ()


def spec(name: str) -> NetworkSpec:
    """Side and title; a configuration may say another side."""
    _check(name)
    return NetworkSpec(f"hf:{name}", f"{name} (transformers)", False, 224)


def make(
    name: str, n_classes: int, channels: int, size: int, dropout: float, config: Mapping[str, Any] | None = None
) -> nn.Module:
    """The model of a configuration, untrained."""
    _check(name)
    if not config:
        came = f"hf:{name} was asked for without its configuration"
        raise RecipeError(came, "hf:FOLDER, a folder that save_pretrained wrote", "Adopt it: python -m core adopt")
    _acceptable({**config, "model_type": name})
    transformers = _transformers()
    try:
        settings = transformers.AutoConfig.for_model(
            name, **{k: v for k, v in config.items() if k not in _NOISE}, num_labels=n_classes
        )
        if int(settings.num_channels) != channels:
            raise RecipeError(f"hf:{name} takes {settings.num_channels} channels", f"{channels}, as its card says")
        made: nn.Module = transformers.AutoModelForImageClassification.from_config(settings, trust_remote_code=False)
    except (ValueError, TypeError, KeyError, AttributeError, RuntimeError, ArithmeticError, ImportError) as error:
        raise RecipeError(f"transformers cannot make hf:{name} of its configuration ({_first(error)})") from error
    return made


def regroup(model: Any) -> Network:
    """A model of transformers in named stages; its arithmetic and weights are its own.

    Where only the class token is read, the usual stage is the block before the last, see `core.networks.from_timm`.
    """
    kind = str(model.config.model_type)
    _check(kind)
    return KINDS[kind](model)


def own_weights(name: str, run_pickle: bool = False, size: int = 0) -> Offered:
    """The model in a folder, or in a repository of the Hugging Face Hub: from its cache or the internet.

    Raises:
        RecipeError: it is unavailable, or is of a kind that is not cut into features and head here.
        CheckpointError: it is no classifier with all of its weights in safetensors.
    """
    folder = Path(name).expanduser()
    local = folder.is_dir()
    said = _said(folder, "config.json") if local else {}
    if local and not said:
        raise CheckpointError(f"{folder.name} has no config.json", "a folder that save_pretrained wrote")
    if local and not list(folder.glob("*.safetensors")):
        came = f"{folder.name} has no weights in safetensors"
        remedy = "Save them again: model.save_pretrained(folder, safe_serialization=True)"
        raise CheckpointError(came, "model.safetensors; a pytorch_model.bin is a pickle and not read", remedy)
    if said:
        _acceptable(said)
    model, processor = _loaded(str(folder) if local else name, local)
    config = model.config
    _acceptable(config.to_dict())
    if not hasattr(model, "classifier"):
        raise RecipeError(f"transformers' {type(model).__name__} has not one classifier", "a model with one")
    kept = {k: v for k, v in json.loads(config.to_json_string(use_diff=False)).items() if k not in _NOISE}
    labels = tuple(str(config.id2label.get(n, f"output {n}")) for n in range(config.num_labels))
    looks = look_of(_said(folder, "preprocessor_config.json") if local else processor)
    side = config.image_size if isinstance(getattr(config, "image_size", None), int) else 224
    output = MEANINGS.get(str(getattr(config, "problem_type", "") or ""), "")
    return Offered(model, config.model_type, labels, {"size": side, **looks}, output=output, config=kept)


def _loaded(where: str, local: bool) -> tuple[Any, dict[str, Any]]:
    """The model with all of its weights, in float32, and what its image processor says."""
    transformers = _transformers()
    try:
        model, found = transformers.AutoModelForImageClassification.from_pretrained(
            where, trust_remote_code=False, use_safetensors=True, local_files_only=local, output_loading_info=True,
            dtype=torch.float32,
        )  # fmt: skip
        processor = {} if local else transformers.AutoImageProcessor.from_pretrained(where).to_dict()
    except Exception as error:  # the library and the Hub's client raise a dozen kinds
        if local:
            came = f"{Path(where).name} cannot be opened as a classifier of transformers ({_first(error)})"
            raise CheckpointError(came, "a folder that save_pretrained wrote") from error
        came = f"hf:{where} is no folder here, and is unavailable from the Hugging Face Hub ({type(error).__name__})"
        raise RecipeError(
            came, remedy="Connect to the internet once, or give a folder that save_pretrained wrote"
        ) from error
    if wrong := sorted(map(str, [*found["missing_keys"], *found["mismatched_keys"]])):
        came = f"{Path(where).name} lacks {len(wrong)} tensors of its classifier, e.g. {wrong[0]}"
        raise CheckpointError(came, "a fine-tuned classifier: the weights of a backbone alone answer by chance")
    return model.eval(), processor


def _acceptable(config: Mapping[str, Any]) -> None:
    """No code of others, by whatever door: modules beside the weights, attention kernels from the Hub, quantisers."""
    if config.get("auto_map"):
        came = "its config.json asks to run code that came with it (auto_map)"
        raise CheckpointError(came, "a network that transformers has itself", "Take the entry out if it is one")
    if strange := [key for key in _DOORS if config.get(key) not in (None, "eager", "sdpa")]:
        came = f"its config.json asks for {strange[0]} {config[strange[0]]!r:.60}"
        raise CheckpointError(came, "plain weights and attention", "Take the entry out and save it again")
    _check(str(config.get("model_type", "")))
    _bounded(config)


def _check(kind: str) -> None:
    if kind not in KINDS:
        near = get_close_matches(kind, KINDS, 1)
        remedy = f"Did you mean hf:{near[0]}?" if near else "Export it to ONNX: core adopt opens that as a black box"
        raise RecipeError(
            f"transformers' {kind or 'network'} is not cut into features and head here", ", ".join(KINDS), remedy
        )


def _bounded(config: Mapping[str, Any]) -> None:
    """A configuration must not ask for a network that no machine could build."""
    depths = [
        config.get("num_hidden_layers", 0),
        *(d if isinstance(d := config.get("depths", ()), list | tuple) else ()),
    ]
    if any(not isinstance(d, int) for d in depths) or sum(depths) > DEEPEST:
        raise CheckpointError(
            f"its configuration asks for {sum(d for d in depths if isinstance(d, int)):,} layers", f"at most {DEEPEST}"
        )
    for key, value in config.items():
        for number in value if isinstance(value, list | tuple) else (value,):
            if isinstance(number, int) and abs(number) > WIDEST:
                raise CheckpointError(f"its configuration says {key} = {number:,}", f"at most {WIDEST:,}")


def _said(folder: Path, name: str) -> dict[str, Any]:
    """A JSON file of a folder; empty where there is none."""
    path = folder / name
    if not path.is_file():
        return {}
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ValueError(f"more than {MAX_BYTES:,} bytes")
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise CheckpointError(f"{name} is damaged ({_first(error)})", "JSON as save_pretrained writes it") from error
    if not isinstance(found, dict):
        raise CheckpointError(f"{name} is a JSON {type(found).__name__}", "a JSON object")
    return found


def _vit(model: Any) -> Network:
    """ViT and DeiT: the classifier reads the class token."""
    inner = getattr(model, model.base_model_prefix)
    blocks = {f"block{n}": block for n, block in enumerate(inner.layers, start=1)}
    prefix = 2 if model.config.model_type == "deit" else 1
    head = named(norm=inner.layernorm, token=_Read("first"), classifier=model.classifier)
    return Network(
        named(embed=inner.embeddings, **blocks), head, Layout("tokens", prefix), _before_last(blocks), HF_VIT
    )


def _dinov2(model: Any) -> Network:
    """DINOv2, with registers or without: the class token beside the mean of the patches."""
    inner = getattr(model, model.base_model_prefix)
    blocks = {f"block{n}": block for n, block in enumerate(inner.encoder.layer, start=1)}
    prefix = 1 + int(getattr(model.config, "num_register_tokens", 0))
    head = named(norm=inner.layernorm, token=_Read("both", prefix), classifier=model.classifier)
    return Network(named(embed=inner.embeddings, **blocks), head, Layout("tokens", prefix), attention=HF_DINOV2)


def _resnet(model: Any) -> Network:
    inner = getattr(model, model.base_model_prefix)
    stages = {f"stage{n}": stage for n, stage in enumerate(inner.encoder.stages, start=1)}
    return Network(named(embed=inner.embedder, **stages), named(pool=inner.pooler, classifier=model.classifier))


def _convnext(model: Any) -> Network:
    inner = getattr(model, model.base_model_prefix)
    stages = {f"stage{n}": stage for n, stage in enumerate(inner.encoder.stages, start=1)}
    head = named(mean=_Read("map"), norm=inner.layernorm, classifier=model.classifier)
    return Network(named(embed=inner.embeddings, **stages), head, MAP)


def _swin(model: Any) -> Network:
    inner = getattr(model, model.base_model_prefix)
    stages = {f"stage{n}": _SwinStage(stage) for n, stage in enumerate(inner.encoder.layers, start=1)}
    head = named(norm=inner.layernorm, mean=_Read("mean"), classifier=model.classifier)
    return Network(named(embed=_SwinEmbed(inner.embeddings), **stages), head, Layout("tokens"))


class _Read(nn.Module):
    """What a head takes of tokens (B, N, K) or of a map (B, K, h, w) -> (B, K), or (B, 2 K) of "both"."""

    def __init__(self, what: str, prefix: int = 0) -> None:
        super().__init__()
        self.what, self.prefix = what, prefix

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The first token, the mean, or the first beside the mean of those after the prefix."""
        if self.what == "first":
            return x[:, 0]
        if self.what == "both":
            return torch.cat((x[:, 0], x[:, self.prefix :].mean(1)), dim=1)
        return x.mean((-2, -1)) if self.what == "map" else x.mean(1)


class _SwinEmbed(nn.Module):
    def __init__(self, embed: nn.Module) -> None:
        super().__init__()
        self.embed = embed

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Images -> tokens, without the grid's sides, which are equal."""
        found: torch.Tensor = self.embed(images)[0]
        return found


class _SwinStage(nn.Module):
    def __init__(self, stage: nn.Module) -> None:
        super().__init__()
        self.stage = stage

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Tokens (B, h * h, K) -> (B, h * h / 4, 2 K), or as many where nothing is merged."""
        side = round(tokens.shape[1] ** 0.5)
        found: torch.Tensor = self.stage(tokens, (side, side))[0]
        return found


def _before_last(blocks: Mapping[str, nn.Module]) -> str:
    return [*("embed",), *blocks][-2]


KINDS: dict[str, Callable[[Any], Network]] = {
    **dict.fromkeys(("vit", "deit"), _vit),
    **dict.fromkeys(("dinov2", "dinov2_with_registers"), _dinov2),
    **dict.fromkeys(("resnet", "regnet"), _resnet),
    **dict.fromkeys(("convnext", "convnextv2"), _convnext),
    "swin": _swin,
}


def _transformers() -> Any:
    try:
        import transformers
    except ImportError as error:
        raise RecipeError("transformers is not installed", remedy=INSTALL) from error
    logging: Any = transformers.logging
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    return transformers


def _first(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
