"""How a model is computed on the device it is loaded to."""

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch

from app.errors import OperatorError
from app.presets import Preset


def pick_dtype(device: str, half: torch.dtype) -> torch.dtype:
    """Full precision on the CPU. Half of it elsewhere: bfloat16 where the card computes in it, for its range
    is that of full precision, and some decoders overflow in float16; else `half`, the family's."""
    if device == "cpu":
        return torch.float32
    if device.startswith("cuda") and torch.cuda.get_device_capability(device)[0] >= 8:
        return torch.bfloat16
    return half


def lay_out(pipeline: Any) -> None:
    """Keep images with their channels last in the parts that convolve: what graphics cards' kernels want."""
    for name in ("unet", "vae"):
        if hasattr(pipeline, name):
            getattr(pipeline, name).to(memory_format=torch.channels_last)


@contextmanager
def in_range(vae: Any, *, asked: bool) -> Iterator[None]:
    """Where it is asked for by the pipeline and by the autoencoder's own configuration, it computes in full
    precision inside the block: its numbers are too large for float16."""
    raised = asked and vae.dtype == torch.float16 and getattr(vae.config, "force_upcast", False)
    if raised:
        vae.to(torch.float32)
    try:
        yield
    finally:
        if raised:
            vae.to(torch.float16)


def decode_in_parts(pipeline: Any, preset: Preset) -> None:
    """Let the decoder take images one by one, or tile by tile, where the preset says so."""
    if preset.decode != "whole":
        pipeline.vae.enable_slicing()
    if preset.decode == "tiled":
        pipeline.vae.enable_tiling()


def check_offload(preset: Preset, device: str) -> None:
    """Raise OperatorError where the preset offloads and there is no card to offload from."""
    if preset.offload and device == "cpu":
        raise OperatorError(
            f"{preset.name} says `offload`, which moves its parts between a graphics card and main memory; "
            "this worker computes on the CPU. Drop it, or give the worker a card by PENCHANT_DEVICE."
        )


class Visitor:
    """A network in main memory that goes to the device for as long as it is needed there, for one thread
    after the other."""

    def __init__(self, network: Any, device: str) -> None:
        self.config = network.config
        self._network = network.to("cpu")
        self._device = device
        self._one_at_a_time = threading.Lock()

    @contextmanager
    def visiting(self) -> Iterator[Any]:
        """The network, on the device inside the block."""
        with self._one_at_a_time:
            try:
                yield self._network.to(self._device)
            finally:
                self._network.to("cpu")


def offload(pipelines: Iterable[Any | None], device: str) -> None:
    """Keep the parts of pipelines in main memory, and each on the device only while it computes.

    A pipeline moves its parts when it likes, and only one thread may use it. Images are embedded by others
    meanwhile, so the image encoder is no part of it any more, but a visitor.
    """
    visitors: dict[int, Visitor] = {}  # pipelines share their encoder
    for pipeline in pipelines:
        if pipeline is not None:
            encoder = pipeline.image_encoder
            pipeline.image_encoder = visitors.setdefault(id(encoder), Visitor(encoder, device))
            pipeline.enable_model_cpu_offload(device=device)


def device_name(device: torch.device) -> str:
    """What a person calls it."""
    return str(torch.cuda.get_device_name(device) if device.type == "cuda" else device.type)


def card_bytes(device: str) -> int | None:
    """The memory of the graphics card; None where the device is none of CUDA's."""
    return int(torch.cuda.get_device_properties(device).total_memory) if device.startswith("cuda") else None
