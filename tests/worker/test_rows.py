"""What stays the same from step to step is computed once, and never given for something else."""

import pytest
import torch
from diffusers import UNet2DConditionModel

from tests.worker import tiny
from tests.worker.test_pipelines import SHOT, pixels, with_adapter
from worker.pipelines import Model
from worker.rows import Remembered, RowScales


class Counting:
    """Doubles, and counts how often."""

    count = 0

    def __call__(self, x: torch.Tensor, *_also: object) -> torch.Tensor:
        self.count += 1
        return 2 * x


def test_a_function_computes_again_only_for_something_else() -> None:
    counting = Counting()
    double = Remembered(counting)
    first, second = torch.randn(2, 5, 3)
    once = double(first, None)
    assert double(first, None) is once
    assert counting.count == 1
    assert not torch.equal(double(second, None), once)
    assert torch.equal(double(first, None), once)
    assert counting.count == 3
    double(first, torch.ones(1))
    assert counting.count == 4


def test_equal_numbers_in_another_place_are_something_else() -> None:
    counting = Counting()
    double = Remembered(counting)
    x = torch.randn(5, 3)
    double(x)
    double(x.clone())
    assert counting.count == 2


def adapted() -> UNet2DConditionModel:
    """A tiny UNet with an adapter."""
    unet = tiny.unet()
    parts: dict[str, dict[str, torch.Tensor]] = {"image_proj": {}, "ip_adapter": {}}
    for key, value in tiny.adapter(unet).items():
        part, name = key.split(".", 1)
        parts[part][name] = value
    unet._load_ip_adapter_weights([parts], low_cpu_mem_usage=False)
    return unet.eval()


@pytest.mark.parametrize("scale", [1.0, 0.5, 0.0])
def test_a_row_is_what_the_adapter_at_its_scale_gives(scale: float) -> None:
    unet = adapted()
    width = unet.encoder_hid_proj.image_projection_layers[0].image_embeds.in_features
    x, words, image = torch.randn(2, 4, 16, 16), torch.randn(2, 7, 32), [torch.randn(2, 1, width)]

    def guess(at: float) -> torch.Tensor:
        for processor in unet.attn_processors.values():
            if hasattr(processor, "scale"):
                processor.scale = [at]
        given = {"image_embeds": image}
        made: torch.Tensor = unet(x, 500, words, added_cond_kwargs=given).sample
        return made

    with torch.inference_mode():
        factors = (0.3, 1.7)
        wanted = torch.stack([guess(scale * f)[row] for row, f in enumerate(factors)])
        scales = RowScales(unet, remember=True)
        for rows in (factors, factors[::-1], factors):
            scales.rows = torch.tensor(rows)
            found = guess(scale)
        assert torch.allclose(found, wanted, atol=1e-5)


def test_a_call_has_nothing_of_the_one_before(model: Model) -> None:
    shots = [with_adapter(scale, seed=seed) for scale, seed in ((0.3, 1), (1.0, 2), (0.3, 1))]
    first, other, again = (pixels(model.render(shot)) for shot in (*shots[:2], shots[2]))
    assert (first == again).all()
    assert (first != other).any()
    assert (pixels(model.render(SHOT)) != first).any()
