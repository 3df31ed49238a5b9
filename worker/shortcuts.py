"""Ways to paint faster or in less memory that a preset opts into.

They change the network of the plain pipeline and its adapted twin alike, and the two go on sharing weights.
"""

from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import torch
from diffusers import FirstBlockCacheConfig
from diffusers.models.attention_processor import Attention, FusedAttnProcessor2_0
from diffusers.models.transformers.transformer_flux import FluxAttention

from app.errors import OperatorError
from app.presets import Preset

BACKEND = "inductor"  # what torch compiles with
# Kinds of block times widths times batches of one and of more, plain and adapted. Past torch's own limit of 8
# it would quietly stop compiling.
COMPILED_FORMS = 64
SEPARATE = ("to_q", "to_k", "to_v", "add_q_proj", "add_k_proj", "add_v_proj")
FUSED = ("to_qkv", "to_added_qkv")


def take_shortcuts(preset: Preset, network: Any, twin: Any | None) -> None:
    """Do to a network, and to its twin with the adapter, what the preset asks for. Raises OperatorError."""
    if preset.fuse:
        fuse(network, twin)
    if preset.quantize is not None:
        quantize(network, twin, preset.quantize)
    for one in (network, twin):
        if one is not None and preset.cache is not None:
            one.enable_cache(FirstBlockCacheConfig(threshold=preset.cache))
        if one is not None and preset.compile:
            compile_blocks(one)


def fuse(network: Any, twin: Any | None) -> None:
    """Make one projection of each self-attention's three, and drop the three.

    Cross-attention stays as it is: the image adapter has processors of its own there, which know nothing of
    fused projections.
    """
    for name, attention in network.named_modules():
        if _attends_to_itself(attention):
            attention.fuse_projections()
            for one in (attention, *_counterpart(twin, name)):
                for part in FUSED:
                    if hasattr(attention, part):
                        setattr(one, part, getattr(attention, part))
                one.fused_projections = True
                if isinstance(one, Attention):
                    one.set_processor(FusedAttnProcessor2_0())
                for part in SEPARATE:
                    if hasattr(one, part):
                        delattr(one, part)


def _attends_to_itself(module: Any) -> bool:
    # Flux has no cross-attention, and its adapter's processors know fused projections.
    unet = isinstance(module, Attention) and not module.is_cross_attention
    return unet or isinstance(module, FluxAttention)


def _counterpart(twin: Any | None, name: str) -> Iterator[Any]:
    if twin is not None:
        yield twin.get_submodule(name)


def quantize(network: Any, twin: Any | None, kind: str) -> None:
    """Hold the weights of linear layers in 8 bits. They are multiplied in the network's own type; the image
    adapter's stay whole. Raises OperatorError where torchao is missing."""
    if find_spec("torchao") is None:
        raise OperatorError(
            "`quantize` needs torchao, which is not installed. Run `pip install -e '.[quantize]'` in the "
            "worker's environment, or drop `quantize` from the preset."
        )
    # An extra of its own, and slow to import.
    from torchao.quantization import Float8WeightOnlyConfig, Int8WeightOnlyConfig, quantize_  # noqa: PLC0415

    config = Int8WeightOnlyConfig if kind == "int8" else Float8WeightOnlyConfig
    quantize_(network, config(set_inductor_config=False))
    for name, layer in network.named_modules():
        if isinstance(layer, torch.nn.Linear):
            for one in _counterpart(twin, name):
                one.weight = layer.weight


def compile_blocks(network: Any) -> None:
    """Have the blocks that a network repeats compiled when they are first used, for any size and batch."""
    torch._dynamo.config.recompile_limit = COMPILED_FORMS
    # A batch's scales reach the adapter's layers as a property, and its size would be taken for fixed.
    torch._dynamo.config.force_nn_module_property_static_shapes = False
    network.compile_repeated_blocks(backend=BACKEND, dynamic=True)
