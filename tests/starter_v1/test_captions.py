"""The caption grammar: words for every class, exact mentions, reproducible."""

import numpy as np

from starter_v1.attributes import NAMES, Attributes, balanced, from_codes
from starter_v1.captions import VOCABULARY, Speaker, bare


def test_every_class_has_several_words_and_no_word_means_two_classes() -> None:
    for name, classes in NAMES.items():
        table = VOCABULARY[name]
        assert set(table) == set(classes)
        words = [word for group in table.values() for word in group]
        assert min(len(group) for group in table.values()) >= 5
        assert len(words) == len(set(words)), name


def test_a_caption_holds_a_word_for_each_attribute_it_says_it_mentions() -> None:
    speaker = Speaker(np.random.default_rng(0))
    for codes in balanced(300, 4):
        attributes = from_codes(codes)
        caption, said = speaker.free(attributes)
        text = caption.lower()
        for name in said - {"density", "light"}:
            words = VOCABULARY[name][attributes.as_dict()[name]]
            found = any(bare(word) in text for word in words)
            assert found or len(text.split()) > 3, (name, caption)


def test_plain_captions_speak_of_the_subject_alone() -> None:
    speaker = Speaker(np.random.default_rng(1))
    caption, said = speaker.plain(Attributes("cat", "neon", "candy", "night", "busy"))
    assert said == {"subject"}
    assert "neon" not in caption.lower()


def test_captions_are_reproducible_and_varied() -> None:
    attributes = Attributes("house", "ink", "sepia", "day", "sparse")
    first = [Speaker(np.random.default_rng(7)).free(attributes)[0] for _ in range(2)]
    speaker = Speaker(np.random.default_rng(7))
    assert first[0] == first[1]
    assert len({speaker.free(attributes)[0] for _ in range(50)}) > 45
