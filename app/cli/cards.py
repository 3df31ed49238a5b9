"""The graphics cards of this machine, one worker for each."""

import os
import subprocess

from app.errors import OperatorError

ALL = "all"
VISIBLE = "CUDA_VISIBLE_DEVICES"


def find_cards(asked: str) -> list[str]:
    """The cards that `--gpus` asks for: those it names, or all that this process may use. Raises
    OperatorError."""
    if asked != ALL:
        return _names(asked)
    if os.environ.get(VISIBLE):
        return _names(os.environ[VISIBLE])
    try:
        done = subprocess.run(
            ["nvidia-smi", "--query-gpu=index", "--format=csv,noheader"],
            capture_output=True,
            text=True,
            check=True,
            timeout=30,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise OperatorError(
            f"The graphics cards cannot be listed ({error}). Name them, as in --gpus 0,1, or use --workers."
        ) from error
    return _names(",".join(done.stdout.split()))


def for_card(card: str) -> dict[str, str]:
    """What makes a process use that card only. Cards are counted as nvidia-smi counts them."""
    return {"CUDA_DEVICE_ORDER": "PCI_BUS_ID", VISIBLE: card}


def _names(text: str) -> list[str]:
    cards = [name.strip() for name in text.split(",") if name.strip()]
    if not cards or len(set(cards)) < len(cards):
        raise OperatorError(f"--gpus {text!r} names no card, or one twice. Use all, or numbers as in 0,1.")
    return cards
