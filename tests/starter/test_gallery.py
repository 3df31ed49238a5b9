"""What comes with the repository beside the model: its gallery and the space of tastes."""

import json

import numpy as np
from PIL import Image

from starter import gallery, taste, text, vision

GALLERY_LIMIT = 20_000_000


def test_the_gallery_is_complete_and_small() -> None:
    lines = [json.loads(line) for line in (gallery.FOLDER / "index.jsonl").read_text().splitlines()]
    stored = np.load(gallery.FOLDER / "embeddings.npz")
    assert len(lines) >= 800
    assert stored["image"].shape == (len(lines), vision.WIDTH)
    assert stored["text"].shape == (len(lines), text.HIDDEN)
    assert str(stored["encoder"]) == taste.ENCODER
    for line in lines[::40]:
        with Image.open(gallery.FOLDER / line["file"]) as image:
            assert image.size == (line["width"], line["height"])
    assert sum(path.stat().st_size for path in gallery.FOLDER.rglob("*") if path.is_file()) < GALLERY_LIMIT


def test_the_taste_space_is_well_formed() -> None:
    space = np.load(taste.PATH)
    k, d = space["components"].shape
    assert space["centre"].shape == (d,) == (vision.WIDTH,)
    assert space["prior_mean"].shape == (k,)
    assert np.linalg.eigvalsh(space["prior_cov"]).min() > 0
    assert np.allclose(space["components"] @ space["components"].T, np.eye(k), atol=1e-4)
