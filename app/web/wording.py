"""What the create page says of a prompt's words before anything is painted."""

from app.presets import Preset, load_presets
from app.prompt import PromptError, parse
from app.spec import Spec
from app.vocabulary import Unknown, Value, read_vocabulary
from app.web.contexts import ModelWords, WordGroup

NAMED = 3  # unknown words that are named; the line has to stay short


def model_words(prompt: str, *, model: str) -> ModelWords | None:
    """The words of the model that the prompt asks for, or of `model`; None where it has no vocabulary.

    A prompt that cannot be read yet holds no unknown word.
    """
    specs = _specs(prompt)
    presets = load_presets()
    asked = next((spec.model for spec in specs if spec.model in presets), None)
    preset = presets[asked or model]
    if preset.vocabulary is None:
        return None
    vocabulary = read_vocabulary(preset.folder / preset.vocabulary)
    unknown: dict[str, Unknown] = {}
    for spec in specs:
        unknown |= {found.word: found for found in vocabulary.unknown(spec.text)}
    return ModelWords(
        title=_short(preset),
        unknown=tuple((found.word, found.nearest) for found in list(unknown.values())[:NAMED]),
        more=max(0, len(unknown) - NAMED),
        groups=tuple(WordGroup(g.title, tuple(_label(v) for v in g.values)) for g in vocabulary.groups),
    )


def _specs(prompt: str) -> list[Spec]:
    try:
        return parse(prompt)
    except PromptError:
        return []


def _short(preset: Preset) -> str:
    """The title up to its colon."""
    return preset.title.partition(":")[0]


def _label(value: Value) -> str:
    return f"{value.label} ({', '.join(value.forms)})" if value.forms else value.label
