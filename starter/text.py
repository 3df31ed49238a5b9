"""The tokenizer and the text encoder: a small CLIP trained to know which attributes a caption mentions."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers
from torch import distributed, nn
from torch.nn import functional as F
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from starter import unseen
from starter.attributes import FORMS, NAMES, SHARES, SUBJECTS, balanced, from_codes
from starter.captions import FILLERS, OPENINGS, UNSEEN, VOCABULARY, Speaker
from starter.dataset import RUNS
from starter.device import here, narrow
from starter.loop import Budget, fit, ranks
from starter.vocabulary import NAMED_FORMS

SEED = 12
LENGTH = 48
HIDDEN = 192
MERGES = 3600
WORDS = Regex(r"[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+")
START, END = "<|startoftext|>", "<|endoftext|>"
# What the encoder learns to tell: the values of each attribute, and the forms that words can tell apart.
HEADS: dict[str, tuple[str, ...]] = {**NAMES, "form": NAMED_FORMS}


def corpus(count: int) -> list[str]:
    speaker = Speaker(np.random.default_rng(SEED))
    captions = [speaker.free(from_codes(codes))[0] for codes in balanced(count, SEED)]
    words = [w for table in VOCABULARY.values() for group in table.values() for w in group]
    return captions + [*words, *sorted(unseen.nouns()), *FILLERS, *OPENINGS] * 20


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
    tokenizer.train_from_iterator(corpus(20_000), trainer)
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
        vocab_size=len(tokenizer), hidden_size=HIDDEN, intermediate_size=768, num_hidden_layers=4,
        num_attention_heads=4,
        max_position_embeddings=LENGTH, projection_dim=HIDDEN, eos_token_id=tokenizer.eos_token_id,
        bos_token_id=tokenizer.bos_token_id, pad_token_id=tokenizer.pad_token_id,
    )  # fmt: skip
    return CLIPTextModel(config)


class Reader(nn.Module):
    """The encoder with one head an attribute; the class after the last means "not mentioned"."""

    def __init__(self, encoder: CLIPTextModel) -> None:
        super().__init__()
        self.encoder = encoder
        width = encoder.config.hidden_size
        self.heads = nn.ModuleList(nn.Linear(width, len(names) + 1) for names in HEADS.values())
        self.mean_heads = nn.ModuleList(nn.Linear(width, len(names) + 1) for names in HEADS.values())

    def forward(self, ids: torch.Tensor) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
        out = self.encoder(input_ids=ids)
        pooled = 14 * F.normalize(out.pooler_output, dim=-1)
        mean = out.last_hidden_state.mean(1)
        return [h(pooled) for h in self.heads], [h(mean) for h in self.mean_heads]


def code(rng: np.random.Generator) -> np.ndarray:
    """Ten class indices; rare weathers, seasons, framings and symmetries come up oftener than in pictures."""
    picked = [int(rng.integers(len(names))) for names in NAMES.values()]
    for i, (name, names) in enumerate(NAMES.items()):
        if name in SHARES and rng.random() < 0.5:
            picked[i] = int(rng.choice(len(names), p=SHARES[name]))
    return np.array([*picked, int(rng.integers(len(FORMS[SUBJECTS[picked[0]]])))])


def examples(speaker: Speaker, count: int) -> tuple[list[str], torch.Tensor]:
    """Captions and (count, 10) class targets, the number of classes standing for "not mentioned"."""
    texts, targets = [], []
    for _ in range(count):
        attributes = from_codes(code(speaker.rng))
        text, said = speaker.free(attributes)
        values = attributes.as_dict()
        texts.append(text)
        targets.append([n.index(values[name]) if name in said else len(n) for name, n in HEADS.items()])
    return texts, torch.tensor(targets)


def train(budget: Budget, *, batch: int = 128, lr: float = 1.5e-3) -> None:
    rank, world = ranks()
    if rank == 0:
        build_tokenizer(RUNS / "tokenizer")
    if world > 1:
        distributed.barrier()
    tokenizer = CLIPTokenizer.from_pretrained(RUNS / "tokenizer")
    reader = Reader(build(tokenizer))

    def loss_of(generator: torch.Generator) -> torch.Tensor:
        speaker = Speaker(np.random.default_rng(generator.initial_seed()))
        texts, targets = examples(speaker, batch // world)
        ids = tokenizer(
            texts, padding=True, truncation=True, max_length=LENGTH, return_tensors="pt"
        ).input_ids
        ids, targets = here(ids, targets)
        with narrow():
            pooled, mean = reader(ids)
        losses = [F.cross_entropy(out.float(), targets[:, i]) for i, out in enumerate(pooled)]
        spread = [F.cross_entropy(out.float(), targets[:, i]) for i, out in enumerate(mean)]
        return torch.stack(losses).sum() + 0.3 * torch.stack(spread).sum()

    shadow = fit("text", reader, loss_of, batch=batch, lr=lr, budget=budget, seed=SEED, decay=0.99)
    if rank == 0:
        reader.load_state_dict(shadow)
        report(reader.eval(), tokenizer)
        torch.save(reader.encoder.state_dict(), RUNS / "text.final.pt")


@torch.no_grad()
def report(reader: Reader, tokenizer: CLIPTokenizer, count: int = 1000) -> dict[str, dict[str, float]]:
    """Share right of each attribute on new captions: with the grammar's words, and with nouns never seen."""
    kinds: dict[str, dict[str, float]] = {"words": {}, "nouns": UNSEEN}
    kinds |= {"kin": {"kin": 1.0}, "near": {"near": 1.0}}
    if unseen.HELD_OUT:
        kinds |= {"new kin": {"kin": 1.0}, "new near": {"near": 1.0}}
    found = {}
    for kind, rates in kinds.items():
        new = kind.startswith("new")
        speaker = Speaker(np.random.default_rng(SEED + 1), unseen_rates=rates, held_out=new)
        texts, targets = examples(speaker, count)
        kept = [not new or any(map(unseen.is_new, text.lower().split())) for text in texts]
        ids = tokenizer(
            texts, padding=True, truncation=True, max_length=LENGTH, return_tensors="pt"
        ).input_ids
        right = [(out.argmax(-1) == targets[:, i])[kept] for i, out in enumerate(reader(ids)[0])]
        found[kind] = {name: round(float(r.float().mean()), 3) for name, r in zip(HEADS, right, strict=True)}
        print(f"text: share right on {sum(kept)} captions with {kind}", found[kind], flush=True)
    return found


def trained() -> tuple[CLIPTokenizer, CLIPTextModel]:
    tokenizer = CLIPTokenizer.from_pretrained(RUNS / "tokenizer")
    encoder = build(tokenizer)
    encoder.load_state_dict(torch.load(RUNS / "text.final.pt", weights_only=True))
    return tokenizer, encoder.eval().requires_grad_(False)


@torch.no_grad()
def hidden(tokenizer: CLIPTokenizer, encoder: CLIPTextModel, texts: list[str]) -> torch.Tensor:
    """(n, LENGTH, HIDDEN): what the UNet attends to, padded as the pipeline pads."""
    ids = tokenizer(
        texts, padding="max_length", truncation=True, max_length=LENGTH, return_tensors="pt"
    ).input_ids
    return encoder(input_ids=ids.to(encoder.device)).last_hidden_state


@torch.no_grad()
def pooled(tokenizer: CLIPTokenizer, encoder: CLIPTextModel, texts: list[str]) -> np.ndarray:
    """(n, HIDDEN) float32 prompt embeddings, to be compared with one another by cosine."""
    ids = tokenizer(
        texts, padding="max_length", truncation=True, max_length=LENGTH, return_tensors="pt"
    ).input_ids
    return np.asarray(encoder(input_ids=ids).pooler_output.numpy())
