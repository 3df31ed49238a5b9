"""The committed weights: they load as any diffusers model does, and scale 0 is the bare model to the bit."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionPipeline
from PIL import Image

from starter_v1 import evaluate, export, gallery, judge, sampler, taste, text, vision
from starter_v1.attributes import NAMES, Attributes
from starter_v1.draw import draw

LIMIT = 40_000_000


@pytest.fixture(scope="module")
def pipe() -> StableDiffusionPipeline:
    torch.set_num_threads(1)
    return export.load_pipeline()


def render(pipe: StableDiffusionPipeline, scale: float, embeds: torch.Tensor | None) -> np.ndarray:
    pipe.set_ip_adapter_scale(scale)
    zero = torch.zeros(1, 1, vision.WIDTH)
    wanted = zero if embeds is None else embeds.view(1, 1, -1)
    made = pipe(
        "a lighthouse at dusk", num_inference_steps=3, guidance_scale=4.0, output_type="np",
        ip_adapter_image_embeds=[torch.cat([zero, wanted])], generator=torch.Generator().manual_seed(1),
    )  # fmt: skip
    return np.asarray(made.images)


def test_scale_zero_ignores_the_embedding_and_a_scale_does_not(pipe: StableDiffusionPipeline) -> None:
    embedding = torch.full((vision.WIDTH,), 1.0)
    base = render(pipe, 0.0, None)
    assert base.shape == (1, 128, 128, 3)
    assert np.array_equal(base, render(pipe, 0.0, embedding))
    assert not np.allclose(base, render(pipe, 1.0, embedding), atol=0.01)


def test_the_bare_pipeline_renders_what_scale_zero_does(pipe: StableDiffusionPipeline) -> None:
    bare = StableDiffusionPipeline.from_pretrained(
        export.WEIGHTS, dtype=torch.float32, local_files_only=True, safety_checker=None
    )
    bare.set_progress_bar_config(disable=True)
    made = bare(
        "a lighthouse at dusk", num_inference_steps=3, guidance_scale=4.0, output_type="np",
        generator=torch.Generator().manual_seed(1),
    )  # fmt: skip
    assert np.array_equal(np.asarray(made.images), render(pipe, 0.0, None))


def test_the_batch_sampler_agrees_with_the_pipeline(pipe: StableDiffusionPipeline) -> None:
    images = sampler.sample(pipe, ["a lighthouse at dusk"], [1], steps=3, guidance=4.0)
    assert np.abs(images[0] / 255.0 - render(pipe, 0.0, None)[0]).max() < 0.02


def test_the_model_paints_the_subject_and_the_medium_it_is_asked_for(
    pipe: StableDiffusionPipeline,
) -> None:
    told, images = evaluate.words(pipe, 16, 10, sampler.GUIDANCE)
    assert images.shape == (16, 128, 128, 3)
    assert told["medium"] >= 0.5
    assert told["subject"] >= 0.5


def test_any_text_can_be_encoded(pipe: StableDiffusionPipeline) -> None:
    for odd in ("", "東京 \u2014 zebra!!", "x" * 5000, "<|endoftext|> \x00\n"):
        hidden = text.hidden(pipe.tokenizer, pipe.text_encoder, [odd])
        assert hidden.shape == (1, text.LENGTH, 192)
        assert torch.isfinite(hidden).all()


def test_image_embeddings_group_by_look(pipe: StableDiffusionPipeline) -> None:
    looks = [("neon", "candy", "night"), ("watercolour", "pastel", "day")]
    pictures = [
        draw(Attributes(s, m, p, li, "balanced"), 9) for m, p, li in looks for s in ("cat", "bridge", "fish")
    ]
    embeds = vision.embed(pipe.image_encoder, np.stack(pictures))
    unit = embeds / np.linalg.norm(embeds, axis=1, keepdims=True)
    near = unit @ unit.T
    assert near[:3, :3].min() > near[:3, 3:].max()


def test_the_judge_reads_drawn_pictures_and_refuses_other_shapes() -> None:
    pictures = np.stack([draw(Attributes("cat", m, "ocean", "day", "balanced"), 11) for m in NAMES["medium"]])
    seen = judge.classify(pictures)
    assert (seen["medium"] == np.arange(10)).mean() >= 0.7
    with pytest.raises(ValueError, match="128"):
        judge.probabilities(pictures[:, :64])


def test_the_gallery_is_complete() -> None:
    lines = [json.loads(line) for line in (gallery.FOLDER / "index.jsonl").read_text().splitlines()]
    stored = np.load(gallery.FOLDER / "embeddings.npz")
    assert len(lines) >= 480
    assert stored["image"].shape == (len(lines), vision.WIDTH)
    assert stored["text"].shape == (len(lines), 192)
    assert str(stored["encoder"]) == taste.ENCODER
    for line in lines[::40]:
        with Image.open(gallery.FOLDER / line["file"]) as image:
            assert image.size == (line["width"], line["height"])


def test_the_taste_space_is_well_formed() -> None:
    space = np.load(taste.PATH)
    k, d = space["components"].shape
    assert space["centre"].shape == (d,) == (vision.WIDTH,)
    assert space["prior_mean"].shape == (k,)
    assert np.linalg.eigvalsh(space["prior_cov"]).min() > 0
    assert np.allclose(space["components"] @ space["components"].T, np.eye(k), atol=1e-4)


def test_what_is_committed_stays_small() -> None:
    folder = Path(export.WEIGHTS)
    total = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    assert total + judge.WEIGHTS.stat().st_size < LIMIT
