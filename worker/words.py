"""Words that a taste adds to a prompt, for models that have no image adapter to show it to."""

import numpy as np

from app.taste.codes import FrozenTaste
from app.taste.space import Space
from app.taste.words import rank
from worker.encoders import Encoder, Vectors

MOST = 6  # words that a strength of 1 adds
LEAST_RANK = 0.5  # standard deviations over all phrases: below it the taste has nothing to say
# How a picture is made, never what it shows.
PHRASES = (
    "oil painting", "watercolour", "gouache", "ink drawing", "charcoal drawing", "pencil sketch", "pastel",
    "woodblock print", "linocut", "etching", "screen print", "stained glass", "mosaic", "paper collage",
    "embroidery", "pixel art", "flat vector art", "line art", "comic book style", "photograph", "film still",
    "macro photograph", "black and white photograph", "3d render", "clay sculpture", "art nouveau",
    "art deco",
    "impressionism", "expressionism", "cubism", "surrealism", "minimalism", "pointillism", "baroque",
    "ukiyo-e", "pop art", "vintage poster", "fresco", "calligraphy", "warm colours", "cool colours",
    "muted colours", "vivid colours", "pastel colours", "monochrome", "earth tones", "neon colours",
    "high contrast", "low contrast", "soft light", "hard light", "golden hour", "moonlight", "backlight",
    "candlelight", "overcast light", "mist", "sparse composition", "dense detail", "symmetrical composition",
    "wide view", "close-up", "rough texture", "smooth surfaces", "visible brush strokes", "film grain",
)  # fmt: skip


class Words:
    """What tastes say through one model's encoder: nothing where prompts and images share no space with the
    tastes."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._phrases: Vectors | None = None

    def of(self, taste: FrozenTaste, space: Space, strength: float) -> tuple[str, ...]:
        """The words that a taste adds under a strength of 0 to 1: the more, the stronger, the best first."""
        if not self._encoder.speaks:
            return ()
        if self._phrases is None:
            self._phrases = self._encoder.aligned_texts(PHRASES)
        assert self._phrases is not None
        values = rank(taste, space, self._phrases.astype(np.float64))
        best = np.argsort(-values, kind="stable")[: int(np.ceil(MOST * min(strength, 1.0)))]
        return tuple(PHRASES[place] for place in best if values[place] >= LEAST_RANK)
