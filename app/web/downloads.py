"""Image files that carry how they were made."""

import io

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from app.spec import Spec


def png_with_spec(data: bytes, *, spec: Spec | None) -> bytes:
    """The stored image as PNG; a spec stands in the text chunks `prompt` and `spec` (JSON)."""
    info = PngInfo()
    if spec is not None:
        info.add_itxt("prompt", spec.to_prompt())
        info.add_itxt("spec", spec.to_json())
        info.add_text("Software", "Penchant")
    file = io.BytesIO()
    with Image.open(io.BytesIO(data)) as image:
        image.save(file, "PNG", pnginfo=info, compress_level=4)
    return file.getvalue()
