"""Presets become loaded diffusers pipelines: one plain, one with the image adapter, sharing their weights."""

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from diffusers import DiffusionPipeline
from numpy.typing import NDArray
from PIL import Image

from app.errors import OperatorError
from app.presets import Preset
from worker.encoders import Encoder, read_alignment
from worker.sketch import Sketch
from worker.weights import verify

log = logging.getLogger(__name__)

OnStep = Callable[[int, torch.Tensor], None]


class UnusableImage(Exception):
    """The model came to NaN or infinity: there is no picture to store."""


@dataclass(frozen=True)
class Conditioning:
    """What the image adapter gets: embeddings (d,) to go towards and away from, and its scale."""

    positive: NDArray[np.float64]
    negative: NDArray[np.float64]
    scale: float


@dataclass(frozen=True)
class Shot:
    """One call of the pipeline: an image for each seed, all under the same conditions."""

    text: str
    negative: str
    seeds: tuple[int, ...]
    width: int
    height: int
    steps: int
    guidance: float
    conditioning: Conditioning | None = None


class Model:
    """A preset, loaded. `render` without conditioning is the plain pipeline: the adapter is not in its
    way."""

    def __init__(self, preset: Preset, plain: Any, adapted: Any | None) -> None:
        self.preset = preset
        self.encoder = Encoder(plain, read_alignment(preset, plain))
        self._plain = plain
        self._adapted = adapted
        # Where the pipeline clamps its pixels, infinity becomes plain white or black: catch it before.
        plain.vae.decoder.register_forward_hook(_refuse_not_finite)
        self.decode_seconds = self._time_decode()
        self.sketch = Sketch(plain.vae)

    def render(self, shot: Shot, on_step: OnStep | None = None) -> list[Image.Image]:
        """Paint a shot. `on_step(step, latents)` is called after each step, counted from 1, with what the
        model takes the finished latents for; an exception from it ends the call. Raises UnusableImage."""
        options: dict[str, Any] = {}
        pipeline = self._plain
        if shot.conditioning is not None:
            if self._adapted is None:
                raise ValueError(f"{self.preset.name} has no image adapter")
            pipeline = self._adapted
            pipeline.set_ip_adapter_scale(shot.conditioning.scale)
            options["ip_adapter_image_embeds"] = [self._embeds(shot.conditioning, shot.guidance)]
        if on_step is not None:
            options["callback_on_step_end"] = _callback(on_step)
        result = pipeline(
            prompt=shot.text,
            negative_prompt=shot.negative or None,
            num_images_per_prompt=len(shot.seeds),
            generator=[torch.Generator("cpu").manual_seed(seed) for seed in shot.seeds],
            width=shot.width,
            height=shot.height,
            num_inference_steps=shot.steps,
            guidance_scale=shot.guidance,
            output_type="np",
            **options,
        )
        return [Image.fromarray(pixels) for pixels in (result.images * 255).round().astype(np.uint8)]

    @torch.inference_mode()
    def decode(self, latents: torch.Tensor) -> list[Image.Image]:
        """Pictures of latents (n, c, h, w), for previews. Raises UnusableImage."""
        vae = self._plain.vae
        pixels = vae.decode(latents.to(vae.dtype) / vae.config.scaling_factor, return_dict=False)[0]
        pixels = (pixels.float() / 2 + 0.5).clamp(0, 1).permute(0, 2, 3, 1).cpu().numpy()
        return [Image.fromarray(picture) for picture in (pixels * 255).round().astype(np.uint8)]

    def _embeds(self, conditioning: Conditioning, guidance: float) -> torch.Tensor:
        """(2, 1, d), the negative one first; (1, 1, d) where the pipeline makes no second pass."""
        rows = [conditioning.negative, conditioning.positive] if guidance > 1 else [conditioning.positive]
        return torch.from_numpy(np.stack(rows)[:, None]).to(self._plain.device, self._plain.unet.dtype)

    def _time_decode(self) -> float:
        width, height = self.preset.sizes[0]
        factor = self._plain.vae_scale_factor
        shape = (1, self._plain.unet.config.in_channels, height // factor, width // factor)
        latents = torch.zeros(shape, device=self._plain.device)
        self.decode(latents)
        start = time.perf_counter()
        self.decode(latents)
        return time.perf_counter() - start


def _refuse_not_finite(_module: torch.nn.Module, _input: Any, pixels: torch.Tensor) -> None:
    if not torch.isfinite(pixels).all():
        raise UnusableImage


def _callback(on_step: OnStep) -> Callable[..., dict[str, Any]]:
    def callback(pipeline: Any, step: int, _timestep: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        latents = tensors["latents"]
        if not torch.isfinite(latents).all():
            raise UnusableImage
        # Multistep solvers keep their estimate of the finished latents; the latents are still noisy.
        estimates = getattr(pipeline.scheduler, "model_outputs", None)
        estimate = estimates[-1] if estimates and estimates[-1] is not None else latents
        on_step(step + 1, estimate)
        return {}

    return callback


def load(preset: Preset, *, device: str = "auto") -> Model:
    """Verify and load a preset. Raises OperatorError when its files cannot be used."""
    verify(preset)
    start = time.perf_counter()
    device = pick_device(device)
    dtype = torch.float32 if device == "cpu" else torch.float16
    try:
        plain = DiffusionPipeline.from_pretrained(
            str(preset.folder), dtype=dtype, use_safetensors=True, local_files_only=True
        ).to(device)
        adapted = _adapt(preset, plain) if preset.adapter is not None else None
    except (OSError, ValueError, KeyError, RuntimeError, AttributeError, TypeError) as error:
        raise OperatorError(
            f"The model {preset.name} in {preset.folder} cannot be loaded ({error}). Restore its files."
        ) from error
    for pipeline in (plain, adapted):
        if pipeline is not None:
            pipeline.set_progress_bar_config(disable=True)
    _check_finite(preset, plain, adapted)
    model = Model(preset, plain, adapted)
    log.info("loaded %s on %s in %.1f s", preset.name, device, time.perf_counter() - start)
    return model


def _adapt(preset: Preset, plain: Any) -> Any:
    """A second pipeline whose UNet has the adapter. The tensors are the plain one's: nothing is held
    twice."""
    assert preset.adapter is not None
    with torch.device("meta"):
        unet = type(plain.unet).from_config(plain.unet.config)
    unet.load_state_dict(plain.unet.state_dict(), assign=True)
    unet.eval().requires_grad_(False)
    scheduler = type(plain.scheduler).from_config(plain.scheduler.config)
    adapted = type(plain)(**{**plain.components, "unet": unet, "scheduler": scheduler}, **_flags(plain))
    adapted.load_ip_adapter(
        str(preset.folder),
        subfolder=preset.adapter.folder,
        weight_name=preset.adapter.file,
        image_encoder_folder=None,
        local_files_only=True,
    )
    return adapted


def _flags(pipeline: Any) -> dict[str, Any]:
    return {name: False for name in ("requires_safety_checker",) if name in pipeline.config}


def _check_finite(preset: Preset, *pipelines: Any | None) -> None:
    for pipeline in pipelines:
        for name, part in (pipeline.components if pipeline is not None else {}).items():
            if isinstance(part, torch.nn.Module) and not _finite(part.state_dict().values()):
                raise OperatorError(
                    f"The weights of {preset.name}'s {name} hold NaN or infinity. Restore {preset.folder}."
                )


def _finite(tensors: Iterable[torch.Tensor]) -> bool:
    return all(bool(torch.isfinite(tensor).all()) for tensor in tensors if tensor.is_floating_point())


def pick_device(device: str) -> str:
    """`device`, or for auto the best there is."""
    if device != "auto":
        return device
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"
