"""What a preset may opt into for speed or memory: it paints what it painted without, or says what differs."""

import threading
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from app.errors import OperatorError
from app.presets import Preset
from tests.worker import families, tiny
from tests.worker.conftest import tiny_preset
from worker import shortcuts
from worker.devices import offload
from worker.pipelines import Conditioning, Model, Shot, load

SHOT = Shot("a lighthouse", "people", (4294967295, 0), tiny.SIZE, tiny.SIZE, 4, 4.0)


def pixels(images: list[Image.Image]) -> np.ndarray:
    return np.stack([np.asarray(image, dtype=np.int16) for image in images])


def personal(shot: Shot = SHOT, scale: float = 1.0) -> Shot:
    towards, away = np.random.default_rng(1).standard_normal((2, tiny.WIDTH))
    return replace(shot, conditioning=Conditioning(towards, away, scale))


def changed(preset: Preset, **changes: Any) -> Model:
    return load(preset.model_copy(update=changes), device="cpu")


@pytest.fixture(scope="module")
def flux(tmp_path_factory: pytest.TempPathFactory) -> Preset:
    """A tiny Flux model. Its `true_guidance` makes two passes a step."""
    folder = families.build("flux-dev", tmp_path_factory.mktemp("flux") / "flux-dev")
    return families.preset("flux-dev", folder, true_guidance=2.0, steps=4)


@pytest.fixture(params=["unet", "flux"])
def preset(request: pytest.FixtureRequest) -> Preset:
    """A UNet's preset, and Flux's."""
    if request.param == "flux":
        return request.getfixturevalue("flux")  # type: ignore[no-any-return]
    return tiny_preset(request.getfixturevalue("presets"))


def held(model: Model) -> dict[int, int]:
    """The bytes of both networks' weights, by where they lie."""
    networks = [model.family.network(one) for one in (model._plain, model._adapted)]
    tensors = [tensor for network in networks for tensor in network.parameters()]
    return {tensor.data_ptr(): tensor.nbytes for tensor in tensors}


def test_fused_projections_paint_the_same_and_take_no_more_memory(preset: Preset) -> None:
    plain, fused = changed(preset), changed(preset, fuse=True)
    for shot in (SHOT, personal(), personal(scale=0.3)):
        assert np.abs(pixels(fused.render(shot)) - pixels(plain.render(shot))).max() <= 1
    assert not np.array_equal(pixels(fused.render(personal())), pixels(fused.render(SHOT)))
    assert sum(held(fused).values()) == sum(held(plain).values())
    assert len(held(fused)) < len(held(plain))


def blocks_run(model: Model, shot: Shot) -> int:
    """How often the last block of a Flux model computes while it paints the shot."""
    calls: list[int] = []
    for pipeline in (model._plain, model._adapted):
        layer = model.family.network(pipeline).single_transformer_blocks[-1].proj_mlp
        layer.register_forward_hook(lambda *_: calls.append(1))
    model.render(shot)
    return len(calls)


def test_a_cache_skips_blocks_where_the_first_block_changes_little(flux: Preset) -> None:
    plain, careful, bold = changed(flux), changed(flux, cache=1e-9), changed(flux, cache=0.9)
    for shot in (SHOT, personal()):
        assert np.array_equal(pixels(careful.render(shot)), pixels(plain.render(shot)))
        assert blocks_run(careful, shot) == 2 * shot.steps
        assert blocks_run(bold, shot) < 2 * shot.steps
        assert not np.array_equal(pixels(bold.render(shot)), pixels(plain.render(shot)))


def test_jobs_are_not_painted_together_where_steps_are_skipped(flux: Preset) -> None:
    """Whether a step is skipped depends on the whole batch."""
    assert changed(flux).together
    assert not changed(flux, cache=0.9).together


def test_nothing_cached_outlasts_a_call_that_is_ended_early(flux: Preset) -> None:
    bold = changed(flux, cache=0.9)
    expected = pixels(bold.render(SHOT))

    def stop(step: int, _latents: torch.Tensor) -> None:
        if step == 2:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        bold.render(replace(SHOT, text="rain", seeds=(5, 6, 7)), stop)
    assert np.array_equal(pixels(bold.render(SHOT)), expected)


def test_compiled_blocks_paint_the_same_and_compile_only_at_the_start(
    presets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    preset = tiny_preset(presets)
    monkeypatch.setattr(shortcuts, "BACKEND", "eager")  # the compiler itself takes minutes
    plain, compiled = changed(preset), changed(preset, compile=True)
    square = replace(SHOT, steps=2)
    wide = replace(square, width=tiny.SIZE + 32)
    with torch.compiler.set_stance("fail_on_recompile"):
        for shot in (replace(square, seeds=(1,)), replace(wide, seeds=(1, 2, 3))):
            for one in (shot, personal(shot), personal(shot, 0.3)):
                assert np.abs(pixels(compiled.render(one)) - pixels(plain.render(one))).max() <= 1
    torch.compiler.reset()


def test_compiling_is_for_one_image_where_there_is_no_room_for_two(presets: Path) -> None:
    model, single = (changed(tiny_preset(presets), max_batch=most) for most in (4, 1))
    rows: list[int] = []

    def refuse(_module: Any, given: Any) -> None:
        rows.append(len(given[0]))
        if len(given[0]) > 2:  # one image and its negative
            raise torch.OutOfMemoryError("simulated")

    for one in (model, single):
        one._plain.unet.register_forward_pre_hook(refuse)
        one.warm()
    assert 4 in rows[: len(rows) // 2]
    rows.clear()
    single.warm()
    assert set(rows) == {2}


@pytest.mark.skipif(find_spec("torchao") is None, reason="torchao is an extra")
@pytest.mark.parametrize("kind", ["int8", "fp8"])
def test_quantised_weights_paint_nearly_the_same(preset: Preset, kind: str) -> None:
    plain, small = changed(preset), changed(preset, quantize=kind)
    for shot in (SHOT, personal()):
        assert 0 < np.abs(pixels(small.render(shot)) - pixels(plain.render(shot))).mean() < 3
    network, twin = (small.family.network(one) for one in (small._plain, small._adapted))
    layers = [name for name, layer in network.named_modules() if isinstance(layer, torch.nn.Linear)]
    assert all(network.get_submodule(name).weight is twin.get_submodule(name).weight for name in layers)
    assert np.array_equal(pixels(small.render(SHOT)), pixels(small.render(SHOT)))


@pytest.mark.skipif(find_spec("torchao") is not None, reason="torchao is installed")
def test_quantising_without_torchao_says_how_to_install_it(presets: Path) -> None:
    with pytest.raises(OperatorError, match=r"pip install -e '\.\[quantize\]'"):
        changed(tiny_preset(presets), quantize="int8")


def test_offloading_is_for_cards(presets: Path) -> None:
    with pytest.raises(OperatorError, match="this worker computes on the CPU"):
        changed(tiny_preset(presets), offload=True)


def test_offloading_hooks_leave_both_pipelines_as_they_were(preset: Preset, tmp_path: Path) -> None:
    """On the CPU nothing moves; what is seen is that the hooks of pipelines that share parts get along."""
    model = changed(preset, preview=tiny.preview(tmp_path / "preview"))
    shots = (SHOT, personal())
    expected = [pixels(model.render(shot)) for shot in shots]
    latents = torch.randn((2, 4, 8, 8))
    shown = pixels(model.decode(latents))
    offload((model._plain, model._adapted), "cpu")
    moved = Model(model.preset, model._plain, model._adapted)
    for shot, before in [*zip(shots, expected, strict=True)] * 2:
        assert np.array_equal(pixels(moved.render(shot)), before)
        assert np.array_equal(pixels(moved.decode(latents)), shown)
    assert moved.encoder.images(moved.render(SHOT)).shape == (2, tiny.WIDTH)


def test_an_offloaded_pipeline_does_not_move_the_encoder_that_another_thread_uses(preset: Preset) -> None:
    model = changed(preset)
    pictures = model.render(SHOT)
    expected = model.encoder.images(pictures)
    offload((model._plain, model._adapted), "cpu")
    offloaded = Model(model.preset, model._plain, model._adapted)
    moves: list[Any] = []
    with model._plain.image_encoder.visiting() as tower:
        tower.to = lambda *given: moves.append(given)
        embedding = threading.Thread(target=offloaded.encoder.images, args=(pictures,))
        embedding.start()
        for shot in (SHOT, personal()):
            offloaded.render(shot)
        assert embedding.is_alive()  # it waits for its turn
        assert moves == []
        del tower.to
    embedding.join()
    assert np.array_equal(offloaded.encoder.images(pictures), expected)
