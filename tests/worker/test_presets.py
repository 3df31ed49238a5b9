"""Every family of the shipped presets with its real classes at toy size, through the code that loads and
paints with the large ones."""

import pickle
import shutil
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

NAMES = ["sd15", "sdxl", "sdxl-turbo", "sd35-large", "flux-schnell", "flux-dev"]
SEEDS = (4294967295, 0)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Tiny models, built when first asked for."""
    torch.set_num_threads(1)
    root = tmp_path_factory.mktemp("families")
    return {name: families.build(name, root / name) for name in [*NAMES, "ssd-1b"]}


@pytest.fixture(scope="module", params=NAMES)
def model(request: pytest.FixtureRequest, folders: dict[str, Path]) -> Model:
    """One family after the other, loaded."""
    changes = {"true_guidance": 2.0} if request.param == "flux-dev" else {}
    return load(families.preset(request.param, folders[request.param], **changes), device="cpu")


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


def test_without_a_taste_it_is_bit_for_bit_the_plain_pipeline(model: Model) -> None:
    model.render(shot(model, 1.0))
    preset = model.preset
    plain = getattr(diffusers, preset.pipeline).from_pretrained(
        preset.folder, local_files_only=True, image_encoder=None
    )
    if preset.scheduler is not None:
        kind = getattr(diffusers, preset.scheduler.name)
        plain.scheduler = kind.from_config(plain.scheduler.config, **preset.scheduler.settings)
    plain.set_progress_bar_config(disable=True)
    guided = {"true_cfg_scale": 2.0, "negative_prompt": ""} if preset.true_guidance > 1 else {}
    expected = plain(
        prompt="a lighthouse",
        num_images_per_prompt=2,
        generator=[torch.Generator().manual_seed(seed) for seed in SEEDS],
        width=families.SIZE,
        height=families.SIZE,
        num_inference_steps=preset.steps,
        guidance_scale=preset.guidance,
        **guided,
    ).images
    assert np.array_equal(pixels(model.render(shot(model))), pixels(expected))


def test_the_adapter_acts_more_the_higher_its_scale(model: Model) -> None:
    base = pixels(model.render(shot(model)))
    acted = [pixels(model.render(shot(model, scale))) for scale in (0.25, 1.0, 4.0)]
    distances = [np.abs(one - base).mean() for one in acted]
    assert 0 < distances[0] < distances[1] < distances[2]
    assert not np.array_equal(pixels(model.render(shot(model, 4.0, seed=3))), acted[2])


def test_what_a_taste_dislikes_acts_where_there_is_a_second_pass(model: Model) -> None:
    one, other = (pixels(model.render(shot(model, 4.0, negative_seed=number))) for number in (2, 5))
    assert np.array_equal(one, other) is not model.preset.avoids
    passes = FAMILIES[model.preset.pipeline].passes(model._plain, shot(model), model.preset)
    assert passes == (2 if model.preset.avoids else 1)


def test_one_image_is_the_same_alone_and_in_a_batch(model: Model) -> None:
    alone = pixels(model.render(Shot(**{**vars(shot(model, 1.0)), "seeds": (0,)})))
    assert np.abs(alone[0] - pixels(model.render(shot(model, 1.0)))[1]).max() <= 1


def test_steps_are_shown_as_pictures_of_the_right_shape(model: Model) -> None:
    wide = Shot(**{**vars(shot(model)), "width": families.SIZE + 32})
    seen: list[torch.Tensor] = []
    final = model.render(wide, lambda _step, latents: seen.append(latents))
    assert len(seen) == model.preset.steps
    for latents in seen:
        assert [picture.size for picture in model.decode(latents)] == [(96, 64)] * 2
        assert [picture.size for picture in model.sketch(latents)] == [(128, 85)] * 2
    assert np.abs(pixels(model.decode(seen[-1])) - pixels(final)).max() <= 1


def test_images_and_prompts_have_embeddings(model: Model) -> None:
    vectors = model.encoder.images(model.render(shot(model)))
    assert vectors.shape == (2, tiny.WIDTH)
    assert np.abs(vectors[0] - vectors[1]).max() > 1e-6
    assert model.encoder.texts(["a cat", "a dog"]).shape == (2, tiny.WIDTH)


def test_the_weights_are_held_once(model: Model) -> None:
    family = FAMILIES[model.preset.pipeline]
    plain = {value.data_ptr() for value in family.network(model._plain).parameters()}
    adapted = {value.data_ptr() for value in family.network(model._adapted).parameters()}
    assert plain <= adapted


@pytest.fixture
def copy(request: pytest.FixtureRequest, folders: dict[str, Path], tmp_path: Path) -> Preset:
    """A copy of a tiny model's files, to be damaged."""
    name = getattr(request, "param", "sdxl")
    shutil.copytree(folders[name], tmp_path / "weights")
    return families.preset(name, tmp_path / "weights")


@pytest.mark.parametrize("copy", ["sd15", "sd35-large", "flux-schnell"], indirect=True)
def test_an_encoder_that_the_adapter_was_not_trained_with_is_refused(copy: Preset) -> None:
    tiny.image_encoder(width=24).save_pretrained(copy.folder / "image_encoder", safe_serialization=True)
    with pytest.raises(OperatorError, match=r"takes embeddings of 32 numbers.*gives 24"):
        load(copy, device="cpu")


def test_an_adapter_of_another_pipeline_is_refused(copy: Preset, folders: dict[str, Path]) -> None:
    assert copy.adapter is not None
    other = folders["flux-dev"] / "ip_adapter" / "ip_adapter.safetensors"
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


def test_blocks_left_out_of_the_scale_map_get_nothing(folders: dict[str, Path]) -> None:
    style = load(families.preset("sdxl", folders["sdxl"]), device="cpu")
    style.render(shot(style, 1.0))
    assert style._adapted is not None
    processors = style._adapted.unet.attn_processors.items()
    scales = {name: one.scale for name, one in processors if hasattr(one, "scale")}
    assert {name for name, scale in scales.items() if scale == [1.0]} == {
        name for name in scales if name.startswith("up_blocks.0.attentions.1.")
    }
    assert any(scale == [0.0] for scale in scales.values())


def test_a_scale_map_that_does_not_fit_is_said(folders: dict[str, Path]) -> None:
    wrong = Adapter(file="ip-adapter_sdxl_vit-h.safetensors", blocks={"up": {"block_0": [1.0, 1.0]}})
    with pytest.raises(OperatorError, match="scale"):
        load(families.preset("sdxl", folders["sdxl"], adapter=wrong), device="cpu")


def test_an_unknown_scheduler_is_said(folders: dict[str, Path]) -> None:
    unknown = Scheduler(name="FancyScheduler")
    with pytest.raises(OperatorError, match="no scheduler FancyScheduler"):
        load(families.preset("sd15", folders["sd15"], scheduler=unknown), device="cpu")


def lora_for(model: Model, path: Path) -> torch.Tensor:
    """Write a LoRA of rank 2 for one attention of a UNet; returns what it adds to that weight."""
    size = model._plain.unet.mid_block.attentions[0].transformer_blocks[0].attn1.to_q.weight.shape[0]
    down, up = torch.randn(2, size, generator=torch.Generator().manual_seed(1)), torch.ones(size, 2)
    name = "unet.mid_block.attentions.0.transformer_blocks.0.attn1.to_q"
    save_file({f"{name}.lora_A.weight": down, f"{name}.lora_B.weight": up}, path)
    return up @ down


def test_a_lora_goes_into_the_weights_by_its_own_weight(folders: dict[str, Path], tmp_path: Path) -> None:
    base = families.preset("sdxl", folders["sdxl"])
    plain = load(base, device="cpu")
    path = tmp_path / "lora.safetensors"
    added = lora_for(plain, path)
    for weight in (0.5, 1.0):
        changed = base.model_copy(update={"loras": (Lora(file=path, weight=weight),)})
        model = load(changed, device="cpu")
        assert torch.allclose(_query(model) - _query(plain), weight * added, atol=1e-4)
        assert torch.equal(_query(model), _query(model, adapted=True))
        assert not np.array_equal(pixels(model.render(shot(model))), pixels(plain.render(shot(plain))))


def test_a_lora_that_is_none_is_refused(folders: dict[str, Path], tmp_path: Path) -> None:
    save_file({"something.else": torch.ones(2)}, tmp_path / "lora.safetensors")
    base = families.preset("sdxl", folders["sdxl"])
    changed = base.model_copy(update={"loras": (Lora(file=tmp_path / "lora.safetensors"),)})
    with pytest.raises(OperatorError, match="sdxl"):
        load(changed, device="cpu")


def _query(model: Model, *, adapted: bool = False) -> torch.Tensor:
    pipeline: Any = model._adapted if adapted else model._plain
    weight: torch.Tensor = pipeline.unet.mid_block.attentions[0].transformer_blocks[0].attn1.to_q.weight
    return weight.detach()
