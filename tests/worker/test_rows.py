"""What stays the same from step to step is computed once, and never given for something else."""

import torch

from tests.worker import tiny
from tests.worker.test_pipelines import SHOT, pixels, with_adapter
from worker.pipelines import Model
from worker.rows import Remembered, RowScales


class Counting(torch.nn.Linear):
    """A layer that counts how often it computes."""

    count = 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """As a linear layer does."""
        self.count += 1
        return super().forward(x)


def test_a_layer_computes_again_only_for_something_else() -> None:
    layer = Counting(3, 2)
    also = [torch.ones(1)]
    Remembered(layer, lambda: also[0])
    first, second = torch.randn(2, 5, 3)
    once = layer(first)
    assert layer(first) is once
    assert layer.count == 1
    assert not torch.equal(layer(second), once)
    assert torch.equal(layer(first), once)
    assert layer.count == 3
    also[0] = torch.zeros(1)
    layer(first)
    assert layer.count == 4


def test_equal_numbers_in_another_place_are_something_else() -> None:
    layer = Counting(3, 2)
    Remembered(layer)
    x = torch.randn(5, 3)
    layer(x)
    layer(x.clone())
    assert layer.count == 2


def test_each_rows_values_are_scaled_by_its_own_scale() -> None:
    unet = tiny.unet()
    parts: dict[str, dict[str, torch.Tensor]] = {"image_proj": {}, "ip_adapter": {}}
    for key, value in tiny.adapter(unet).items():
        part, name = key.split(".", 1)
        parts[part][name] = value
    unet._load_ip_adapter_weights([parts], low_cpu_mem_usage=False)
    layers = [layer for one in unet.attn_processors.values() for layer in getattr(one, "to_v_ip", ())]
    tokens = torch.randn(2, 1, 4, layers[0].in_features)
    plain = [layer(tokens) for layer in layers]
    scales = RowScales(unet, remember=True)
    for rows in (torch.tensor([0.5, 2.0]), torch.tensor([1.0, 0.0])):
        scales.rows = rows
        for layer, values in zip(layers, plain, strict=True):
            assert torch.allclose(layer(tokens), values * rows.view(2, 1, 1, 1))


def test_a_call_has_nothing_of_the_one_before(model: Model) -> None:
    shots = [with_adapter(scale, seed=seed) for scale, seed in ((0.3, 1), (1.0, 2), (0.3, 1))]
    first, other, again = (pixels(model.render(shot)) for shot in (*shots[:2], shots[2]))
    assert (first == again).all()
    assert (first != other).any()
    assert (pixels(model.render(SHOT)) != first).any()
