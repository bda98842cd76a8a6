"""§4.5: progressive pictures in unpacked frames; a part of decoder.py, and like it written from docs/format.md alone.

Each is made again from a sequential picture of the same coefficients, which is read as §7.9 says it (jpeg.py), and from
what the recipe tells of its scans.
"""

from collections import Counter
from itertools import accumulate

from jpeg import MARKER, Body, Frame, NotSo, Scan, Tables, blocks_of, length, read_code, words_of
from reader import Reader, Reject

MAX_BLOCKS = 1 << 19
CODES, INTERVAL = 0xC4, 0xDD  # markers
ALL_ZEROS = 0xF0  # the symbol for 16 zeros


def write_picture(recipe, unpacked, room):
    """Pictures: from the marker of the frame to the end of the last scan."""
    sequential = Reader(unpacked.take(recipe.number()))
    try:
        frame_segment, frame, parts = read_sequential(sequential)
        content = bytearray(b"\xff\xc2" + frame_segment)
        scans = recipe.number()
        if scans > 64:
            raise Reject("more than 64 scans")
        codes, interval = {}, 0  # by name
        for _ in range(scans):
            front, header = read_front(recipe), Header(recipe, frame)
            interval = find_interval(front or [], interval)
            scan = write_symbols(recipe, header, frame, parts, interval)
            content += write_front(usual_front(header) if front is None else front, scan, codes)
            content += b"\xff\xda" + (len(header.bytes) + 2).to_bytes(2, "big") + header.bytes
            content += write_bits(scan.intervals, codes)
            if len(content) > room:
                raise Reject("a picture longer than the content")
    except NotSo:
        raise Reject("a segment, code or scan that is not as §7.9 says") from None
    return content


def read_sequential(reader):
    """The sequential picture: its frame's segment, the frame, and the parts of its scan with all blocks."""
    expect(reader, b"\xff\xc0")
    size = reader.take(2)
    segment = size + reader.take(max(int.from_bytes(size, "big") - 2, 0))
    tables = Tables()
    frame = tables.frame = Frame(Body(segment[2:]))
    if frame.height == 0:
        raise Reject("a picture of no height")
    components = b"".join(bytes([c.identity, 0x11 if p else 0]) for p, c in enumerate(frame.components))
    header = bytes([len(frame.components)]) + components + b"\0\x3f\0"
    expect(reader, b"\xff\xc4\0\2\xff\xda" + (len(header) + 2).to_bytes(2, "big") + header)
    scan = tables.read_scan(Body(header))
    read_blocks(Scan(*scan), reader.take(len(reader.data) - reader.at))
    return segment, frame, scan[0]


def expect(reader, data):
    if reader.take(len(data)) != data:
        raise Reject("not the sequential picture that there should be")


def read_blocks(scan, data):
    """All of the scan's blocks from its bits."""
    if scan.mcus * len(scan.in_mcu) > min(MAX_BLOCKS, 2 * len(data)):
        raise Reject("a picture of too many blocks")
    for at, byte in enumerate(data, 1):
        for place in range(7, -1, -1):
            scan.bit(byte >> place & 1)
        state = scan.end_byte(byte)
        if state is not None:
            break
    if state != MARKER or at != len(data):
        raise Reject("a scan that is lost, or does not end with the last byte")
    if scan.clamped:
        raise Reject("a first coefficient of more than 16 bits")


# -------------------------------------------------------------------------------- what the recipe tells of a scan


def read_front(recipe):
    """The segments in front of a scan: marker and body, of codes (name, code) for each, None being the usual one.
    None as a whole: as usual."""
    count = recipe.number()
    if count == 0:
        return None
    front = []
    for _ in range(count - 1):
        marker = recipe.integer(1)
        front.append((marker, read_codes(recipe) if marker == CODES else read_body(recipe)))
    if sum(len(body) for marker, body in front if marker == CODES) > 8:
        raise Reject("more than 8 codes in front of a scan")
    return front


def read_codes(recipe):
    codes = []
    for _ in range(recipe.number()):
        told, name = divmod(recipe.integer(1), 128)
        if name >> 4 > 1 or name & 15 > 3:
            raise Reject("a code's name out of range")
        codes.append((name, Code(*read_code(recipe)) if told else None))
    return codes


def read_body(recipe):
    size = recipe.number()
    if size > 65533:
        raise Reject("a segment too long")
    return recipe.take(size)


class Code:
    """A Huffman code as a segment tells it, and its words."""

    def __init__(self, counts, symbols):
        self.bytes = bytes(counts) + bytes(symbols)
        self.words = {}  # by symbol, in binary
        for (count, word), symbol in words_of(counts, symbols).items():
            self.words.setdefault(symbol, f"{word:0{count}b}")


class Header:
    """A scan's header."""

    def __init__(self, recipe, frame):
        start = recipe.at
        pairs = [recipe.take(2) for _ in range(recipe.integer(1))]
        self.components = frame.choose(identity for identity, _ in pairs)
        self.names = [(which >> 4, which & 15) for _, which in pairs]  # i and j
        self.k0, self.k1, bits = recipe.take(3)
        self.high, self.low = bits >> 4, bits & 15
        self.bytes = recipe.data[start : recipe.at]
        if any(i > 3 or j > 3 for i, j in self.names):
            raise Reject("a code's number out of range")
        if self.k0 == 0 and (self.k1 != 0 or not pairs):
            raise Reject("a scan of first coefficients with others or without components")
        if self.k0 > 0 and (len(pairs) != 1 or not self.k0 <= self.k1 <= 63):
            raise Reject("a scan of other coefficients that there are not, or of several components")
        if self.low > 13 or self.high not in (0, self.low + 1):
            raise Reject("bits of coefficients out of range")


class Runs:
    """What the recipe tells of the runs of a scan."""

    def __init__(self, recipe):
        rules = recipe.number()
        self.most, self.limit = 32767 - (rules >> 2), not rules >> 1 & 1
        if self.most < 1:
            raise Reject("the greatest length of a run out of range")
        ends = (recipe.number() for _ in range(recipe.number())) if rules & 1 else ()
        self.ends = set(accumulate(ends))  # numbers of blocks before them


def find_interval(front, interval):
    """The restart interval behind these segments."""
    for marker, body in front:
        if marker == INTERVAL and len(body) >= 2:
            interval = int.from_bytes(body[:2], "big")
    return interval


def usual_front(header):
    """As usual."""
    if header.k0 > 0:
        names = [16 + j for _, j in header.names]
    else:
        names = dict.fromkeys(i for i, _ in header.names) if header.high == 0 else ()
    return [(CODES, [(name, None)]) for name in names]


# ----------------------------------------------------------------------------------------- the symbols of a scan


class Part:
    """A component of the scan."""

    def __init__(self, across, down, blocks, i):
        self.across, self.down, self.blocks, self.i = across, down, blocks, i


def write_symbols(recipe, header, frame, parts, interval):
    """All symbols and bits of a scan."""
    scan = OtherScan(header, Runs(recipe)) if header.k0 > 0 else FirstScan(header)
    a, b, sizes = frame.layout(header.components)
    blocks = [parts[frame.components.index(component)].blocks for component in header.components]
    parts = [Part(*size, *rest, i) for size, *rest, (i, _) in zip(sizes, blocks, header.names)]
    for mcu in range(a * b):
        if interval and mcu and mcu % interval == 0:
            scan.restart()
        for part, place in blocks_of(parts, a, mcu):
            scan.add(part, part.blocks[place].c)
    scan.end_interval()
    return scan


class SymbolWriter:
    """What a scan says; between restarts each symbol is (name of its code, symbol), and other bits are text."""

    def __init__(self, header):
        self.k0, self.k1, self.high, self.low = header.k0, header.k1, header.high, header.low
        self.written, self.intervals = [], []

    def symbol(self, name, symbol):
        self.written.append((name, symbol))

    def text(self, bits):
        if bits:
            self.written.append(bits)

    def bits(self, value, count):
        self.text(f"{value:0{count}b}" if count else "")

    def value(self, v):
        """The bits of a value whose size is known."""
        self.bits(v if v > 0 else v + (1 << length(v)) - 1, length(v))

    def end_interval(self):
        self.intervals.append(self.written)
        self.written = []

    def restart(self):
        self.end_interval()

    def frequencies(self, name):
        """How often each symbol of a code occurs."""
        written = (each for interval in self.intervals for each in interval if not isinstance(each, str))
        return Counter(symbol for its_name, symbol in written if its_name == name)


class FirstScan(SymbolWriter):
    """k0 = 0."""

    def __init__(self, header):
        super().__init__(header)
        self.before = {}  # by part, v of the block before

    def restart(self):
        super().restart()
        self.before = {}

    def add(self, part, X):
        v = X[0] >> self.low
        if self.high:
            self.bits(v & 1, 1)
            return
        added = v - self.before.get(part, 0)
        self.before[part] = v
        self.symbol(part.i, length(added))
        self.value(added)


class OtherScan(SymbolWriter):
    """k0 > 0."""

    def __init__(self, header, runs):
        super().__init__(header)
        self.runs, self.r, self.put_off = runs, 0, ""
        self.blocks, self.name = 0, 16 + header.names[0][1]  # those added; that of the code of class 1

    def end_run(self):
        if self.r > 0:
            count = self.r.bit_length() - 1
            self.symbol(self.name, 16 * count)
            self.bits(self.r - (1 << count), count)
            self.text(self.put_off)
            self.r, self.put_off = 0, ""

    def end_interval(self):
        self.end_run()
        super().end_interval()

    def add(self, part, X):
        z = {k: toward_zero(X[k], self.low) for k in range(self.k0, self.k1 + 1)}
        if self.high:
            self.refine(z)
        else:
            self.begin(z)
        self.blocks += 1
        too_many = self.runs.limit and len(self.put_off) > 937
        if self.r >= self.runs.most or too_many or self.blocks in self.runs.ends:
            self.end_run()

    def zeros(self, zeros, own=""):
        """16 zeros, and bits of the block's own behind them."""
        self.end_run()
        self.symbol(self.name, ALL_ZEROS)
        self.text(own)
        return zeros - 16

    def begin(self, z):
        """high = 0."""
        zeros = 0
        for v in z.values():
            if v == 0:
                zeros += 1
                continue
            self.end_run()
            while zeros > 15:
                zeros = self.zeros(zeros)
            self.symbol(self.name, 16 * zeros + length(v))
            self.value(v)
            zeros = 0
        if zeros:
            self.r += 1

    def refine(self, z):
        """high > 0."""
        n = max((k for k, v in z.items() if abs(v) == 1), default=0)
        zeros, own = 0, ""
        for k, v in z.items():
            if v == 0:
                zeros += 1
                continue
            while zeros > 15 and k <= n:
                zeros, own = self.zeros(zeros, own), ""
            if abs(v) > 1:
                own += str(v & 1)
            else:
                self.end_run()
                self.symbol(self.name, 16 * zeros + 1)
                self.text(("1" if v > 0 else "0") + own)
                zeros, own = 0, ""
        if zeros or own:
            self.r += 1
            self.put_off += own


def toward_zero(x, low):
    """x / 2^low."""
    return -(-x >> low) if x < 0 else x >> low


# ------------------------------------------------------------------------------------------- codes and bytes


def write_front(front, scan, codes):
    """The segments in front of a scan; puts their codes into `codes`."""
    content = bytearray()
    for marker, body in front:
        if marker == CODES:
            told, body = body, b""
            for name, code in told:
                codes[name] = code or usual_code(scan.frequencies(name))
                body += bytes([name]) + codes[name].bytes
        content += bytes([0xFF, marker]) + (len(body) + 2).to_bytes(2, "big") + body
    return content


def usual_code(frequencies):
    """T.81, K.2."""
    f = {**frequencies, 256: 1}
    joined = {symbol: [symbol] for symbol in f}  # with which others a symbol is joined, itself among them
    lengths = dict.fromkeys(f, 0)
    while len(f) > 1:
        x, y = sorted(f, key=lambda symbol: (f[symbol], -symbol))[:2]
        f[x] += f.pop(y)
        joined[x] += joined.pop(y)
        for symbol in joined[x]:
            lengths[symbol] += 1
    if len(lengths) == 1 or max(lengths.values()) > 32:
        raise Reject("a usual code of no symbols, or with words that are too long")
    b = [0] * 33
    for each in lengths.values():
        b[each] += 1
    for l in range(32, 16, -1):
        while b[l] > 0:
            m = max((m for m in range(1, l - 1) if b[m]), default=None)
            if m is None:
                raise Reject("a usual code that cannot be made shorter")
            b[l] -= 2
            b[l - 1] += 1
            b[m + 1] += 2
            b[m] -= 1
    b[max(l for l in range(33) if b[l])] -= 1
    return Code(b[1:17], sorted(frequencies, key=lambda symbol: (lengths[symbol], symbol)))


def write_bits(intervals, codes):
    """The bits of a scan, with the markers of restarts between the intervals."""
    content = bytearray()
    for number, written in enumerate(intervals):
        if number:
            content += bytes([0xFF, 0xD0 + (number - 1) % 8])
        bits = "".join(each if isinstance(each, str) else find_word(codes, *each) for each in written)
        bits += "1" * (-len(bits) % 8)
        content += int("0" + bits, 2).to_bytes(len(bits) // 8, "big").replace(b"\xff", b"\xff\0")
    return content


def find_word(codes, name, symbol):
    if name not in codes or symbol not in codes[name].words:
        raise Reject("a symbol that has no word in its code")
    return codes[name].words[symbol]
