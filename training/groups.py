"""The token tree, and the groups of tokens that the model's head predicts first: as crates/vatic-coder has them."""

import bisect
import heapq

MAX_DEPTH = 24
LARGEST = 32


def split_point(sums: list[int], lo: int, hi: int, levels: int) -> int:
    """Where the tree divides the ids lo..hi, with so many levels left (docs/format.md, section 5)."""
    room = hi - lo if levels > 16 else 1 << (levels - 1)
    half = (sums[lo] + sums[hi]) // 2
    mid = bisect.bisect_left(sums, half, lo, hi + 1)
    if mid > lo and half - sums[mid - 1] <= max(0, sums[mid] - half):
        mid -= 1
    return min(max(mid, lo + 1, hi - room), hi - 1, lo + room)


def balanced(counts, number: int, limit: int = LARGEST) -> list[int]:
    """The first ids of `number` groups, each a subtree, that occur about equally often: always the one that occurs most is
    split, but first any of more than `limit` tokens."""
    plain, sums = [0], [0]
    for count in map(int, counts):
        plain.append(plain[-1] + count)
        sums.append(sums[-1] + 16 * count + 1)
    entry = lambda lo, hi, levels: (hi - lo <= limit, hi - lo <= 1, plain[lo] - plain[hi], lo, hi, levels)
    heap = [entry(0, len(counts), MAX_DEPTH)]
    while not heap[0][1] and (len(heap) < number or not heap[0][0]):
        *_, lo, hi, levels = heapq.heappop(heap)
        mid = split_point(sums, lo, hi, levels)
        heapq.heappush(heap, entry(lo, mid, levels - 1))
        heapq.heappush(heap, entry(mid, hi, levels - 1))
    return sorted(item[3] for item in heap)
