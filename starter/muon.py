"""An optimizer for few steps: momentum made orthogonal for matrices and kernels, Adam for all else.

Muon (Jordan et al. 2024) moves a matrix along the nearest orthogonal one to its momentum, so that rare
directions learn as fast as common ones. Its steps are scaled by the size of Adam's (Liu et al. 2025), so that
one rate serves both. Processes that train together share the work: each makes its part of the moves and sends
them round.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import distributed, nn

from starter.device import PRECISION

# Of the quintic whose iteration drives all singular values near 1 (Jordan et al. 2024).
COEFFICIENTS = (3.4445, -4.7750, 2.0315)
ITERATIONS = 4
MOMENTUM = 0.95
SIZE = 0.4  # root mean square of a step over the rate: twice Adam's


def orthogonal(matrix: torch.Tensor) -> torch.Tensor:
    """(m, n) in PRECISION, near the orthogonal factor of the polar decomposition of a matrix (m, n)."""
    tall = matrix.shape[0] > matrix.shape[1]
    x = (matrix.mT if tall else matrix).to(PRECISION)
    x = x / (x.norm() + 1e-7)
    a, b, c = COEFFICIENTS
    for _ in range(ITERATIONS):
        gram = x @ x.mT
        x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.mT if tall else x


class Muon(torch.optim.Optimizer):
    """Momentum made orthogonal, for parameters of two dimensions or more; kernels count as (out, rest)."""

    def __init__(self, parameters: Iterable[nn.Parameter], lr: float, weight_decay: float) -> None:
        super().__init__(parameters, {"lr": lr, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:
        for group in self.param_groups:
            present = [p for p in group["params"] if p.grad is not None]
            for parameter, move in zip(present, self._moves(present), strict=True):
                rows, rest = move.shape
                parameter.mul_(1 - group["lr"] * group["weight_decay"])
                size = SIZE * max(rows, rest) ** 0.5
                parameter.add_(move.view_as(parameter), alpha=-group["lr"] * size)

    def _moves(self, present: list[nn.Parameter]) -> list[torch.Tensor]:
        """One orthogonal matrix a parameter; with several processes, each makes every so-manieth."""
        world = distributed.get_world_size() if distributed.is_initialized() else 1
        rank = distributed.get_rank() if world > 1 else 0
        moves = [p.new_empty((p.shape[0], p[0].numel()), dtype=PRECISION) for p in present]
        for number, parameter in enumerate(present):
            lead = self._lead(parameter)
            if number % world == rank:
                moves[number] = orthogonal(lead.flatten(1))
        if world > 1:
            for sender in range(world):
                exchange(moves[sender::world], sender)
        return moves

    def _lead(self, parameter: nn.Parameter) -> torch.Tensor:
        """The gradient, led by its running mean (Nesterov)."""
        assert parameter.grad is not None
        state = self.state[parameter]
        if not state:
            state["mean"] = torch.zeros_like(parameter)
        state["mean"].lerp_(parameter.grad, 1 - MOMENTUM)
        return parameter.grad.lerp(state["mean"], MOMENTUM)


def exchange(moves: list[torch.Tensor], sender: int) -> None:
    """Fill these with the sender's."""
    buffer = torch.cat([move.flatten() for move in moves])
    distributed.broadcast(buffer, sender)
    for move, sent in zip(moves, buffer.split([move.numel() for move in moves]), strict=True):
        move.copy_(sent.view_as(move))


class Both:
    """Muon for the inner matrices of a module and AdamW for the rest, as one optimizer."""

    def __init__(self, inner: list[nn.Parameter], rest: list[nn.Parameter], lr: float, decay: float) -> None:
        adam = torch.optim.AdamW(rest, lr=lr, weight_decay=decay, betas=(0.9, 0.99), fused=True)
        self.parts: tuple[torch.optim.Optimizer, ...] = (Muon(inner, lr, decay), adam) if inner else (adam,)

    @property
    def param_groups(self) -> list[dict[str, Any]]:
        return [group for part in self.parts for group in part.param_groups]

    def zero_grad(self, set_to_none: bool = True) -> None:
        for part in self.parts:
            part.zero_grad(set_to_none)

    def step(self) -> None:
        for part in self.parts:
            part.step()

    def state_dict(self) -> dict[str, Any]:
        return {str(number): part.state_dict() for number, part in enumerate(self.parts)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        for number, part in enumerate(self.parts):
            part.load_state_dict(state[str(number)])
