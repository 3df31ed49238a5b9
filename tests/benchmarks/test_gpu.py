"""The benchmark of devices, on toy models, and the sizes that it gives the large ones."""

import argparse
import gc
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import AutoencoderTiny, UNet2DConditionModel

from app.presets import load_presets
from benchmarks import gpu
from benchmarks.architectures import ARCHITECTURES, TOYS
from benchmarks.device import StepClock, flop_counter, forget_peak, peak_memory, work
from benchmarks.gpu import Subject, Way, attempt, fitting, main, personal_shot, plain_shot, toys
from benchmarks.random_adapters import adapter
from benchmarks.random_models import load_random, modules, pipeline, preview
from worker import shortcuts
from worker.families import FAMILIES
from worker.pipelines import Model

CLIP_L, CLIP_G, T5_XXL = 123_060_480, 694_659_840, 4_762_310_656  # published text encoders
PUBLISHED = {
    "sd15": {"unet": 859_520_964, "text_encoder": CLIP_L, "vae": 83_653_863, "image_encoder": 632_076_800},
    "sdxl": {"unet": 2_567_463_684, "text_encoder": CLIP_L, "text_encoder_2": CLIP_G, "vae": 83_653_863},
    "ssd-1b": {"unet": 1_331_334_404, "image_encoder": 1_844_907_264},
    "sd35-large": {
        "transformer": 8_056_627_520,
        "vae": 83_819_683,
        "text_encoder_3": T5_XXL,
        "image_encoder": 428_225_600,
    },
    "flux-schnell": {"transformer": 11_891_178_560, "text_encoder_2": T5_XXL, "vae": 83_819_683},
    "flux-dev": {"transformer": 11_901_408_320, "image_encoder": 303_966_208},
}
ADAPTERS = {"sd15": 44.6e6, "sdxl": 698e6, "flux-dev": 1.06e9}  # bytes of the published files, in 16 bits

PREVIEWS = {4: 9_793_292, 16: 9_848_636}  # the same of tiny autoencoders by their latents' channels, in 32


@pytest.fixture
def tiny(settings: object, tmp_path: Path) -> Model:
    return _toy("tiny", tmp_path)


def _toy(name: str, folder: Path) -> Model:
    subject = next(subject for subject in toys() if subject.preset.name == name)
    assert subject.architecture is not None
    return load_random(subject.preset, subject.architecture, folder, device="cpu")


@pytest.mark.usefixtures("settings")
def test_the_tiny_run_prints_a_table_of_each_family(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gpu, "BATCH", 2)
    main(["--tiny", "--rounds", "1", "--steps", "2"])
    tables = capsys.readouterr().out.split("\ntiny")[1:]
    assert [table.split(",")[0] for table in tables] == [name.removeprefix("tiny") for name in TOYS]
    for table, name in zip(tables, TOYS, strict=True):
        assert ", random weights, cpu, torch.float32, 64 x 64, 2 steps\n" in table
        for row in ("time with a taste / without", "make and load", "first image after that"):
            assert f"| {row} |" in table
        assert "| time with previews by AutoencoderTiny / without |" in table
        assert "not batched" not in table, name
        found = re.search(r"largest difference, 2 together and alone, of 255 \| (\d+) \|", table)
        assert found is not None
        assert int(found[1]) <= 1


@pytest.mark.usefixtures("settings")
def test_nothing_is_left_of_a_model_that_was_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu, "BATCH", 2)
    gc.collect()
    before = _unets()
    main(["--tiny", "--preset", "tiny", "--rounds", "1", "--steps", "1"])
    assert _unets() == before


def _unets() -> int:
    return sum(type(one) is UNet2DConditionModel for one in gc.get_objects())


def only_compiled(subject: Subject, arguments: argparse.Namespace, device: str) -> None:
    if subject.preset.compile:
        attempt(subject, arguments, device)


@pytest.mark.timeout(300)
@pytest.mark.usefixtures("settings")
def test_a_unet_is_measured_compiled_as_well(
    tiny: Model, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shortcuts, "BACKEND", "eager")
    monkeypatch.setattr(gpu, "BATCH", 2)
    monkeypatch.setattr(gpu, "attempt", only_compiled)
    main(["--tiny", "--compile", "--preset", "tiny", "--rounds", "1", "--steps", "1"])
    printed = capsys.readouterr().out
    assert "64 x 64, 1 steps, compiled\n" in printed
    assert "| make and load and compile |" in printed
    operations = work(tiny, plain_shot(tiny.preset, 1)).denoiser
    assert f"| TFLOP an image, denoiser in 1 steps | {operations / 1e12:.4g} |" in printed


@pytest.mark.usefixtures("settings")
def test_only_unets_are_compiled(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    measured: list[bool] = []
    monkeypatch.setattr(gpu, "attempt", lambda subject, *_: measured.append(subject.preset.compile))
    main(["--tiny", "--compile"])
    assert measured == [False, True, False, True, False, False]
    assert "tiny-sd3: not compiled" in capsys.readouterr().out


@pytest.mark.usefixtures("settings")
def test_what_is_not_installed_is_left_out_on_the_cpu_unless_it_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    measured: list[Subject] = []
    monkeypatch.setattr(gpu, "attempt", lambda subject, *_: measured.append(subject))
    main([])
    assert [(one.preset.name, one.architecture) for one in measured] == [("starter", None)]
    assert "\nsdxl: left out, its weights are not installed" in capsys.readouterr().out
    main(["--preset", "sdxl"])
    assert measured[-1] == Subject(load_presets()["sdxl"], ARCHITECTURES["sdxl"])


@pytest.mark.usefixtures("settings")
def test_a_name_that_there_is_not_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--preset", "sdlx"])
    assert "there is no sdlx, only starter, sd15" in capsys.readouterr().err


@pytest.mark.usefixtures("settings")
def test_a_card_gets_every_preset_that_it_has_the_memory_for(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    measured: list[str] = []
    monkeypatch.setattr(gpu, "attempt", lambda subject, *_: measured.append(subject.preset.name))
    monkeypatch.setattr(gpu, "pick_device", lambda _: "cuda")
    monkeypatch.setattr(gpu, "card_memory", lambda _: 24_000_000_000)
    main([])
    assert set(measured) == {"starter", *ARCHITECTURES} - {"sd35-large", "flux-schnell", "flux-dev"}
    assert "flux-dev: left out, it needs 40 GB and the card has 24" in capsys.readouterr().out


def test_every_shipped_preset_has_weights_or_an_architecture(settings: object) -> None:
    assert {*ARCHITECTURES, "starter"} == set(load_presets())


@pytest.mark.parametrize("name", PUBLISHED)
def test_an_architecture_has_the_published_models_parameters(name: str, settings: object) -> None:
    kind = load_presets()[name].pipeline
    with torch.device("meta"):
        parts = modules(kind, ARCHITECTURES[name])
    counted = {part: sum(tensor.numel() for tensor in parts[part].parameters()) for part in PUBLISHED[name]}
    assert counted == PUBLISHED[name]


@pytest.mark.parametrize("name", ADAPTERS)
def test_an_adapter_is_as_large_as_the_published_one(name: str, settings: object) -> None:
    kind = load_presets()[name].pipeline
    with torch.device("meta"):
        network = modules(kind, ARCHITECTURES[name])[FAMILIES[kind].denoiser]
        tensors = adapter(kind, network, ARCHITECTURES[name])
    size = 2 * sum(tensor.numel() for tensor in tensors.values())
    assert size == pytest.approx(ADAPTERS[name], rel=0.005)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_tiny_autoencoder_is_as_large_as_the_published_one(name: str) -> None:
    made = ARCHITECTURES[name]
    with torch.device("meta"):
        found = preview(made)
        pixels = found.decode(torch.empty(1, found.config.latent_channels, 8, 8)).sample
    size = 4 * sum(tensor.numel() for tensor in found.parameters())
    assert size == pytest.approx(PREVIEWS[made.vae.get("latent_channels", 4)], rel=0.005)
    assert pixels.shape == (1, 3, 64, 64)


@pytest.mark.parametrize("name", ["tiny", "tiny-flux"])
def test_a_toys_previews_are_a_tiny_autoencoders(name: str, settings: object, tmp_path: Path) -> None:
    model = _toy(name, tmp_path)
    assert isinstance(model.preview_decoder, AutoencoderTiny)
    assert model.preview_decoder.config.latent_channels == model._plain.vae.config.latent_channels


def test_a_presets_base_lends_its_preview_to_random_weights_too(settings: object, tmp_path: Path) -> None:
    """The base's own folder, where it would lie, is not there."""
    _, made = TOYS["tiny-sdxl"]
    lcm = load_presets()["sdxl-lcm"].model_copy(update={"sizes": ((64, 64),), "ratios": ()})
    model = load_random(lcm, made, tmp_path, device="cpu")
    assert isinstance(model.preview_decoder, AutoencoderTiny)


@pytest.mark.parametrize(
    ("name", "side", "pooled", "tera"), [("sd15", 64, None, 0.80), ("sdxl", 128, 1280, 6.76)]
)
def test_a_pass_of_a_unet_has_the_published_operations(
    name: str, side: int, pooled: int | None, tera: float
) -> None:
    sizes = ARCHITECTURES[name].denoiser
    with torch.device("meta"), torch.no_grad(), flop_counter() as counter:
        unet = UNet2DConditionModel(**sizes)
        added = {"text_embeds": torch.empty(1, pooled), "time_ids": torch.empty(1, 6)} if pooled else None
        words = torch.empty(1, 77, sizes["cross_attention_dim"])
        unet(torch.empty(1, 4, side, side), torch.empty(1), words, added_cond_kwargs=added)
    assert counter.get_total_flops() / 1e12 == pytest.approx(tera, abs=0.005)


def test_a_way_that_the_device_has_no_memory_for_is_left_out() -> None:
    def fail() -> None:
        raise torch.OutOfMemoryError

    small, large = Way(1, lambda: None), Way(8, fail)
    assert fitting({"one": small, "together": large}) == {"one": small}


@pytest.mark.parametrize("name", TOYS)
def test_weights_are_made_in_the_type_that_serves(name: str, settings: object, tmp_path: Path) -> None:
    base, made = TOYS[name]
    preset = load_presets()[base].model_copy(update={"folder": tmp_path})
    found = pipeline(preset, made, "cpu", torch.bfloat16)
    parts = [part for part in found.components.values() if isinstance(part, torch.nn.Module)]
    types = {tensor.dtype for part in parts for tensor in part.parameters()}
    assert types == {torch.bfloat16}
    assert torch.get_default_dtype() == torch.float32


@pytest.mark.parametrize("name", TOYS)
def test_a_toy_paints_as_its_preset_does(name: str, settings: object, tmp_path: Path) -> None:
    model = _toy(name, tmp_path)
    shipped = load_presets()[TOYS[name][0]]
    plain = plain_shot(model.preset, 2)
    assert (plain.guidance, model.preset.adapter) == (shipped.guidance, shipped.adapter)
    if shipped.scheduler is not None:
        assert type(model._plain.scheduler).__name__ == shipped.scheduler.name
    personal = personal_shot(model, plain)
    (without,), (with_taste,) = model.render(plain), model.render(personal)
    assert without.size == (64, 64)
    assert without.tobytes() != with_taste.tobytes()


def test_the_denoiser_is_counted_in_every_step_and_the_rest_once(tiny: Model) -> None:
    counted = [work(tiny, plain_shot(tiny.preset, steps)) for steps in (1, 2, 4)]
    for before, after in pairwise(counted):
        assert after.denoiser == 2 * before.denoiser > 0
        assert after.rest == before.rest > 0


def test_fused_attention_is_counted_on_the_cpu_as_on_a_card() -> None:
    query = torch.zeros(1, 2, 16, 8)
    with flop_counter() as counter:
        torch.nn.functional.scaled_dot_product_attention(query, query, query)
    assert counter.get_total_flops() == 2 * (2 * 2 * 16 * 16 * 8)


def test_the_steps_are_part_of_an_images_time(tiny: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter(range(100))
    monkeypatch.setattr("benchmarks.device.time.process_time", lambda: next(ticks))
    clock = StepClock(tiny)
    with clock.running():
        tiny.render(plain_shot(tiny.preset, 3))
    assert clock.seconds() == 3  # from the first call's start, past three ends
    tiny.render(plain_shot(tiny.preset, 3))
    assert next(ticks) == 4


def test_the_peak_of_memory_can_be_forgotten() -> None:
    held: Any = torch.ones(100_000_000)
    before = float(peak_memory("cpu").split()[0])
    del held
    forget_peak("cpu")
    assert float(peak_memory("cpu").split()[0]) < before - 0.3
