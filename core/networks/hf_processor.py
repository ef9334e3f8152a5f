"""What an image processor of `transformers` does to a picture, in the house's words."""

from collections.abc import Mapping
from typing import Any

from core.errors import RecipeError

BYTE = 1 / 255  # what processors multiply bytes by, unless they say otherwise


def look_of(said: Mapping[str, Any]) -> dict[str, Any]:
    """Size, fit, mean and std of a ``preprocessor_config.json``; only what it says.

    The processor makes ``(255 p r + o - mean) / std`` of a pixel p from 0 to 1, with the factor r and the offset o.

    Raises:
        RecipeError: it says something that no picture here can be made by.
    """
    found: dict[str, Any] = {}
    sizes = said.get("crop_size") if said.get("do_center_crop") else None
    sizes = sizes or (said.get("size") if said.get("do_resize", True) else None)
    if sizes:
        found |= _square(sizes, cropped=bool(said.get("do_center_crop")))
    if not {"image_mean", "do_normalize", "do_rescale"} & said.keys():
        return found
    mean, std = (_numbers(said.get(key), value) for key, value in (("image_mean", 0.0), ("image_std", 1.0)))
    if not said.get("do_normalize", True):
        mean, std = (0.0,) * len(mean), (1.0,) * len(std)
    factor = float(said.get("rescale_factor") or BYTE) if said.get("do_rescale", True) else 1.0
    offset = 1.0 if said.get("rescale_offset") or said.get("offset") else 0.0
    white = 255 * factor  # what a white pixel becomes
    if not white > 0 or any(not value > 0 for value in std):
        raise RecipeError(f"its image processor scales by {factor:g} and {std}", "numbers above 0")
    return found | {"mean": tuple((m + offset) / white for m in mean), "std": tuple(s / white for s in std)}


def _square(sizes: Any, cropped: bool) -> dict[str, Any]:
    if isinstance(sizes, int):
        return {"size": sizes, "fit": "crop" if cropped else "squash"}
    if isinstance(sizes, Mapping) and sizes.get("height") and sizes.get("width"):
        if sizes["height"] != sizes["width"]:
            came = f"its image processor makes {sizes['width']} x {sizes['height']} pictures"
            raise RecipeError(came, "square ones", "Give the side with --size if it takes squares, too")
        return {"size": int(sizes["height"]), "fit": "crop" if cropped else "squash"}
    if isinstance(sizes, Mapping) and sizes.get("shortest_edge"):
        return {"size": int(sizes["shortest_edge"]), "fit": "crop"}
    return {}


def _numbers(value: Any, usual: float) -> tuple[float, ...]:
    if value is None:
        return (usual,) * 3
    values = value if isinstance(value, list | tuple) else (value,) * 3
    try:
        return tuple(float(number) for number in values)
    except (TypeError, ValueError) as error:
        raise RecipeError(f"its image processor says {value!r}", "numbers") from error
