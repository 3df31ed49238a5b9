"""Every family of the shipped presets with its real classes at toy size, through the code that loads and
paints with the large ones."""

import pickle
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from app.errors import CorruptFile, OperatorError
from app.presets import Adapter, Lora, Preset, Scheduler
from tests.worker import families, tiny
from worker.families import FAMILIES
from worker.pipelines import Conditioning, Model, Shot, load

SEEDS = (4294967295, 0)


@pytest.fixture(params=families.NAMES)
def model(request: pytest.FixtureRequest, toys: families.Toys) -> Model:
    """One family after the other, loaded."""
    return toys.model(request.param)


@pytest.fixture(params=families.ADAPTED)
def adapted(request: pytest.FixtureRequest, toys: families.Toys) -> Model:
    """The same for those that have an image adapter."""
    return toys.model(request.param)


def shot(model: Model, scale: float = 0.0, *, seed: int = 1, negative_seed: int = 2) -> Shot:
    """Two images; with a scale, under an adapter."""
    size, preset = families.SIZE, model.preset
    plain = Shot("a lighthouse", "", SEEDS, size, size, preset.steps, preset.guidance)
    if not scale:
        return plain
    positive, negative = (
        np.random.default_rng(number).standard_normal(tiny.WIDTH) for number in (seed, negative_seed)
    )
    return Shot(**{**vars(plain), "conditioning": Conditioning(positive, negative, scale)})


def pixels(images: list[Image.Image]) -> np.ndarray:
    return np.stack([np.asarray(image, dtype=np.int16) for image in images])


def stock(preset: Preset) -> Any:
    """The pipeline as diffusers alone loads it."""
    pipeline = getattr(diffusers, preset.pipeline).from_pretrained(
        preset.folder, local_files_only=True, image_encoder=None
    )
    if preset.scheduler is not None:
        kind = getattr(diffusers, preset.scheduler.name)
        pipeline.scheduler = kind.from_config(pipeline.scheduler.config, **preset.scheduler.settings)
    for lora in preset.loras:
        pipeline.load_lora_weights(preset.folder, weight_name=lora.file.name, local_files_only=True)
        pipeline.fuse_lora(lora_scale=lora.weight)
        pipeline.unload_lora_weights()
    if preset.decode == "sliced":  # one image after the other, which rounds otherwise than all at once
        pipeline.vae.enable_slicing()
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def painted(pipeline: Any, preset: Preset, seeds: tuple[int, ...], **more: Any) -> np.ndarray:
    """What a pipeline of diffusers makes of the prompt of `shot`."""
    if preset.true_guidance > 1:
        more |= {"true_cfg_scale": preset.true_guidance, "negative_prompt": ""}
    images = pipeline(
        prompt="a lighthouse",
        num_images_per_prompt=len(seeds),
        generator=[torch.Generator().manual_seed(seed) for seed in seeds],
        width=families.SIZE,
        height=families.SIZE,
        num_inference_steps=preset.steps,
        **({"max_sequence_length": preset.text_tokens} if preset.text_tokens else {}),
        guidance_scale=preset.guidance,
        **more,
    ).images
    return pixels(images)


def test_without_a_taste_it_is_bit_for_bit_the_plain_pipeline(model: Model) -> None:
    if model.preset.adapter is not None:
        model.render(shot(model, 1.0))
    expected = painted(stock(model.preset), model.preset, SEEDS)
    assert np.array_equal(pixels(model.render(shot(model))), expected)


def test_the_adapter_acts_more_the_higher_its_scale(adapted: Model) -> None:
    base = pixels(adapted.render(shot(adapted)))
    acted = [pixels(adapted.render(shot(adapted, scale))) for scale in (0.25, 1.0, 4.0)]
    distances = [np.abs(one - base).mean() for one in acted]
    assert 0 < distances[0] < distances[1] < distances[2]
    assert not np.array_equal(pixels(adapted.render(shot(adapted, 4.0, seed=3))), acted[2])


@pytest.mark.parametrize("name", ["sd15", "sdxl", "sd35-large", "flux-schnell", "flux-dev"])
def test_an_images_own_scale_is_the_pipelines(toys: families.Toys, name: str) -> None:
    """Scaled row by row, an image is the one that the pipeline gives with its one scale for all."""
    model = toys.model(name)
    preset, family = model.preset, model.family
    assert preset.adapter is not None
    pipeline = stock(preset)
    family.load_adapter(pipeline, preset)
    family.scale(pipeline, preset.adapter, 0.7)
    asked = replace(shot(model, 0.7), seeds=(5,))
    expected = painted(pipeline, preset, (5,), **family.feed(model._adapted, [asked], preset, model.device))
    assert np.abs(pixels(model.render(asked)) - expected).max() <= 1


def test_a_call_has_nothing_of_the_one_before(adapted: Model) -> None:
    seeds_and_scales = ((1, 0.5), (3, 0.5), (1, 0.9), (1, 0.5))
    first, other, stronger, again = (
        pixels(adapted.render(shot(adapted, scale, seed=seed))) for seed, scale in seeds_and_scales
    )
    assert (first == again).all()
    assert (first != other).any()
    assert (first != stronger).any()


def test_what_a_taste_dislikes_acts_where_there_is_a_second_pass(adapted: Model) -> None:
    one, other = (pixels(adapted.render(shot(adapted, 4.0, negative_seed=number))) for number in (2, 5))
    assert np.array_equal(one, other) is not adapted.preset.avoids
    passes = adapted.family.passes(adapted._plain, shot(adapted), adapted.preset)
    assert passes == (2 if adapted.preset.avoids else 1)


def test_steps_are_shown_as_pictures_of_the_right_shape(model: Model) -> None:
    wide = Shot(**{**vars(shot(model)), "width": families.SIZE + 32})
    seen: list[torch.Tensor] = []
    model.render(wide, lambda _step, latents: seen.append(latents))
    assert len(seen) == model.preset.steps
    for latents in seen:
        assert [picture.size for picture in model.decode(latents)] == [(96, 64)] * 2
        assert [picture.size for picture in model.sketch(latents)] == [(128, 85)] * 2


def test_images_and_prompts_have_embeddings(model: Model) -> None:
    vectors = model.encoder.images(model.render(shot(model)))
    assert vectors.shape == (2, tiny.WIDTH)
    assert np.abs(vectors[0] - vectors[1]).max() > 1e-6
    assert model.encoder.texts(["a cat", "a dog"]).shape == (2, tiny.WIDTH)


def test_the_weights_are_held_once(adapted: Model) -> None:
    plain, twin = (
        {value.data_ptr() for value in adapted.family.network(one).parameters()}
        for one in (adapted._plain, adapted._adapted)
    )
    assert plain <= twin


@pytest.fixture
def copy(request: pytest.FixtureRequest, toys: families.Toys, tmp_path: Path) -> Preset:
    """A copy of a tiny model's files, to be damaged."""
    name = getattr(request, "param", "sdxl")
    shutil.copytree(toys.folder(name), tmp_path / "weights")
    return families.preset(name, tmp_path / "weights")


@pytest.mark.parametrize("copy", ["sd15", "sd35-large", "flux-schnell"], indirect=True)
def test_an_encoder_that_the_adapter_was_not_trained_with_is_refused(copy: Preset) -> None:
    tiny.image_encoder(width=24).save_pretrained(copy.folder / "image_encoder", safe_serialization=True)
    with pytest.raises(OperatorError, match=r"takes embeddings of 32 numbers.*gives 24"):
        load(copy, device="cpu")


def test_an_adapter_of_another_pipeline_is_refused(copy: Preset, toys: families.Toys) -> None:
    assert copy.adapter is not None
    other = toys.folder("flux-dev") / "ip_adapter" / "ip_adapter.safetensors"
    shutil.copy(other, copy.folder / "ip_adapter" / copy.adapter.file)
    with pytest.raises(OperatorError, match="cannot be loaded"):
        load(copy, device="cpu")


def test_a_folder_of_another_pipeline_is_refused(copy: Preset) -> None:
    with pytest.raises(OperatorError, match="holds a StableDiffusionXLPipeline"):
        load(copy.model_copy(update={"pipeline": "FluxPipeline"}), device="cpu")


@pytest.mark.parametrize("copy", ["sd15", "sdxl", "sd35-large", "flux-schnell"], indirect=True)
@pytest.mark.parametrize("part", ["network", "image_encoder", "ip_adapter"])
def test_a_cut_file_is_refused(copy: Preset, part: str) -> None:
    folder = copy.folder / (FAMILIES[copy.pipeline].denoiser if part == "network" else part)
    path = next(folder.glob("*.safetensors"))
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(CorruptFile, match="is damaged"):
        load(copy, device="cpu")


class Trap:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (Path.touch, (self.path,))  # type: ignore[return-value]


@pytest.mark.parametrize(
    "name",
    [
        "vae/diffusion_pytorch_model.bin",
        "vae/diffusion_pytorch_model.safetensors",
        "ip_adapter/ip-adapter_sdxl_vit-h.safetensors",
        "tokenizer/vocab.json",
        "notes.txt",
    ],
)
@pytest.mark.parametrize("archive", [False, True])
def test_a_pickle_is_refused_under_whatever_name(
    copy: Preset, tmp_path: Path, name: str, *, archive: bool
) -> None:
    trap = Trap(tmp_path / "executed")
    with (copy.folder / name).open("wb") as file:
        if archive:
            torch.save(trap, file)
        else:
            pickle.dump(trap, file)
    with pytest.raises(CorruptFile, match=r"refused|damaged"):
        load(copy, device="cpu")
    assert not trap.path.exists()


def test_blocks_left_out_of_the_scale_map_get_nothing(toys: families.Toys) -> None:
    style = load(families.preset("sdxl", toys.folder("sdxl")), device="cpu")
    style.render(shot(style, 1.0))
    assert style._adapted is not None
    processors = style._adapted.unet.attn_processors.items()
    scales = {name: one.scale for name, one in processors if hasattr(one, "scale")}
    assert {name for name, scale in scales.items() if scale == [1.0]} == {
        name for name in scales if name.startswith("up_blocks.0.attentions.1.")
    }
    assert any(scale == [0.0] for scale in scales.values())


def test_a_scale_map_that_does_not_fit_is_said(toys: families.Toys) -> None:
    wrong = Adapter(file="ip-adapter_sdxl_vit-h.safetensors", blocks={"up": {"block_0": [1.0, 1.0]}})
    with pytest.raises(OperatorError, match="scale"):
        load(families.preset("sdxl", toys.folder("sdxl"), adapter=wrong), device="cpu")


def test_an_unknown_scheduler_is_said(toys: families.Toys) -> None:
    unknown = Scheduler(name="FancyScheduler")
    with pytest.raises(OperatorError, match="no scheduler FancyScheduler"):
        load(families.preset("sd15", toys.folder("sd15"), scheduler=unknown), device="cpu")


def lora_for(model: Model, path: Path) -> torch.Tensor:
    """Write a LoRA of rank 2 for one attention of a UNet; returns what it adds to that weight."""
    size = model._plain.unet.mid_block.attentions[0].transformer_blocks[0].attn1.to_q.weight.shape[0]
    down, up = torch.randn(2, size, generator=torch.Generator().manual_seed(1)), torch.ones(size, 2)
    name = "unet.mid_block.attentions.0.transformer_blocks.0.attn1.to_q"
    save_file({f"{name}.lora_A.weight": down, f"{name}.lora_B.weight": up}, path)
    return up @ down


def test_a_lora_goes_into_the_weights_by_its_own_weight(toys: families.Toys, tmp_path: Path) -> None:
    base = families.preset("sdxl", toys.folder("sdxl"))
    plain = load(base, device="cpu")
    path = tmp_path / "lora.safetensors"
    added = lora_for(plain, path)
    for weight in (0.5, 1.0):
        changed = base.model_copy(update={"loras": (Lora(file=path, weight=weight),)})
        model = load(changed, device="cpu")
        assert torch.allclose(_query(model) - _query(plain), weight * added, atol=1e-4)
        assert torch.equal(_query(model), _query(model, adapted=True))
        assert not np.array_equal(pixels(model.render(shot(model))), pixels(plain.render(shot(plain))))


def test_a_lora_that_is_none_is_refused(toys: families.Toys, tmp_path: Path) -> None:
    save_file({"something.else": torch.ones(2)}, tmp_path / "lora.safetensors")
    base = families.preset("sdxl", toys.folder("sdxl"))
    changed = base.model_copy(update={"loras": (Lora(file=tmp_path / "lora.safetensors"),)})
    with pytest.raises(OperatorError, match="sdxl"):
        load(changed, device="cpu")


def _query(model: Model, *, adapted: bool = False) -> torch.Tensor:
    pipeline: Any = model._adapted if adapted else model._plain
    weight: torch.Tensor = pipeline.unet.mid_block.attentions[0].transformer_blocks[0].attn1.to_q.weight
    return weight.detach()
