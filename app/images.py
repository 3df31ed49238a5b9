"""Image files in and out: decoded within limits, stored as WebP with a thumbnail."""

import io
import warnings

from PIL import Image, ImageOps, UnidentifiedImageError

from app.errors import InvalidInput

MAX_PIXELS = 40_000_000
MAX_SIDE = 1024
THUMBNAIL_SIDE = 320
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")
QUALITY = 90


def decode(data: bytes) -> Image.Image:
    """The picture in `data`: RGB, upright, transparency on white. Raises InvalidInput saying what is wrong.

    The size in the file's header is checked before a pixel is decoded, so that a small file which unpacks to
    gigabytes costs nothing.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            opened = Image.open(io.BytesIO(data), formats=FORMATS)
        if opened.width * opened.height > MAX_PIXELS:
            raise InvalidInput(
                f"has {opened.width} × {opened.height} pixels; at most {MAX_PIXELS:,} are read"
            )
        upright = ImageOps.exif_transpose(opened)
        return _flatten(upright)
    except Image.DecompressionBombError as error:
        raise InvalidInput(f"has too many pixels; at most {MAX_PIXELS:,} are read") from error
    except UnidentifiedImageError as error:
        raise InvalidInput("is not an image of a known format") from error
    except (OSError, ValueError, SyntaxError, EOFError, MemoryError) as error:
        raise InvalidInput(f"is damaged ({error})") from error


def _flatten(image: Image.Image) -> Image.Image:
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        layered = image.convert("RGBA")
        white = Image.new("RGBA", layered.size, "white")
        return Image.alpha_composite(white, layered).convert("RGB")
    return image.convert("RGB")


def within(image: Image.Image, side: int) -> Image.Image:
    """`image`, made smaller where its longer side exceeds `side` pixels."""
    if max(image.size) <= side:
        return image
    smaller = image.copy()
    smaller.thumbnail((side, side), Image.Resampling.LANCZOS)
    return smaller


def webp(image: Image.Image, *, quality: int = QUALITY) -> bytes:
    """WebP bytes of an RGB image, by the fastest method: the slower ones cost ten times as much."""
    file = io.BytesIO()
    image.save(file, "WEBP", quality=quality, method=0)
    return file.getvalue()


def thumbnail(image: Image.Image) -> bytes | None:
    """WebP bytes for a grid of many, or None where the image itself is small enough."""
    if max(image.size) <= THUMBNAIL_SIDE:
        return None
    return webp(within(image, THUMBNAIL_SIDE), quality=80)
