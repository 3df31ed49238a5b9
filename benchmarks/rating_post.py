"""Rating POST against `/ping`, the same server and clients, interleaved.

`python -m benchmarks.rating_post` prints requests a second and latency of both, and their ratio. A rating
is recorded, learned from, and answered with the next pair, as when a browser sends it.
"""

import argparse
import asyncio
import json
import statistics
import time
from collections import deque

from benchmarks.http import Connection
from benchmarks.instance import temporary_instance

CLIENTS = 16
SECONDS = 4.0
ROUNDS = 5
AHEAD = 4  # pairs that the explore page holds


class Rater:
    """One client: a guest who answers pair after pair."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.pairs: deque[str] = deque()

    async def ping(self) -> None:
        """One request that does nothing."""
        status, _ = await self.connection.request("GET", "/ping")
        assert status == 200

    async def rate(self) -> None:
        """One rating; the answer brings the next pair."""
        if not self.pairs:
            await self.refill()
        answer = "left" if hash(self.pairs[0]) % 2 else "right"
        body = {"pair_id": self.pairs.popleft(), "answer": answer, "next": AHEAD}
        status, reply = await self.connection.request("POST", "/api/v1/ratings", body)
        assert status in (200, 201), reply
        self.pairs.extend(pair["id"] for pair in json.loads(reply)["pairs"] if pair["id"] not in self.pairs)

    async def refill(self) -> None:
        """Pairs to begin with."""
        status, body = await self.connection.request("GET", f"/api/v1/pairs?count={AHEAD}")
        assert status == 200, body
        self.pairs.extend(pair["id"] for pair in json.loads(body)["items"])
        assert self.pairs, "no pairs are left to rate"


async def open_rater(url: str) -> Rater:
    """A new guest with a connection of its own and the first pairs."""
    connection = await Connection.open(url)
    _, body = await connection.request("POST", "/api/v1/guests")
    connection.token = json.loads(body)["token"]
    rater = Rater(connection)
    await rater.refill()
    return rater


async def measure(raters: list[Rater], action: str) -> tuple[float, list[float]]:
    """Requests a second, and each latency in milliseconds, of all raters together for SECONDS."""
    latencies: list[float] = []
    end = time.perf_counter() + SECONDS

    async def loop(rater: Rater) -> None:
        while time.perf_counter() < end:
            began = time.perf_counter()
            await getattr(rater, action)()
            latencies.append(1000 * (time.perf_counter() - began))

    began = time.perf_counter()
    await asyncio.gather(*(loop(rater) for rater in raters))
    return len(latencies) / (time.perf_counter() - began), latencies


async def run(url: str, rounds: int) -> None:
    """Interleave the two for `rounds` rounds and print the table."""
    raters = [await open_rater(url) for _ in range(CLIENTS)]
    rates: dict[str, list[float]] = {"ping": [], "rate": []}
    latencies: dict[str, list[float]] = {"ping": [], "rate": []}
    for number in range(rounds + 1):
        for action in rates:
            rate, times = await measure(raters, action)
            if number:  # the first round warms up
                rates[action].append(rate)
                latencies[action].extend(times)
    for rater in raters:
        await rater.connection.close()
    report(rates, latencies)


def report(rates: dict[str, list[float]], latencies: dict[str, list[float]]) -> None:
    """Print the table."""
    print(f"{CLIENTS} clients, {len(rates['ping'])} interleaved rounds of {SECONDS:g} s")
    print(f"{'':14}{'requests/s':>12}{'min..max':>16}{'p50 ms':>9}{'p99 ms':>9}")
    for action, name in (("ping", "GET /ping"), ("rate", "POST rating")):
        cuts = statistics.quantiles(latencies[action], n=100)
        spread = f"{min(rates[action]):.0f}..{max(rates[action]):.0f}"
        print(f"{name:14}{statistics.median(rates[action]):12.0f}{spread:>16}{cuts[49]:9.1f}{cuts[98]:9.1f}")
    ratios = [rate / ping for rate, ping in zip(rates["rate"], rates["ping"], strict=True)]
    print(f"ratio {statistics.median(ratios):.3f} ({min(ratios):.3f}..{max(ratios):.3f})")


def main() -> None:
    """Start a temporary instance without workers and measure it."""
    parser = argparse.ArgumentParser(description="Rating POST against /ping.")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    arguments = parser.parse_args()
    with temporary_instance(workers=0) as addresses:
        asyncio.run(run(addresses.web_url, arguments.rounds))


if __name__ == "__main__":
    main()
