#!/usr/bin/env python3
"""A second decoder of the vatic format, written from docs/format.md alone.

    python3 tests/independent/decoder.py [--model FILE] [--prior FILE] [--all] [FILE.vtc | FILE.raw ...]

Without files it decodes the vectors in tests/golden (those that need a prior with the .vtp beside them), compares each
with NAME.content, prints a line for each, and exits with 1 if one differs. The few vectors that take minutes are passed
over unless --all is given. With files it writes their content to the standard output; a file whose name ends in .raw is
a message (§9), whose model and prior are the first ones given.

It is meant for reading beside the page: the names are those of the page, every part names its section (§), and nothing
is done for speed that would hide what is meant. Frames in which only some of the experts take part (§7, for
experiments), and frames without any that name a prior, are left out. The copies of copied frames (§2.7) are in
copied.py, the streams of unpacked frames (§4.5) in deflate.py and progressive.py, JPEG pictures (§7.9) in jpeg.py. It
needs Python 3.11 and the packages numpy, xxhash and blake3.
"""

import argparse
import json
import math
import os
import struct
import sys
import time
import zlib
from bisect import bisect_left
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # the matrices are small: more threads would only get in each other's way
import numpy as np  # noqa: E402
import xxhash  # noqa: E402
from blake3 import blake3  # noqa: E402

from copied import put_together, read_copies  # noqa: E402
from deflate import write_streams  # noqa: E402
from jpeg import Jpeg  # noqa: E402
from reader import Reader, Reject  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent.parent
MAX_CONTENT = 1 << 28
M32, M64 = (1 << 32) - 1, (1 << 64) - 1


class Unsupported(Exception):
    """The data is (or may be) right, but this decoder leaves out what it needs."""


def clamp(x, least, most):
    return least if x < least else most if x > most else x


def floor_log2(x):
    return x.bit_length() - 1


# ------------------------------------------------------------------------------- §1, §2, §3: members and frames


def decode(data, models, priors):
    """§1. The content of all members."""
    if not data:
        raise Reject("no data")
    reader, content = Reader(data), b""
    while reader.at < len(data):
        if reader.take(3) != b"\xf6vt":
            raise Reject("not vatic's magic")
        if (version := reader.integer(1)) != 5:
            raise Reject(f"version {version} of the format; this is a decoder of version 5")
        content += decode_member(reader, models, priors)
    return content


def decode_member(reader, models, priors):
    """§2. The frames of a member, up to the one with the bit `last`."""
    content, last, window = b"", False, None
    while not last:
        descriptor = reader.integer(1)
        kind, detail, length_class = descriptor & 3, descriptor >> 2 & 7, descriptor >> 6
        last = bool(descriptor >> 5 & 1)
        if kind == 3 and detail == 5:
            if window:
                raise Reject("a second window frame")
            window = len(content), decode_window(reader, last, length_class)
            continue
        if kind == 3 and detail not in (2, 3, 4):
            decode_control(reader, detail, last, length_class)
            continue
        if kind == 3 and detail == 4:
            before = content[max(window[0], len(content) - window[1]) :] if window else b""
            piece, checksum = decode_copied(reader, length_class, models, priors, before)
        elif kind == 3:
            decode_outer = decode_mixed if detail == 2 else decode_unpacked
            piece, checksum = decode_outer(reader, length_class, models, priors)
        else:
            piece, checksum = decode_plain(reader, kind, detail, length_class, models, priors)
        # §3. The seed is the number of content bytes before the frame in its member.
        if xxhash.xxh3_64_intdigest(piece, seed=len(content)) & M32 != checksum:
            raise Reject("checksum differs")
        content += piece
    return content


def decode_plain(reader, kind, detail, length_class, models, priors):
    """§2.1 and §2.2. A frame of kind 0 to 2 after its descriptor; also its checksum."""
    if kind == 0 and detail:
        raise Reject("detail of a stored frame that is reserved")
    if kind != 0:
        return decode_coded(reader, kind, detail, length_class, models, priors)
    length = reader.integer(length_class + 1)
    if not 1 <= length <= MAX_CONTENT:
        raise Reject("content length out of range")
    checksum = reader.integer(4)
    return reader.take(length), checksum


def decode_mixed(reader, length_class, models, priors):
    """§2.4. Stretches that belong to parts, each of which is a frame of its own; also the checksum of the whole."""
    length, inside, checksum = decode_outer_header(reader, length_class)
    count = inside.number()
    if count > (length + 1023) // 1024:
        raise Reject("more stretches than content allows")
    stretches = [(n & 3, n >> 2) for n in (inside.number() for _ in range(count))]
    lengths = [sum(n for part, n in stretches if part == which) for which in range(4)]
    count = lengths.index(0) if 0 in lengths else 4
    if sum(lengths) != length or any(lengths[count:]) or any(n == 0 for _, n in stretches):
        raise Reject("stretches that are not those of the content")
    parts = []
    for wanted in lengths[:count]:
        content = decode_inner(inside, (0, 1, 2), models, priors)
        if len(content) != wanted:
            raise Reject("a part that has not the length of its stretches")
        parts.append(Reader(content))
    if inside.at != len(inside.data):
        raise Reject("something after the last part")
    return b"".join(parts[part].take(n) for part, n in stretches), checksum


def decode_unpacked(reader, length_class, models, priors, depth=1):
    """§2.5. What the recipe makes of the unpacked content; also the checksum. The depth counts it and the unpacked frames around it."""
    length, inside, checksum = decode_outer_header(reader, length_class)
    recipe = decode_inner(inside, (0, 1), models, priors)
    unpacked = decode_inner(inside, (0, 1, 2, 3), models, priors, depth)
    if inside.at != len(inside.data):
        raise Reject("something after the unpacked content")
    if len(recipe) > length or len(unpacked) > 1040 * length:
        raise Reject("a recipe or an unpacked content too long for the content")
    content = write_streams(Reader(recipe), Reader(unpacked), length)
    if len(content) != length:
        raise Reject("streams and what is between them have not the content length")
    return content, checksum


def decode_window(reader, last, length_class):
    """§2.6. How many bytes before a copied frame it may copy from."""
    if length_class != 0 or last:
        raise Reject("a window frame with a length class, or last")
    if not 16 <= (w := reader.integer(1)) <= 32:
        raise Reject("window out of range")
    return 1 << w


def decode_copied(reader, length_class, models, priors, before):
    """§2.7. The rest, and copies of it and of what stands before the frame in its window; also the checksum."""
    length, inside, checksum = decode_outer_header(reader, length_class)
    recipe = decode_inner(inside, (0, 1), models, priors)
    if len(recipe) > length:
        raise Reject("a recipe too long for the content")
    copies, wanted = read_copies(Reader(recipe), length)
    rest = decode_inner(inside, (0, 1, 2, 3), models, priors, 0) if wanted else b""
    if len(rest) != wanted:
        raise Reject("a rest that has not the length of what is not copied")
    if inside.at != len(inside.data):
        raise Reject("something after the rest")
    return put_together(copies, Reader(rest), before), checksum


def decode_outer_header(reader, length_class):
    """§2.4. Of a mixed, unpacked or copied frame: content length, payload and checksum."""
    if length_class != 0:
        raise Reject("a mixed, unpacked or copied frame with a length class")
    length, payload_length, checksum = reader.integer(4), reader.integer(4), reader.integer(4)
    if not 1 <= length <= MAX_CONTENT or payload_length > length:
        raise Reject("lengths out of range")
    return length, Reader(reader.take(payload_length)), checksum


def decode_inner(inside, kinds, models, priors, depth=4):
    """§2.4, §2.5, §2.7. A frame inside another, of one of these kinds (3: mixed, or unpacked inside fewer than four that
    are). Its checksum need not be looked at."""
    descriptor = inside.integer(1)
    kind, detail, length_class = descriptor & 3, descriptor >> 2 & 7, descriptor >> 6
    if kind not in kinds or kind == 3 and detail not in (2, 3) or descriptor >> 5 & 1:
        raise Reject("a frame inside another that is of a wrong kind or last")
    if kind == 3 and detail == 3 and depth >= 4:
        raise Reject("too many unpacked frames inside each other")
    if kind == 3 and detail == 3:
        content, _ = decode_unpacked(inside, length_class, models, priors, depth + 1)
    elif kind == 3:
        content, _ = decode_mixed(inside, length_class, models, priors)
    else:
        content, _ = decode_plain(inside, kind, detail, length_class, models, priors)
    return content


def decode_control(reader, detail, last, length_class):
    """§2.3. End and skippable frames; neither has content."""
    if length_class != 0 or detail > 1:
        raise Reject("reserved control frame")
    if detail == 0 and not last:
        raise Reject("an end frame that is not last")
    if detail == 1:
        reader.take(reader.integer(4))


def decode_coded(reader, kind, detail, length_class, models, priors):
    """§2.2. The header of a frame of kind 1 or 2, and its payload decoded; also its checksum."""
    settings = 0
    if length_class == 3:
        settings = reader.integer(1)
        length_class = settings & 3
        if settings >> 7 or (kind == 1 and settings & 0x50):
            raise Reject("reserved settings")
    size, bits = ((3, 12), (5, 20), (6, 25), (7, 28))[length_class]
    lengths = reader.integer(size)
    content_length, payload_length = (lengths & ((1 << bits) - 1)) + 1, lengths >> bits
    if payload_length > content_length:
        raise Reject("payload longer than its content")
    model = None
    if kind == 2:
        name = reader.take(8 if settings >> 4 & 1 else 1)
        model = next((model for model in models if model.hash.startswith(name)), None)
        if model is None:
            raise Reject(f"the model {name.hex()} is not at hand")
    memory = reader.integer(1) if settings >> 2 & 1 else 27
    if not 16 <= memory <= 30:
        raise Reject("memory out of range")
    experts = reader.integer(8) if settings >> 5 & 1 else M64
    thorough, light, prior = kind == 1 and detail & 1 == 1, settings >> 6 & 1 == 1, None
    if settings >> 3 & 1:
        name = reader.take(8)
        if thorough or light:
            raise Reject("a thorough or light frame with a prior")
        prior = next((prior for prior in priors if prior.identity == name), None)
        if prior is None:
            raise Reject(f"the prior {name.hex()} is not at hand")
    checksum = reader.integer(4)
    coder, streams = RangeDecoder(reader.take(payload_length)), 1 << detail if kind == 2 else 1
    manner = "thorough" if thorough else "light" if light else "usual"
    content = decode_payload(coder, content_length, kind, streams, model, memory, experts, manner, prior)
    if kind == 1 and detail >> 1:
        content = distances_of_arm64(content) if detail >> 1 == 3 else distances_of_x86(content, detail >> 1 == 2)
    return content, checksum


def decode_message(data, models, memory=27, prior=None):
    """§9. A message has neither container nor checksum; `models` and `prior` are those that both sides agreed on."""
    if not data or data[0] == 0:
        return data[1:]
    reader, bits = Reader(data), 0
    v = reader.integer(1)
    if v >= 128:
        second = reader.integer(1)
        v = v - 128 | (second & 127) << 7
        if second >= 128:
            bits = (v >> 1 & 15) + 4
    length, kind = (512 + (v >> 5) << bits) if bits else v >> 1, 1 if v & 1 else 2
    coder = RangeDecoder(data[reader.at :])
    for bit in reversed(range(bits)):
        length += coder.decide(1 << 15) << bit
    if not 1 <= length <= MAX_CONTENT:
        raise Reject("content length out of range")
    place = 0
    if kind == 2:
        for _ in range((len(models) - 1).bit_length()):
            place = 2 * place + coder.decide(1 << 15)
        if place >= len(models):
            raise Reject("a message names a model that there is not")
    model = models[place] if kind == 2 else None
    return decode_payload(coder, length, kind, 1, model, memory, M64, prior=prior)


# ---------------------------------------------------------------------------------------- §4: coded payloads

CHUNK = 4096  # tokens that a stream takes in its turn


def decode_payload(coder, content_length, kind, streams, model, memory, experts, manner="usual", prior=None):
    """§4.1, §4.2. Tokens in lockstep streams; bytes are 256 tokens, in one stream, without a transformer."""
    if kind == 1:
        vocabulary, tree, transformers = [bytes([i]) for i in range(256)], BYTE_TREE, None
    else:
        vocabulary, tree = model.vocabulary, model.tree
        transformers = [Sequence(model, manner == "light") for _ in range(streams)]
    width = model.width if model else 0
    state = prior.state(kind, model, memory, experts, width, vocabulary) if prior else None
    all_experts = THOROUGH_EXPERTS if manner == "thorough" else ALL_EXPERTS
    experts &= all_experts
    if experts not in (0, all_experts):
        raise Unsupported("only some of the experts take part; this decoder knows all or none")
    if state and not experts:
        raise Reject("a prior, and none of the experts that it is for")
    histories = [History(content_length // streams + 1, kind, manner == "thorough") for _ in range(streams)]
    mixer = Experts(histories, content_length, kind, memory, len(vocabulary), width, manner) if experts else None
    if state:
        start_from(mixer, state, vocabulary)

    decoded = count = 0  # bytes and tokens
    while decoded < content_length:
        if mixer and kind == 1 and decoded:
            decoded += mixer.leap(coder, content_length - decoded)
            if decoded == content_length:
                break
        # However T is dealt, no stream is ever more than one token ahead of a later one: they simply take turns.
        s = count % streams
        prediction = None
        if transformers:
            last = histories[s].tokens[-1] if histories[s].tokens else model.boundary
            prediction = transformers[s].feed(last)
        token = decode_token(coder, tree, prediction, mixer, s)
        histories[s].add(token, vocabulary[token])
        decoded += len(vocabulary[token])
        count += 1
    if decoded > content_length:
        raise Reject("more content than claimed")

    content = b""
    for start in range(0, len(histories[0].tokens), CHUNK):
        for history in histories:
            content += b"".join(vocabulary[token] for token in history.tokens[start : start + CHUNK])
    return content


def decode_token(coder, tree, prediction, mixer, s):
    """§5. The way down the tree."""
    if mixer:
        mixer.begin(s, prediction)
    lo, hi, depth = 0, tree.leaves, 0
    while hi - lo > 1:
        mid = tree.mid(lo, hi, tree.levels - depth)
        left, right = prediction.sides(lo, mid, hi) if prediction else (1, 1)
        if mixer:
            bit = coder.decide(mixer.probability(lo, mid, hi, depth, left, right))
            mixer.learn(bit)
        else:
            bit = coder.decide(clamp((right << 16) // (right + left), 1, 65535))
        lo, hi = (mid, hi) if bit else (lo, mid)
        depth += 1
    if mixer:
        mixer.end(lo)
    return lo


def distances_of_x86(filtered, is_64):
    """§4.4. Distances in place of the addresses in machine code for x86."""
    content = bytearray(filtered)
    for i in range(len(content) - 7):
        first, second, third = content[i : i + 3]
        behind = 0
        if first in (0xE8, 0xE9):
            before = 1
        elif not is_64:
            continue
        elif first == 0xFF and second in (0x15, 0x25) or first in X86_OPCODES and second & 0xC7 == 5:
            before = 2
        elif first == 0x0F and second >> 4 != 8 and third & 0xC7 == 5:
            before = 3
        elif first in (0x80, 0x83, 0xC6, 0xF6, 0x81, 0xC7) and second in (0x05, 0x3D):
            before, behind = 2, 4 if first in (0x81, 0xC7) else 1
        else:
            continue
        end = i + before + 4
        if content[end - 1] in (0, 255):
            value = int.from_bytes(content[end - 4 : end], "little") - (end + behind) & 0x1FFFFFF
            value |= 0xFE000000 if value >> 24 else 0
            content[end - 4 : end] = value.to_bytes(4, "little")
    return bytes(content)


X86_OPCODES = bytes.fromhex("01 03 2B 33 38 39 3A 3B 63 85 88 89 8A 8B 8D")


def distances_of_arm64(filtered):
    """§4.4. The same for 64-bit ARM."""
    content = bytearray(filtered)
    for i in range(0, len(content) - 3, 4):
        code = int.from_bytes(content[i : i + 4], "little")
        if code >> 26 == 0x25:
            code = 0x25 << 26 | (code - i // 4) & 0x3FFFFFF
        elif code & 0x9F000000 == 0x90000000:
            pages = code >> 29 & 3 | (code >> 5 & 0x7FFFF) << 2
            if pages >> 17 not in (0, 15):
                continue
            pages = (pages - i // 4096) & 0x3FFFF
            pages |= 0x1C0000 if pages >> 17 else 0
            code = code & 0x9F00001F | (pages & 3) << 29 | pages >> 2 << 5
        content[i : i + 4] = code.to_bytes(4, "little")
    return bytes(content)


class RangeDecoder:
    """§4.3. `point` is the payload's number less `low`; `low` itself is not needed."""

    def __init__(self, payload):
        self.payload, self.at = payload, 8
        self.point = int.from_bytes(payload[:8].ljust(8, b"\0"), "big")
        self.range = M64

    def decide(self, p):
        r = self.range >> 16
        quotient = self.point // r
        if quotient > 65535:
            return 0  # damaged data
        if quotient < p:
            bit, self.range = 1, r * p
        else:
            bit, self.range = 0, r * (65536 - p)
            self.point -= r * p
        if self.range < 1 << 48:
            word = self.payload[self.at : self.at + 2].ljust(2, b"\0")
            self.at += 2
            self.range <<= 16
            self.point = self.point << 16 | int.from_bytes(word, "big")
        return bit


# ----------------------------------------------------------------------------------------- §5: the token tree


class Tree:
    def __init__(self, cumulative, levels):
        self.c, self.levels, self.leaves, self.known = cumulative, levels, len(cumulative) - 1, {}

    def mid(self, lo, hi, levels):
        """The split point of the node [lo, hi)."""
        if (lo, hi) not in self.known:
            c = self.c
            half = (c[lo] + c[hi]) // 2
            m = bisect_left(c, half, lo, hi)
            if m > lo and half - c[m - 1] <= c[m] - half:
                m -= 1
            room = hi - lo if levels > 16 else 1 << (levels - 1)
            self.known[lo, hi] = min(max(m, lo + 1, hi - room), hi - 1, lo + room)
        return self.known[lo, hi]


BYTE_TREE = Tree(list(range(257)), 8)


# ---------------------------------------------------------------------------------------- §6: the transformer

F32 = np.float32


def f32_bits(bits):
    return np.array([bits], np.uint32).view(F32)[0]


LOG2E = f32_bits(0x3FB8AA3B)
EXP2 = [f32_bits(bits) for bits in (0x3A91D2F7, 0x3C1E5F54, 0x3D63A191, 0x3E75FD27, 0x3F3171CF)] + [F32(1)]
LEAST, MOST = F32(1e-30), F32(1e30)


class Model:
    """The model's file: vocabulary, tree and tensors."""

    def __init__(self, path):
        data = Path(path).read_bytes()
        self.hash = blake3(data).digest()
        (size,) = struct.unpack_from("<Q", data)
        header = json.loads(data[8 : 8 + size])
        shape = json.loads(header.pop("__metadata__")["vatic"])
        types = {"I8": np.int8, "U8": np.uint8, "I32": np.int32, "U32": np.uint32, "F32": F32}
        self.tensor = tensor = {}
        for name, entry in header.items():
            begin, end = entry["data_offsets"]
            array = np.frombuffer(data[8 + size + begin : 8 + size + end], types[entry["dtype"]])
            array = array.reshape(entry["shape"])
            # Sums of products of whole numbers are exact in f32 as long as they stay below 2^24, in f64 always.
            exact = F32 if array.shape[-1] * 63 * 127 < 1 << 24 else np.float64
            tensor[name] = array.astype(exact) if entry["dtype"] == "I8" else array
        if shape["format"] != 3:
            raise Reject(f"format {shape['format']} of model files; this is a decoder of format 3")
        self.layers, self.heads, self.kv_heads = shape["layers"], shape["heads"], shape["kv_heads"]
        self.windows, self.rope_dims, self.rope_period = shape["windows"], shape["rope_dims"], shape["rope_period"]

        ends = np.cumsum(tensor["tokenizer.lengths"], dtype=np.int64).tolist()
        text = tensor["tokenizer.bytes"].tobytes()
        self.vocabulary = sorted(text[a:b] for a, b in zip([0] + ends, ends))  # §5: ids are ranks
        self.boundary = self.vocabulary.index(b"\0")
        counts = 16 * tensor["tree.counts"].astype(np.int64) + 1
        self.tree = Tree([0] + np.cumsum(counts).tolist(), 24)
        self.starts = tensor["head.starts"].tolist() + [len(self.vocabulary)]
        sizes = [b - a for a, b in zip(self.starts, self.starts[1:])]
        self.width = tensor["head.weight"].shape[1]
        if self.starts[0] != 0 or not all(1 <= size <= 256 for size in sizes):
            raise Reject("the groups do not divide the tokens")
        # The group of each id, and for the bound V the number of groups.
        self.group = [g for g, size in enumerate(sizes) for _ in range(size)] + [len(sizes)]
        self.check_groups(0, len(self.vocabulary), self.tree.levels)

    def check_groups(self, lo, hi, levels):
        """Each group is a node of the tree."""
        g = self.group[lo]
        if g != self.group[hi - 1]:
            mid = self.tree.mid(lo, hi, levels)
            self.check_groups(lo, mid, levels - 1)
            self.check_groups(mid, hi, levels - 1)
        elif (lo, hi) != (self.starts[g], self.starts[g + 1]):
            raise Reject("a group is no node of the token tree")


# §6.1. Operations on arrays of f32 are one IEEE 754 operation for each element.


def f32_sum(x, first=0):
    """Sum in 16 accumulators; the first element goes to accumulator `first` mod 16."""
    front = first % 16
    rows = np.zeros(-(-(front + len(x)) // 16) * 16, F32)
    rows[front : front + len(x)] = x
    a = np.add.accumulate(rows.reshape(-1, 16), axis=0)[-1]
    for n in (8, 4, 2, 1):
        a = a[:n] + a[n : 2 * n]
    return a[0]


def inverse_rms(x):
    return F32(1) / np.sqrt(f32_sum(x * x) / F32(len(x)) + F32(1e-6))


def quantise(x, factor=None):
    """Whole numbers within ±127 and their scale, m / 127, times `factor` if there is one."""
    m = np.max(np.abs(x))
    if not LEAST < m < MOST:
        return np.zeros(len(x), F32), F32(0)
    s = m / F32(127)
    return np.rint(x * (F32(127) / m)), s if factor is None else s * factor


def norm_quantise(x):
    return quantise(x, inverse_rms(x))


def exp2(x):
    x = np.minimum(np.maximum(x, F32(-100)), F32(0))
    n = np.rint(x)
    f = x - n
    p = EXP2[0]
    for coefficient in EXP2[1:]:
        p = p * f + coefficient
    return np.ldexp(p, n.astype(np.int32))


class Sequence:
    """§6.2. The transformer on one stream: keys and values of the positions so far."""

    def __init__(self, model, light=False):
        self.model, self.t = model, 0
        self.windows = [min(window, 128) for window in model.windows] if light else model.windows
        shape = (model.layers, model.kv_heads, 16)
        self.k, self.v = np.zeros(shape + (64,), F32), np.zeros(shape + (64,), F32)
        self.s_k, self.s_v = np.zeros(shape, F32), np.zeros(shape, F32)

    def linear(self, q, s, name):
        tensor = self.model.tensor
        return (tensor[name + ".weight"] @ q).astype(F32) * (s * tensor[name + ".scale"])

    def feed(self, token):
        """Feeds a token; returns what is predicted of the next one."""
        model, tensor, t = self.model, self.model.tensor, self.t
        if t == self.k.shape[2]:  # no room for another position
            room = [np.concatenate([a, np.zeros_like(a)], axis=2) for a in (self.k, self.v, self.s_k, self.s_v)]
            self.k, self.v, self.s_k, self.s_v = room
        x = tensor["embed.weight"][token].astype(F32) * tensor["embed.scale"][token]
        x = x * inverse_rms(x)
        e = x
        for n in range(model.layers):
            mix = tensor[f"layers.{n}.mix"]
            x = mix[0] * x + mix[1] * e
            q, s = norm_quantise(x)
            heads = self.linear(q, s, f"layers.{n}.qkv").reshape(-1, 64)
            x = x + self.linear(*quantise(self.attention(n, heads)), f"layers.{n}.out")
            q, s = norm_quantise(x)
            u = self.linear(q, s, f"layers.{n}.up")
            u = np.where(u > 0, u * u, F32(0))
            x = x + self.linear(*quantise(u), f"layers.{n}.down")
        self.t += 1
        return Prediction(model, *quantise(x * inverse_rms(x) - tensor["head.offset"]))

    def rotate(self, x):
        model, half = self.model, self.model.rope_dims // 2
        turns, cos = model.tensor["rope.freq"].astype(np.int64) * self.t, model.tensor["rope.cos"]
        c, s = cos[turns % model.rope_period], cos[(turns - model.rope_period // 4) % model.rope_period]
        a, b = x[:half], x[half : 2 * half]
        return np.concatenate([a * c - b * s, a * s + b * c, x[2 * half :]])

    def attention(self, n, heads):
        """§6.2, 2.2 and 2.3."""
        model, t, H, G = self.model, self.t, self.model.heads, self.model.kv_heads
        for g in range(G):
            key, value = heads[H + g], heads[H + G + g]
            self.k[n, g, t], self.s_k[n, g, t] = quantise(self.rotate(key), inverse_rms(key))
            self.v[n, g, t], self.s_v[n, g, t] = quantise(value)
        first = max(0, t - self.windows[n] + 1)
        gain, results = model.tensor[f"layers.{n}.gain"], []
        for h in range(H):
            g, seen = h * G // H, slice(first, t + 1)
            r = inverse_rms(heads[h]) * (gain[h] * (LOG2E * F32(0.125)))
            q, s_q = quantise(self.rotate(heads[h]), r)
            scores = (self.k[n, g, seen] @ q) * (s_q * self.s_k[n, g, seen])
            e = exp2(scores - np.max(scores))
            s_v = self.s_v[n, g, seen]
            v_max = np.max(s_v)
            if v_max > LEAST:
                w = np.rint((e * s_v) * (F32(16384) / (f32_sum(e, first) * v_max)))
                results.append((w @ self.v[n, g, seen]) * (v_max / F32(16384)))
            else:
                results.append(np.zeros(64, F32))
        return np.concatenate(results)


class Prediction:
    """§6.2, 3 and 4. The weights of all groups; those of one group's tokens when the path has come to it."""

    def __init__(self, model, q, s):
        self.model, self.q, self.s = model, q, s * LOG2E
        self.groups, self.tokens = self.sums("head", 0, len(model.starts) - 1), None

    def sums(self, name, first, end):
        """The sums of the weights of rows first … k - 1 for k = first … end."""
        tensor = self.model.tensor
        products = (tensor[name + ".weight"][first:end] @ self.q).astype(F32)
        logits = tensor[name + ".bias"][first:end] * LOG2E + products * (self.s * tensor[name + ".scale"][first:end])
        e = exp2(logits - np.max(logits))
        unit = F32(1 << 30) / max(f32_sum(e, first), F32(1))
        return [0] + np.cumsum(np.floor(e * unit).astype(np.int64) + 1).tolist()

    def sides(self, lo, mid, hi):
        """§5. The sums of the weights left and right of the split point of the node [lo, hi)."""
        group, starts = self.model.group, self.model.starts
        g = group[lo]
        if g != group[hi - 1]:
            sums, bounds = self.groups, (g, group[mid], group[hi])
        else:
            if self.tokens is None:
                self.tokens = self.sums("embed", starts[g], starts[g + 1])
            sums, bounds = self.tokens, [bound - starts[g] for bound in (lo, mid, hi)]
        below_lo, below_mid, below_hi = (sums[bound] for bound in bounds)
        return max(below_mid - below_lo, 1), max(below_hi - below_mid, 1)


# ------------------------------------------------------------------- §7.1: the functions of experts and mixer

ALL_EXPERTS = (1 << 34) - 1
THOROUGH_EXPERTS = (1 << 56) - 1  # and those of thorough frames


def make_g():
    """G(k) for k = 0 … 6144: 2^32 / (1 + e^(-k / 512))."""
    h = t = 1 << 62
    k = 0
    while t:
        k += 1
        t = -t // (512 * k) if t < 0 else -(t // (512 * k))
        h += t
    result, e = [], 1 << 62
    for _ in range(6145):
        result.append((1 << 94) // ((1 << 62) + e))
        e = e * h >> 62
    return result


G = make_g()
SQUASH = [min((G[2 * x] + (1 << 15)) >> 16, 65535) for x in range(3073)]
# For i = 2048 … 4095 the number of G(2k + 1) that are at most i · 2^20 + 2^19; below that the mirror image.
STRETCH = [bisect_left(G[1::2], (i << 20) + (1 << 19) + 1) for i in range(2048, 4096)]
STRETCH = [-x for x in reversed(STRETCH)] + STRETCH


def squash(x):
    return SQUASH[min(x, 3072)] if x >= 0 else 65536 - SQUASH[min(-x, 3072)]


def stretch(p):
    return STRETCH[p >> 4]


def make_log2():
    table = []
    for j in range(257):
        x, t = (256 + j) << 23, 0
        if x >= 1 << 32:
            x, t = x >> 1, 1 << 16
        for b in range(15, -1, -1):
            x = x * x >> 31
            if x >= 1 << 32:
                x, t = x >> 1, t + (1 << b)
        table.append(t)
    return table


LOG2 = make_log2()


def log2(v):
    v = max(v, 1)
    e = floor_log2(v)
    m = ((v << 31) >> e) & 0x7FFFFFFF
    j, r = m >> 23, m >> 7 & 0xFFFF
    return (e << 16) + LOG2[j] + (((LOG2[j + 1] - LOG2[j]) * r) >> 16)


def logodds(right, left):
    return clamp(((log2(right) - log2(left)) * 11629080 + (1 << 31)) >> 32, -3072, 3072)


def beyond(odds, f):
    return clamp(odds - f, -3072, 3072)


def combine(h, *values):
    """combine(h, v); with two values the page's C(h, a, b)."""
    for v in values:
        x = ((h << 32 | v) * 0xD6E8FEB86659FD93) & M64
        h = (x >> 32) ^ ((x >> 7) & M32)
    return h


def hash64(c, v):
    """The page's hash(c, v)."""
    x = ((v << 32 | c) * 0x9E3779B97F4A7C15) & M64
    return ((x ^ (x >> 29)) * 0xBF58476D1CE4E5B9) & M64


class Adaptive:
    """A table of adaptive probabilities; `initial` are 16-bit values."""

    def __init__(self, initial, n, limit):
        self.p, self.n, self.limit = [64 * p for p in initial], [n] * len(initial), limit

    def stretch(self, i):
        return STRETCH[self.p[i] >> 10]

    def learn(self, i, bit):
        p, n = self.p[i], self.n[i]
        target = (1 << 22) - 1 if bit else 0
        self.p[i] = p + ((((target - p) >> 6) * (65536 // (2 * n + 3))) >> 9)
        if n < self.limit:
            self.n[i] = n + 1


class APM:
    def __init__(self, contexts, rate):
        self.points, self.contexts, self.rate = [squash(256 * k - 3072) for k in range(25)] * contexts, contexts, rate

    def at(self, x, context):
        o = clamp(x, -3072, 3072) + 3072
        i = min(o >> 8, 23)
        w = o - 256 * i
        at = 25 * context + i
        self.last = at + (w >= 128)
        return (self.points[at] * (256 - w) + self.points[at + 1] * w) >> 8

    def learn(self, bit):
        v = self.points[self.last]
        self.points[self.last] = v + ((65535 - v) >> self.rate) if bit else v - (v >> self.rate)


# ------------------------------------------------------------------------------------------- §7.3: contexts


def kind_of(byte):
    """§7.3. The kind of a byte."""
    for kind, members in enumerate((b" ", b"\n", b".!?", b",;:", b"\"'", b"()[]{}", b"<>", b"=+-*/", b"_"), 4):
        if byte in members:
            return kind
    for kind, least, most in ((1, 97, 122), (2, 65, 90), (3, 48, 57), (13, 0, 31), (14, 128, 255)):
        if least <= byte <= most:
            return kind
    return 15


KINDS = [kind_of(byte) for byte in range(256)]


class History:
    """The past of one stream, and what the contexts keep of it."""

    def __init__(self, c, kind, thorough):
        self.thorough = thorough
        self.letters = self.shapes = 0
        self.followed = {}  # of each pair of bytes: what came after it the last four times
        self.kind, self.tokens, self.bytes = kind, [], bytearray()
        self.window = 1 << (clamp(c, 64, 65536) - 1).bit_length()
        self.word = self.pw = self.ppw = 0
        self.line = self.line_above = 0  # positions at which they begin
        # Fields: their starts in the line above and in this one, and what else §7.3 counts.
        self.starts_above, self.starts = [], [0]
        self.same, self.misses, self.marks = 1, 0, 0
        self.kinds = 0
        self.followers = {}  # of each token the last two: 2^16 · the earlier + the later
        self.stride, self.votes, self.last_place, self.distance = 0, [0] * 4096, [0] * 256, [0] * 256
        self.picture, self.jpeg = Picture(self), Jpeg(self)

    def t(self, n):
        return self.tokens[-n] if n <= len(self.tokens) else 1 << 16

    def b(self, n):
        """The byte n back, if it is in the window."""
        return self.bytes[-n] if 1 <= n <= len(self.bytes) and n < self.window else 0

    def last_bytes(self, n):
        return int.from_bytes(self.bytes[-n:], "big")

    def add(self, token, its_bytes, leapt=False):
        if self.tokens:
            before = self.tokens[-1]
            self.followers[before] = (self.followers.get(before, 0) << 16 | token) & M32
        self.tokens.append(token)
        for byte in its_bytes:
            self.add_byte(byte)
            if self.kind == 1 and not leapt:
                self.picture.add(byte)
            if self.kind == 1:
                self.jpeg.add(byte)

    def place_above(self):
        """The place of the byte above the next one in the same field, or None."""
        n = len(self.starts) - 1
        if n >= min(len(self.starts_above), 256):
            return None
        return self.starts_above[n] + len(self.bytes) - self.starts[n]

    @property
    def field(self):
        return len(self.starts) - 1

    def under(self):
        place = self.place_above()
        if place is None:
            return 0
        return sum(self.b(len(self.bytes) - place - n) << 8 * n for n in range(4))

    def add_byte(self, byte):
        place = self.place_above()
        if place is None or self.b(len(self.bytes) - place) != byte:
            self.same, self.misses = 0, self.misses + 1
        if self.thorough:
            self.add_outline(byte)
        self.bytes.append(byte)
        self.kinds = (self.kinds << 4 | KINDS[byte]) & M32
        word = 48 <= byte <= 57 or 65 <= byte <= 90 or 97 <= byte <= 122 or byte == 95 or byte >= 128
        if not word and byte not in (32, 9):
            self.marks = (self.marks << 8 | byte) & M32
        if not word and byte not in (45, 46):
            self.same = 1
            if byte == 10:
                self.starts_above, self.starts = self.starts, []
                self.misses, self.marks = 0, 10
            self.starts.append(len(self.bytes))
        if 65 <= byte <= 90 or 97 <= byte <= 122 or byte >= 128:
            letter = byte + 32 if byte <= 90 else byte
            x = ((self.word + letter) * 0x2F0B4C47) & M32
            self.word = (x << 5 | x >> 27) & M32
        elif self.word:
            self.ppw, self.pw, self.word = self.pw, self.word, 0
        if byte == 10:
            self.line_above, self.line = self.line, len(self.bytes)
        if self.kind == 1:
            self.vote(byte, len(self.bytes))

    def add_outline(self, byte):
        """What only thorough frames look at."""
        capital, small, digit = 65 <= byte <= 90, 97 <= byte <= 122, 48 <= byte <= 57
        if capital or small or byte >= 128:
            self.letters = (self.letters << 8 | (byte + 32 if capital else byte)) & M32
        shape = 65 if capital else 97 if small else 48 if digit else byte
        if shape not in (48, 97) or self.shapes & 255 != shape:
            self.shapes = (self.shapes << 8 | shape) & M64
        pair = self.b(2), self.b(1)
        self.followed[pair] = (self.followed.get(pair, 0) << 8 | byte) & M32

    def offset(self):
        """The place in a record."""
        return len(self.bytes) % self.stride if self.stride else 4096 + len(self.bytes) % 16

    def record(self):
        """The length of a record: a picture's rows are some."""
        return self.picture.row or self.stride

    @property
    def north(self):
        return self.b(self.stride or 4)

    def thorough_contexts(self):
        """The hashes of the contexts that only thorough frames have."""
        b, stride = self.b, self.record()
        offset = len(self.bytes) % stride if stride else self.offset()
        b1, b2, b3, b4 = (b(n) for n in (1, 2, 3, 4))
        record = stride or 4
        north, north2, west, east = b(record), b(2 * record), b(record + 1), b(record - 1)
        d = stride if 2 <= stride <= 8 else 2
        rough = self.last_bytes(3) & 0xF8F8F8
        last = self.last_bytes(8)
        return [
            combine(800, b1),
            combine(801, last & M32, last >> 32),
            combine(802, len(self.bytes) % 8, b1 + 256 * b2),
            combine(803, b1 + 256 * b3),
            combine(804, b3 + 256 * b4),
            combine(805, rough),
            combine(806, b1 + 256 * b2, self.followed.get((b2, b1), 0)),
            combine(807, self.word, self.ppw),
            combine(808, self.letters),
            combine(809, self.shapes & M32, self.shapes >> 32),
            combine(810, self.under(), b1 + 256 * b2),
            combine(811, north + 256 * north2, b1),
            combine(812, north + 256 * west + 65536 * east),
            combine(813, north + 256 * b1, offset),
            combine(814, stride, offset),
            combine(815, (north + b1 - west) % 256),
            combine(816, (2 * b(d) - b(2 * d)) % 256, b1 // 16),
            combine(817, north // 4 + 256 * (b1 // 4), west // 8),
        ]

    def vote(self, byte, q):
        """The stride of records."""
        d, votes = q - self.last_place[byte], self.votes
        if d == self.distance[byte] and 1 < d < 4096:
            votes[d] += floor_log2(d) + 1
            if votes[d] > votes[self.stride] and votes[d] > 64:
                self.stride = d
            if votes[d] > 4096:
                self.votes = [v >> 1 for v in votes]
        self.last_place[byte], self.distance[byte] = q, d

    def column_and_up(self):
        column = len(self.bytes) - self.line
        a = self.line_above + column
        if a >= self.line:
            return column, 0
        back = len(self.bytes) - a
        return column, self.b(back) + 256 * self.b(back - 1)

    def field_hash(self):
        return combine(601, self.under(), combine(self.field, 2 * min(self.misses, 3) + self.same))

    def place(self):
        """§7.7. Where in a picture, a line or a record the next byte stands."""
        if self.picture.row:
            return 8 * self.picture.place + min(self.picture.unevenness().bit_length(), 7)
        if any(self.b(n) == 0 for n in range(1, 9)):
            return 256 + len(self.bytes) % 8
        return 4 * min(self.field, 63) + min(self.misses, 3)

    def contexts(self):
        """The hashes of all contexts of the next token (in a scan of a JPEG picture: of the next bit, §7.9)."""
        if self.kind == 1 and self.jpeg.scan:
            return self.numbered(combine(*context) for context in self.jpeg.scan.contexts)
        column, up = self.column_and_up()
        b1, word = self.b(1), self.word
        if self.kind == 2:
            hashes = [combine(1, self.t(1), self.t(2))]
            for i, n in enumerate((4, 6)):
                x = self.last_bytes(n)
                hashes.append(combine(100 + i, x & M32, x >> 32))
            k, v, v_before = (1, word, self.pw) if word else (0, self.pw, self.ppw)
            hashes += [
                combine(200 + k, v, b1),
                combine(202 + k, v, v_before),
                combine(400, min(column, 255), up & 255),
                combine(500, self.t(1), self.followers.get(self.t(1), 0)),
            ]
            hashes += [
                combine(600, self.marks, b1),
                self.field_hash(),
                combine(602, self.under(), combine(self.same, combine(v, b1))),
            ]
        else:
            hashes = []
            for n in (2, 3, 5):
                x = self.last_bytes(n)
                hashes.append(combine(n, x & M32, x >> 32))
            stride = self.record()
            near, far = (self.b(stride), self.b(2 * stride)) if stride else (self.b(4), self.b(8))
            hashes += [
                combine(300, self.b(2)),
                combine(301, self.b(3)),
                combine(200, word, b1),
                combine(202, word, self.pw),
                combine(401, up, b1),
                combine(402, near + 256 * b1),
                combine(403, near + 256 * far, stride),
                combine(500, b1, self.followers.get(b1, 0)),
                combine(405, self.kinds),
                combine(600, self.marks, b1),
                self.field_hash(),
            ]
            if self.thorough:
                hashes += self.thorough_contexts()
            if self.picture.row:
                for n, h in zip((6, 12, 7, 13, 10, 4, 21, 22, 23, 24, 16), self.picture.contexts()):
                    if n < len(hashes):
                        hashes[n] = h
        return self.numbered(hashes)

    def numbered(self, hashes):
        return [h + n * 0x9E3779B1 & M32 for n, h in enumerate(hashes)]


class Picture:
    """§7.3. What is known of samples of two dimensions."""

    def __init__(self, history):
        self.history = history
        self.row, self.pixel, self.seen, self.missed, self.next, self.pause = 0, 1, 0, 0, 8192, 2048
        self.weights = [[0] * 16 for _ in range(4)]

    def add(self, byte):
        """Another byte has come."""
        if self.row:
            step = ((256 * byte - self.forecast) << 15) // (sum(x * x for x in self.inputs) + 64)
            weights = self.weights[self.place]
            for i, x in enumerate(self.inputs):
                weights[i] = clamp(weights[i] + (step * x >> 8), -(1 << 24), 1 << 24)
        if len(self.history.bytes) >= self.next:
            self.look()
        if self.row:
            self.foretell()

    def leap(self):
        """Many bytes have come that were not coded one by one."""
        if self.row:
            self.foretell()

    def look(self):
        n = len(self.history.bytes)
        found = self.rows(n)
        if found and found[0] == self.seen:
            self.row, self.pixel = found
        elif found:
            self.seen = found[0]
        again = found is not None and found[0] == self.row
        self.missed = 0 if again else self.missed + 1
        if self.missed == 3:
            self.row = 0
        if found:
            self.pause = min(2 * self.pause, 32768) if again else 4096
        else:
            self.pause = 16384 if self.row else min(2 * self.pause, 131072)
        self.next = n + self.pause

    def rows(self, n):
        """The lengths of rows and pixels, if there seem to be any."""
        h = min(n // 2, 4096)
        g = min(n - h, 16384)
        back = np.array([self.history.b(i) for i in range(1, h + g + 1)], np.int64)
        samples = back[0:h:7].tolist()
        if 20 * sum(9 <= x <= 13 or 32 <= x <= 126 for x in samples) > 19 * len(samples):
            return None
        differences = [0] + sum(np.minimum(abs(back[i] - back[i + 1 : i + 1 + g]), 32) for i in range(0, h, 7)).tolist()
        p = min(range(1, 5), key=lambda d: differences[d] * (64 + d))
        l = min(range(32, g + 1), key=lambda d: differences[d])
        median = sorted(differences[32:])[(g - 31) // 2]
        if 10 * differences[l] >= 7 * median or 10 * differences[p] >= 7 * median:
            return None
        if 32 <= self.seen <= g and 4 * differences[self.seen] <= 5 * differences[l]:
            r = self.seen
        else:
            parts = (l // k for k in range(8, 0, -1) if l % k == 0)
            r = next(part for part in parts if part >= 32 and 16 * differences[part] <= 17 * differences[l])
        between = sum(min(abs(back[i] - (back[i + p] + back[i + r]) // 2), 32) for i in range(0, h, 7))
        times = 16 if r == self.row else 12 if 10 * differences[r] < 3 * median else 9
        return (r, p) if 8 * between <= times * min(differences[r], differences[p]) else None

    def foretell(self):
        row, pixel, b = self.row, self.pixel, self.history.b
        self.place = len(self.history.bytes) % pixel
        near = [pixel, row, row + pixel, row - pixel, 2 * pixel, 2 * row, row - 2 * pixel, row + 2 * pixel]
        near += [2 * row - pixel, 2 * row + pixel, 3 * pixel]
        near += [1, 1 + pixel, 1 + row] if pixel > 1 else []
        near += [2, 2 + pixel] if pixel > 2 else []
        both = b(pixel) + b(row)
        self.inputs = [2 * b(n) - both for n in near]
        self.forecast = 128 * both + (sum(w * x for w, x in zip(self.weights[self.place], self.inputs)) >> 9)
        self.forecast = clamp(self.forecast, 0, 65280)

    def unevenness(self):
        row, pixel, b = self.row, self.pixel, self.history.b
        w, a, x, z = b(pixel), b(row), b(row + pixel), b(row - pixel)
        return abs(w - x) + abs(a - x) + abs(a - z)

    def contexts(self):
        """The hashes of a picture's contexts."""
        row, pixel, b = self.row, self.pixel, self.history.b
        w, a, x, z = b(pixel), b(row), b(row + pixel), b(row - pixel)
        a2, z2, b1, bw, ba = b(2 * row), b(2 * row - pixel), b(1), b(1 + pixel), b(1 + row)

        def c(x):
            return clamp(x, 0, 255)

        g, f, place = c(w + a - x), (self.forecast + 128) // 256, self.place
        hashes = [
            combine(900, self.forecast // 128),
            combine(901, g | abs(a - x) // 8 << 8 | abs(w - x) // 8 << 16),
            combine(902, f | abs(w - a) // 4 << 16),
            combine(903, a | z << 8),
            combine(904, w // 4 | a // 4 << 8 | x // 4 << 16 | z // 4 << 24),
            combine(905, c(a + z - z2) | w // 8 << 8),
            combine(906, (w + z) // 2 | g // 8 << 8 | place << 16),
            combine(907, min(max(2 * w + z - x, 0) // 2, 255) | b1 // 8 << 8),
            combine(908, c(w + b1 - bw) | a // 16 << 8 | place << 16),
            combine(909, c(a + b1 - ba) | w // 16 << 8 | place << 16),
            combine(910, c(2 * a - a2) | w // 8 << 8),
        ]
        if pixel > 2 and not self.history.thorough:
            hashes[3:5] = hashes[8:10]
        return hashes


# -------------------------------------------------------------------------------------- §7.4: bit histories


def make_states():
    """For every state: the pair of counts, and the states that follow after 0 and after 1.

    The last three are none. They are in a prior's histories at most (§8), and count as having seen nothing.
    """
    most = (41, 26, 11, 7, 6, 5)

    def allowed(zeros, ones):
        return min(zeros, ones) < 6 and max(zeros, ones) <= most[min(zeros, ones)]

    states = [(0, 0, 0)]
    for total in range(1, 43):
        for ones in range(total + 1):
            if allowed(total - ones, ones):
                states += [(total - ones, ones, last) for last in (0, 1) if (total - ones, ones)[last]]
    number = {state: i for i, state in enumerate(states)}

    def follow(state, bit):
        counts = list(state[:2])
        counts[bit] += 1
        if counts[1 - bit] > 2:
            counts[1 - bit] = counts[1 - bit] // 2 + 1
        while not allowed(*counts):
            counts[bit if counts[bit] > counts[1 - bit] else 1 - bit] -= 1
        return number[counts[0], counts[1], bit]

    follows = [(follow(state, 0), follow(state, 1)) for state in states]
    return states + [(0, 0, 0)] * 3, follows + [(0, 0)] * 3


STATES, FOLLOW = make_states()
PRIORITY = [zeros + ones for zeros, ones, _ in STATES]
STATE_INITIAL = [min(65536 * (2 * ones + 1) // (2 * (zeros + ones) + 2), 65535) for zeros, ones, _ in STATES]


class BitHistories:
    """The table of slots, and the copies of slots in which the contexts work."""

    def __init__(self, size):
        self.table = bytearray(size)
        self.copies = []  # of each context: its slot's place in the table, the slot
        self.node = 1

    def fetch(self, contexts, mid):
        """Fetches a slot for every context; returns how many contexts are known."""
        table, buckets, known = self.table, len(self.table) // 64, 0
        self.copies, self.node = [], 1
        for context in contexts:
            x = hash64(context, mid)
            bucket, check = 64 * ((x >> 32) % buckets), x >> 24 & 255
            slots = range(bucket, bucket + 64, 16)
            for at in slots:
                if table[at] == check and table[at + 1]:
                    self.copies.append((at, table[at : at + 16]))
                    known += 1
                    break
            else:
                at = min(slots, key=lambda at: PRIORITY[table[at + 1]])  # the first of the least
                self.copies.append((at, bytearray([check]) + bytes(15)))
        return known

    def write_back(self):
        for at, slot in self.copies:
            self.table[at : at + 16] = slot

    def states(self):
        return [slot[self.node] for _, slot in self.copies]

    def learn(self, bit):
        node = self.node
        for _, slot in self.copies:
            slot[node] = FOLLOW[slot[node]][bit]
        self.node = 2 * node + bit


# ------------------------------------------------------------------------------ §7.5: runs, counts, matches


class Runs:
    """Which token came last after the last 2, 4, 6 tokens, and how often in a row."""

    def __init__(self, size):
        self.size = size
        self.entries = {}  # place: (check, last token, token before it or None, row)
        initial = []
        for _ in range(3):
            for which in range(2):
                for row_class in range(8):
                    initial += [2 + (0 if which else 2 * row_class) + depth for depth in range(12)]
        self.confidence = Adaptive([65535 * o // (o + 1) for o in initial], 2, 255)

    def begin(self, history):
        self.places, g = [], 601
        for n in (1, 2, 3):
            g = combine(g, history.t(2 * n - 1), history.t(2 * n))
            x = hash64(g, 0x5A5A5A5A)
            place, check = (x >> 32) % self.size, x >> 8 & 0xFFFF
            entry = self.entries.get(place)
            self.places.append((place, check, entry if entry and entry[0] == check else None))

    def inputs(self, lo, mid, hi, depth):
        self.expected, inputs = [], []  # expected: (which confidence, bit)
        for n, (_, _, found) in enumerate(self.places):
            value = 0
            if found:
                _, last, before, row = found
                row_class = row - 1 if row <= 4 else min(floor_log2(row) + 2, 7)
                which = 0 if lo <= last < hi else 1 if before is not None and lo <= before < hi else None
                if which is not None:
                    bit = (before if which else last) >= mid
                    i = ((n * 2 + which) * 8 + row_class) * 12 + min(depth, 11)
                    self.expected.append((i, bit))
                    value = self.confidence.stretch(i) if bit else -self.confidence.stretch(i)
            inputs.append(value)
        return inputs

    def learn(self, bit):
        for i, expected in self.expected:
            self.confidence.learn(i, bit == expected)

    def end(self, token):
        for place, check, found in self.places:
            if not found:
                self.entries[place] = (check, token, None, 1)
            elif found[1] == token:
                self.entries[place] = (check, token, found[2], min(found[3] + 1, 255))
            else:
                self.entries[place] = (check, token, found[1], 1)


MATCH_CLASS = [bisect_left((0, 1, 2, 3, 4, 5, 6, 8, 12, 16, 24, 32, 64, 200, 1000), n) for n in range(1002)]


class Candidate:
    """A place that is followed: what predicts the next token of a stream."""

    stream = position = length = 0
    misses = 0  # the last eight outcomes, the latest in bit 0; 1 is a miss
    predicted = None


class Match:
    def __init__(self, minimum, bits, streams):
        self.minimum, self.bits = minimum, bits
        self.stream_bits = streams.bit_length()  # 2^k is the least power of two ≥ streams + 1
        self.table = {}  # upper bits of a hash: place
        self.candidates = [Candidate() for _ in range(streams)]
        initial = []
        for length_class in range(16):
            for misses in range(4):
                initial += [((2 + 3 * length_class + 2 * depth) >> misses) + 1 for depth in range(16)]
        self.confidence = Adaptive([65535 * o // (o + 1) for o in initial], 2, 400)

    def entry(self, tokens):
        """The number of the table's entry for the last tokens."""
        return combine(0, *tokens[: -self.minimum - 1 : -1]) >> (32 - self.bits)

    def enter(self, at, stream, position):
        place = position << self.stream_bits | stream
        if place <= M32:
            self.table[at] = place

    def begin(self, s, histories):
        """Before a token of stream s: what is predicted?"""
        c, tokens = self.candidates[s], histories[s].tokens
        self.current = c
        if not tokens:
            return
        # 1.
        predicted_before = c.predicted is not None
        if predicted_before:
            hit = c.predicted == tokens[-1]
            c.misses = (c.misses << 1 | (not hit)) & 255
            c.length = min(c.length + 1, 65535) if hit else 0
            c.position += 1
        # 2.
        if len(tokens) >= self.minimum:
            at = self.entry(tokens)
            place = self.table.get(at, 0)
            if c.length == 0 and place:
                stream, position = place & ((1 << self.stream_bits) - 1), place >> self.stream_bits
                equal, there = 0, histories[stream].tokens
                while equal < min(48, position, len(tokens)) and there[position - 1 - equal] == tokens[-1 - equal]:
                    equal += 1
                if equal >= self.minimum:
                    c.stream, c.position, c.length = stream, position, equal
                    c.misses = c.misses & 3 if predicted_before else 0
            self.enter(at, s, len(tokens))
        # 3.
        c.predicted = None
        if c.length or (predicted_before and c.misses != 255):
            there = histories[c.stream].tokens
            if c.position < len(there):
                c.predicted = there[c.position]
        if c.predicted is None:
            c.length = 0

    def input(self, lo, mid, hi, depth):
        c = self.current
        self.match_class, self.bit = 0, None
        if c.predicted is None or not lo <= c.predicted < hi:
            return 0
        length_class = MATCH_CLASS[min(c.length, 1001)]
        self.match_class = max(length_class, 1)
        self.bit = int(c.predicted >= mid)
        self.i = (length_class * 4 + min((c.misses & 15).bit_count(), 3)) * 16 + min(depth, 15)
        value = self.confidence.stretch(self.i)
        return value if self.bit else -value

    def learn(self, bit):
        if self.bit is not None:
            self.confidence.learn(self.i, bit == self.bit)


# -------------------------------------------------------------------------- §7.2, §7.6 to §7.8: sizes, head, mixing, leaps


def table_sizes(l, m, kind):
    """§7.2. log2 of the sizes of histories, runs and last map."""
    return min(l + 6, m - 1), min(l, 21, m - 6), min(clamp(l - 3, 7, 14 if kind == 2 else 12), m - 8)


def rate(n, start, end, half):
    return end + (start - end) * half // (half + n)


class Head:
    """§7.6. The correction of what the transformer foretells at each node."""

    def __init__(self, nodes, width, m):
        self.width = width
        self.on = 2 * ((width + 15) // 16 * 16) * nodes <= 1 << (m - 3)
        if self.on:
            self.weights, self.counts = np.zeros((nodes, width), np.int64), [0] * nodes

    def begin(self, q):
        q = q.astype(np.int64)
        factor = math.isqrt((self.width << 44) // max(int((q * q).sum()), 1))
        self.x = np.clip((q * factor + (1 << 15)) >> 16, -2047, 2047)

    def input(self, mid, f):
        if not self.on:
            return 0
        self.mid = mid
        total = int((self.weights[mid] * self.x).sum()) + (1 << 13)
        total = ((total + (1 << 31)) & M32) - (1 << 31)  # wrap32
        correction = clamp(total >> 14, -3072, 3072)
        self.p = squash(f + correction)
        return correction

    def learn(self, bit):
        if not self.on:
            return
        n = self.counts[self.mid]
        step = (65536 * bit - self.p) * (3072 + 19456 * 64 // (64 + n)) >> 16
        self.counts[self.mid] = min(n + 1, 65535)
        change = (((self.x * 16 * step) >> 14) + 1) >> 1
        self.weights[self.mid] = np.clip(self.weights[self.mid] + change, -(1 << 15), (1 << 15) - 1)


class Leaps:
    """§7.8. Many bytes at once, where the long match has lasted long."""

    def __init__(self):
        self.most = 2048
        self.probability = Adaptive([58253] * 12, 2, 255)

    def decode(self, coder, histories, long, short, to_come):
        """Decodes at most one leap; returns how many bytes it added to the first history (the others: a prior's)."""
        history, c = histories[0], long.candidates[0]
        stream, there = c.stream, histories[c.stream].tokens
        foretold = c.predicted is not None and c.predicted == history.tokens[-1]
        n, q = (c.length + 1, c.position + 1) if foretold else (0, 0)
        if n < 16:
            self.most = 2048
            return 0
        k = min(1 << floor_log2(n // 16), self.most, 1 << floor_log2(to_come))
        if k < 64 or (stream != 0 and q + k > len(there)):
            return 0
        i = 2 * floor_log2(k // 64) + (self.most < 2048)
        bit = coder.decide(clamp(self.probability.p[i] >> 6, 1, 65535))
        self.probability.learn(i, bit)
        if not bit:
            self.most = k // 4
            return 0
        self.most = min(2 * self.most, 2048)
        for j in range(q, q + k):  # what is not there yet has been added when it is needed
            history.add(there[j], bytes([there[j]]), leapt=True)
        history.picture.leap()
        for match in (long, short):
            c = match.candidates[0]
            c.stream, c.position, c.length, c.misses = stream, q + k - 1, min(n + k - 1, 65535), 0
            c.predicted = history.tokens[-1]
        return k


class Experts:
    """All experts and the mixer of a frame. For each token: begin; for each decision probability, learn; end."""

    def __init__(self, histories, content_length, kind, memory, vocabulary_size, width, manner):
        l, m = max(10, (content_length - 1).bit_length()), memory
        tokens, thorough, light = kind == 2, manner == "thorough", manner == "light"
        self.kind, self.histories, self.thorough = kind, histories, thorough
        # The contexts and the sets of weights that take part.
        self.active = range(10 if tokens else 32 if thorough else 14)
        self.sets = range(8 if thorough else 4)
        if light:
            self.active = [n for n in self.active if n not in (0, 2)]  # t2, b6
            self.sets = [0, 2]  # not by-match, by-last
        self.contexts = len(self.active)
        histories_size, runs_size, last_map_size = table_sizes(l, m, kind)
        self.slots = BitHistories(1 << histories_size)
        self.maps = [Adaptive(STATE_INITIAL, 0, 255) for _ in range(self.contexts)]
        self.runs = Runs(1 << runs_size) if (tokens and not light) or thorough else None
        self.plain = Adaptive([32768] * vocabulary_size, 0, 255)
        bits = min(l, 22, m - 5)
        self.long = Match(6 if tokens else 16, bits, len(histories))
        self.short = Match(3 if tokens else 6, bits, len(histories))
        self.head = Head(vocabulary_size, width, m) if tokens and not light else None
        self.leaps = Leaps()
        self.last_map = APM(1 << last_map_size, 6)
        # All sets of weights lie in one table; `base` is where each begins.
        if tokens:
            n, runs = self.contexts, 3 if self.runs else 0
            initial = [1000] * n + [0] * n + [2000] * runs + [1000, 2000, 2000] + [65536, 0, 2700, 0]
            sizes = (1024 + 4 * 24, 6, 2048, 2048)
        elif thorough:
            initial = [4000] * 32 + [0] * 32 + [4000] * 6 + [0]
            sizes = (256, 8 * (256 + 8), 2048, 2048, 4112, 2048, 256, 2048)
        else:
            initial = [10000] * 14 + [0] * 14 + [10000] * 3 + [0]
            sizes = (256, 8 * (256 + 8), 2048, 2048)
        self.sizes, self.base = sizes, [sum(sizes[:i]) for i in range(len(sizes))]
        self.weights = np.tile(np.array(initial, np.int64), (sum(sizes), 1))
        self.counts = [0] * sum(sizes)
        self.rate = (1 << 17, 30000, 4000) if tokens else (1 << 18, 24000, 500 if thorough else 1000)
        self.last_weights = [[65536 // len(self.sets)] * len(self.sets) for _ in range(16 if tokens else 128)]
        self.last_rate = 8192 if tokens else 16384

    def leap(self, coder, to_come):
        """§7.8. Leaps as long as there are any; returns their bytes."""
        begin = left = to_come
        while left and (k := self.leaps.decode(coder, self.histories, self.long, self.short, left)):
            left -= k
        return begin - left

    def begin(self, s, prediction):
        self.history = self.histories[s]
        if self.head:
            self.head.begin(prediction.q)
        hashes = self.history.contexts()
        self.hashes = [hashes[n] for n in self.active]
        self.b1 = self.history.b(1)
        kinds = self.history.kinds & 0xFFFF
        self.by_kinds = [combine(700, kinds) >> 21, combine(701, kinds) >> 21]
        self.last_kinds, self.place = kinds, self.history.place()
        self.by_pair = combine(1, self.history.t(1), self.history.t(2)) >> 21
        if self.runs:
            self.runs.begin(self.history)
        self.long.begin(s, self.histories)
        self.short.begin(s, self.histories)
        self.path = 1
        self.scan = self.history.jpeg.scan if self.kind == 1 else None

    def end(self, token):
        self.slots.write_back()
        if self.runs:
            self.runs.end(token)

    def probability(self, lo, mid, hi, depth, left, right):
        """The probability of yes at the node [lo, hi)."""
        tokens = self.kind == 2
        if self.scan:
            self.fetch_in_scan()
        elif depth % 4 == 0:
            self.slots.write_back()
            self.known = self.slots.fetch(self.hashes, mid)
        self.mid = mid

        # Inputs.
        self.states = self.slots.states()
        f = logodds(right, left) if tokens else 0
        stretches, distances = [], []
        for entry, state in zip(self.maps, self.states):
            p = entry.p[state] >> 6
            stretches.append(beyond(STRETCH[p >> 4], f) if state else 0)
            distances.append((p - 32768) >> 5 if state else 0)
        x = stretches + distances
        if self.runs:
            x += [beyond(odds, f) if odds else 0 for odds in self.runs.inputs(lo, mid, hi, depth)]
        x.append(self.plain.stretch(mid))
        for match in self.long, self.short:
            odds = match.input(lo, mid, hi, depth)
            x.append(beyond(odds, f) if odds else 0)
        depth = min(depth, 23)
        if tokens:
            x += [f, (squash(f) - 32768) >> 5, clamp(3 * self.head.input(mid, f), -8191, 8191) if self.head else 0]
        x.append(256)
        self.x = np.array(x, np.int64)

        # The vector of each set.
        order = 4 * self.known // (self.contexts + 1)
        long, short = self.long.match_class, self.short.match_class
        if tokens:
            chosen = [
                self.path if depth < 10 else 1024 + 4 * depth + order,
                2 + long // 4 if long else int(short > 0),
                self.by_kinds[depth >= 4],
                self.by_pair,
            ]
            by_last, by_map = long, combine(mid, self.b1)
        else:
            chosen = [
                self.path if depth < 8 else 0,
                8 * self.place + min(depth, 7),
                self.by_kinds[depth >= 4],
                8 * self.b1 + min(depth, 7),
            ]
            if self.thorough:
                history, level = self.history, min(depth, 7)
                chosen += [
                    history.offset(),
                    8 * history.north + level,
                    16 * long + 2 * order + (short > 0),
                    8 * history.b(2) + level,
                ]
            by_last, by_map = 8 * short + order, combine(mid, self.last_kinds)
            if self.scan:
                chosen, by_last = self.scan.sets()
                by_map = combine(*self.scan.of_last_map())
        self.chosen = [self.base[n] + chosen[n] for n in self.sets]

        # First and last layer.
        self.vectors = self.weights[self.chosen]
        sums = (((self.vectors >> 1) * self.x) >> 5).sum(axis=1) >> 10
        self.outputs = [clamp(x, -3072, 3072) for x in sums.tolist()]
        self.last = self.last_weights[by_last]
        self.m = clamp(sum(((w >> 1) * x) >> 5 for w, x in zip(self.last, self.outputs)) >> 10, -3072, 3072)
        p = squash(self.m)
        refined = self.last_map.at(self.m, by_map % self.last_map.contexts)
        return clamp((p + refined + 1) >> 1, 1, 65535)

    def fetch_in_scan(self):
        """§7.9. Slots are those of code words and values, wherever in a byte these are."""
        jpeg = self.history.jpeg
        if jpeg.anew or self.slots.node >= 16:
            hashes = self.history.contexts()
            self.slots.write_back()
            self.known = self.slots.fetch([hashes[n] for n in self.active], self.scan.node)
            jpeg.anew = False

    def learn(self, bit):
        self.path = 2 * self.path + bit
        # Mixer.
        counts = [self.counts[i] for i in self.chosen]
        rates = [rate(n if n < 1024 else n // 64 * 64, *self.rate) for n in counts]
        for i in self.chosen:
            self.counts[i] = min(self.counts[i] + 1, 65535)
        steps = [(65536 * bit - squash(output)) * r >> 16 for output, r in zip(self.outputs, rates)]
        steps = np.array(steps, np.int64)
        change = (self.x * steps[:, None] + (1 << 15)).astype(np.int32) >> 16  # to i32: wrap32
        self.weights[self.chosen] = np.clip(self.vectors + change, -(1 << 19) + 1, (1 << 19) - 1)
        step = (65536 * bit - squash(self.m)) * self.last_rate >> 16
        for i, output in enumerate(self.outputs):
            self.last[i] = clamp(self.last[i] + ((output * step + (1 << 15)) >> 16), -(1 << 19) + 1, (1 << 19) - 1)
        self.last_map.learn(bit)
        # Experts.
        for entry, state in zip(self.maps, self.states):
            entry.learn(state, bit)
        self.slots.learn(bit)
        self.plain.learn(self.mid, bit)
        self.long.learn(bit)
        self.short.learn(bit)
        if self.runs:
            self.runs.learn(bit)
        if self.head:
            self.head.learn(bit)
        if self.scan:
            self.history.jpeg.bit(bit)


# ------------------------------------------------------------------------------------------------ §8: priors


class Prior:
    """The prior's file: what was learnt before any frame, over a model's tokens and over bytes."""

    def __init__(self, path):
        data = Path(path).read_bytes()
        reader = Reader(data)
        if reader.take(3) != b"\xf6vp":
            raise Reject("not a prior's magic")
        if (version := reader.integer(1)) != 1:
            raise Reject(f"version {version} of priors' files; this is a decoder of version 1")
        self.model = reader.take(8)
        over_tokens, over_bytes = reader.integer(8), reader.integer(8)
        stream = zlib.decompressobj()
        try:
            states = stream.decompress(reader.take(len(data) - 8 - reader.at))
        except zlib.error as reason:
            raise Reject(f"the prior's file is damaged: {reason}") from None
        if not stream.eof or stream.unused_data or len(states) != over_tokens + over_bytes:
            raise Reject("the prior's file has not the states whose lengths it claims")
        self.over_tokens, self.over_bytes = states[:over_tokens], states[over_tokens:]
        self.identity = blake3(data[:28] + states).digest()[:8]
        if reader.take(8) != self.identity:
            raise Reject("the prior's file is damaged: it has not the identity that it claims")

    def state(self, kind, model, memory, experts, width, vocabulary):
        """The state for a frame."""
        if kind == 2 and self.model != model.hash[:8]:
            raise Reject("the prior belongs to another model")
        return State(self.over_tokens if kind == 2 else self.over_bytes, kind, memory, experts, width, vocabulary)


class State:
    """What was learnt for one kind of frame."""

    def __init__(self, data, kind, memory, experts, width, vocabulary):
        reader = Reader(data)
        if reader.take(4) != b"VXP\5":
            raise Reject("not the magic of a prior's state")
        if reader.integer(8) != fingerprint(experts, width, vocabulary):
            raise Reject("the prior was learnt with other experts or another vocabulary")
        self.sizes = [reader.integer(1) for _ in range(3)]  # log2, of histories, runs and last map
        if self.sizes[0] < 6 or any(n > most for n, most in zip(self.sizes, table_sizes(32, memory, kind))):
            raise Reject("sizes of a prior's tables out of range")
        count = reader.integer(4)
        if count > 65536:
            raise Reject("a prior that remembers too many tokens")
        self.remembered = [reader.integer(2) for _ in range(count)]
        if any(token >= len(vocabulary) for token in self.remembered):
            raise Reject("a prior remembers a token that the vocabulary does not have")
        self.difference = Difference(reader)


def fingerprint(experts, width, vocabulary):
    """FNV-1a with 64 bits."""
    data = experts.to_bytes(8, "little") + width.to_bytes(4, "little")
    data += b"".join(len(token).to_bytes(4, "little") + token for token in vocabulary)
    h = 0xCBF29CE484222325
    for byte in data:
        h = ((h ^ byte) * 0x100000001B3) & M64
    return h


class Difference:
    """All tables xor those of a frame that has learnt nothing, as runs of zero bytes and of others."""

    def __init__(self, reader):
        self.reader = reader
        self.zeros = self.others = 0  # what is left of the run at hand

    def number(self):
        """LEB128."""
        value = 0
        for place in range(9):
            byte = self.reader.integer(1)
            value |= (byte & 127) << 7 * place
            if byte < 128:
                return value
        raise Reject("a number of more than nine bytes")

    def take(self, n):
        taken = bytearray()
        while len(taken) < n:
            if self.zeros == self.others == 0:
                self.zeros, self.others = self.number(), self.number()
                if self.zeros == self.others == 0:
                    raise Reject("a run of nothing in a prior's difference")
            zeros = min(self.zeros, n - len(taken))
            taken += bytes(zeros)
            others = min(self.others, n - len(taken))
            taken += self.reader.take(others)
            self.zeros, self.others = self.zeros - zeros, self.others - others
        return taken

    def table(self, initial):
        """The next table; `initial` is what a frame has that has learnt nothing, in entries of the right size."""
        return initial ^ np.frombuffer(self.take(initial.nbytes), initial.dtype).reshape(initial.shape)

    def end(self):
        if self.zeros or self.others or self.reader.at != len(self.reader.data):
            raise Reject("a prior's difference does not end with the last table")


def start_from(experts, state, vocabulary):
    """Puts what was learnt into all tables of a frame, in the order of the page."""
    difference, tokens = state.difference, experts.kind == 2
    histories_size, runs_size, last_map_size = (1 << size for size in state.sizes)
    read_histories(experts.slots, difference, histories_size)
    for each in experts.maps:
        read_adaptive(each, difference)
    read_weights(experts, difference)
    read_last_map(experts.last_map, difference, last_map_size)
    if tokens and experts.head.on:
        read_head(experts.head, difference)
    read_adaptive(experts.plain, difference)
    read_adaptive(experts.long.confidence, difference)
    read_adaptive(experts.short.confidence, difference)
    if tokens:
        read_adaptive(experts.runs.confidence, difference)
    read_runs(experts.runs, difference, runs_size)
    read_adaptive(experts.leaps.probability, difference)
    difference.end()
    remember(experts, state.remembered, vocabulary)


def read_histories(slots, difference, size):
    table = difference.table(np.zeros(size, "u1")).tobytes()
    slots.table = bytearray(table * max(len(slots.table) // size, 1))


def read_adaptive(adaptive, difference):
    entries = difference.table(np.array([p << 10 | n for p, n in zip(adaptive.p, adaptive.n)], "<u4")).tolist()
    adaptive.p, adaptive.n = [entry >> 10 for entry in entries], [entry & 1023 for entry in entries]


def read_weights(experts, difference):
    """The weights of the sets and of the last layer, and how many decisions each vector has learnt."""
    tokens, contexts, inputs = experts.kind == 2, experts.contexts, experts.weights.shape[1]
    # Stretches, distances, then runs (of tokens), plain counts and matches; 0 for all others.
    initial = [10000] * contexts + [0] * contexts + [10000] * (6 if tokens else 3)
    initial = np.array(initial + [0] * (32 - len(initial)), "<i4")
    weights, counts = [], []
    for size in experts.sizes:
        weights.append(difference.table(np.tile(initial, (size, 1))))
        counts.append(difference.table(np.zeros(size, "<u2")))
    vectors = len(experts.last_weights)
    last = difference.table(np.tile(np.array([16384] * 4 + [0] * 4, "<i4"), (vectors, 1)))
    last_counts = difference.table(np.zeros(vectors, "<u2"))  # the last layer's rate does not depend on them
    counts = np.concatenate(counts)
    if not tokens or counts.any() or last_counts.any():  # else they start as §7.7 says for frames with a transformer
        experts.weights = clip_weights(np.concatenate(weights)[:, :inputs].astype(np.int64))
    experts.counts, experts.last_weights = counts.tolist(), clip_weights(last[:, :4]).tolist()


def clip_weights(weights):
    return np.clip(weights, -(1 << 19) + 1, (1 << 19) - 1)


def read_last_map(last_map, difference, size):
    points = difference.table(np.array(APM(size, 6).points, "<u2")).tolist()
    last_map.points = points * max(last_map.contexts // size, 1)
    last_map.contexts = max(last_map.contexts, size)


def read_head(head, difference):
    nodes, width = head.weights.shape
    padded = (width + 15) // 16 * 16
    head.weights = difference.table(np.zeros((nodes, padded), "<i2"))[:, :width].astype(np.int64)
    head.counts = difference.table(np.zeros(nodes, "<u2")).tolist()


def read_runs(runs, difference, size):
    table = difference.table(np.zeros(size, "<u8")).tolist()
    if not runs:
        return  # over bytes the table is there, but nobody looks at it
    table = table * max(runs.size // size, 1)
    runs.size = len(table)
    for place, entry in enumerate(table):
        check, row, before, last = entry >> 48, entry >> 32 & 0x7FFF, entry >> 16 & 0xFFFF, entry & 0xFFFF
        if row:
            runs.entries[place] = (check, last, before if entry >> 47 & 1 else None, row)


def remember(experts, tokens, vocabulary):
    """The remembered tokens are the stream after the frame's own: matches find their candidates there."""
    stream, history = len(experts.histories), History(0, experts.kind, experts.thorough)
    experts.histories = experts.histories + [history]
    for token in tokens:
        history.add(token, vocabulary[token])
        for match in experts.long, experts.short:
            if len(history.tokens) >= match.minimum:
                match.enter(match.entry(history.tokens), stream, len(history.tokens))


# ------------------------------------------------------------------------------------------ §11: the vectors

SHIPPED = ("swift", "base", "deep")
MESSAGES = {"message-models.raw": 2}  # how many of these were chosen from; one for the others
SLOW = ("frames.vtc", "tokens-turns.vtc")  # passed over without --all


def check_golden(models, everything):
    different = 0
    for path in sorted(p for p in (ROOT / "tests" / "golden").iterdir() if p.suffix in (".vtc", ".raw")):
        if path.name in SLOW and not everything:
            print(f"{path.name}: passed over, as it takes minutes (--all decodes it)")
            continue
        begin = time.monotonic()
        try:
            beside = path.with_suffix(".vtp")
            content = decode_file(path, models, [Prior(beside)] if beside.exists() else [])
            right = content == path.with_name(path.name + ".content").read_bytes()
            verdict = f"{len(content)} bytes, " + ("right" if right else "WRONG")
        except Unsupported as reason:
            right, verdict = True, f"passed over: {reason}"
        except Reject as reason:
            right, verdict = False, f"REJECTED: {reason}"
        different += not right
        print(f"{path.name}: {verdict} ({time.monotonic() - begin:.1f} s)", flush=True)
    return 1 if different else 0


def decode_file(path, models, priors):
    if path.suffix == ".raw":
        models, prior = models[: MESSAGES.get(path.name, 1)], priors[0] if priors else None
        return decode_message(path.read_bytes(), models, prior=prior)
    return decode(path.read_bytes(), models, priors)


def load(what, path):
    try:
        return what(path)
    except Reject as reason:
        sys.exit(f"{path}: {reason}")


def main():
    parser = argparse.ArgumentParser(description="An independent decoder of the vatic format.")
    parser.add_argument("--model", type=Path, action="append", help="a model file; all of the repository's without it")
    parser.add_argument("--prior", type=Path, action="append", default=[], help="a prior that frames may name")
    parser.add_argument("--all", action="store_true", help="do not pass over the slow vectors")
    parser.add_argument("files", nargs="*", type=Path)
    arguments = parser.parse_args()
    shipped = [ROOT / "models" / name / "model.safetensors" for name in SHIPPED]
    models = [load(Model, path) for path in arguments.model or shipped]
    priors = [load(Prior, path) for path in arguments.prior]
    if not arguments.files:
        return check_golden(models, arguments.all)
    for path in arguments.files:
        try:
            sys.stdout.buffer.write(decode_file(path, models, priors))
        except (Reject, Unsupported) as reason:
            print(f"{path}: {reason}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
