"""The optimizer of few steps: what its moves are, that it learns, and that its state comes back."""

import copy

import pytest
import torch
from torch import nn

from starter.muon import SIZE, Both, Muon, orthogonal


@pytest.mark.parametrize("shape", [(16, 40), (40, 16), (8, 64)])
def test_a_move_is_near_the_orthogonal_factor_of_the_gradient(shape: tuple[int, int]) -> None:
    torch.manual_seed(1)
    matrix = torch.randn(shape)
    left, _, right = torch.linalg.svd(matrix, full_matrices=False)
    found = orthogonal(matrix).float()
    values = torch.linalg.svdvals(found)
    assert found.shape == shape
    assert values.min() > 0.5
    assert values.max() < 1.3
    # It turns nothing: only the lengths of the singular directions change.
    turned = left.mT @ found @ right.mT
    assert (turned - torch.diag(torch.diag(turned))).abs().max() < 0.05


def test_a_kernel_moves_as_far_as_its_rate_and_shape_say() -> None:
    torch.manual_seed(2)
    kernel = nn.Parameter(torch.randn(8, 4, 3, 3))
    before, kernel.grad = kernel.detach().clone(), torch.randn(8, 4, 3, 3)
    Muon([kernel], lr=0.1, weight_decay=0.0).step()
    size = (kernel.detach() - before).square().mean().sqrt()
    assert float(size) == pytest.approx(0.1 * SIZE, rel=0.25)


def test_matrices_and_the_rest_are_learned_together_and_state_comes_back() -> None:
    torch.manual_seed(3)
    model = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 3))
    x, wanted = torch.randn(64, 6), torch.randn(64, 3)

    def optimizer(module: nn.Module) -> Both:
        inner = [p for p in module.parameters() if p.ndim == 2]
        return Both(inner, [p for p in module.parameters() if p.ndim == 1], lr=0.02, decay=0.0)

    def step(module: nn.Module, both: Both) -> float:
        loss = (module(x) - wanted).square().mean()
        both.zero_grad()
        loss.backward()
        both.step()
        return float(loss.item())

    both = optimizer(model)
    first = [step(model, both) for _ in range(60)]
    assert first[-1] < 0.8 * first[0]
    twin = copy.deepcopy(model)
    other = optimizer(twin)
    other.load_state_dict(copy.deepcopy(both.state_dict()))
    assert step(model, both) == step(twin, other)
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), twin.parameters(), strict=True))
