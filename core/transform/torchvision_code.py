"""One augmentation as a line of torchvision v2, for "copy as code": what the preview shows, in a script of one's own.

Each function takes the values of a step, a fixed number or a (low, high) pair drawn evenly, and writes a transform for
a uint8 image tensor (C, H, W). torchvision's own operation where it is the same; else a matrix under `warp`, or the
very function of `pixels` under `on_grey`. `script` puts above the lines what they need.
"""

import inspect
import re
from collections.abc import Mapping, Sequence
from typing import Any

from core.transform import pixels

IMPORTS = {
    r"\bnp\.": "import numpy as np",
    "": "import torch",
    r"\bv2\.": "from torchvision.transforms import v2",
    r"\bF\.": "from torchvision.transforms.v2 import functional as F",
}
FROM = {"math": ("cos", "radians", "sin", "tan"), "random": ("randint", "uniform")}
WARP = '''
def warp(x, matrix, padding):
    """A square picture moved; matrix: from the new picture's points to the old one's, edges at -1 and 1."""
    grid = torch.nn.functional.affine_grid(torch.tensor([matrix], dtype=torch.float32), [1, *x.shape], False)
    moved = torch.nn.functional.grid_sample(x[None].float(), grid, "bilinear", padding, False)
    return moved[0].round().to(torch.uint8)
'''
ON_GREY = '''
def on_grey(change, x, /, **values):
    """A change of one grey picture uint8 (S, S), for a tensor whose channels are all that picture."""
    return torch.from_numpy(change(np.ascontiguousarray(x[0].numpy()), **values)).repeat(len(x), 1, 1)
'''
BILINEAR = "interpolation=v2.InterpolationMode.BILINEAR"
Values = Mapping[str, Any]


def script(lines: Sequence[str]) -> str:
    """The lines as one `v2.Compose` named ``augment``, below the imports and functions that they use."""
    body = "augment = v2.Compose([\n" + "\n".join(f"    {line}" for line in lines) + "\n])\n"
    used = [inspect.getsource(getattr(pixels, name)) for name in _used(re.findall(r"on_grey\((\w+),", body))]
    helpers = [text for name, text in (("warp(", WARP), ("on_grey(", ON_GREY)) if name in body]
    parts = [*helpers, *used]
    text = "\n".join([*parts, body])
    imports = [line for pattern, line in IMPORTS.items() if re.search(pattern, text)]
    for module, names in FROM.items():
        if needed := [name for name in names if re.search(rf"\b{name}\(", text)]:
            imports.insert(0, f"from {module} import {', '.join(needed)}")
    return "\n".join(imports) + "\n\n" + "\n\n".join(part.strip("\n") + "\n" for part in (*parts, body))


def _used(names: Sequence[str]) -> list[str]:
    """Functions of `pixels` by name, each below those of that room that it calls itself."""
    found: dict[str, None] = {}
    for name in names:
        called = inspect.unwrap(getattr(pixels, name)).__code__.co_names
        helpers = [other for other in called if other != name and inspect.isfunction(getattr(pixels, other, None))]
        found |= dict.fromkeys([*_used(helpers), name])
    return list(found)


def _number(value: float) -> str:
    return str(float(f"{value:.6g}"))  # never a whole one: torchvision multiplies uint8 by that, and it runs over


def _draw(value: Any, scale: float = 1.0) -> str:
    """An expression that is the number, or draws it."""
    if isinstance(value, str):
        return repr(value)
    if isinstance(value, tuple):
        return f"uniform({_number(value[0] * scale)}, {_number(value[1] * scale)})"
    return _number(value * scale)


def _draw_whole(value: Any) -> str:
    if isinstance(value, tuple):
        low, high = -int(-value[0] // 1), int(value[1] // 1)
        return f"randint({low}, {high})"
    return f"{value:.0f}"


def _function(call: str) -> str:
    return f"v2.Lambda(lambda x: {call})"


def _with(names: str, call: str, *drawn: str) -> str:
    """The call with numbers that it needs more than once."""
    return _function(f"(lambda {names}: {call})({', '.join(drawn)})")


def _affine(translate: str = "[0, 0]", scale: str = "1", shear: str = "[0, 0]") -> str:
    return _function(f"F.affine(x, angle=0, translate={translate}, scale={scale}, shear={shear}, {BILINEAR})")


def _warp(v: Values, matrix: str) -> str:
    return f'warp(x, {matrix}, "{"border" if v.get("fill") == "nearest" else "zeros"}")'


def _on_grey(name: str, v: Values, whole: tuple[str, ...] = ()) -> str:
    drawn = (f"{key}={_draw_whole(value) if key in whole else _draw(value)}" for key, value in v.items())
    return _function(f"on_grey({', '.join([name, 'x', *drawn])})")


def rotate(v: Values) -> str:
    if v["fill"] == "nearest":
        return _with("a", _warp(v, "[[cos(a), -sin(a), 0], [sin(a), cos(a), 0]]"), f"radians({_draw(v['angle'])})")
    return _function(f"F.rotate(x, {_draw(v['angle'])}, {BILINEAR})")


def shift(v: Values) -> str:
    if v["fill"] == "nearest":
        return _function(_warp(v, f"[[1, 0, {_draw(v['x'], -0.02)}], [0, 1, {_draw(v['y'], -0.02)}]]"))
    return _affine(translate=f"[{_draw(v['x'], 0.01)} * x.shape[-1], {_draw(v['y'], 0.01)} * x.shape[-2]]")


def zoom(v: Values) -> str:
    if v["aspect"] == 1 and v["fill"] == "black":
        return _affine(scale=_draw(v["factor"]))
    matrix = "[[1 / (f * a**0.5), 0, 0], [0, a**0.5 / f, 0]]"
    return _with("f, a", _warp(v, matrix), _draw(v["factor"]), _draw(v["aspect"]))


def field_of_view(v: Values) -> str:
    return _function(_warp(v, f"[[{_draw(v['x'])}, 0, 0], [0, {_draw(v['y'])}, 0]]"))


def shear(v: Values) -> str:
    if v["fill"] == "nearest":
        tangents = (f"tan(radians({_draw(v[name])}))" for name in "xy")
        return _with("t, u", _warp(v, "[[1 + t * u, -t, 0], [-u, 1, 0]]"), *tangents)
    return _affine(shear=f"[{_draw(v['x'], -1)}, {_draw(v['y'], -1)}]")


def flip_horizontal(v: Values) -> str:
    return "v2.RandomHorizontalFlip(p=1)"


def flip_vertical(v: Values) -> str:
    return "v2.RandomVerticalFlip(p=1)"


def crop(v: Values) -> str:
    matrix = "[[s, 0, (1 - s) * (x0 / 50 - 1)], [0, s, (1 - s) * (y0 / 50 - 1)]]"
    return _with("s, x0, y0", _warp(v, matrix), f"({_draw(v['area'], 0.01)})**0.5", _draw(v["x"]), _draw(v["y"]))


def brightness(v: Values) -> str:
    return _function(f"F.adjust_brightness(x, {_draw(v['factor'])})")


def contrast(v: Values) -> str:
    return _function(f"F.adjust_contrast(x, {_draw(v['factor'])})")


def gamma(v: Values) -> str:
    return _function(f"F.adjust_gamma(x, gamma={_draw(v['gamma'])})")


def equalise(v: Values) -> str:
    return _on_grey("equalise", v)


def clahe(v: Values) -> str:
    return _on_grey("clahe", v, ("tiles",))


def invert(v: Values) -> str:
    return "v2.RandomInvert(p=1)"


def noise(v: Values) -> str:
    return _on_grey("noise", v, ("seed",))


def blur(v: Values) -> str:
    return _with("s", "F.gaussian_blur(x, [round(6 * s + 1) | 1] * 2, [s, s])", _draw(v["sigma"]))


def sharpen(v: Values) -> str:
    return _function(f"F.adjust_sharpness(x, {_draw(v['factor'])})")


def jpeg(v: Values) -> str:
    return _function(f"F.jpeg(x, {_draw_whole(v['quality'])})")


def low_resolution(v: Values) -> str:
    return _on_grey("low_resolution", v)


def erase(v: Values) -> str:
    return _on_grey("erase", v)


def marker(v: Values) -> str:
    return _on_grey("marker", v)


def elastic(v: Values) -> str:
    return _on_grey("elastic", v, ("seed",))
