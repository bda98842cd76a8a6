#!/usr/bin/env python3
"""Writes the data-like fixtures: orders.json, service.log, stations.csv and wave.bin.

    scripts/fixtures.py            write them into fixtures/
    scripts/fixtures.py --check    exit with 1 if what lies there is not what would be written

The same bytes come out on every machine and with every Python: integers only, and a generator of its own.
"""

import json
import struct
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "fixtures"


class Dice:
    """Marsaglia's xorshift64: small, and fixed for ever."""

    def __init__(self, seed):
        self.state = seed

    def below(self, n):
        s = self.state
        s ^= s << 13 & 0xFFFF_FFFF_FFFF_FFFF
        s ^= s >> 7
        s ^= s << 17 & 0xFFFF_FFFF_FFFF_FFFF
        self.state = s
        return (s >> 11) % n

    def pick(self, items):
        return items[self.below(len(items))]

    def weighted(self, pairs):
        """An item of `pairs`, (item, weight), with its chance in proportion to the weight."""
        at = self.below(sum(weight for _, weight in pairs))
        for item, weight in pairs:
            if at < weight:
                return item
            at -= weight
        raise AssertionError("unreachable: weights add up")


def clock(seconds):
    """Seconds since midnight, 1 March 2031, as the date and time of day."""
    day, rest = divmod(seconds, 86400)
    return f"2031-03-{day + 1:02}", f"{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}"


def orders():
    """Orders of a bakery, as an interface would return them: nested, with optional fields."""
    dice = Dice(0x0DD5)
    goods = {"rye loaf": 480, "sourdough, large": 720, "seed roll": 95, "plaited white": 390, "oat biscuits": 260,
             "poppy cake": 310, "cinnamon bun": 180, "flatbread": 150}
    first = ["Ada", "Boris", "Chiara", "Dmitri", "Esi", "Farid", "Greta", "Hiro", "Inés", "Jonas", "Katarzyna", "Łukasz"]
    last = ["Okafor", "Lindqvist", "Moreau", "Tanaka", "Silva", "Novák", "Byrne", "Haddad"]
    remarks = ["please slice", "no nuts!", "ring twice", "leave with the neighbour at 12", "birthday, add a candle"]
    out, now = [], 21600
    for number in range(160):
        now += 40 + dice.below(900)
        date, time = clock(now)
        lines = []
        for name in sorted({dice.pick(list(goods)) for _ in range(1 + dice.below(4))}):
            count = 1 + dice.below(6)
            lines.append({"item": name, "count": count, "cents": goods[name] * count})
        order = {
            "id": f"B{30417 + number}",
            "placed": f"{date}T{time}Z",
            "customer": {"name": f"{dice.pick(first)} {dice.pick(last)}", "regular": dice.below(3) == 0},
            "lines": lines,
            "total_cents": sum(line["cents"] for line in lines),
            "paid": dice.below(10) > 0,
            "delivery": dice.weighted([(None, 3), ({"zone": 1 + dice.below(4), "slot": f"{7 + dice.below(11)}:30"}, 2)]),
        }
        if dice.below(6) == 0:
            order["remark"] = dice.pick(remarks)
        out.append(order)
    return (json.dumps({"shop": "Three Ovens", "orders": out}, ensure_ascii=False, indent=2) + "\n").encode()


def service():
    """The log of a web service: requests, slow queries, a failure with its trace now and then."""
    dice = Dice(0x106)
    paths = [("/", 30), ("/api/v2/parcels/{}", 60), ("/api/v2/parcels/{}/events", 25), ("/login", 8), ("/static/app.css", 12),
             ("/api/v2/depots?near={}", 9), ("/health", 20)]
    out, now = [], 3 * 86400 + 28800
    for _ in range(900):
        now += dice.below(7)
        stamp = f"{' '.join(clock(now))}.{dice.below(1000):03}"
        thread = f"worker-{1 + dice.below(6)}"
        path = dice.weighted(paths).format(400000 + dice.below(9000))
        status = dice.weighted([(200, 80), (304, 10), (404, 5), (302, 3), (500, 1)])
        client = f"10.{dice.below(3)}.{dice.below(40)}.{dice.below(250) + 1}"
        took = dice.below(40) + (dice.below(900) if dice.below(12) == 0 else 2)
        out.append(f"{stamp} INFO  [{thread}] http: {client} GET {path} -> {status} in {took} ms")
        if took > 500:
            out.append(f"{stamp} WARN  [{thread}] db: slow query ({took - 11} ms): SELECT * FROM event WHERE parcel_id = $1 "
                       "ORDER BY at DESC LIMIT 50")
        if status == 500:
            out.append(f"{stamp} ERROR [{thread}] http: {path}: connection to depot service lost after {dice.below(30)} s")
            out += [f"    at {place} ({name}.rs:{10 + dice.below(400)})" for place, name in
                    [("depot::client::call", "client"), ("depot::retry::with_backoff", "retry"), ("api::parcel::show", "parcel")]]
    return ("\n".join(out) + "\n").encode()


def stations():
    """Readings of weather stations every ten minutes: numbers that wander, a gap here and there."""
    dice = Dice(0xC5F)
    out = ["time,station,temperature_c,humidity_pct,pressure_hpa,wind_ms,rain_mm,remark"]
    state = {name: [dice.below(120) + 20, 600 + dice.below(300), 10050 + dice.below(200), dice.below(60)]
             for name in ("Alder Hill", "Brook Lane", "Cold Ash", "Dunmere")}
    for step in range(300):
        date, time = clock(step * 600)
        for name, values in state.items():
            warmer = 1 if 48 <= step % 144 < 90 else -1
            for place, (reach, pull) in enumerate([(5, warmer), (9, -2 * warmer), (5, 0), (9, 0)]):
                values[place] += dice.below(2 * reach + 1) - reach + pull * dice.below(2)
            values[1] = min(max(values[1], 150), 1000)
            values[3] = abs(values[3])
            rain = dice.below(14) if values[1] > 850 and dice.below(3) == 0 else 0
            if dice.below(90) == 0:
                out.append(f"{date} {time},{name},,,,,,no answer")
                continue
            numbers = [f"{'-' if v < 0 else ''}{abs(v) // 10}.{abs(v) % 10}" for v in (*values, rain)]
            out.append(f"{date} {time},{name},{','.join(numbers)},")
    return ("\n".join(out) + "\n").encode()


def wave():
    """A small binary: a header, a table of records, samples of a decaying oscillation with noise, some random bytes."""
    dice = Dice(0xB14)
    table = b"".join(struct.pack("<IHhB3x", 1000 + 37 * n + dice.below(9), n, dice.below(2001) - 1000, dice.below(4))
                     for n in range(256))
    samples, position, speed = bytearray(), 24000 << 8, 0
    for _ in range(16000):
        speed -= position // 900
        position += speed
        position -= position // 20000
        samples += struct.pack("<h", max(min((position >> 8) + dice.below(65) - 32, 32767), -32768))
    noise = bytes(dice.below(256) for _ in range(2048))
    return b"WAVX" + struct.pack("<HHIII", 1, 256, len(table), len(samples), len(noise)) + table + bytes(samples) + noise


def main():
    stale = []
    for name, content in [("orders.json", orders()), ("service.log", service()), ("stations.csv", stations()), ("wave.bin", wave())]:
        path = FOLDER / name
        if "--check" not in sys.argv[1:]:
            path.write_bytes(content)
            print(f"{path.name}: {len(content)} bytes")
        elif not path.exists() or path.read_bytes() != content:
            stale.append(name)
    if stale:
        sys.exit(f"fixtures.py: not what this script writes: {', '.join(stale)}; run scripts/fixtures.py")


if __name__ == "__main__":
    main()
