"""From a preset's files to a diffusers pipeline, and to its twin with the image adapter."""

import copy
import inspect
import json
from pathlib import Path
from typing import Any

import diffusers
import torch
from diffusers import DiffusionPipeline, SchedulerMixin
from transformers import AutoImageProcessor, CLIPImageProcessor

from app.errors import OperatorError
from app.presets import Preset
from worker.encoders import width
from worker.families import Family
from worker.towers import encoder_class


def plain_pipeline(preset: Preset, family: Family, dtype: torch.dtype) -> Any:
    """The pipeline of a preset, without its adapter, on the CPU. Nothing is fetched.

    Raises OperatorError, and what diffusers raises for files that do not fit together.
    """
    options: dict[str, Any] = {"dtype": dtype, "local_files_only": True}
    index = json.loads((preset.folder / "model_index.json").read_text("utf-8"))
    kind = _class(preset, index)
    options |= _encoder_parts(preset, index, dtype)
    if preset.pipeline == "StableDiffusionPipeline":
        options |= {"safety_checker": None, "requires_safety_checker": False}
    if preset.checkpoint is None:
        pipeline = kind.from_pretrained(str(preset.folder), use_safetensors=True, **options)
    elif family.denoiser == "unet":
        path = str(preset.own / preset.checkpoint)
        pipeline = kind.from_single_file(path, config=str(preset.folder), **options)
        if family.upcasts:
            # The file brings a decoder of its own, as a rule the one that overflows in float16.
            pipeline.vae.register_to_config(force_upcast=True)
    else:
        network = _single_file_network(preset, family, index, dtype)
        options[family.denoiser] = network
        pipeline = kind.from_pretrained(str(preset.folder), use_safetensors=True, **options)
    schedule(preset, pipeline)
    _fuse_loras(preset, pipeline)
    return pipeline


def adapted_pipeline(preset: Preset, family: Family, plain: Any) -> Any:
    """A second pipeline whose network has the adapter. The tensors are the plain one's: nothing is held
    twice. Raises OperatorError where the adapter does not fit the image encoder."""
    network = family.network(plain)
    shared = {id(tensor): tensor for tensor in (*network.parameters(), *network.buffers())}
    twin = copy.deepcopy(network, shared)
    scheduler = type(plain.scheduler).from_config(plain.scheduler.config)
    parts = {**plain.components, family.denoiser: twin, "scheduler": scheduler}
    accepted = inspect.signature(type(plain)).parameters
    flags = {name: plain.config[name] for name in accepted if name in plain.config and name not in parts}
    adapted = type(plain)(**parts, **flags)
    assert preset.adapter is not None
    family.load_adapter(adapted, preset)
    _check_width(preset, family, adapted)
    # A scale map that does not fit raises here. Painting leaves it at this, and scales each image's share of
    # what the adapter adds.
    family.scale(adapted, preset.adapter, 1.0)
    return adapted


def finite(part: torch.nn.Module) -> bool:
    """Whether no weight of a part is NaN or infinity."""
    tensors = part.state_dict().values()
    return all(bool(torch.isfinite(tensor).all()) for tensor in tensors if tensor.is_floating_point())


def _class(preset: Preset, index: dict[str, Any]) -> type[DiffusionPipeline]:
    found = index.get("_class_name")
    if found != preset.pipeline:
        raise OperatorError(
            f"{preset.folder} holds a {found}, and the preset {preset.name} says {preset.pipeline}. Set "
            "`pipeline` to what the folder holds, or give it the other folder."
        )
    kind: type[DiffusionPipeline] = getattr(diffusers, preset.pipeline)
    return kind


def _encoder_parts(preset: Preset, index: dict[str, Any], dtype: torch.dtype) -> dict[str, Any]:
    """The image encoder and its processor, where the pipeline's index does not name them.

    Raises OperatorError where the encoder is not the one that the preset names.
    """
    kind = encoder_class(preset)
    if index.get("image_encoder", [None])[0] is not None and preset.checkpoint is None:
        return {}
    folder = preset.folder / "image_encoder"
    encoder = kind.from_pretrained(str(folder), dtype=dtype, use_safetensors=True, local_files_only=True)
    return {"image_encoder": encoder, "feature_extractor": _processor(preset.folder, encoder.config)}


def _processor(folder: Path, config: Any) -> Any:
    """The encoder's own image processor, else the pipeline's, else CLIP's at the encoder's size."""
    for place in (folder / "image_encoder", folder / "feature_extractor"):
        if (place / "preprocessor_config.json").is_file():
            return AutoImageProcessor.from_pretrained(str(place), local_files_only=True)
    side = config.image_size
    return CLIPImageProcessor(size={"shortest_edge": side}, crop_size={"height": side, "width": side})


def _single_file_network(preset: Preset, family: Family, index: dict[str, Any], dtype: torch.dtype) -> Any:
    """The transformer in a checkpoint. Such files hold nothing else; the rest is the base's."""
    assert preset.checkpoint is not None
    kind = getattr(diffusers, index[family.denoiser][1])
    return kind.from_single_file(
        str(preset.own / preset.checkpoint),
        config=str(preset.folder),
        subfolder=family.denoiser,
        torch_dtype=dtype,
        local_files_only=True,
    )


def schedule(preset: Preset, pipeline: Any) -> None:
    """Give the pipeline the scheduler that the preset names, if it names one. Raises OperatorError."""
    if preset.scheduler is None:
        return
    kind: Any = getattr(diffusers, preset.scheduler.name, None)
    known = isinstance(kind, type) and issubclass(kind, SchedulerMixin)
    if not known:
        raise OperatorError(
            f"diffusers has no scheduler {preset.scheduler.name}. Correct the preset {preset.name}."
        )
    pipeline.scheduler = kind.from_config(pipeline.scheduler.config, **preset.scheduler.settings)


def _fuse_loras(preset: Preset, pipeline: Any) -> None:
    """Add the LoRAs to the weights, once: painting costs what it cost without them."""
    for number, lora in enumerate(preset.loras):
        path = preset.own / lora.file
        name = f"lora{number}"
        pipeline.load_lora_weights(
            str(path.parent), weight_name=path.name, adapter_name=name, local_files_only=True
        )
        if not pipeline.get_active_adapters():
            raise OperatorError(f"{path} holds nothing for {preset.name}. Drop it, or choose another base.")
        pipeline.fuse_lora(lora_scale=lora.weight, adapter_names=[name])
        pipeline.unload_lora_weights()


def _check_width(preset: Preset, family: Family, adapted: Any) -> None:
    assert preset.adapter is not None
    wanted, given = family.adapter_width(adapted), width(adapted.image_encoder)
    if wanted is None:
        raise OperatorError(
            f"The adapter {preset.adapter.file} of {preset.name} reads an image's patches, and a taste is "
            "one embedding. Choose an adapter that takes the image embedding."
        )
    if wanted != given:
        raise OperatorError(
            f"The adapter {preset.adapter.file} of {preset.name} takes embeddings of {wanted} numbers, and "
            f"the image encoder in {preset.folder / 'image_encoder'} gives {given}. Put the encoder there "
            "that the adapter was trained with."
        )
