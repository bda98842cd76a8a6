"""§4.5: streams in unpacked frames; a part of decoder.py, and like it written from docs/format.md alone.

What the page says of zlib is done as the page says it, without zlib. The tables of deflate are those of RFC 1951.
Pictures are in progressive.py.
"""

from base64 import b64encode

from progressive import write_picture
from reader import Reader, Reject

END = 256  # the end-of-block symbol
STORED, FIXED, USUAL, OWN = range(4)


def write_streams(recipe, unpacked, content_length):
    """The content: streams, written again, and what is between them."""
    content = bytearray()
    for _ in range(recipe.number()):
        content += unpacked.take(recipe.number())
        content += write_stream(recipe, unpacked, content_length - len(content))
        if len(content) > content_length:
            raise Reject("streams longer than the content")
    if recipe.at != len(recipe.data):
        raise Reject("a recipe that is not used up")
    return bytes(content) + unpacked.take(len(unpacked.data) - unpacked.at)


def filter_rows(text, b, r):
    """The text of which these are the filters, the pixels of `r` bytes a row and the end."""
    if not 1 <= b <= 8 or not 1 <= r <= 1 << 28:
        raise Reject("rows that there are not")
    n = len(text) // (r + 1)
    filters, pixels = Reader(text[:n]), Reader(text[n:])
    out, before = bytearray(), bytes(r)
    for _ in range(n):
        kind, row = filters.integer(1), pixels.take(r)
        out.append(kind)
        for at, x in enumerate(row):
            left, corner = (row[at - b], before[at - b]) if at >= b else (0, 0)
            above = before[at]
            nearest = min(left, above, corner, key=lambda byte: abs(byte - (left + above - corner)))
            foretold = {1: left, 2: above, 3: (left + above) // 2, 4: nearest}.get(kind, 0)
            out.append((x - foretold) % 256)
        before = row
    return bytes(out) + pixels.take(len(text) - n * (r + 1))


def write_stream(recipe, unpacked, room):
    """A stream; of deflate with the pieces that stand between its bytes."""
    rules = recipe.number()
    if rules == 0:
        return write_picture(recipe, unpacked, room)
    if rules == 10:
        return write_base64(recipe, unpacked, room)
    level, filtered, h, w, pixels = rules & 15, rules >> 4 & 1, (rules >> 5 & 15) + 8, (rules >> 9 & 7) + 9, rules >> 12
    if not 1 <= level <= 9 or h > 16 or w > 15 or pixels > 1:
        raise Reject("rules out of range")
    pieces = [(recipe.number(), recipe.take(12)) for _ in range(recipe.number())]
    text = unpacked.take(recipe.number())
    if pixels:
        text = filter_rows(text, recipe.number(), recipe.number())
    rest = recipe.number()
    blocks = [read_block(recipe) for _ in range(recipe.number())]
    corrections = [read_correction(recipe) for _ in range(recipe.number())]

    tokens = Tokens(text, Foreteller(text, level, filtered, h, w), corrections)
    bits = BitWriter()
    for kind, final, count, own in blocks:
        bits.write(final, 1)
        bits.write(min(kind, 2), 2)
        if kind == STORED:
            stored = tokens.stored(count)
            bits.fill(0)
            bits.write(count, 16)
            bits.write(count ^ 0xFFFF, 16)
            bits.bytes += stored
        else:
            write_tokens(bits, kind, own, text, [tokens.next() for _ in range(count)])
    if tokens.at != len(text) or tokens.corrections:
        raise Reject("blocks that do not say the text, or too many corrections")
    bits.fill(rest)

    stream, content = Reader(bits.bytes), bytearray()
    for after, piece in pieces:
        content += stream.take(after) + piece
        if stream.at == len(stream.data):
            raise Reject("a piece behind the stream's last byte")
    return content + stream.data[stream.at :]


def write_base64(recipe, unpacked, room):
    """Base64: the characters, and what is between their lines."""
    text, width, between = unpacked.take(recipe.number()), recipe.number(), b""
    if width:
        size = recipe.number()
        if size > 255:
            raise Reject("too much between two lines")
        between = recipe.take(size)
    count = -(-len(text) // 3) * 4
    lines = -(-count // width) if width else 1
    if count + max(lines - 1, 0) * len(between) > room:
        raise Reject("lines longer than the content")
    characters = b64encode(text)
    return between.join(characters[at : at + width] for at in range(0, count, width)) if width else characters


def read_block(recipe):
    """Its kind, BFINAL, number of tokens or bytes, and the bits of own codes."""
    n = recipe.number()
    kind, final, count, own = n & 3, n >> 2 & 1, n >> 3, None
    if count > (65535 if kind == STORED else 1 << 20):
        raise Reject("a block too long")
    if kind == OWN:
        size = recipe.number()
        own = BitReader(recipe.take((size + 7) // 8), size)
    return kind, final, count, own


def read_correction(recipe):
    """A number of tokens, and the token after them: None for a byte, (length, distance) for a match."""
    after, length = recipe.number(), recipe.number()
    if length == 0:
        return after, None
    distance = recipe.number()
    if length > 256 or not 1 <= distance <= 32768:
        raise Reject("a match out of range")
    return after, (length + 2, distance)


class Tokens:
    """The tokens one after the other, foretold or corrected, and the bytes of stored blocks."""

    def __init__(self, text, foreteller, corrections):
        self.text, self.foreteller, self.corrections = text, foreteller, corrections[::-1]
        self.at = self.count = 0  # the place in the text; tokens since the last correction

    def next(self):
        """A place and its token: None for a byte, (length, distance) for a match."""
        p, left = self.at, len(self.text) - self.at
        if left == 0:
            raise Reject("a token at the text's end")
        token = self.foreteller.foretell(p)
        if self.corrections and self.corrections[-1][0] == self.count:
            _, token = self.corrections.pop()
            if token and (token[0] > left or token[1] > p):
                raise Reject("a match beyond the text")
            self.count = 0
        else:
            self.count += 1
        self.foreteller.learn(p, token)
        self.at += token[0] if token else 1
        return p, token

    def stored(self, count):
        if count > len(self.text) - self.at:
            raise Reject("a stored block longer than the text")
        self.at += count
        self.foreteller.pass_over(self.at)
        return self.text[self.at - count : self.at]


# good, lazy, nice and chain of each level.
LEVELS = (None, (4, 4, 8, 4), (4, 5, 16, 8), (4, 6, 32, 32), (4, 4, 16, 16), (8, 16, 32, 32), (8, 16, 128, 128))
LEVELS += ((8, 32, 128, 256), (32, 128, 258, 1024), (32, 258, 258, 4096))


class Foreteller:
    """Foretold tokens."""

    def __init__(self, text, level, filtered, h, w):
        self.text, self.level, self.filtered = text, level, filtered
        self.good, self.lazy, self.nice, self.chain = LEVELS[level]
        self.h, self.k, self.W, self.D = h, -(-h // 3), 1 << w, (1 << w) - 262
        self.head, self.before = {}, {}  # what is not there is 0
        self.inserted = 0  # places below this one were inserted, or never are
        self.waiting = None

    def insert(self, last):
        """All places up to this one."""
        t, k = self.text, self.k
        for p in range(self.inserted, min(last + 1, len(t) - 2)):
            hashed = (t[p] << 2 * k ^ t[p + 1] << k ^ t[p + 2]) & ((1 << self.h) - 1)
            self.before[p % self.W] = self.head.get(hashed, 0)
            self.head[hashed] = p
        self.inserted = max(self.inserted, last + 1)

    def search(self, p, m):
        """A match for p longer than m, or None."""
        t, n = self.text, len(self.text) - p
        if n < 3 or m >= n:
            return None
        c = self.before[p % self.W]
        if c == 0 or p - c > self.D:
            return None
        best, steps, found = m, self.chain // 4 if m >= self.good else self.chain, None
        while True:
            l = 0
            while l < min(258, n) and t[c + l] == t[p + l]:
                l += 1
            if l > best:
                best, found = l, c
                if l >= min(self.nice, n):
                    break
            c, steps = self.before[c % self.W], steps - 1
            if c <= max(0, p - self.D) or steps == 0:
                break
        if best == m or self.level >= 4 and (best == 3 and p - found > 4096 or self.filtered and best <= 5):
            return None
        return best, p - found

    def foretell(self, p):
        """The token at p."""
        match, self.waiting = self.waiting, None
        if match is None:
            self.insert(p)
            match = self.search(p, 2)
        if match is None or self.level <= 3 or match[0] >= self.lazy:
            return match
        self.insert(p + 1)
        self.waiting = self.search(p + 1, match[0])
        return None if self.waiting else match

    def learn(self, p, token):
        """The token that comes at p, foretold or not."""
        if token is None:
            self.insert(p)
            return
        self.waiting, (length, _) = None, token
        if self.level <= 3 and (length > self.lazy or p + length + 3 > len(self.text)):
            self.insert(p)
            self.inserted = p + length  # the others never are
        else:
            self.insert(p + length - 1)

    def pass_over(self, end):
        """A stored block, up to this place."""
        self.insert(end - 1)
        self.waiting = None


class BitWriter:
    def __init__(self):
        self.bytes, self.bits, self.count = bytearray(), 0, 0  # bits that are not yet a byte, and how many

    def write(self, value, count):
        self.bits |= value << self.count
        whole, self.count = divmod(self.count + count, 8)
        self.bytes += (self.bits & ((1 << 8 * whole) - 1)).to_bytes(whole, "little")
        self.bits >>= 8 * whole

    def fill(self, value):
        """The lower bits of `value` up to a whole byte."""
        room = -self.count % 8
        self.write(value & ((1 << room) - 1), room)


class BitReader:
    def __init__(self, data, size):
        self.data, self.size, self.at = data, size, 0
        if size % 8 and data[-1] >> size % 8:
            raise Reject("bits behind those of own codes")

    def read(self, count):
        value = 0
        for i in range(count):
            if self.at == self.size:
                raise Reject("own codes that end early")
            value |= (self.data[self.at // 8] >> self.at % 8 & 1) << i
            self.at += 1
        return value


# RFC 1951, 3.2.5. The least length or distance of each symbol, and its number of extra bits.
LENGTH_EXTRA = [0] * 8 + [n for n in range(1, 6) for _ in range(4)] + [0]
LENGTH_BASE = [3 + sum(1 << n for n in LENGTH_EXTRA[:i]) for i in range(28)] + [258]
DISTANCE_EXTRA = [0] * 4 + [n for n in range(1, 14) for _ in range(2)]
DISTANCE_BASE = [1 + sum(1 << n for n in DISTANCE_EXTRA[:i]) for i in range(30)]
# RFC 1951, 3.2.6 and 3.2.7.
FIXED_LENGTHS = [8] * 144 + [9] * 112 + [7] * 24 + [8] * 8, [5] * 30
ORDER = (16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15)
RUN_EXTRA = {16: 2, 17: 3, 18: 7}


def symbol_of(value, base, extra):
    """The symbol of a length (less 257) or distance, its extra bits and how many."""
    symbol = max(i for i in range(len(base)) if base[i] <= value)
    return symbol, value - base[symbol], extra[symbol]


def write_tokens(bits, kind, own, text, tokens):
    """The rest of a block that is not stored, after its kind."""
    written = []  # for each token: whether its symbol is one of a distance, the symbol, its extra bits and how many
    for p, token in tokens:
        if token is None:
            written.append((0, text[p], 0, 0))
        else:
            length, distance = token
            symbol, *more = symbol_of(length, LENGTH_BASE, LENGTH_EXTRA)
            written.append((0, 257 + symbol, *more))
            written.append((1, *symbol_of(distance, DISTANCE_BASE, DISTANCE_EXTRA)))
    written.append((0, END, 0, 0))

    if kind == FIXED:
        lengths = FIXED_LENGTHS
    elif kind == USUAL:
        lengths = write_usual_codes(bits, written)
    else:
        lengths = read_own_codes(own)
        for at in range(own.size):
            bits.write(own.data[at // 8] >> at % 8 & 1, 1)
    codes = [prefix_codes(each) for each in lengths]
    for which, symbol, extra, count in written:
        if symbol not in codes[which]:
            raise Reject("no code for a symbol that occurs")
        bits.write(*codes[which][symbol])
        bits.write(extra, count)


def prefix_codes(lengths):
    """RFC 1951, 3.2.2. For each symbol its code, whose first bit is the lowest, and the code's length."""
    codes, code = {}, 0
    for length in range(1, 16):
        code <<= 1
        for symbol in (symbol for symbol, n in enumerate(lengths) if n == length):
            if code >> length:
                raise Reject("no prefix code")
            codes[symbol] = int(f"{code:0{length}b}"[::-1], 2), length
            code += 1
    return codes


def read_own_codes(own):
    """RFC 1951, 3.2.7. The lengths of the codes of both alphabets."""
    literals, distances, count = own.read(5) + 257, own.read(5) + 1, own.read(4) + 4
    if literals > 286 or distances > 30:
        raise Reject("own codes of symbols that there are not")
    lengths = [0] * 19
    for i in range(count):
        lengths[ORDER[i]] = own.read(3)
    symbols = {code: symbol for symbol, code in prefix_codes(lengths).items()}
    lengths = []
    while len(lengths) < literals + distances:
        code = length = 0
        while (code, length) not in symbols:
            if length == 7:
                raise Reject("own codes with a code length that has no code")
            code |= own.read(1) << length
            length += 1
        symbol = symbols[code, length]
        if symbol < 16:
            lengths.append(symbol)
        elif symbol == 16:
            if not lengths:
                raise Reject("own codes that repeat nothing")
            lengths += lengths[-1:] * (3 + own.read(2))
        else:
            lengths += [0] * (3 + own.read(3) if symbol == 17 else 11 + own.read(7))
    if len(lengths) > literals + distances or own.at != own.size:
        raise Reject("own codes that are too long")
    return lengths[:literals], lengths[literals:]


def write_usual_codes(bits, written):
    """The codes that zlib would write; returns the lengths of both alphabets."""
    frequencies = [0] * 286, [0] * 30
    for which, symbol, _, _ in written:
        frequencies[which][symbol] += 1
    lengths = [without_zeros(code_lengths(f, 15)) for f in frequencies]
    runs = [run for each in lengths for run in runs_of(each)]
    frequencies = [0] * 19
    for symbol, _ in runs:
        frequencies[symbol] += 1
    run_lengths = code_lengths(frequencies, 7)
    ordered = without_zeros([run_lengths[symbol] for symbol in ORDER])
    ordered += [0] * (4 - len(ordered))
    bits.write(len(lengths[0]) - 257, 5)
    bits.write(len(lengths[1]) - 1, 5)
    bits.write(len(ordered) - 4, 4)
    for length in ordered:
        bits.write(length, 3)
    codes = prefix_codes(run_lengths)
    for symbol, extra in runs:
        bits.write(*codes[symbol])
        bits.write(extra, RUN_EXTRA.get(symbol, 0))
    return lengths


def without_zeros(lengths):
    """Without the zeros at the end."""
    return lengths[: max(i + 1 for i, length in enumerate(lengths) if length)]


def runs_of(lengths):
    """The lengths as symbols, each with its extra bits."""
    runs, at, last = [], 0, None
    while at < len(lengths):
        v, run = lengths[at], 1
        most = 138 if v == 0 else 6 if v == last else 7
        while run < most and at + run < len(lengths) and lengths[at + run] == v:
            run += 1
        if v == 0 and run >= 11:
            runs.append((18, run - 11))
        elif v == 0 and run >= 3:
            runs.append((17, run - 3))
        elif v != 0 and v == last and run >= 3:
            runs.append((16, run - 3))
        elif v != 0 and v != last and run >= 4:
            runs += [(v, 0), (16, run - 4)]
        else:
            runs += [(v, 0)] * run
        at, last = at + run, v
    return runs


class Node:
    def __init__(self, symbol, f, depth=0):
        self.symbol, self.f, self.depth = symbol, f, depth  # only leaves have a symbol
        self.father, self.length = None, 0


def code_lengths(frequencies, most):
    """Lengths(f, most)."""
    # 1. `a` counts from 1.
    a = [None] + [Node(symbol, f) for symbol, f in enumerate(frequencies) if f]
    while len(a) - 1 < 2:
        last = a[-1].symbol if len(a) > 1 else -1
        a.append(Node(last + 1 if last < 2 else 0, 1))

    # 2.
    def is_before(x, y):
        return x.f < y.f or x.f == y.f and x.depth <= y.depth

    def sink(i):
        x = a[i]
        while 2 * i < len(a):
            j = 2 * i
            if j + 1 < len(a) and is_before(a[j + 1], a[j]):
                j += 1
            if is_before(x, a[j]):
                break
            a[i], i = a[j], j
        a[i] = x

    for i in range((len(a) - 1) // 2, 0, -1):
        sink(i)
    # 3.
    notes = []
    while len(a) - 1 >= 2:
        x = a[1]
        a[1] = a[-1]
        a.pop()
        sink(1)
        y = a[1]
        a[1] = x.father = y.father = Node(None, x.f + y.f, max(x.depth, y.depth) + 1)
        sink(1)
        notes += [x, y]
    # 4. The root has the length 0.
    too_deep, b = 0, [0] * (most + 1)
    for node in reversed(notes):
        node.length = node.father.length + 1
        if node.length > most:
            node.length = most
            too_deep += 1
        if node.symbol is not None:
            b[node.length] += 1
    # 5.
    leaves = [node for node in notes if node.symbol is not None]
    if too_deep:
        while too_deep > 0:
            l = max(l for l in range(1, most) if b[l])
            b[l] -= 1
            b[l + 1] += 2
            b[most] -= 1
            too_deep -= 2
        in_order = iter(leaves)
        for l in range(most, 0, -1):
            for _ in range(b[l]):
                next(in_order).length = l
    lengths = [0] * len(frequencies)
    for leaf in leaves:
        lengths[leaf.symbol] = leaf.length
    return lengths
