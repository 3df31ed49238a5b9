"""Presets become loaded diffusers pipelines: one plain, one with the image adapter, sharing their weights."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
import torch
from diffusers.loaders.single_file_utils import SingleFileComponentError
from numpy.typing import NDArray
from PIL import Image

from app.errors import DoesNotFit, OperatorError
from app.presets import Preset
from app.weights.check import verify
from worker.devices import check_offload, decode_in_parts, in_range, lay_out, offload, pick_dtype
from worker.encoders import Encoder, read_alignment
from worker.families import FAMILIES, Family
from worker.loading import adapted_pipeline, finite, plain_pipeline
from worker.memory import called_by_name
from worker.preview import preview_decoder
from worker.rows import DecodedRows, RowScales, finite_rows, take_rows_as_given
from worker.shortcuts import take_shortcuts
from worker.sketch import Sketch
from worker.words import Words

log = logging.getLogger(__name__)

OnStep = Callable[[int, torch.Tensor], None]
Source = Callable[[Preset, Family, torch.dtype], Any]  # of a plain pipeline
# What the libraries raise for files that do not fit together.
UNLOADABLE = (
    OSError, ValueError, LookupError, RuntimeError, AttributeError, TypeError, SingleFileComponentError,
)  # fmt: skip


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
    """One call of the pipeline: an image for each seed, all under the same conditions. `words` are the part
    of the text that a taste added."""

    text: str
    negative: str
    seeds: tuple[int, ...]
    width: int
    height: int
    steps: int
    guidance: float
    conditioning: Conditioning | None = None
    words: tuple[str, ...] = ()


class Model:
    """A preset, loaded. `render` without conditioning is the plain pipeline: the adapter is not in its
    way."""

    def __init__(self, preset: Preset, plain: Any, adapted: Any | None) -> None:
        self.preset = preset
        self.family = FAMILIES[preset.pipeline]
        # Where it computes; an offloaded pipeline lies elsewhere. Asked for once: the answer takes a walk
        # through all modules.
        self.device = torch.device(plain._execution_device)
        self.encoder = Encoder(plain, read_alignment(preset, plain))
        self.words = Words(self.encoder)
        self._plain = plain
        self._adapted = adapted
        self._decoded = DecodedRows(plain.vae)
        self.preview_decoder = preview_decoder(preset, plain)
        if adapted is not None:
            self._scales = RowScales(self.family.network(adapted), remember=not preset.compile)
            take_rows_as_given(adapted)
        self.decode_seconds = self._time_decode()
        with in_range(plain.vae, asked=self.family.upcasts):
            self.sketch = Sketch(plain.vae, self.device)

    @property
    def together(self) -> bool:
        """Whether the images of several jobs may be painted in one call. Where steps are skipped by how much
        the whole batch changes, an image would be another beside others."""
        return self.preset.cache is None

    @property
    def dtype(self) -> torch.dtype:
        """What it computes in."""
        return self._plain.dtype

    @property
    def network(self) -> Any:
        """The part that paints, without the adapter."""
        return self.family.network(self._plain)

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
        pipeline = self._plain
        options = _prompts(shots) | self.family.guide(pipeline, shots, self.preset)
        if first.conditioning is not None:
            if self._adapted is None:
                raise ValueError(f"{self.preset.name} has no image adapter")
            pipeline = self._adapted
            options |= self._condition(shots)
        if on_step is not None:
            options["callback_on_step_end"] = self._callback(first, on_step)
        options |= {"width": first.width, "height": first.height, "num_inference_steps": first.steps}
        if self.preset.text_tokens is not None:
            options["max_sequence_length"] = self.preset.text_tokens
        seeds = [seed for shot in shots for seed in shot.seeds]
        result = _call(pipeline, seeds, options)
        finite = self._decoded.finite
        if not any(finite):
            raise UnusableImage
        return [_picture(pixels) if ok else None for pixels, ok in zip(result.images, finite, strict=True)]

    def _condition(self, shots: Sequence[Shot]) -> dict[str, Any]:
        """Set the adapter's scale for each image; the arguments that carry the embeddings."""
        rows = [shot for shot in shots for _ in shot.seeds]
        scales = self.family.row_scales(self._adapted, rows, self.preset)
        dtype = self.family.network(self._adapted).dtype
        self._scales.rows = torch.tensor(scales, device=self.device, dtype=dtype)
        return self.family.feed(self._adapted, rows, self.preset, self.device)

    @torch.inference_mode()
    def decode(self, latents: torch.Tensor) -> list[Image.Image]:
        """Pictures of latents (n, c, h, w), for previews. Raises UnusableImage."""
        vae = self.preview_decoder  # by whose own numbers latents are scaled, not by the model's
        with in_range(vae, asked=self.family.upcasts):
            shifted = latents.to(vae.dtype) / vae.config.scaling_factor + (vae.config.shift_factor or 0.0)
            pixels = vae.decode(shifted, return_dict=False)[0]
        if not finite_rows(pixels).all():
            raise UnusableImage
        pixels = (pixels.float() / 2 + 0.5).clamp(0, 1).permute(0, 2, 3, 1).cpu().numpy()
        return [_picture(picture) for picture in pixels]

    def warm(self) -> None:
        """Paint what makes torch compile all that painting asks for: every size, one image and several,
        without a taste and with one. Larger batches fit what was compiled for two; on a device without room
        for two, one at a time is all that will be painted. Raises torch.OutOfMemoryError."""
        steps, guidance = min(2, self.preset.steps), self.preset.guidance
        batches = ((0,), (0, 1)) if self.preset.max_batch > 1 else ((0,),)
        for (width, height), seeds in product(self.preset.sizes, batches):
            try:
                with called_by_name():
                    self._warm(Shot("a house", "", seeds, width, height, steps, guidance))
            except torch.OutOfMemoryError:
                if len(seeds) == 1:
                    raise
                log.warning("there is no room for two images of %d x %d at once", width, height)

    def _warm(self, shot: Shot) -> None:
        pictures = self.render(shot)
        if self._adapted is not None:
            nothing = np.zeros(self.encoder.images(pictures).shape[1])
            self.render(replace(shot, conditioning=Conditioning(nothing, nothing, 0.5)))

    def _time_decode(self) -> float:
        width, height = self.preset.sizes[0]
        vae, factor = self._plain.vae, self._plain.vae_scale_factor
        shape = (1, vae.config.latent_channels, height // factor, width // factor)
        latents = torch.zeros(shape, device=self.device)
        self.decode(latents)
        start = time.perf_counter()
        self.decode(latents)
        return time.perf_counter() - start

    def _callback(self, shot: Shot, on_step: OnStep) -> Callable[..., dict[str, Any]]:
        def callback(pipeline: Any, step: int, _timestep: Any, tensors: dict[str, Any]) -> dict[str, Any]:
            latents = tensors["latents"]
            if not finite_rows(latents).any():
                raise UnusableImage
            # Multistep solvers keep their estimate of the finished latents; the latents are still noisy.
            estimates = getattr(pipeline.scheduler, "model_outputs", None)
            estimate = estimates[-1] if estimates and estimates[-1] is not None else latents
            on_step(step + 1, self.family.unpack(pipeline, estimate, shot))
            return {}

        return callback


def _call(pipeline: Any, seeds: Sequence[int], options: dict[str, Any]) -> Any:
    # A call that was ended early leaves what it cached of its steps, and a call of the other pipeline the
    # hooks that move the parts the two share.
    pipeline.maybe_free_model_hooks()
    generators = [torch.Generator("cpu").manual_seed(seed) for seed in seeds]
    return pipeline(generator=generators, output_type="np", **options)


def _prompts(shots: Sequence[Shot]) -> dict[str, Any]:
    """What to paint. One shot goes the way of one prompt with several images."""
    if len(shots) == 1:
        return {"prompt": shots[0].text, "num_images_per_prompt": len(shots[0].seeds)}
    return {"prompt": [shot.text for shot in shots for _ in shot.seeds]}


def _picture(pixels: NDArray[np.float32]) -> Image.Image:
    return Image.fromarray((pixels * 255).round().astype(np.uint8))


def load(preset: Preset, *, device: str = "auto") -> Model:
    """Verify and load a preset. Raises OperatorError when its files cannot be used, DoesNotFit when the
    memory does not suffice."""
    try:
        verify(preset)
        with called_by_name():
            return assemble(preset, plain_pipeline, device=device)
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise DoesNotFit(f"The model {preset.name} needs more memory than there is ({error}).") from error


def assemble(preset: Preset, source: Source, *, device: str = "auto") -> Model:
    """A model whose plain pipeline `source` makes, in the type it is asked for; the adapter is the file that
    the preset names. Raises OperatorError when it cannot be used."""
    start = time.perf_counter()
    device = pick_device(device)
    check_offload(preset, device)
    family = FAMILIES[preset.pipeline]
    dtype = pick_dtype(device, family.half)
    try:
        with called_by_name():
            plain = source(preset, family, dtype).to("cpu" if preset.offload else device)
            if device.startswith("cuda"):
                lay_out(plain)
            decode_in_parts(plain, preset)
            adapted = adapted_pipeline(preset, family, plain) if preset.adapter is not None else None
    except torch.OutOfMemoryError:  # a RuntimeError that says nothing of the files
        raise
    except UNLOADABLE as error:
        beside = f" with {preset.own / preset.checkpoint}" if preset.checkpoint is not None else ""
        raise OperatorError(
            f"The model {preset.name} in {preset.folder}{beside} cannot be loaded ({error}). Restore its "
            "files."
        ) from error
    for pipeline in (plain, adapted):
        if pipeline is not None:
            pipeline.set_progress_bar_config(disable=True)
    _check_finite(preset, plain, adapted)
    take_shortcuts(preset, family.network(plain), family.network(adapted) if adapted is not None else None)
    if preset.offload:
        offload((plain, adapted), device)
    model = Model(preset, plain, adapted)
    if preset.compile:
        model.warm()
    log.info("loaded %s on %s in %.1f s", preset.name, device, time.perf_counter() - start)
    return model


def _check_finite(preset: Preset, *pipelines: Any | None) -> None:
    for pipeline in pipelines:
        for name, part in (pipeline.components if pipeline is not None else {}).items():
            if isinstance(part, torch.nn.Module) and not finite(part):
                raise OperatorError(
                    f"The weights of {preset.name}'s {name} hold NaN or infinity. Restore {preset.folder}."
                )


def pick_device(device: str) -> str:
    """`device`, or for auto the best there is."""
    if device != "auto":
        return device
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"
