"""Runs cases of the fuzzer in processes, several at a time, and puts together what came of them.

    python -m tests.checkpoint.fuzz.run            ten thousand cases; writes benchmarks/results/fuzz.json
    python -m tests.checkpoint.fuzz.run 0 1234     that case of seed 0 alone, in this process; leaves its file

A process that ends or is silent is started again behind the case where that happened.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
RESULTS = ROOT / "benchmarks" / "results" / "fuzz.json"
CASES, SEED, PIECE = 10_000, 0, 500
WORKER = "tests.checkpoint.fuzz.worker"
SILENT_S = 30  # after which a process hangs, whatever else the machine has to do
MOST_S, MOST_MB = 1.0, 64.0
BAD = ("crash", "hang", "wrong error", "no message", "slow", "large")

Answer = dict[str, Any]


def judged(answer: Answer) -> Answer:
    """A case that took too long or too much is bad, whatever else came of it."""
    if answer.get("work_s", 0) > MOST_S and answer["outcome"] not in BAD:
        return answer | {"outcome": "slow"}
    if answer.get("growth_mb", 0) > MOST_MB and answer["outcome"] not in BAD:
        return answer | {"outcome": "large"}
    return answer


def answers(seed: int, first: int, last: int) -> Iterator[Answer]:
    """What came of each of these cases."""
    with tempfile.TemporaryDirectory() as folder:
        while first < last:
            for answer in _of_one_process(Path(folder), seed, first, last):
                first = answer["number"] + 1
                yield judged(answer)


def _of_one_process(folder: Path, seed: int, first: int, last: int) -> Iterator[Answer]:
    words = ["-m", WORKER, str(folder), str(seed), str(first), str(last)]
    paths = os.pathsep.join([str(ROOT), str(ROOT / "backends")])
    with subprocess.Popen(
        [sys.executable, *words],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": paths, "OPENBLAS_NUM_THREADS": "1"},
    ) as process:
        lines: queue.Queue[str | None] = queue.Queue()
        reader = threading.Thread(target=_passed_on, args=(process, lines), daemon=True)
        reader.start()
        open_case: Answer | None = None
        try:
            while line := lines.get(timeout=SILENT_S):
                answer = json.loads(line)
                open_case = None if "outcome" in answer else (open_case or {}) | answer
                if open_case is None:
                    yield answer
        except queue.Empty:
            process.kill()
            doing = "loading" if open_case and "what" in open_case else "making the file"
            yield (open_case or {"number": first}) | {"outcome": "hang", "said": doing}
            return
        status = process.wait()
    if open_case is not None:
        how = signal.Signals(-status).name if status < 0 else f"status {status}"
        doing = "loading" if "what" in open_case else "making the file"
        yield open_case | {"outcome": "crash", "said": f"{how} while {doing}"}
    elif status:
        raise RuntimeError(f"the process for the cases from {first} ended with {status} before it had begun")


def _passed_on(process: subprocess.Popen[str], lines: queue.Queue[str | None]) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        lines.put(line)
    lines.put(None)


def run(seed: int, cases: int, processes: int) -> list[Answer]:
    """All cases, in pieces that processes take in turn."""
    pieces: queue.Queue[int] = queue.Queue()
    for first in range(0, cases, PIECE):
        pieces.put(first)
    found: list[Answer] = []
    failed: list[BaseException] = []

    def work() -> None:
        try:
            while True:
                first = pieces.get_nowait()
                found.extend(answers(seed, first, min(first + PIECE, cases)))
        except queue.Empty:
            return
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work) for _ in range(processes)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
    return sorted(found, key=lambda answer: answer["number"])


def report(seed: int, found: list[Answer]) -> dict[str, Any]:
    """Counts and extremes, with versions and machine."""
    import h5py

    from nnkit.measure import environment

    about = environment()
    measured = [answer for answer in found if "work_s" in answer]
    slowest = max(measured, key=lambda answer: answer["work_s"])
    largest = max(measured, key=lambda answer: answer["growth_mb"])
    kinds = sorted({answer["what"] for answer in found if "what" in answer})
    return {
        "machine": {"cpu": about["cpu"], "cores": os.cpu_count(), "gpu": None},
        "versions": {
            "python": about["python"], "numpy": about["numpy"], "nnkit": about["nnkit"],
            "h5py": h5py.__version__, "hdf5": h5py.version.hdf5_version,
        },
        "date": about["date"],
        "seed": seed,
        "cases": len(found),
        "limits": {"work_s": MOST_S, "growth_mb": MOST_MB},
        "outcomes": dict(sorted(Counter(answer["outcome"] for answer in found).items())),
        "slowest": slowest,
        "largest_growth": largest,
        "bad": [answer for answer in found if answer["outcome"] in BAD],
        "by_kind": {
            kind: dict(sorted(Counter(a["outcome"] for a in found if a.get("what") == kind).items())) for kind in kinds
        },
    }  # fmt: skip


def main(words: list[str]) -> int:
    """One case, or all."""
    if words:
        return _again(int(words[0]), int(words[1]))
    made = report(SEED, run(SEED, CASES, os.cpu_count() or 1))
    RESULTS.write_text(json.dumps(made, indent=1, ensure_ascii=False) + "\n")
    print(json.dumps({key: made[key] for key in ("cases", "outcomes", "slowest", "largest_growth")}, indent=1))
    return 1 if made["bad"] else 0


def _again(seed: int, number: int) -> int:
    from tests.checkpoint.fuzz import bases, worker

    folder = Path(tempfile.mkdtemp())
    base, what = worker.make(bases.bases(folder), seed, number, folder / "case.h5")
    print(what, folder / "case.h5", flush=True)
    print(worker.tried(folder / "case.h5", base, {}))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
