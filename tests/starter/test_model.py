"""The encoders, the compressor and the judge."""

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKL
from transformers import CLIPTextModel, CLIPTokenizer, CLIPVisionModelWithProjection

from starter import alignment, export, judge, text, vae, vision
from starter.attributes import HOW, NAMES, Attributes, balanced, from_codes
from starter.captions import Speaker
from starter.draw import draw
from starter.measures import retrieval
from starter.pixels import to_images

LIMIT = 60_000_000


@pytest.fixture(scope="module")
def tower() -> CLIPVisionModelWithProjection:
    return CLIPVisionModelWithProjection.from_pretrained(
        export.WEIGHTS / "image_encoder", dtype=torch.float32
    )


@pytest.fixture(scope="module")
def reader() -> tuple[CLIPTokenizer, CLIPTextModel]:
    folder = export.WEIGHTS
    encoder = CLIPTextModel.from_pretrained(folder / "text_encoder", dtype=torch.float32)
    return CLIPTokenizer.from_pretrained(folder / "tokenizer"), encoder.eval()


def test_any_text_can_be_encoded(reader: tuple[CLIPTokenizer, CLIPTextModel]) -> None:
    for odd in ("", "東京 \u2014 zebra!!", "x" * 5000, "<|endoftext|> \x00\n"):
        hidden = text.hidden(*reader, [odd])
        assert hidden.shape == (1, text.LENGTH, text.HIDDEN)
        assert torch.isfinite(hidden).all()


def test_image_embeddings_group_by_look(tower: CLIPVisionModelWithProjection) -> None:
    looks = [("neon", "candy", "night"), ("watercolour", "pastel", "day")]
    pictures = [
        draw(Attributes(s, m, p, li, "balanced"), 9) for m, p, li in looks for s in ("cat", "bridge", "fish")
    ]
    embeds = vision.embed(tower, np.stack(pictures))
    assert embeds.shape == (6, vision.WIDTH)
    unit = embeds / np.linalg.norm(embeds, axis=1, keepdims=True)
    near = unit @ unit.T
    assert near[:3, :3].min() > near[:3, 3:].max()


def test_captions_find_their_pictures_in_the_joint_space(
    tower: CLIPVisionModelWithProjection, reader: tuple[CLIPTokenizer, CLIPTextModel]
) -> None:
    codes = balanced(60, 77)
    pictures = np.stack([draw(from_codes(row), 5_000 + i) for i, row in enumerate(codes)])
    speaker = Speaker(np.random.default_rng(1), unseen_rates={})
    captions = [speaker.say(from_codes(row), ["subject", *HOW]) for row in codes]
    found = retrieval(
        alignment.of_images(tower, export.WEIGHTS, pictures),
        alignment.of_texts(*reader, export.WEIGHTS, captions),
        60,
    )
    assert min(found.values()) > 0.6


def test_the_compressor_gives_pictures_back_that_the_judge_reads_alike() -> None:
    compressor = AutoencoderKL.from_pretrained(export.WEIGHTS / "vae", dtype=torch.float32)
    looks = [(medium, light) for light in NAMES["light"] for medium in NAMES["medium"]]
    pictures = np.stack(
        [draw(Attributes("castle", m, "tropical", light, "balanced"), 11) for m, light in looks]
    )
    with torch.no_grad():  # a few at once: all together outgrow the caches
        parts = (compressor.decode(vae.encode(compressor, some)).sample for some in np.split(pictures, 14))
        again = np.concatenate([to_images(part) for part in parts])
    assert np.abs(again.astype(int) - pictures.astype(int)).mean() < 30
    seen = judge.classify(again)
    assert (seen["medium"] == [NAMES["medium"].index(medium) for medium, _ in looks]).mean() >= 0.8
    assert (seen["light"] == [NAMES["light"].index(light) for _, light in looks]).mean() >= 0.8
    by_day = [light == "day" for _, light in looks]
    assert (seen["palette"][by_day] == NAMES["palette"].index("tropical")).mean() >= 0.9


def test_the_judge_reads_drawn_pictures_and_refuses_other_shapes() -> None:
    media = NAMES["medium"]
    pictures = np.stack([draw(Attributes("cat", m, "ocean", "day", "balanced"), 11) for m in media])
    seen = judge.classify(pictures)
    assert (seen["medium"] == np.arange(len(media))).mean() >= 0.9
    with pytest.raises(ValueError, match="uint8"):
        judge.probabilities(pictures.astype(np.float32))


def test_what_is_committed_stays_small() -> None:
    total = sum(path.stat().st_size for path in export.WEIGHTS.rglob("*") if path.is_file())
    assert total + judge.WEIGHTS.stat().st_size < LIMIT
