import json
import string

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from app.errors import InvalidPrompt
from app.prompt import parse
from app.spec import DASHES, Personalize, Spec, TasteRequest, snap_size

WORDS = [
    "--p",
    "-s",
    " --",
    "—seed 5",
    "http://x",
    "::",
    "off",
    '5"',
    '"--p',
    "\\-",
    "é",
    "猫",
    "👩\u200d👧",
    "\u0301",
]
TRICKY = st.sampled_from([*DASHES, *'{},"“”\\: ', *WORDS])


def tidy(parts: list[str]) -> str:
    return " ".join("".join(parts).split())


def valid_text(text: str) -> bool:
    return bool(text) and not text.startswith("http")


texts = st.lists(TRICKY | st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=30).map(tidy)
prompts = texts.filter(valid_text)
decimals = st.integers(-10_000, 10_000).map(lambda thousandths: thousandths / 1000)
references = st.from_regex(r"\A[A-Za-z0-9_][A-Za-z0-9_-]{3,39}\Z")
requests = st.builds(TasteRequest, ref=references, weight=decimals.filter(bool) | st.just(1.0))
personalizes = st.sampled_from(["unset", "off", "default"]).map(
    lambda requested: Personalize.model_validate({"requested": requested})
) | st.lists(requests, min_size=1, max_size=16, unique_by=lambda taste: taste.ref).map(
    lambda refs: Personalize(requested="refs", refs=tuple(refs))
)
images = st.lists(
    references | st.text(string.ascii_letters + "/.,:-", min_size=1, max_size=9).map("https://".__add__),
    max_size=3,
).map(tuple)
urls = images.map(lambda found: tuple(image for image in found if image.startswith("http")))
specs = st.builds(
    Spec,
    text=prompts,
    negative=st.lists(texts.filter(bool), max_size=3).map(tuple),
    personalize=personalizes,
    stylize=st.none() | st.integers(0, 1000),
    seed=st.none() | st.integers(0, 2**32 - 1),
    aspect=st.tuples(st.integers(1, 10_000), st.integers(1, 10_000)),
    chaos=st.integers(0, 100),
    n=st.integers(1, 8),
    model=st.none() | st.from_regex(r"\A[a-z0-9][a-z0-9._-]{0,39}\Z"),
    steps=st.none() | st.integers(1, 150),
    images=urls,
    iw=st.none() | st.integers(0, 3000).map(lambda thousandths: thousandths / 1000),
    sref=images,
    sw=st.none() | st.integers(0, 1000),
    tile=st.booleans(),
    raw=st.booleans(),
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(specs)
@example(Spec(text='"a', negative=('b"', "c"), stylize=5))
@example(Spec(text="a \\", negative=("\\,", "{--p}")))
@example(Spec(text='\\"--p "x" "'))
@example(Spec(text="a“", tile=True, negative=("”",)))
def test_printing_and_parsing_is_the_same_spec(spec: Spec) -> None:
    assert parse(spec.to_prompt()) == [spec]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(texts, st.lists(TRICKY | st.sampled_from([" --s 5", " --no ", " --p abcd::-1", "{a, b}"]), max_size=6))
def test_whatever_parses_prints_and_parses_again(text: str, tail: list[str]) -> None:
    try:
        found = parse(text + "".join(tail))
    except InvalidPrompt:
        return
    for spec in found:
        assert parse(spec.to_prompt()) == [spec]


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(specs)
def test_json_is_canonical(spec: Spec) -> None:
    text = spec.to_json()
    again = Spec.from_json(text)
    assert again == spec
    assert again.to_json() == text
    assert Spec.model_validate(json.loads(text)) == spec


def test_the_printed_form() -> None:
    (spec,) = parse("a {cat}  -p k3vq9x::2.50 m8wz4t —c 5 --ar 1:1 --no a,b")
    assert spec.to_prompt() == "a cat --p k3vq9x::2.5 m8wz4t --chaos 5 --no a, b"
    assert Spec(text='a "--p" and -s {5}').to_prompt() == 'a "--p" and \\-s \\{5\\}'


def resolve(spec: Spec, tastes: list[tuple[str, float]]) -> Spec:
    return spec.resolve(seed=7, stylize=100, model="starter", steps=20, size=(128, 96), tastes=tastes)


def test_resolving_fills_in_what_was_left_open() -> None:
    (spec,) = parse("a cat --p --s 30")
    resolved = resolve(spec, [("k3vq9x", 3), ("m8wz4t", -1)])
    assert (resolved.seed, resolved.stylize, resolved.model, resolved.steps) == (7, 30, "starter", 20)
    assert resolved.size == (128, 96)
    assert [(t.code, t.weight, t.normalised) for t in resolved.personalize.tastes] == [
        ("k3vq9x", 3, 0.75),
        ("m8wz4t", -1, -0.25),
    ]
    assert resolved.to_prompt() == "a cat --p k3vq9x::3 m8wz4t::-1 --s 30 --seed 7 --model starter --steps 20"
    assert Spec.from_json(resolved.to_json()) == resolved
    (again,) = parse(resolved.to_prompt())
    assert resolve(again, [("k3vq9x", 3), ("m8wz4t", -1)]) == resolved


def test_resolving_without_tastes_says_off() -> None:
    resolved = resolve(Spec(text="a cat"), [])
    assert resolved.personalize == Personalize(requested="off")


def test_resolving_to_one_taste_twice_is_refused() -> None:
    with pytest.raises(InvalidPrompt, match="same taste twice"):
        resolve(Spec(text="a cat"), [("k3vq9x", 1), ("k3vq9x", 2)])


def test_slot_seeds_differ_and_wrap() -> None:
    spec = Spec(text="a", seed=2**32 - 2)
    assert [spec.slot_seed(slot) for slot in range(4)] == [2**32 - 2, 2**32 - 1, 0, 1]
    with pytest.raises(ValueError, match="no seed"):
        Spec(text="a").slot_seed(0)


@pytest.mark.parametrize(
    "fields",
    [
        {"text": ""},
        {"text": " a"},
        {"text": "a\nb"},
        {"text": "a\x00"},
        {"text": "a\u200bb"},
        {"text": "a" * 4001},
        {"text": "https://example.org a"},
        {"text": "a", "stylize": 1001},
        {"text": "a", "seed": 2**32},
        {"text": "a", "aspect": (0, 1)},
        {"text": "a", "n": 9},
        {"text": "a", "iw": float("nan")},
        {"text": "a", "model": "../x"},
        {"text": "a", "negative": ["", "b"]},
        {"text": "a", "unknown": 1},
        {"text": "a", "personalize": {"requested": "refs"}},
        {"text": "a", "personalize": {"requested": "off", "refs": [{"ref": "abcd"}]}},
        {"text": "a", "personalize": {"requested": "refs", "refs": [{"ref": "abcd", "weight": 0}]}},
        {"text": "a", "personalize": {"requested": "refs", "refs": [{"ref": "abcd"}, {"ref": "abcd"}]}},
    ],
)
def test_a_spec_cannot_hold_nonsense(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Spec.model_validate(fields)


SIZES = [(128, 128), (160, 96), (96, 160), (64, 64), (144, 112)]


@pytest.mark.parametrize(
    ("aspect", "size"),
    [
        ((1, 1), (128, 128)),
        ((1000, 1001), (128, 128)),
        ((16, 9), (160, 96)),
        ((9, 16), (96, 160)),
        ((10_000, 1), (160, 96)),
        ((4, 3), (144, 112)),
    ],
)
def test_snapping_takes_the_nearest_proportions(aspect: tuple[int, int], size: tuple[int, int]) -> None:
    assert snap_size(aspect, SIZES) == size
    assert snap_size(aspect, SIZES[::-1]) == size


def test_snapping_needs_a_size() -> None:
    with pytest.raises(ValueError, match="empty"):
        snap_size((1, 1), [])
