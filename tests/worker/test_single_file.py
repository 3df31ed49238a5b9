"""A checkpoint in a single file, configured like its base."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import (
    DiffusionPipeline,
    FluxPipeline,
    StableDiffusion3Pipeline,
    StableDiffusionPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModelWithProjection

from app.errors import OperatorError
from app.presets import Preset
from tests.worker import families, single_file
from worker.pipelines import Model, Shot, load

SECOND_WIDTH = 48  # of SDXL's second text encoder; the libraries tell the two apart by their widths


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def opened(base: Preset, kind: type[DiffusionPipeline]) -> Any:
    """The base's pipeline."""
    return kind.from_pretrained(base.folder, local_files_only=True, image_encoder=None)


def changed(*parts: torch.nn.Module) -> None:
    """Give parts weights that the base's are not."""
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for part in parts:
            for weight in part.parameters():
                weight += 0.02 * torch.randn(weight.shape, generator=generator)


def check(model: Model, expected: Any, *parts: str) -> None:
    """The parts of a loaded model are those expected, bit for bit, and it paints."""
    for part in parts:
        loaded = getattr(model._plain, part).state_dict()
        weights = getattr(expected, part).state_dict()
        assert loaded.keys() == weights.keys()
        assert all(torch.equal(loaded[name], weight) for name, weight in weights.items())
    preset = model.preset
    shot = Shot("a lighthouse", "", (1,), families.SIZE, families.SIZE, preset.steps, preset.guidance)
    assert [picture.size for picture in model.render(shot)] == [(families.SIZE, families.SIZE)]


def with_checkpoint(base: Preset, path: Path) -> Preset:
    return base.model_copy(update={"checkpoint": path})


def test_a_checkpoint_paints_with_its_own_weights_and_its_bases_configuration(tmp_path: Path) -> None:
    base = families.preset("sd15", families.build("sd15", tmp_path / "sd15"))
    other = opened(base, StableDiffusionPipeline)
    changed(other.unet, other.vae, other.text_encoder)
    single_file.write(other, tmp_path / "other.safetensors")
    model = load(with_checkpoint(base, tmp_path / "other.safetensors"), device="cpu")
    check(model, other, "unet", "vae", "text_encoder")


@pytest.fixture
def sdxl(tmp_path: Path) -> Preset:
    """A tiny SDXL whose second text encoder is wider than its first, as the large one's is. The adapter of
    the tiny model does not fit it."""
    base = families.preset("sdxl", families.build("sdxl", tmp_path / "sdxl"), adapter=None)
    pipeline = opened(base, StableDiffusionXLPipeline)
    first = pipeline.text_encoder.config
    config = CLIPTextConfig(**{**pipeline.text_encoder_2.config.to_dict(), "hidden_size": SECOND_WIDTH})
    CLIPTextModelWithProjection(config).save_pretrained(base.folder / "text_encoder_2")
    both = {"cross_attention_dim": first.hidden_size + SECOND_WIDTH}
    unet = UNet2DConditionModel.from_config({**pipeline.unet.config, **both})
    unet.save_pretrained(base.folder / "unet")
    return base


def test_a_checkpoint_of_sdxl_holds_both_text_encoders(sdxl: Preset, tmp_path: Path) -> None:
    other = opened(sdxl, StableDiffusionXLPipeline)
    changed(other.unet, other.vae, other.text_encoder, other.text_encoder_2)
    single_file.write_xl(other, tmp_path / "other.safetensors")
    model = load(with_checkpoint(sdxl, tmp_path / "other.safetensors"), device="cpu")
    check(model, other, "unet", "vae", "text_encoder", "text_encoder_2")
    # Whose decoder the file brings is not known, and SDXL's first one overflows in float16.
    vae = model._plain.vae
    assert vae.config.force_upcast
    latents = torch.randn(1, 4, 4, 4)
    model.preview_decoder = vae
    taken: list[torch.dtype] = []
    vae.decoder.register_forward_pre_hook(lambda _, given: taken.append(given[0].dtype))
    vae.half()
    model.decode(latents.half())
    assert taken == [torch.float32]
    assert vae.dtype == torch.float16


def as_it_is(transformer: Any, path: Path) -> None:
    """Under the names of diffusers. Those of Black Forest Labs are translated by diffusers for the width of
    the large models only, so that no tiny one can have them."""
    save_file(transformer.state_dict(), path)


@pytest.mark.parametrize(
    ("name", "kind", "write"),
    [
        ("sd35-large", StableDiffusion3Pipeline, single_file.write_sd3),
        ("flux-schnell", FluxPipeline, as_it_is),
        ("flux-dev", FluxPipeline, as_it_is),
    ],
)
def test_a_checkpoint_of_a_transformer_is_painted_with_the_rest_of_its_base(
    tmp_path: Path, name: str, kind: type[DiffusionPipeline], write: Callable[[Any, Path], None]
) -> None:
    base = families.preset(name, families.build(name, tmp_path / name))
    other = opened(base, kind)
    changed(other.transformer)
    write(other.transformer, tmp_path / "other.safetensors")
    model = load(with_checkpoint(base, tmp_path / "other.safetensors"), device="cpu")
    check(model, other, "transformer", "vae", "text_encoder", "text_encoder_2")
    assert model._adapted is not None


@pytest.mark.parametrize("name", ["sd15", "sd35-large"])
def test_a_checkpoint_of_something_else_is_refused(tmp_path: Path, name: str) -> None:
    base = families.preset(name, families.build(name, tmp_path / name))
    save_file({"something.else": torch.ones(2)}, tmp_path / "other.safetensors")
    with pytest.raises(OperatorError, match=rf"{name} in .* with .*other\.safetensors cannot be loaded"):
        load(with_checkpoint(base, tmp_path / "other.safetensors"), device="cpu")
