"""§2.7: the content of copied frames; a part of decoder.py, and like it written from docs/format.md alone."""

from reader import Reject


def read_copies(recipe, content_length):
    """Gap, length and distance of each copy; also how long the rest is."""
    copies, distance, gaps, copied = [], 0, 0, 0
    while recipe.at < len(recipe.data):
        gap, length, turn = recipe.number(), recipe.number(), recipe.number()
        distance += -(turn + 1 >> 1) if turn & 1 else turn >> 1
        gaps, copied = gaps + gap, copied + length
        if length == 0 or distance < 1:
            raise Reject("a copy of nothing, or from nowhere")
        if gaps + copied > content_length:
            raise Reject("gaps and copies longer than the content")
        copies.append((gap, length, distance))
    return copies, content_length - copied


def put_together(copies, rest, before):
    """The content: copies, and the rest in the gaps and behind them; `before` is what may be copied of earlier frames."""
    content = bytearray(before)
    for gap, length, distance in copies:
        content += rest.take(gap)
        start = len(content) - distance
        if start < 0:
            raise Reject("a copy from beyond the window")
        piece = content[start : start + length]  # all there is so far; it goes on with its own copy
        content += (piece * -(-length // len(piece)))[:length]
    return bytes(content[len(before) :]) + rest.take(len(rest.data) - rest.at)
