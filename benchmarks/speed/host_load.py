"""What a host bears: many players at once, and what the server adds to the model's own time.

    python benchmarks/speed/host_load.py [--clients 100] [--seconds 300] [--arrive 0] [--out FILE]

Each client walks through a deck of the embedded overfit target, asks about two candidates a step,
and thinks for as long as a person's program does (a second, drawn at random). The server is another
process on 127.0.0.1. Its own overhead is the time of a request less the time that the model took,
which the server measures; a request that finds the model busy waits, and that is the model's time.
Where other work shares the cores, what a request uses of a core says more than how long it takes.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

import httpx2
import numpy as np

from miagym.hosting.records.keys import add_player
from miagym.hosting.records.ledger import Ledger

SERVER = """
import sys, threading, time
from contextvars import ContextVar
from pathlib import Path
from miagym.hosting.answers import LedgerQuestioner
from miagym.hosting.host import Host
from miagym.hosting.records.ledger import Ledger
from miagym.hosting.server import make_app
from miagym.hosting.serving import bound, serve
from miagym.hosting.suite import HostedTask

busy, turn = threading.local(), threading.Lock()
inner, play = LedgerQuestioner.answers, Host.play

def answers(self, *asked):
    begun, used = time.perf_counter(), time.thread_time()
    with turn:  # one question after another, so that the model's time is the model's
        found = inner(self, *asked)
    busy.seconds += time.perf_counter() - begun
    busy.used += time.thread_time() - used
    return found

def timed(self, *asked):
    busy.seconds = busy.used = 0
    begun, used = time.perf_counter(), time.thread_time()
    try:
        return play(self, *asked)
    finally:
        own = time.perf_counter() - begun - busy.seconds
        cpu = time.thread_time() - used - busy.used
        print(f"{own:.6f} {cpu:.6f} {busy.seconds:.6f}", file=out, flush=True)

LedgerQuestioner.answers, Host.play = answers, timed
task = HostedTask("load", "", ("clipart-overfit",), "clipart-tune", ("variation@0.3",),
                  budget=60, hands=16, walks=(10**6, 1))
with open(sys.argv[3], "w", encoding="utf-8") as out:
    app = make_app(Host([task], Ledger(Path(sys.argv[1]))))
    serve(app, bound("127.0.0.1", int(sys.argv[2])))
"""


class Player(threading.Thread):
    """A program that plays until its time is over, and notes what every request led to."""

    def __init__(self, address: str, key: str, seed: int, until: float) -> None:
        super().__init__(daemon=True)
        self.http = httpx2.Client(base_url=address, headers={"X-API-Key": key}, timeout=120)
        self.rng, self.until = np.random.default_rng(seed), until
        self.replies: list[tuple[int, float]] = []

    def post(self, path: str, body: dict) -> dict | None:
        name = f"r{self.rng.integers(2**62):x}x"
        begun = time.perf_counter()
        reply = self.http.post(path, json={"request_id": name, **body})
        self.replies.append((reply.status_code, time.perf_counter() - begun))
        return reply.json() if reply.status_code == 200 else None

    def run(self) -> None:
        while time.monotonic() < self.until:
            if self.post("/tasks/load/reset", {}) is None:
                continue
            for _ in range(8):
                whom = [*self.rng.permutation(16)[:2].tolist(), 16, 16]
                action = {"candidate": whom, "question": [0] * 4, "probability": [0.5] * 16}
                self.post("/tasks/load/step", {"action": action | {"stop": 0}})
                time.sleep(self.rng.uniform(0.5, 1.5))
                if time.monotonic() >= self.until:
                    return


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--clients", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--arrive", type=float, default=0, help="seconds in which players come")
    parser.add_argument("--port", type=int, default=8123)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        db, times = Path(folder, "host.sqlite"), Path(folder, "times")
        with Ledger(db) as ledger:
            keys = [add_player(ledger, f"p{i}") for i in range(options.clients)]
        command = [sys.executable, "-c", SERVER, str(db), str(options.port), str(times)]
        server = subprocess.Popen(command)
        address = f"http://127.0.0.1:{options.port}"
        try:
            wait_for(address)
            until = time.monotonic() + options.seconds
            players = [Player(address, key, i, until) for i, key in enumerate(keys)]
            for player in players:
                player.start()
                time.sleep(options.arrive / len(players))
            for player in players:
                player.join()
        finally:
            server.terminate()
            server.wait()
        own, cpu, model = np.loadtxt(times).T
        replies = [reply for player in players for reply in player.replies]
        with Ledger(db) as ledger:
            charged = ledger.read("SELECT sum(rows) FROM charges")[0][0]
            spent = ledger.read("SELECT sum(spent), max(spent) FROM accounts")[0]
    assert charged == spent[0] and spent[1] <= 60
    told = page(options, Counter(code for code, _ in replies), own, cpu, model)
    print(told)
    if options.out:
        options.out.write_text(told, encoding="utf-8")


def wait_for(address: str) -> None:
    for _ in range(1800):
        try:
            httpx2.get(f"{address}/health")
            return
        except httpx2.TransportError:
            time.sleep(0.1)
    raise SystemExit("the server did not start")


def page(
    options: argparse.Namespace,
    codes: Counter[int],
    own: np.ndarray,
    cpu: np.ndarray,
    model: np.ndarray,
) -> str:
    told = ", ".join(f"{count:,} × {code}" for code, count in sorted(codes.items()))
    share, used = (np.percentile(each, [50, 95, 99]) * 1000 for each in (own, cpu))
    return f"""# A host under load

Made by `python benchmarks/speed/host_load.py --clients {options.clients} --seconds \
{options.seconds:g} --arrive {options.arrive:g}` on two cores, which clients, server and model
share.

- Replies: {told}.
- The server's own time in a request, beyond the model: median {share[0]:.1f} ms, 95 %
  {share[1]:.1f} ms, 99 % {share[2]:.1f} ms.
- Of that, on a core: median {used[0]:.1f} ms, 95 % {used[1]:.1f} ms, 99 % {used[2]:.1f} ms; the
  rest is waiting, for a core, the disk or another thread.
- The model's, waiting for it included: median {np.median(model) * 1000:.0f} ms.
- The ledger: what was charged equals what the accounts have spent, and no account is overdrawn.
"""


if __name__ == "__main__":
    main()
