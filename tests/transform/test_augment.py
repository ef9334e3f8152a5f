"""Every augmentation does something, keeps its limits, can be made again, undone and copied."""

import time
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from core.errors import RecipeError
from core.training.recipe import load
from core.transform.augment import AUGMENTATIONS, Augment, Drawn, Step, geometry, warp_back

SIDE = 96
MILD = (
    Step("rotate", {"angle": (-10, 10)}),
    Step("shift", {"x": (-5, 5), "y": (-5, 5)}),
    Step("zoom", {"factor": (0.9, 1.1)}),
    Step("brightness", {"factor": (0.8, 1.2)}, p=0.5),
    Step("contrast", {"factor": (0.8, 1.2)}, p=0.5),
)
MOVES = [name for name, a in AUGMENTATIONS.items() if a.matrix]


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    """Smooth grey hills without any symmetry, uint8 (SIDE, SIDE)."""
    rows, columns = np.mgrid[:SIDE, :SIDE] / SIDE
    hills = sum(
        a * np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / 0.02)
        for y, x, a in ((0.3, 0.25, 0.9), (0.6, 0.7, 0.6), (0.4, 0.6, 0.4), (0.75, 0.3, 0.5))
    )
    return (40 + 160 * hills).clip(0, 235).astype(np.uint8)


def full(name: str) -> Step:
    """The step with every number drawn over its whole range."""
    ranges = {p.name: (p.low, p.high) for p in AUGMENTATIONS[name].parameters if not p.choices}
    return Step(name, ranges)


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_it_changes_the_picture_and_is_deterministic(name: str, picture: np.ndarray) -> None:
    batch = torch.from_numpy(np.stack([picture] * 4))
    augment = Augment([Step(name)])
    once, again = augment(batch, seeded()), augment(batch, seeded())
    assert once.dtype == torch.uint8
    assert once.shape == batch.shape
    assert torch.equal(once, again)
    assert not torch.equal(once[0], batch[0])
    assert torch.equal(batch[0], torch.from_numpy(picture)), "the input was written on"


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_its_whole_range_works_and_is_respected(name: str, picture: np.ndarray) -> None:
    augment, generator = Augment([full(name)]), seeded()
    for _ in range(20):
        drawn = augment.draw(generator)
        for parameter in AUGMENTATIONS[name].parameters:
            value = drawn[0].values[parameter.name]
            assert value in parameter.choices if parameter.choices else parameter.low <= value <= parameter.high
        changed = augment.replay(picture, drawn)
        assert changed.shape == picture.shape
        assert changed.dtype == np.uint8


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_its_limits_cannot_be_passed(name: str) -> None:
    for parameter in AUGMENTATIONS[name].parameters:
        assert parameter.low <= parameter.default <= parameter.high
        beyond = "tartan" if parameter.choices else parameter.high + 1
        with pytest.raises(RecipeError, match=parameter.name):
            Step(name, {parameter.name: beyond})


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_it_says_whether_a_film_may_look_so(name: str) -> None:
    verdict, reason = Step(name).verdict()
    assert verdict in ("plausible", "doubtful", "implausible")
    assert len(reason) > 30
    assert reason.endswith(".")


def test_too_much_of_it_is_one_grade_worse() -> None:
    assert Step("rotate", {"angle": 10}).verdict()[0] == "plausible"
    assert Step("rotate", {"angle": (-90, 90)}).verdict()[0] == "doubtful"
    assert "Angle goes beyond" in Step("rotate", {"angle": (-90, 90)}).verdict()[1]


def test_each_picture_of_a_batch_gets_its_own_draw(picture: np.ndarray) -> None:
    out = Augment(MILD)(torch.from_numpy(np.stack([picture] * 8)), seeded())
    assert len({o.numpy().tobytes() for o in out}) == 8


def test_a_batch_is_its_draws_replayed(picture: np.ndarray) -> None:
    augment = Augment(MILD)
    out = augment(torch.from_numpy(np.stack([picture] * 3)), seeded(3))
    generator = seeded(3)
    assert all(np.array_equal(augment.replay(picture, augment.draw(generator)), o.numpy()) for o in out)


def test_probability_is_kept(picture: np.ndarray) -> None:
    generator, augment = seeded(), Augment([Step("invert", p=0.3)])
    share = np.mean([augment.draw(generator)[0].applied for _ in range(2000)])
    assert share == pytest.approx(0.3, abs=0.04)


def test_consecutive_moves_cost_one_interpolation(picture: np.ndarray) -> None:
    """Turning twelve times by 30 degrees in one chain leaves the picture as it was."""
    chain = Augment([Step("rotate", {"angle": 30.0})] * 12)
    assert np.abs(chain.replay(picture, chain.draw(seeded())).astype(int) - picture).max() <= 1


def test_a_quarter_turn_is_numpys(picture: np.ndarray) -> None:
    turn = Augment([Step("rotate", {"angle": 90.0})])
    assert np.array_equal(turn.replay(picture, turn.draw(seeded())), np.rot90(picture))


def test_fill_is_black_or_the_nearest_edge(picture: np.ndarray) -> None:
    for fill, corner in (("black", 0), ("nearest", picture[0, 0])):
        moved = Augment([Step("shift", {"x": 30.0, "y": 30.0, "fill": fill})])
        assert moved.replay(picture, moved.draw(seeded()))[0, 0] == corner


@pytest.mark.parametrize("name", MOVES)
def test_a_map_comes_back_to_where_it_was(name: str, picture: np.ndarray) -> None:
    mild = {"angle": 12.0, "factor": 1.2} if name in ("rotate",) else {}
    step = Step(name, {k: v for k, v in mild.items() if k in [p.name for p in AUGMENTATIONS[name].parameters]})
    augment = Augment([step, Step("brightness", {"factor": 1.0})])
    drawn = augment.draw(seeded(1))
    back = warp_back(augment.replay(picture, drawn).astype(np.float32), drawn)
    seen = warp_back(np.ones((SIDE, SIDE), np.float32), drawn)
    assert back is not None
    assert seen is not None
    assert np.abs(back - picture)[seen > 0.99].mean() < 1.5
    assert (back[seen == 0] == 0).all()


def test_grey_steps_do_not_move_and_elastic_cannot_be_undone() -> None:
    augment = Augment([Step("blur"), Step("invert")])
    assert np.array_equal(geometry(augment.draw(seeded())), np.eye(3))
    drawn = Augment([Step("elastic")]).draw(seeded())
    assert geometry(drawn) is None
    assert warp_back(np.ones((8, 8), np.float32), drawn) is None


def test_a_step_passed_over_changes_nothing(picture: np.ndarray) -> None:
    drawn = [Drawn(Step("rotate"), {"angle": 45.0, "fill": "black"}, applied=False)]
    assert Augment.replay(picture, drawn) is picture
    assert np.array_equal(geometry(drawn), np.eye(3))


def some_of(name: str, draws: int = 24) -> list[Step]:
    """Steps with every number fixed somewhere in its whole range, the corners of the ranges among them."""
    generator = np.random.default_rng(len(name))
    steps = []
    for draw in range(draws):
        values: dict[str, float | str] = {}
        for p in AUGMENTATIONS[name].parameters:
            at = (0.0, 1.0)[draw % 2] if draw < 4 else generator.random()
            number = p.low + at * (p.high - p.low)
            values[p.name] = (
                p.choices[draw // 2 % len(p.choices)] if p.choices else round(number) if p.whole else number
            )
        steps.append(Step(name, values))
    return steps


def copied(augment: Augment, picture: np.ndarray, **names: object) -> np.ndarray:
    """What the copied code makes of a picture, run by itself; ``names`` replace what it imported."""
    scope: dict = {}
    exec(augment.as_code(), scope)
    scope.update(names)
    out = scope["augment"](torch.from_numpy(picture)[None].repeat(3, 1, 1))
    assert out.shape == (3, *picture.shape)
    assert out.dtype == torch.uint8
    return out[0].numpy()


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_the_copied_code_is_what_the_preview_shows(name: str, picture: np.ndarray) -> None:
    for step in some_of(name):
        augment = Augment([step])
        ours = augment.replay(picture, augment.draw(seeded())).astype(float)
        gap = np.abs(ours - copied(augment, picture))
        assert gap.mean() < 1.0, step
        assert np.quantile(gap, 0.98) < 8, step


@pytest.mark.parametrize("name", [name for name, a in AUGMENTATIONS.items() if a.parameters])
@pytest.mark.parametrize("end", [0, 1])
def test_the_copied_code_draws_the_same_ranges(name: str, end: int, picture: np.ndarray) -> None:
    """Both drawing always the one end of every range: the copied code makes the picture of that end."""
    declared = AUGMENTATIONS[name].parameters
    ends = {p.name: (p.low, p.low + 0.6 * (p.high - p.low)) for p in declared if not p.choices}
    step, fixed = Step(name, ends), {key: value[end] for key, value in ends.items()}
    whole = {p.name for p in declared if p.whole}
    at_end = Step(name, {key: float(int(value)) if key in whole else value for key, value in fixed.items()})
    ours = Augment.replay(picture, Augment([at_end]).draw(seeded())).astype(float)
    draw = (lambda low, high: low) if end == 0 else (lambda low, high: high)
    assert np.abs(ours - copied(Augment([step]), picture, uniform=draw, randint=draw)).mean() < 1.0


def test_whole_numbers_are_drawn_with_both_ends() -> None:
    augment, generator = Augment([Step("clahe", {"tiles": (4.0, 8.0)})]), seeded()
    drawn = [augment.draw(generator)[0].values["tiles"] for _ in range(2000)]
    assert sorted(set(drawn)) == [4, 5, 6, 7, 8]
    assert min(drawn.count(value) for value in set(drawn)) > 300
    with pytest.raises(RecipeError, match=r"lahe\.tiles is \(4\.2, 4\.8\)"):
        Step("clahe", {"tiles": (4.2, 4.8)})


def test_no_shear_crushes_the_picture(picture: np.ndarray) -> None:
    for step in some_of("shear"):
        assert np.linalg.det(geometry(Augment([step]).draw(seeded()))) == pytest.approx(1)


def keras_matrix(theta: float = 0, shear: float = 0, zx: float = 1, zy: float = 1) -> np.ndarray:
    """`apply_affine_transform` of Keras-Preprocessing 1.1.2: (row, column) of the new picture -> of the old one."""
    a, s = np.deg2rad(theta), np.deg2rad(shear)
    rotation = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
    sheared = np.array([[1, -np.sin(s), 0], [0, np.cos(s), 0], [0, 0, 1]])
    return rotation @ sheared @ np.diag([zx, zy, 1.0])


@pytest.mark.parametrize("recipe", ["compact_cnn", "frozen_mobilenet"])
def test_published_moves_are_kerass(recipe: str) -> None:
    """Every draw of the recipe is one that Keras could draw from its stated ranges, and its ends are Keras' ends."""
    rotate, shear, zoom = load(recipe).augment[:3]
    assert (rotate.values["angle"], shear.values["y"]) == ((-5, 5), (-0.2, 0.2))
    assert zoom.values["x"] == zoom.values["y"] == (1 - 0.3, 1 + 0.3)
    swap = np.array([[0, 1, 0], [1, 0, 0], [0, 0, 1.0]])  # Keras counts rows first
    for angle, slant, x, y in ((5, 0.2, 0.7, 1.3), (-5, -0.2, 1.3, 0.7), (0, 0, 0.7, 0.7), (3, 0.1, 1.1, 0.9)):
        steps = [replace(rotate, values={"angle": float(angle)}), replace(shear, values={**shear.values, "y": slant})]
        steps.append(replace(zoom, values={"x": x, "y": y}))
        ours = geometry(Augment(steps).draw(seeded()))
        theirs = np.linalg.inv(swap @ keras_matrix(-angle, slant, zx=y, zy=x) @ swap)
        assert ours == pytest.approx(theirs, abs=2e-5)
    assert geometry(Augment([replace(zoom, values={"x": 0.7, "y": 1.3})]).draw(seeded()))[0, 0] == pytest.approx(
        1.4286, abs=1e-4
    )


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_the_copied_code_draws_ranges_too(name: str, picture: np.ndarray) -> None:
    scope: dict = {}
    step = full(name)
    exec(Augment([Step(name, step.values, p=0.9)]).as_code(), scope)
    assert scope["augment"](torch.from_numpy(picture)[None].repeat(3, 1, 1)).shape == (3, SIDE, SIDE)
    assert scope["augment"](Image.fromarray(picture)).shape == (1, SIDE, SIDE)  # what ImageFolder gives


def test_a_recipe_gets_back_what_it_was_given() -> None:
    chain = (*MILD, Step("marker", {"text": "L"}, p=0.25), Step("flip_horizontal", p=0.5), Step("crop"))
    assert Augment.from_toml(Augment(chain).as_toml()).steps == chain


@pytest.mark.parametrize(
    ("table", "named"),
    [
        ({"name": "swirl"}, "swirl"),
        ({"name": "rotate", "degrees": 5}, "degrees"),
        ({"name": "rotate", "angle": [10, -10]}, "angle"),
        ({"name": "rotate", "angle": "far"}, "angle"),
        ({"name": "invert", "p": 2}, "p is 2"),
    ],
)
def test_a_wrong_recipe_is_named(table: dict, named: str) -> None:
    with pytest.raises(RecipeError, match=named):
        Step.from_dict(table)


def test_not_toml_is_refused() -> None:
    with pytest.raises(RecipeError, match="not TOML"):
        Augment.from_toml("[[augment]\nname=")


def test_no_steps_no_work(picture: np.ndarray) -> None:
    batch = torch.from_numpy(picture)[None]
    assert Augment([])(batch, seeded()) is batch


def test_training_is_not_kept_waiting() -> None:
    """Far below the measured 4,800 pictures a second of 224 pixels on one core, so that a busy machine passes too."""
    batch = torch.randint(0, 255, (200, 224, 224), dtype=torch.uint8, generator=seeded())
    start = time.process_time()
    Augment(MILD)(batch, seeded())
    assert 200 / (time.process_time() - start) > 600
