"""§7.9: JPEG pictures among the bytes of frames of kind 1; a part of decoder.py, and like it written from docs/format.md alone.

`Jpeg` reads a stream's bytes; while a scan is under way its `scan` knows what the next bit is, and what its contexts are.
`Tables`, `Scan` and what they need read segments and scans without contexts; progressive.py (§4.5) uses them too.
"""

from itertools import islice

OUTSIDE, MARKER, CODE, LENGTH, BODY = range(5)  # states between scans
BITS, ZERO, MARK, RESTART = 1, 2, 3, 4  # what a byte of a scan is
WORD, VALUE = range(2)  # what a bit of a block belongs to

# T.81, figure 6: of each coefficient how far it is down and across, and where it is in a block, row by row.
ZIGZAG = sorted(((u, v) for u in range(8) for v in range(8)), key=lambda at: (sum(at), at[sum(at) % 2 == 0]))
PLACE = [8 * u + v for u, v in ZIGZAG]
WEIGHTS = [181] + [256] * 7
SIGNED_WEIGHTS = [(-w if i % 2 else w) for i, w in enumerate(WEIGHTS)]


class NotSo(Exception):
    """A segment that is not as the page says."""


# ------------------------------------------------------------------------------------------------ segments


class Body:
    """A segment's bytes, read one after the other."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def left(self):
        return len(self.data) - self.at

    def take(self, count):
        if count > self.left():
            raise NotSo
        self.at += count
        return self.data[self.at - count : self.at]

    def integer(self, size=1):
        return int.from_bytes(self.take(size), "big")


def must(right):
    if not right:
        raise NotSo


def words_of(counts, symbols):
    """The symbols of a code by length and word, given out as in T.81; `counts` are those of words of length 1…16."""
    code, word, symbols = {}, 0, iter(symbols)
    for length, count in enumerate(counts, 1):
        word *= 2
        for symbol in islice(symbols, count):
            code[length, word] = symbol
            word += 1
        must(word <= 1 << length)
    return code


def read_code(source):
    """The numbers of words and the symbols of a code."""
    counts = source.take(16)
    return counts, source.take(sum(counts))


# T.81, K.3.3, by class and number. Of the longest words of both codes of class 1 the symbols are all others there are.
OTHERS = [16 * run + size for run in range(16) for size in range(1, 11)]


def with_others(counts, symbols):
    counts, symbols = bytes.fromhex(counts), bytes.fromhex(symbols)
    return words_of(counts, symbols + bytes(symbol for symbol in OTHERS if symbol not in symbols))


TYPICAL = {
    (0, 0): words_of([0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0], range(12)),
    (0, 1): words_of([0, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0], range(12)),
    (1, 0): with_others(
        "0002010303020403050504040000017d",
        "0102 03 000411 051221 3141 06135161 072271 14328191a1 082342b1c1 1552d1f0 24336272 82",
    ),
    (1, 1): with_others(
        "00020102040403040705040400010277",
        "0001 02 0311 04052131 06124151 076171 13223281 08144291a1b1c1 09233352f0 156272d1 0a162434 e1 25f1",
    ),
}


class Component:
    """One of a frame; a scan makes its own of it."""

    def __init__(self, identity, across, down, table):
        self.identity, self.across, self.down, self.table = identity, across, down, table


class Frame:
    """C0, C1."""

    def __init__(self, body):
        must(body.integer() == 8)
        self.height, self.width, count = body.integer(2), body.integer(2), body.integer()
        must(self.width > 0 and 1 <= count <= 4)
        self.components = []
        for _ in range(count):
            identity, sampling, table = body.take(3)
            across, down = sampling >> 4, sampling & 15
            must(1 <= across <= 4 and 1 <= down <= 4 and table < 4)
            self.components.append(Component(identity, across, down, table))
        must(not body.left())

    def choose(self, identities):
        """The components of a scan."""
        chosen = []
        for identity in identities:
            component = next((c for c in self.components if c.identity == identity), None)
            must(component and component not in chosen)
            chosen.append(component)
        return chosen

    def layout(self, chosen):
        """Of a scan of these components a and b, and across and down of each one."""
        across, down = max(c.across for c in self.components), max(c.down for c in self.components)
        if len(chosen) == 1:
            a = -(-self.width * chosen[0].across // (8 * across))
            b = -(-self.height * chosen[0].down // (8 * down))
            return a, b, [(1, 1)]
        return -(-self.width // (8 * across)), -(-self.height // (8 * down)), [(c.across, c.down) for c in chosen]


class Tables:
    """What segments say."""

    def __init__(self):
        self.steps = [[1] * 64 for _ in range(4)]
        self.codes = dict(TYPICAL)  # by class and number
        self.frame, self.interval = None, 0

    def read(self, marker, body):
        """A segment that no scan follows."""
        if marker in (0xC0, 0xC1):
            self.frame = Frame(body)
        elif marker == 0xC4:
            if not body.left():
                self.codes = dict(TYPICAL)
            while body.left():
                what = body.integer()
                must(what >> 4 <= 1 and what & 15 < 4)
                self.codes[what >> 4, what & 15] = words_of(*read_code(body))
        elif marker == 0xDB:
            while body.left():
                what = body.integer()
                must(what & 15 < 4)
                for k in range(64):  # one by one: those of a segment that ends early stay
                    self.steps[what & 15][k] = max(body.integer(1 if what >> 4 == 0 else 2), 1)
        elif marker == 0xDD:
            self.interval = body.integer(2)

    def read_scan(self, body):
        """DA. Of the scan that follows: its parts, a, how many MCUs (None: no end of them) and the restart interval."""
        must(self.frame)
        count = body.integer()
        must(1 <= count <= len(self.frame.components))
        pairs = [body.take(2) for _ in range(count)]
        chosen = self.frame.choose(identity for identity, _ in pairs)
        must(all((0, which >> 4) in self.codes and (1, which & 15) in self.codes for _, which in pairs))
        must(body.take(3) == b"\0\x3f\0" and not body.left())

        a, b, sizes = self.frame.layout(chosen)
        must(count == 1 or sum(x * y for x, y in sizes) <= 10)
        must(sum(x * a * (y + 1) for x, y in sizes) <= 16384)
        parts = []
        for p, (component, size, (_, which)) in enumerate(zip(chosen, sizes, pairs)):
            codes = self.codes[0, which >> 4], self.codes[1, which & 15]
            parts.append(Part(p, *size, self.steps[component.table], *codes))
        return parts, a, a * b if self.frame.height else None, self.interval


class Jpeg:
    def __init__(self, history):
        self.history, self.state = history, OUTSIDE
        self.tables, self.end = Tables(), None
        self.scan = None
        self.byte = 1  # 1 followed by the bits of the byte so far (in scans)
        self.anew = False  # whether contexts were made anew since the last bit was coded

    def bit(self, bit):
        """A bit of a scan's byte, the highest first."""
        self.byte = 2 * self.byte + bit
        self.scan.bit(bit)

    def add(self, byte):
        """A byte that has come, in a scan after its bits; or without them, in a leap."""
        leapt = self.scan is not None and self.byte == 1
        if leapt:
            for i in range(7, -1, -1):
                self.bit(byte >> i & 1)
        self.byte = 1
        n = len(self.history.bytes)
        if n == self.end:
            self.end, self.tables.interval, self.scan, self.state = None, 0, None, MARKER
        elif self.scan:
            self.state = self.scan.end_byte(byte)
            if self.state is not None:
                self.scan = None
            elif leapt:
                self.scan.make_contexts()
        else:
            self.add_outside_scans(byte, n)

    def add_outside_scans(self, byte, n):
        if self.state == OUTSIDE:
            if self.history.bytes[-3:] == b"\xff\xd8\xff":
                self.state, self.tables.frame, self.tables.interval = CODE, None, 0
        elif self.state == MARKER:
            self.state = CODE if byte == 0xFF else OUTSIDE
        elif self.state == CODE:
            if byte in (0xC0, 0xC1, 0xC4, 0xDA, 0xDB, 0xDD, 0xFE) or byte >> 4 == 0xE:
                self.state, self.marker, self.read = LENGTH, byte, bytearray()
            elif byte != 0xFF:
                self.state = OUTSIDE
        elif self.state == LENGTH:
            self.read.append(byte)
            if len(self.read) == 2:
                length = int.from_bytes(self.read, "big")
                self.state, self.left, self.read = BODY, length - 2, bytearray()
                if length < 2:
                    self.state = OUTSIDE
                elif length == 2:
                    self.read_segment()
                elif self.marker >> 4 == 0xE and self.end is None:
                    self.end, self.state = n + length - 2, OUTSIDE
        else:
            self.read.append(byte)
            if len(self.read) == self.left:
                self.read_segment()

    def read_segment(self):
        body = Body(bytes(self.read))
        try:
            if self.marker == 0xDA:
                self.scan = ForetoldScan(self, *self.tables.read_scan(body))
            else:
                self.tables.read(self.marker, body)
            self.state = MARKER
        except NotSo:
            self.state = OUTSIDE


# ------------------------------------------------------------------------------------------- blocks and values


class Block:
    """Coefficients in zigzag order, and row by row when multiplied by their steps."""

    def __init__(self):
        self.c, self.f, self.added = [0] * 64, [0] * 64, 0

    def __getitem__(self, k):
        return self.c[k] if k < 64 else 0

    def at(self, u, v):
        return self.c[PLACE.index(8 * u + v)] if u >= 0 and v >= 0 else 0


NONE = Block()


def sym(block, k):
    for i in range(k, 64):
        if block.c[i]:
            return 0xF0 if i - k > 15 else 16 * (i - k) + length(block.c[i])
    return 0


def left(block, k):
    return 64 - k - block.c[k:].count(0)


def total(block, k):
    return sum(map(abs, block.c[k:]))


def end(block):
    return max((k + 1 for k in range(64) if block.c[k]), default=0)


def length(x):
    return abs(x).bit_length()


def fine(x):
    g = x.bit_length() - 1
    return x if x < 4 else 4 * (g - 1) + (x >> (g - 2)) % 4


def signed(x, divisor=1):
    return 2 * fine(abs(x) // divisor) + (x <= -divisor)


def rough(x):
    g = x.bit_length() - 1
    return x if x < 2 else 2 * g + (x >> (g - 1)) % 2


def listed(*values):
    """[a, b, c, …]"""
    return sum(value << 8 * i for i, value in enumerate(values))


# ---------------------------------------------------------------------------------------------------- scans


class Part:
    """A component of a scan."""

    def __init__(self, p, across, down, steps, first_code, code):
        self.p, self.across, self.down = p, across, down
        self.steps, self.first_code, self.code = steps, first_code, code
        self.blocks, self.latest = {}, NONE  # by place; the last one
        self.restart()

    def restart(self):
        self.last, self.d1, self.d2 = 0, 0, 0


def blocks_of(parts, a, mcu):
    """The blocks of an MCU: the part and the place of each."""
    left, top = mcu % a, mcu // a
    return [
        (part, (left * part.across + dx, top * part.down + dy))
        for part in parts
        for dy in range(part.down)
        for dx in range(part.across)
    ]


class Scan:
    """Reads a scan's blocks."""

    def __init__(self, parts, a, mcus, interval):
        self.parts, self.a, self.mcus, self.interval = parts, a, mcus, interval
        self.mcu = self.since_restart = self.nth = 0
        self.what, self.lost, self.clamped = BITS, False, False
        self.done = mcus == 0
        self.next_block()

    def make_contexts(self):
        """What is to be done where the page makes contexts anew; nothing where there are none."""

    def next_block(self):
        """Begins a block if there is one before a restart or the end."""
        self.block = None
        if self.done or self.interval and self.since_restart == self.interval:
            return
        if self.nth == 0:
            self.in_mcu = blocks_of(self.parts, self.a, self.mcu)
        (self.part, self.place), self.block = self.in_mcu[self.nth], Block()
        self.k, self.size, self.s1, self.s2 = 0, 0, 0, 0
        self.bits, self.word = WORD, 1

    def end_block(self):
        self.part.blocks[self.place] = self.part.latest = self.block
        self.nth += 1
        if self.nth == len(self.in_mcu):
            self.nth = 0
            self.mcu += 1
            self.since_restart += 1
            self.done = self.mcu == self.mcus
        self.next_block()

    def lose(self):
        self.lost, self.block = True, None

    def bit(self, bit):
        if self.what != BITS or self.block is None:
            return
        self.word = 2 * self.word + bit
        count = self.word.bit_length() - 1
        if self.bits == WORD:
            symbol = (self.part.code if self.k else self.part.first_code).get((count, self.word - (1 << count)))
            if symbol is not None:
                self.end_word(symbol)
            elif count == 16:
                self.lose()
            else:
                return
        elif count == self.size:
            v = self.word - (1 << count)
            self.end_value(v if bit_of(v, count - 1) else v - (1 << count) + 1)
        else:
            return
        self.make_contexts()

    def end_word(self, symbol):
        self.word, run = 1, 0
        if self.k:
            self.s1, self.s2 = symbol, self.s1
            run, symbol = symbol >> 4, symbol & 15
        if symbol:
            self.k, self.size, self.bits = self.k + run, symbol, VALUE
            if self.k > 63 or symbol > 15:
                self.lose()
        elif self.k == 0:
            self.end_value(0)
        elif run == 0:
            self.end_block()
        elif run == 15 and self.k + 15 < 63:
            self.k += 16
        else:
            self.lose()

    def end_value(self, v):
        part, block, k = self.part, self.block, self.k
        if k == 0:
            block.added, part.d1, part.d2 = v, v, part.d1
            exact = part.last + v
            v = part.last = max(-(1 << 15), min(exact, (1 << 15) - 1))
            self.clamped |= v != exact
        block.c[k], block.f[PLACE[k]] = v, v * part.steps[k]
        self.k, self.size, self.bits, self.word = k + 1, 0, WORD, 1
        if self.k == 64:
            self.end_block()

    def end_byte(self, byte):
        """Returns the state after the scan if this byte ends it, else None."""
        what, self.what = self.what, BITS
        if what == BITS and self.lost:
            return OUTSIDE
        elif what == BITS and byte == 0xFF:
            self.what = ZERO
        elif what == BITS or what == ZERO and byte == 0:
            if self.done:
                return MARKER
            if self.block is None:
                self.what = MARK
        elif what == MARK and byte == 0xFF:
            self.what = RESTART
        elif what == RESTART and 0xD0 <= byte <= 0xD7:
            self.since_restart = 0
            for part in self.parts:
                part.restart()
            self.next_block()
        else:
            return OUTSIDE
        if what != BITS or self.what != BITS:
            self.make_contexts()
        return None


class ForetoldScan(Scan):
    """What the contexts of a scan's bits are."""

    def __init__(self, jpeg, *scan):
        self.jpeg = jpeg
        super().__init__(*scan)
        self.make_contexts()

    def next_block(self):
        """Also the surroundings of the block."""
        super().next_block()
        if self.block:
            part, (x, y) = self.part, self.place
            around = [(x - 1, y), (x, y - 1), (x - 1, y - 1), (x + 1, y - 1)]
            self.L, self.A, self.C, self.R = (part.blocks.get(place, NONE) for place in around)
            self.O = self.parts[part.p - 1].latest if part.p else NONE

    @property
    def node(self):
        return self.word if self.what == BITS and self.block else self.jpeg.byte

    def expected(self, k):
        """e_L and e_A."""
        if k > 63 or self.L is self.A is NONE:
            return 0, 0
        (u, v), q, f = ZIGZAG[k], self.part.steps[k], self.block.f
        from_left = from_above = None
        if self.L is not NONE:
            here, there = f[8 * u : 8 * u + 8], self.L.f[8 * u : 8 * u + 8]
            from_left = from_border(there, here, WEIGHTS[v] * q)
        if self.A is not NONE:
            here, there = f[v::8], self.A.f[v::8]
            from_above = from_border(there, here, WEIGHTS[u] * q)
        return (from_above if from_left is None else from_left), (from_left if from_above is None else from_above)

    def make_contexts(self):
        """Of each context the numbers to be combined, and what chooses weights."""
        self.jpeg.anew = True
        if self.what != BITS or self.block is None:
            self.contexts = [(953, self.what)] * 32
            self.kind = self.g = self.number = self.x = self.y = self.t = self.z = self.s = 0
            self.kind = 3
            return
        self.number, self.g = self.k, int(self.part.p > 0)
        self.kind = 2 if self.bits == VALUE else 1 if self.k else 0
        if self.k == 0:
            self.of_first()
        elif self.bits == WORD:
            self.of_word()
        else:
            self.of_value()

    def of_first(self):
        """First coefficients."""
        part, size, last, O = self.part, self.size, self.part.last, self.O.added
        L, A, C, R = (block[0] - last for block in (self.L, self.A, self.C, self.R))
        d1, d2 = part.d1, part.d2
        e_L, e_A = self.expected(0)
        e, e_L, e_A = e_L + e_A - 16 * last, e_L - 8 * last, e_A - 8 * last
        m_L, m_A, m_C = (rough(left(block, 1)) for block in (self.L, self.A, self.C))
        values = [
            signed(e, 4),
            listed(signed(e), signed(e_L - e_A)),
            listed(signed(e_L, 4), signed(e_A, 4)),
            listed(signed(d1), signed(d2)),
            listed(signed(L), signed(A)),
            listed(signed(A), signed(C)),
            listed(signed(A + L - C), rough(abs(A - C))),
            listed(signed(O), signed(e, 8)),
            listed(signed(R), signed(A)),
            listed(m_L, m_A, m_C),
            listed(m_L, m_A, signed(e, 8)),
            listed(signed(e, 2), signed(O, 2)),
            listed(signed(L), signed(e, 8)),
            listed(signed(e, 8), signed(A)),
            listed(signed(e, 8), signed(d1)),
            listed(signed(O), signed(d1)),
            signed(e),
            listed(signed(e_L), signed(d1)),
            listed(signed(e_A), signed(A)),
            listed(signed(L), signed(A), signed(C)),
            listed(signed(e, 4), m_L + m_A),
            listed(signed(d1), signed(d2), signed(O, 2)),
            listed(signed(e, 4), signed(d1, 2)),
            listed(signed(e_L, 8), signed(e_A, 8), signed(O, 4)),
            0,
            listed(signed(A + L - C), signed(e, 8)),
            listed(signed(R), signed(C)),
            listed(m_L, m_A, signed(d1)),
            signed(O),
            listed(signed(e, 4), signed(R)),
            listed(rough(abs(e)), rough(abs(d1))),
            listed(signed(e, 4), signed(O, 4), signed(A, 4)),
        ]
        self.contexts = [(950, listed(part.p, size), value) for value in values]
        self.x, self.y = rough(abs(e) // 4), 16 * size + min(length(d1), 15)
        self.t, self.z, self.s = 0, rough(abs(A - L)), 0

    def of_word(self):
        """Code words of all others."""
        L, A, B, k, s1, s2 = self.L, self.A, self.block, self.k, self.s1, self.s2
        S_L, S_A, S_C, S_R, S_O = (sym(block, k) for block in (L, A, self.C, self.R, self.O))
        e_L, e_A = self.expected(k)
        sizes = [abs(sum(self.expected(k + i))) for i in range(6)]
        E, E1, E2 = sizes[:3]
        many, most = sum(size >= 8 for size in sizes), max(sizes[2:])
        u, v = ZIGZAG[k]
        z, N = abs(L[k]) + abs(A[k]), abs(B.at(u - 1, v)) + abs(B.at(u, v - 1))
        t, c, sums = left(L, k) + left(A, k), left(B, 1), total(B, 1)
        T = total(L, k) + total(A, k)

        def b(x):
            return min(length(x), 7)

        with_k, values = {2, 4, 5, 6, 8, 10, 11, 16, 18, 20, 21, 22, 25, 26, 29}, [
            listed(S_L, S_A),
            listed(S_L, S_A, s1),
            listed(rough(abs(e_L)), rough(abs(e_A))),
            listed(fine(z), rough(N)),
            listed(t, c),
            listed(s1, s2),
            listed(rough(sums), c),
            listed(rough(N), rough(E)),
            listed(S_O, s1),
            listed(S_O, rough(E)),
            listed(S_L, rough(E1)),
            listed(b(L[k]), b(A[k]), b(L[k + 1]), b(A[k + 1])),
            listed(fine(T), rough(N)),
            listed(s1, rough(t)),
            listed(end(L), end(A)),
            listed(fine(z), rough(t)),
            listed(fine(E // 2), fine(E1 // 2)),
            listed(rough(E), rough(z), rough(t)),
            listed(S_A, rough(E)),
            listed(S_R, S_A),
            listed(S_C, t),
            listed(S_L, S_A),
            listed(S_O, rough(E)),
            listed(many, rough(most), rough(E)),
            listed(signed(B.added), rough(sums)),
            fine(T),
            listed(fine(z), rough(N)),
            listed(S_O, rough(z)),
            listed(s1, s2, rough(E)),
            listed(s1, rough(E)),
            listed(many, t, c),
            listed(rough(E), rough(E1), rough(E2)),
        ]
        self.combine((951, self.part.p), k, with_k, values)

        def cl(symbol):
            return 4 * min(symbol % 16, 3) + min(symbol // 16, 3)

        self.x, self.y, self.t, self.z, self.s = rough(E), 16 * cl(S_L) + cl(S_A), t, rough(z), s1

    def of_value(self):
        """Values of all others."""
        B, k, size, s1 = self.block, self.k, self.size, self.s1
        L, A, C, R, O = (block[k] for block in (self.L, self.A, self.C, self.R, self.O))
        e_L, e_A = self.expected(k)
        e, E = e_L + e_A, abs(e_L + e_A)
        u, v = ZIGZAG[k]
        w_u, w_v, w = B.at(u - 1, v), B.at(u, v - 1), B.at(u - 1, v - 1)
        n, sums = left(B, 1), total(B, 1)
        with_k, values = {2, 4, 5, 6, 8, 10, 11, 16, 18, 20, 30, 31}, [
            signed(e, 2),
            listed(signed(e_A), rough(E)),
            listed(signed(e, 4), signed(L)),
            listed(signed(e, 4), signed(A)),
            listed(signed(L), signed(A)),
            listed(signed(O), signed(e, 8)),
            listed(signed(w_u), signed(w_v)),
            listed(signed(w_u), signed(e, 8)),
            listed(signed(w_v), signed(e, 8)),
            listed(signed(w), signed(w_u), signed(w_v)),
            0,
            listed(rough(sums), signed(e, 8)),
            listed(signed(e, 4), signed(L), signed(A)),
            signed(O),
            listed(signed(e), signed(e_L - e_A)),
            listed(signed(e_L), rough(E)),
            listed(signed(e_L, 2), signed(e_A, 2)),
            listed(signed(R), signed(A)),
            s1,
            listed(signed(e, 4), s1),
            listed(signed(C), signed(L + A)),
            listed(signed(O), signed(L), signed(A)),
            listed(n, signed(e, 4)),
            listed(signed(e, 2), signed(O)),
            n,
            signed(L + A + C + R),
            listed(signed(B.added), signed(e, 8)),
            listed(left(self.L, k), left(self.A, k)),
            listed(signed(e, 2), signed(w_u)),
            listed(signed(e, 2), signed(w_v)),
            signed(e, 2),
            signed(L + A),
        ]
        self.combine((952, listed(self.part.p, size)), k, with_k, values)
        self.x, self.z, self.s = min(rough(E // 2), 15) + (16 if e < 0 else 0), rough(abs(O)), s1
        self.y = 32 * min(size, 7) + 8 * min(length(L), 3) + 2 * min(length(A), 3)
        self.t = 2 * length(L + A) + (L + A < 0)

    def combine(self, h, k, with_k, values):
        """The contexts; those in `with_k` know the number of the coefficient as well."""
        self.contexts = [(*h, k + 1, value) if i in with_k else (*h, value) for i, value in enumerate(values)]

    def sets(self):
        """Of each set of weights the vector, of the last layer too."""
        node, kind, g, y = self.node, self.kind, self.g, self.y
        k, kappa = self.number, min(node.bit_length() - 1, 7)
        rest = 8 * kappa + 2 * kind + g
        sets = [64 * kind + k, 64 * min(self.x, 31) + rest, 4 * (node % 512) + kind, 8 * y + kappa]
        sets += [64 * k + min(self.t, 63), 64 * min(self.z, 31) + rest, y, 8 * self.s + kappa]
        return sets, 8 * kind + kappa

    def of_last_map(self):
        return self.node, 64 * self.g + 256 * self.kind + 1024 * self.x


def bit_of(x, place):
    return x >> place & 1


def from_border(there, here, divisor):
    """What a coefficient must be that two blocks be alike where they meet."""
    wanted = sum(w * x for w, x in zip(SIGNED_WEIGHTS, there)) - sum(w * x for w, x in zip(WEIGHTS, here))
    return max(-(1 << 14), min(8 * wanted // divisor, 1 << 14))
