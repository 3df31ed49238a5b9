"""The caption grammar: words for every class, exact mentions, reproducible."""

import numpy as np

from starter.attributes import NAMES, Attributes, balanced, from_codes
from starter.captions import LOOKS, MENTION, PLAIN, VOCABULARY, Speaker, bare, before_noun
from starter.looks import FAIR, FRAMING_VIEWS, LIGHT_TIMES
from starter.vocabulary import NAMED_FORMS


class Undressed(Speaker):
    """Says nothing around the words, nothing odd between them, and no noun from outside the grammar."""

    def __init__(self, seed: int) -> None:
        super().__init__(np.random.default_rng(seed), unseen_rates={})

    def dress(self, text: str) -> str:
        return text


def words_for(name: str, value: str) -> tuple[str, ...]:
    extra = {"framing": FRAMING_VIEWS, "light": LIGHT_TIMES}.get(name, {})
    return (*VOCABULARY[name][value], *extra.get(value, ()))


def test_every_value_has_several_words_and_no_word_means_two_values() -> None:
    assert set(VOCABULARY) == {*NAMES, "form"}
    assert set(VOCABULARY["form"]) == set(NAMED_FORMS)
    meanings: dict[str, set[tuple[str, str]]] = {}
    for name, table in VOCABULARY.items():
        assert set(table) == set(NAMES.get(name, NAMED_FORMS))
        assert min(len(group) for group in table.values()) >= 5
        for value, group in table.items():
            for word in group:
                meanings.setdefault(bare(word), set()).add((name, value))
    assert {word: found for word, found in meanings.items() if len(found) > 1} == {}


def test_a_caption_names_every_look_it_says_it_mentions() -> None:
    speaker = Undressed(0)
    for codes in balanced(400, 4):
        attributes = from_codes(codes)
        for name in LOOKS:
            text = speaker.say(attributes, ["subject", name]).lower()
            value = attributes.as_dict()[name]
            assert any(bare(word) in text for word in words_for(name, value)), (name, value, text)


def test_words_of_fair_weather_are_kept_from_bad_weather() -> None:
    speaker = Speaker(np.random.default_rng(3))
    wet = Attributes("bridge", "oil", "ocean", "night", "busy", weather="rain")
    said = [speaker.say(wet, ["subject", "light"]).lower() for _ in range(300)]
    assert not any(word in text for text in said for word in FAIR)


def test_mentions_are_as_often_as_told_and_plain_values_hardly_ever() -> None:
    speaker = Speaker(np.random.default_rng(5))
    plain = Attributes("cat", "oil", "ocean", "day", "busy")
    special = Attributes(
        "house", "oil", "ocean", "day", "busy", "fog", "spring", "wide", "symmetrical", "yurt"
    )
    for attributes, rate in ((plain, 0.03), (special, 0.6)):
        heard = [speaker.free(attributes)[1] for _ in range(1500)]
        for name in MENTION:
            wanted = rate if name in PLAIN else MENTION[name]
            assert abs(np.mean([name in said for said in heard]) - wanted) < 0.05
        named = np.mean(["form" in said for said in heard])
        assert named == 0 if attributes is plain else 0.5 < named < 0.7


def test_plain_captions_speak_of_what_is_shown_alone() -> None:
    speaker = Speaker(np.random.default_rng(1))
    caption, said = speaker.plain(Attributes("cat", "neon", "candy", "night", "busy"))
    assert said == {"subject"}
    assert "neon" not in caption.lower()


def test_a_form_is_named_by_its_own_words_and_a_subject_by_words_for_any_form() -> None:
    speaker = Undressed(2)
    yurt = Attributes("house", "ink", "sepia", "day", "sparse", form="yurt")
    for said, words in (("form", VOCABULARY["form"]["yurt"]), ("subject", VOCABULARY["subject"]["house"])):
        texts = [speaker.say(yurt, [said]) for _ in range(40)]
        assert all(any(bare(word) in text for word in words) for text in texts)


def test_captions_are_reproducible_and_varied() -> None:
    attributes = Attributes("house", "ink", "sepia", "day", "sparse")
    first = [Speaker(np.random.default_rng(7)).free(attributes)[0] for _ in range(2)]
    speaker = Speaker(np.random.default_rng(7))
    assert first[0] == first[1]
    assert len({speaker.free(attributes)[0] for _ in range(50)}) > 45


def test_an_adjective_goes_after_the_article_and_agrees_with_it() -> None:
    assert before_noun("orange", "a castle") == "an orange castle"
    assert before_noun("rainy", "an owl") == "a rainy owl"
    assert before_noun("blue", "mountains") == "blue mountains"
