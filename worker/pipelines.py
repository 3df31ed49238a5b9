"""Presets become loaded diffusers pipelines: one plain, one with the image adapter, sharing their weights."""

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from diffusers import DiffusionPipeline
from numpy.typing import NDArray
from PIL import Image

from app.errors import OperatorError
from app.presets import Preset
from worker.devices import decode_in_parts, lay_out, pick_dtype
from worker.encoders import Encoder, read_alignment
from worker.rows import DecodedRows, RowScales, finite_rows, take_rows_as_given
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
        self._decoded = DecodedRows(plain.vae)
        if adapted is not None:
            self._scales = RowScales(adapted.unet)
            take_rows_as_given(adapted)
        self.decode_seconds = self._time_decode()
        self.sketch = Sketch(plain.vae)

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return torch.device(self._plain.device)

    @property
    def dtype(self) -> torch.dtype:
        """What it computes in."""
        return self._plain.dtype

    def render(self, shot: Shot, on_step: OnStep | None = None) -> list[Image.Image]:
        """Paint one shot, as `render_together` does. Raises UnusableImage where one of its images is none."""
        pictures = [picture for picture in self.render_together([shot], on_step) if picture is not None]
        if len(pictures) < len(shot.seeds):
            raise UnusableImage
        return pictures

    def render_together(
        self, shots: Sequence[Shot], on_step: OnStep | None = None
    ) -> list[Image.Image | None]:
        """Paint shots in one call, each image as its shot alone would give it, up to rounding; None where an
        image came to NaN or infinity.

        The shots share size, steps and guidance, all have a negative prompt or none has, and all are
        conditioned or none is. `on_step(step, latents)` is called after each step, counted from 1, with what
        the model takes the finished latents for, a row for each image; an exception from it ends the call.
        Raises UnusableImage where no image is left.
        """
        first = shots[0]
        rows = [shot for shot in shots for _ in shot.seeds]
        pipeline, options = self._plain, _texts(shots)
        if first.conditioning is not None:
            if self._adapted is None:
                raise ValueError(f"{self.preset.name} has no image adapter")
            pipeline = self._adapted
            options["ip_adapter_image_embeds"] = [self._condition(rows)]
        if on_step is not None:
            options["callback_on_step_end"] = _callback(on_step)
        result = pipeline(
            generator=[torch.Generator("cpu").manual_seed(seed) for shot in shots for seed in shot.seeds],
            width=first.width,
            height=first.height,
            num_inference_steps=first.steps,
            guidance_scale=first.guidance,
            output_type="np",
            **options,
        )
        finite = self._decoded.finite
        if not any(finite):
            raise UnusableImage
        return [_picture(pixels) if ok else None for pixels, ok in zip(result.images, finite, strict=True)]

    @torch.inference_mode()
    def decode(self, latents: torch.Tensor) -> list[Image.Image]:
        """Pictures of latents (n, c, h, w), for previews. Raises UnusableImage."""
        vae = self._plain.vae
        pixels = vae.decode(latents.to(vae.dtype) / vae.config.scaling_factor, return_dict=False)[0]
        if not all(self._decoded.finite):
            raise UnusableImage
        pixels = (pixels.float() / 2 + 0.5).clamp(0, 1).permute(0, 2, 3, 1).cpu().numpy()
        return [_picture(picture) for picture in pixels]

    def _condition(self, rows: Sequence[Shot]) -> torch.Tensor:
        """Set the adapter's scale for each image; its embeddings (2n, 1, d), the negative ones first, or
        (n, 1, d) where the pipeline makes no second pass."""
        sides = [row.conditioning for row in rows if row.conditioning is not None]
        vectors, scales = [side.positive for side in sides], [side.scale for side in sides]
        if rows[0].guidance > 1:
            vectors, scales = [side.negative for side in sides] + vectors, scales * 2
        device, dtype = self._plain.device, self._plain.unet.dtype
        self._scales.rows = torch.tensor(scales, device=device, dtype=dtype)
        return torch.from_numpy(np.stack(vectors)[:, None]).to(device, dtype)

    def _time_decode(self) -> float:
        width, height = self.preset.sizes[0]
        factor = self._plain.vae_scale_factor
        shape = (1, self._plain.unet.config.in_channels, height // factor, width // factor)
        latents = torch.zeros(shape, device=self._plain.device)
        self.decode(latents)
        start = time.perf_counter()
        self.decode(latents)
        return time.perf_counter() - start


def _texts(shots: Sequence[Shot]) -> dict[str, Any]:
    """The prompts, as the pipelines take them. One shot goes the way of one prompt with several images."""
    first = shots[0]
    if len(shots) == 1:
        return {
            "prompt": first.text,
            "negative_prompt": first.negative or None,
            "num_images_per_prompt": len(first.seeds),
        }
    rows = [shot for shot in shots for _ in shot.seeds]
    # An empty negative prompt is not the same as none to every pipeline.
    negative = [row.negative for row in rows] if first.negative else None
    return {"prompt": [row.text for row in rows], "negative_prompt": negative}


def _picture(pixels: NDArray[np.float32]) -> Image.Image:
    return Image.fromarray((pixels * 255).round().astype(np.uint8))


def _callback(on_step: OnStep) -> Callable[..., dict[str, Any]]:
    def callback(pipeline: Any, step: int, _timestep: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        latents = tensors["latents"]
        if not finite_rows(latents).any():
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
    dtype = pick_dtype(device)
    try:
        plain = DiffusionPipeline.from_pretrained(
            str(preset.folder), dtype=dtype, use_safetensors=True, local_files_only=True
        ).to(device)
        if device.startswith("cuda"):
            lay_out(plain)
        decode_in_parts(plain, preset)
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
