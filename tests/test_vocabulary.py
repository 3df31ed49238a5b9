"""The words of the next starter: what is called unknown, and what never is."""

import json
from pathlib import Path

import pytest

from app.config import REPOSITORY
from app.errors import OperatorError
from app.presets import read_presets
from app.vocabulary import Vocabulary, read_vocabulary

PROMPTS = REPOSITORY / "starter" / "prompts.txt"


@pytest.fixture(scope="module")
def words() -> Vocabulary:
    return read_vocabulary(REPOSITORY / "starter" / "weights" / "vocabulary.json")


@pytest.mark.parametrize(
    ("text", "unknown"),
    [
        ("a dinosaur", {"dinosaur": "lizard"}),
        ("two dinosaurs and a robot by the sea", {"dinosaurs": "lizard", "robot": "rocket"}),
        ("Dinosaur, DINOSAUR, dinosaurs", {"dinosaur": "lizard"}),
        ("a wolf, wolves, mice", {"wolf": "dog", "mice": "cat"}),
        ("a lighthouse on a rock", {}),
        ("a lighthouse near a rock", {"rock": "mountains"}),
        ("a stained glass window of a cat at the golden gate bridge", {}),
        ("a puppy, a poodle, a teacher and strawberries", {}),
        ("castles, owls, lighthouses, puppies", {}),
        ("qzxv in purple, 8-bit, close-up", {}),
        ("", {}),
        ("¡Ñandú! 猫 🐈 __ 5", {}),
    ],
)
def test_only_nouns_that_cannot_be_drawn_are_named(
    words: Vocabulary, text: str, unknown: dict[str, str]
) -> None:
    assert {found.word: found.nearest for found in words.unknown(text)} == unknown


def test_no_word_that_the_model_knows_is_called_unknown(words: Vocabulary) -> None:
    for group in words.groups:
        for value in group.values:
            for word in (*value.words, *value.forms):
                assert words.unknown(word) == (), word
                assert words.unknown(f"{word}, please") == ()


def test_every_nearest_word_is_one_that_it_knows(words: Vocabulary) -> None:
    for nearest in {*words.near.values(), *words.kin.values()} - {""}:
        assert words.unknown(nearest) == ()
    assert not set(words.kin) & set(words.near)


def test_prompts_of_a_first_day_hardly_ever_name_a_word_in_error(words: Vocabulary) -> None:
    found = [words.unknown(line.partition(" --")[0]) for line in PROMPTS.read_text().splitlines()]
    named = {unknown.word for line in found for unknown in line}
    assert {"dinosaur", "dragon", "robot", "unicorn"} <= named
    assert len(found) == 64
    assert sum(map(bool, found)) < 24


def test_a_vocabulary_that_cannot_be_read_says_which_file(tmp_path: Path) -> None:
    path = tmp_path / "vocabulary.json"
    with pytest.raises(OperatorError, match=r"vocabulary\.json"):
        read_vocabulary(path)
    path.write_text(json.dumps({"groups": []}))
    with pytest.raises(OperatorError, match="kin"):
        read_vocabulary(path)


def test_presets_need_no_vocabulary(tmp_path: Path) -> None:
    path = tmp_path / "presets.toml"
    path.write_text(
        '[mine]\ntitle = "Mine"\nlicence = "MIT"\nfolder = "."\nencoder = "e"\n'
        "sizes = [[64, 64]]\nsteps = 4\nguidance = 4.0\n"
    )
    assert read_presets(path)["mine"].vocabulary is None
