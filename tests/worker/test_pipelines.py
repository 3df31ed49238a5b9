"""The loaded model: the adapter is nowhere in the unpersonalised way, and bad files are refused."""

import pickle
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionPipeline
from PIL import Image
from safetensors.torch import load_file, save_file

from app.errors import CorruptFile, OperatorError
from app.presets import Preset
from app.weights.check import verify
from tests.worker import tiny
from tests.worker.conftest import forget, tiny_preset
from worker.devices import lay_out
from worker.main import main
from worker.pipelines import Conditioning, Model, Shot, UnusableImage, load

SHOT = Shot("a lighthouse", "people", (4294967295, 0), tiny.SIZE, tiny.SIZE, 4, 4.0)


def pixels(images: list[Image.Image]) -> np.ndarray:
    return np.stack([np.asarray(image, dtype=np.int16) for image in images])


def with_adapter(scale: float, *, seed: int = 1) -> Shot:
    rng = np.random.default_rng(seed)
    positive, negative = rng.standard_normal((2, tiny.WIDTH))
    return Shot(**{**vars(SHOT), "conditioning": Conditioning(positive, negative, scale)})


def test_without_a_taste_it_is_bit_for_bit_the_plain_pipeline(presets: Path, model: Model) -> None:
    model.render(with_adapter(1.0))
    plain = StableDiffusionPipeline.from_pretrained(tiny_preset(presets).folder, local_files_only=True)
    expected = plain(
        prompt=SHOT.text,
        negative_prompt=SHOT.negative,
        num_images_per_prompt=2,
        generator=[torch.Generator().manual_seed(seed) for seed in SHOT.seeds],
        width=tiny.SIZE,
        height=tiny.SIZE,
        num_inference_steps=4,
        guidance_scale=4.0,
    ).images
    assert np.array_equal(pixels(model.render(SHOT)), pixels(expected))


def test_the_adapter_acts_more_the_higher_its_scale(model: Model) -> None:
    base = pixels(model.render(SHOT))
    distances = [np.abs(pixels(model.render(with_adapter(scale))) - base).mean() for scale in (0.1, 0.4, 1.0)]
    assert 0 < distances[0] < distances[1] < distances[2]
    other = pixels(model.render(with_adapter(1.0, seed=2)))
    assert np.abs(other - pixels(model.render(with_adapter(1.0)))).mean() > 1


def test_one_image_is_the_same_alone_and_in_a_batch(model: Model) -> None:
    alone = pixels(model.render(Shot(**{**vars(SHOT), "seeds": (0,)})))
    assert np.abs(alone[0] - pixels(model.render(SHOT))[1]).max() <= 1


def several() -> list[Shot]:
    """Shots that differ in all that a batch need not share."""
    rng = np.random.default_rng(5)
    return [
        Shot(text, negative, seeds, tiny.SIZE, tiny.SIZE, 4, 4.0, Conditioning(towards, away, scale))
        for text, negative, seeds, (towards, away), scale in zip(
            ("a lighthouse", "a cat at dusk", "rain"),
            ("people", "text, dogs", "snow"),
            ((1, 2), (3,), (1,)),
            rng.standard_normal((3, 2, tiny.WIDTH)),
            (1.0, 0.3, 0.6),
            strict=True,
        )
    ]


@pytest.mark.parametrize("guidance", [4.0, 1.0])
def test_shots_painted_together_are_those_painted_alone(model: Model, guidance: float) -> None:
    shots = [replace(shot, guidance=guidance) for shot in several()]
    alone = pixels([picture for shot in shots for picture in model.render(shot)])
    together = pixels([picture for picture in model.render_together(shots) if picture is not None])
    assert np.abs(together - alone).max() <= 1
    bare = [replace(shot, conditioning=None) for shot in shots]
    together = pixels([picture for picture in model.render_together(bare) if picture is not None])
    assert np.abs(together - pixels([p for shot in bare for p in model.render(shot)])).max() <= 1
    # With another's taste, or another's scale, an image would be another.
    first, second = shots[0].conditioning, shots[1].conditioning
    assert first is not None
    assert second is not None
    for mixed in (second, replace(first, scale=second.scale)):
        assert np.abs(pixels(model.render(replace(shots[0], conditioning=mixed))) - alone[:2]).max() > 2


def test_the_scale_is_the_pipelines_own(presets: Path, model: Model) -> None:
    """Scaled row by row, an image is the one that the pipeline gives with its one scale for all."""
    preset = tiny_preset(presets)
    plain = StableDiffusionPipeline.from_pretrained(preset.folder, local_files_only=True)
    plain.load_ip_adapter(
        str(preset.folder),
        subfolder="ip_adapter",
        weight_name="ip-adapter.safetensors",
        image_encoder_folder=None,
        local_files_only=True,
    )
    plain.set_ip_adapter_scale(0.4)
    shot = with_adapter(0.4)
    assert shot.conditioning is not None
    sides = np.stack([shot.conditioning.negative, shot.conditioning.positive])[:, None]
    expected = plain(
        prompt=shot.text,
        negative_prompt=shot.negative,
        num_images_per_prompt=2,
        generator=[torch.Generator().manual_seed(seed) for seed in shot.seeds],
        width=tiny.SIZE,
        height=tiny.SIZE,
        num_inference_steps=4,
        guidance_scale=4.0,
        ip_adapter_image_embeds=[torch.from_numpy(sides).float()],
    ).images
    assert np.abs(pixels(model.render(shot)) - pixels(expected)).max() <= 1


def test_an_image_that_is_no_number_leaves_those_beside_it(model: Model) -> None:
    shots = several()
    good = model.render_together(shots)
    nothing = np.full(tiny.WIDTH, np.nan)
    bad = replace(shots[1], conditioning=Conditioning(nothing, nothing, 0.3))
    pictures = model.render_together([shots[0], bad, shots[2]])
    assert [picture is None for picture in pictures] == [False, False, True, False]
    for before, after in zip(good, pictures, strict=True):
        assert after is None or np.array_equal(pixels([before]), pixels([after]))  # type: ignore[list-item]
    with pytest.raises(UnusableImage):
        model.render_together([bad, bad])


@pytest.mark.parametrize("decode", ["sliced", "tiled"])
def test_decoding_in_parts_and_other_layouts_change_nothing_one_sees(
    presets: Path, model: Model, decode: str
) -> None:
    careful = load(tiny_preset(presets).model_copy(update={"decode": decode}), device="cpu")
    lay_out(careful._plain)
    assert np.abs(pixels(careful.render(SHOT)) - pixels(model.render(SHOT))).max() <= 1
    wide = replace(SHOT, width=tiny.SIZE + 32)
    assert [picture.size for picture in careful.render(wide)] == [(tiny.SIZE + 32, tiny.SIZE)] * 2
    with torch.no_grad():
        careful._plain.vae.decoder.conv_out.bias.fill_(float("inf"))
    with pytest.raises(UnusableImage):
        careful.render(wide)


def test_steps_are_reported_and_can_end_the_call(model: Model) -> None:
    seen: list[int] = []

    def stop_at_two(step: int, latents: torch.Tensor) -> None:
        seen.append(step)
        assert len(model.decode(latents)) == 2
        if step == 2:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        model.render(SHOT, stop_at_two)
    assert seen == [1, 2]
    assert np.array_equal(pixels(model.render(SHOT)), pixels(model.render(SHOT)))


def test_not_a_number_is_no_picture(presets: Path) -> None:
    broken = load(tiny_preset(presets), device="cpu")
    with torch.no_grad():
        broken._plain.unet.conv_out.bias.fill_(float("nan"))
    with pytest.raises(UnusableImage):
        broken.render(SHOT)
    with torch.no_grad():
        broken._plain.unet.conv_out.bias.fill_(0.0)
        broken._plain.vae.decoder.conv_out.bias.fill_(float("inf"))
    with pytest.raises(UnusableImage):
        broken.render(SHOT)


def test_embeddings_tell_images_apart(model: Model) -> None:
    images = model.render(SHOT)
    vectors = model.encoder.images(images)
    assert vectors.shape == (2, tiny.WIDTH)
    assert vectors.dtype == np.float32
    assert np.abs(vectors[0] - vectors[1]).max() > 1e-3
    texts = model.encoder.texts(["a cat", "a dog " * 200])
    assert texts.shape == (2, tiny.WIDTH)


@pytest.fixture
def copy(presets: Path, tmp_path: Path) -> Preset:
    """A copy of the tiny model's files, to be damaged."""
    folder = tmp_path / "weights"
    shutil.copytree(tiny_preset(presets).folder, folder)
    return tiny_preset(presets).model_copy(update={"folder": folder})


@pytest.mark.parametrize(
    "name",
    ["unet/diffusion_pytorch_model.safetensors", "ip_adapter/ip-adapter.safetensors", "model_index.json"],
)
def test_a_missing_file_is_named(copy: Preset, name: str) -> None:
    (copy.folder / name).unlink()
    with pytest.raises(OperatorError, match=r"lacks .*Restore"):
        verify(copy)


def test_a_truncated_file_is_refused(copy: Preset) -> None:
    path = copy.folder / "vae" / "diffusion_pytorch_model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(CorruptFile, match="is damaged"):
        load(copy)


def test_weights_that_are_no_numbers_are_refused(copy: Preset) -> None:
    path = copy.folder / "unet" / "diffusion_pytorch_model.safetensors"
    tensors = load_file(path)
    tensors["conv_in.weight"][0] = float("nan")
    save_file(tensors, path)
    with pytest.raises(OperatorError, match="NaN"):
        load(copy, device="cpu")


def test_a_wrong_checksum_is_refused(copy: Preset) -> None:
    (copy.folder / "SHA256SUMS").write_text(f"{'0' * 64}  model_index.json\n")
    with pytest.raises(CorruptFile, match="checksum"):
        verify(copy)


class Trap:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (Path.touch, (self.path,))  # type: ignore[return-value]


@pytest.mark.parametrize("name", ["diffusion_pytorch_model.safetensors", "diffusion_pytorch_model.bin"])
def test_a_pickle_is_refused_and_not_executed(copy: Preset, tmp_path: Path, name: str) -> None:
    trap = tmp_path / "executed"
    (copy.folder / "unet" / name).write_bytes(pickle.dumps(Trap(trap)))
    with pytest.raises(CorruptFile):
        load(copy)
    assert not trap.exists()


@pytest.mark.usefixtures("studio")
def test_a_worker_without_weights_says_what_to_do(
    presets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PENCHANT_PRESETS", str(tiny.presets_file(tmp_path, tmp_path / "nowhere")))
    forget()
    assert main(["--preset", tiny.NAME]) == 2
    assert "The model tiny lacks" in capsys.readouterr().err
    assert main(["--preset", "nosuch"]) == 2
    assert "There is no model nosuch" in capsys.readouterr().err
