"""Where the figure is and how light each part would be by day, whatever palette, light and medium there is.

The denoiser learns these maps together with the latents (as Kouzelis et al. 2025 do with features of a vision
model). In the latents a figure is light or dark as palette, light and medium want, and a small part of the
variance; here it looks the same under all of them and is most of it, which should make shapes easier to
learn. The compressor leaves the maps aside.
"""

from __future__ import annotations

import numpy as np
import skia

from starter.attributes import Attributes
from starter.draw import PIXELS, composed
from starter.palettes import TONES
from starter.scene import Picture

CHANNELS = 2  # the figure, the tones
FACTOR = 8  # pixels a place, as in the latents
LIGHT = "day"
ACCENT, SKY = 0.8, 0.95
# Means and deviations of both maps over pictures, so that they vary as much as latents.
MEAN, DEVIATION = np.array([0.25, 0.65]), np.array([0.38, 0.27])


def layout(attributes: Attributes, seed: int, *, width: int = PIXELS, height: int = PIXELS) -> np.ndarray:
    """(CHANNELS, height / 8, width / 8) float16 of the picture that `draw` makes of the same arguments."""
    return maps(composed(attributes, seed, width, height)[0])


def maps(picture: Picture) -> np.ndarray:
    size = (picture.width // FACTOR, picture.height // FACTOR)
    surface = skia.Surface(*size)
    canvas = surface.getCanvas()
    canvas.clear(skia.Color(0, round(255 * SKY), 0))
    canvas.scale(1 / FACTOR, 1 / FACTOR)
    for shape in picture.shapes:
        tone = ACCENT if shape.role == "accent" else TONES[LIGHT][shape.role]
        paint = skia.Paint(AntiAlias=True, Color=skia.Color(255 * shape.own, round(255 * tone), 0))
        if shape.width:
            paint.setStyle(skia.Paint.kStroke_Style)
            paint.setStrokeWidth(shape.width)
        canvas.drawPath(shape.path, paint)
    pixels = surface.toarray(colorType=skia.ColorType.kRGBA_8888_ColorType)[..., :CHANNELS] / 255
    return np.asarray((pixels - MEAN) / DEVIATION, np.float16).transpose(2, 0, 1)
