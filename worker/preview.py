"""Previews by a tiny autoencoder, where a preset names one: nearly the decoder's pictures, for little."""

import logging
from typing import Any

from diffusers import AutoencoderTiny

from app.errors import OperatorError
from app.presets import Preset
from worker.loading import finite

log = logging.getLogger(__name__)


def preview_decoder(preset: Preset, pipeline: Any) -> Any:
    """What decodes the previews of `pipeline`, on its device and in its type: the preset's `preview`, or the
    pipeline's own decoder where none is named or none is there, which the log tells.

    Raises OperatorError where the tiny autoencoder is not one for these latents.
    """
    if preset.preview is None:
        return pipeline.vae
    folder = preset.own / preset.preview
    if preset.lacks_preview:
        log.warning(
            "%s previews with its own decoder, which takes longer: there is no %s. Put the tiny autoencoder "
            "there that its preset names, and start the worker again.",
            preset.name,
            folder,
        )
        return pipeline.vae
    try:
        tiny = AutoencoderTiny.from_pretrained(
            str(folder), use_safetensors=True, local_files_only=True, dtype=pipeline.vae.dtype
        )
    except (OSError, ValueError, RuntimeError, TypeError) as error:
        raise OperatorError(
            f"The preview autoencoder in {folder} cannot be loaded ({error}). Restore its files, or drop "
            f"`preview` from {preset.name}."
        ) from error
    given, wanted = tiny.config.latent_channels, pipeline.vae.config.latent_channels
    if given != wanted:
        raise OperatorError(
            f"The preview autoencoder in {folder} takes latents of {given} channels, and {preset.name} "
            f"paints in {wanted}. Take the one that was made for this model."
        )
    if not finite(tiny):
        raise OperatorError(f"The weights of {folder} hold NaN or infinity. Restore its files.")
    return tiny.to(pipeline._execution_device)  # which is not where an offloaded pipeline lies
