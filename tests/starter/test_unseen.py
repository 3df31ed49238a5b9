"""The table of nouns outside the grammar, how captions use it, and what pages are told of it."""

import numpy as np
import pytest

from app.vocabulary import Vocabulary
from starter import lexicon, unseen
from starter.attributes import FORMS, SUBJECTS, Attributes
from starter.captions import VOCABULARY, Speaker, bare
from starter.export import WEIGHTS, WORDS

GRADES = ("kin", "near")


def test_every_noun_has_one_place_and_is_no_word_of_the_grammar() -> None:
    table = unseen.table()
    assert tuple(table) == GRADES
    nouns = [noun for places in table.values() for group in places.values() for noun in group]
    assert len(nouns) == len(set(nouns)) > 2000
    named = {bare(word) for group in VOCABULARY["subject"].values() for word in group}
    assert not set(nouns) & named
    for places in table.values():
        for at in places:
            subject, form = unseen.split_place(at)
            assert subject in SUBJECTS
            assert not form or form in FORMS[subject]


def test_nouns_stand_where_anybody_would_put_them() -> None:
    table = unseen.table()
    for at, nouns in {"dog": "poodle beagle", "bird": "eagle swan", "fish": "salmon", "tree": "pine"}.items():
        assert set(nouns.split()) <= set(table["kin"][at])
    for at, nouns in {"lizard": "dinosaur snake", "horse": "zebra cow", "guitar": "violin"}.items():
        assert set(nouns.split()) <= set(table["near"][at])


def test_captions_use_nouns_as_often_as_told() -> None:
    speaker = Speaker(np.random.default_rng(0))
    dog = Attributes("dog", "oil", "ocean", "day", "busy")
    shown = [bare(speaker.shown(dog, False)) for _ in range(4000)]
    for grade, rate in (("kin", 0.15), ("near", 0.1)):
        listed = unseen.table()[grade]["dog"]
        assert np.mean([word in listed for word in shown]) == pytest.approx(rate, abs=0.02)


def test_nouns_have_their_natural_article() -> None:
    spoken = ["an eagle", "a unicorn", "rice", "petals", "a walrus", "a dress"]
    assert [unseen.spoken(bare(text)) for text in spoken] == spoken


def test_the_words_beside_the_weights_are_those_of_the_tables() -> None:
    kept = Vocabulary.model_validate_json((WEIGHTS / WORDS).read_bytes())
    assert kept == Vocabulary.model_validate(lexicon.lexicon())
