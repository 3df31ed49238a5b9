"""The tokenizer and the text encoder: a small CLIP trained to know which attributes a caption mentions."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers
from torch import nn
from torch.nn import functional as F
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from starter_v1.attributes import NAMES, balanced, from_codes
from starter_v1.captions import FILLERS, VOCABULARY, Speaker
from starter_v1.dataset import RUNS
from starter_v1.loop import Budget, fit

SEED = 12
LENGTH = 48
MERGES = 1600
WORDS = Regex(r"[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+")
START, END = "<|startoftext|>", "<|endoftext|>"


def corpus(count: int) -> list[str]:
    speaker = Speaker(np.random.default_rng(SEED))
    captions = [speaker.free(from_codes(codes))[0] for codes in balanced(count, SEED)]
    words = [w for table in VOCABULARY.values() for group in table.values() for w in group]
    return captions + words * 20 + list(FILLERS) * 20


def build_tokenizer(folder: Path) -> CLIPTokenizer:
    """Learn byte-level BPE merges from captions and write CLIP's vocab.json and merges.txt.

    Every byte is a token both inside a word and at its end, so any text can be encoded.
    """
    tokenizer = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(WORDS, "removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=512 + MERGES, min_frequency=8, end_of_word_suffix="</w>", show_progress=False
    )
    tokenizer.train_from_iterator(corpus(12_000), trainer)
    merges = json.loads(tokenizer.to_str())["model"]["merges"]
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokens = [*alphabet, *(letter + "</w>" for letter in alphabet)]
    tokens += [left + right for left, right in merges]
    vocabulary = {token: number for number, token in enumerate(dict.fromkeys([*tokens, START, END]))}
    folder.mkdir(parents=True, exist_ok=True)
    made = CLIPTokenizer(
        vocab=vocabulary, merges=[(left, right) for left, right in merges], model_max_length=LENGTH
    )
    made.save_pretrained(folder)
    (folder / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False))
    lines = "".join(f"{left} {right}\n" for left, right in merges)
    (folder / "merges.txt").write_text("#version: 0.2\n" + lines)
    return made


def build(tokenizer: CLIPTokenizer) -> CLIPTextModel:
    torch.manual_seed(SEED)
    config = CLIPTextConfig(
        vocab_size=len(tokenizer), hidden_size=192, intermediate_size=768, num_hidden_layers=4,
        num_attention_heads=4,
        max_position_embeddings=LENGTH, projection_dim=192, eos_token_id=tokenizer.eos_token_id,
        bos_token_id=tokenizer.bos_token_id, pad_token_id=tokenizer.pad_token_id,
    )  # fmt: skip
    return CLIPTextModel(config)


class Reader(nn.Module):
    """The encoder with one head an attribute; the class after the last means "not mentioned"."""

    def __init__(self, encoder: CLIPTextModel) -> None:
        super().__init__()
        self.encoder = encoder
        width = encoder.config.hidden_size
        self.heads = nn.ModuleList(nn.Linear(width, len(names) + 1) for names in NAMES.values())
        self.mean_heads = nn.ModuleList(nn.Linear(width, len(names) + 1) for names in NAMES.values())

    def forward(self, ids: torch.Tensor) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
        out = self.encoder(input_ids=ids)
        pooled = 14 * F.normalize(out.pooler_output, dim=-1)
        mean = out.last_hidden_state.mean(1)
        return [h(pooled) for h in self.heads], [h(mean) for h in self.mean_heads]


def examples(speaker: Speaker, count: int) -> tuple[list[str], torch.Tensor]:
    """Captions and (count, 5) class targets, the number of classes standing for "not mentioned"."""
    texts, targets = [], []
    for _ in range(count):
        codes = np.array([int(speaker.rng.integers(len(names))) for names in NAMES.values()])
        text, said = speaker.free(from_codes(codes))
        texts.append(text)
        targets.append(
            [int(c) if name in said else len(NAMES[name]) for c, name in zip(codes, NAMES, strict=True)]
        )
    return texts, torch.tensor(targets)


def train(budget: Budget, *, batch: int = 128, lr: float = 1.5e-3) -> None:
    tokenizer = build_tokenizer(RUNS / "tokenizer")
    reader = Reader(build(tokenizer))

    def loss_of(generator: torch.Generator) -> torch.Tensor:
        speaker = Speaker(np.random.default_rng(generator.initial_seed()))
        texts, targets = examples(speaker, batch)
        ids = tokenizer(
            texts, padding=True, truncation=True, max_length=LENGTH, return_tensors="pt"
        ).input_ids
        with torch.autocast("cpu", torch.bfloat16):
            pooled, mean = reader(ids)
        losses = [F.cross_entropy(out.float(), targets[:, i]) for i, out in enumerate(pooled)]
        spread = [F.cross_entropy(out.float(), targets[:, i]) for i, out in enumerate(mean)]
        return torch.stack(losses).sum() + 0.3 * torch.stack(spread).sum()

    shadow = fit("text", reader, loss_of, batch=batch, lr=lr, budget=budget, seed=SEED, decay=0.99)
    reader.load_state_dict(shadow)
    reader.eval()
    texts, targets = examples(Speaker(np.random.default_rng(SEED + 1)), 1000)
    with torch.no_grad():
        pooled, _ = reader(
            tokenizer(texts, padding=True, truncation=True, max_length=LENGTH, return_tensors="pt").input_ids
        )
    right = {name: round(float((out.argmax(-1) == targets[:, i]).float().mean()), 3)
             for i, (name, out) in enumerate(zip(NAMES, pooled, strict=True))}  # fmt: skip
    print("text: share right on new captions", right, flush=True)
    torch.save(reader.encoder.state_dict(), RUNS / "text.final.pt")


def trained() -> tuple[CLIPTokenizer, CLIPTextModel]:
    tokenizer = CLIPTokenizer.from_pretrained(RUNS / "tokenizer")
    encoder = build(tokenizer)
    encoder.load_state_dict(torch.load(RUNS / "text.final.pt", weights_only=True))
    return tokenizer, encoder.eval().requires_grad_(False)


@torch.no_grad()
def hidden(tokenizer: CLIPTokenizer, encoder: CLIPTextModel, texts: list[str]) -> torch.Tensor:
    """(n, LENGTH, 192): what the UNet attends to, padded as the pipeline pads."""
    ids = tokenizer(
        texts, padding="max_length", truncation=True, max_length=LENGTH, return_tensors="pt"
    ).input_ids
    return encoder(input_ids=ids).last_hidden_state


@torch.no_grad()
def pooled(tokenizer: CLIPTokenizer, encoder: CLIPTextModel, texts: list[str]) -> np.ndarray:
    """(n, 192) float32 prompt embeddings, to be compared with one another by cosine."""
    ids = tokenizer(
        texts, padding="max_length", truncation=True, max_length=LENGTH, return_tensors="pt"
    ).input_ids
    return np.asarray(encoder(input_ids=ids).pooler_output.numpy())
