#!/usr/bin/env python3
"""Train vatic's byte-level BPE vocabulary.

    python3 training/tokenizer.py CORPUS_DIR models/vocabulary.tsv

CORPUS_DIR holds one `<domain>.txt` per domain, documents separated by NUL. The output has one token per line, in
merge order (the 256 bytes first): the token's bytes in hexadecimal. A token's place is its merge rank; the ids that
the model uses are the places of the tokens sorted by their bytes.
"""

import argparse
import pathlib
import random

from tokenizers import Regex, Tokenizer, models, pre_tokenizers, trainers

# Megabytes of each domain in the sample: the mix that a user's files are expected to be.
SAMPLE_MB = {
    "prose_en": 14, "reference_en": 9, "wikipedia_en": 5, "web_en": 9, "docs_en": 7, "talk_en": 4, "talk2_en": 3,
    "markup": 4, "wikitext": 2, "code": 7, "data": 3, "multi": 7,
}

# Words with the one character before them (mostly a blank), single digits (numbers do not repeat as words do),
# runs of punctuation, line ends with the blanks before them, other blanks.
SPLIT = r"[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"


def documents(folder: pathlib.Path, seed: int):
    rng = random.Random(seed)
    for domain, megabytes in SAMPLE_MB.items():
        budget = megabytes * 1_000_000
        texts = (folder / f"{domain}.txt").read_bytes().split(b"\0")
        rng.shuffle(texts)
        for text in texts:
            # One long book must not take a domain's whole share.
            piece = text[:200_000]
            budget -= len(piece)
            yield piece.decode("utf-8", "ignore")
            if budget <= 0:
                break


def byte_of_char() -> dict[str, int]:
    """The inverse of GPT-2's printable names for bytes, which the library uses inside."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    table = {chr(b): b for b in printable}
    table.update({chr(256 + n): b for n, b in enumerate(b for b in range(256) if b not in printable)})
    return table


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=pathlib.Path)
    parser.add_argument("output", type=pathlib.Path)
    parser.add_argument("--size", type=int, default=8192, help="tokens, the 256 bytes included")
    parser.add_argument("--digits", type=int, default=1, help="the longest number that may be one token")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(SPLIT.replace(r"|\p{N}|", rf"|\p{{N}}{{1,{args.digits}}}|")), "isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    ])
    trainer = trainers.BpeTrainer(
        vocab_size=args.size, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), max_token_length=24,
        show_progress=True,
    )
    tokenizer.train_from_iterator(documents(args.corpus, args.seed), trainer)

    names = byte_of_char()
    by_rank = sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])
    tokens = [bytes(names[c] for c in name) for name, _ in by_rank]
    singles = sorted(t for t in tokens if len(t) == 1)
    merged = [t for t in tokens if len(t) > 1]
    assert len(singles) == 256 and len(set(tokens)) == args.size
    args.output.write_text("".join(t.hex() + "\n" for t in singles + merged))


if __name__ == "__main__":
    main()
