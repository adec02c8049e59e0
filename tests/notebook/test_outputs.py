"""What passes by is kept in part, without secrets, and nothing of that stops who puts it out."""

import subprocess
import sys
from types import SimpleNamespace

from provgraph.client.scrub_words import scrubbed_text
from provgraph.magics.outputs import SHOWN, TEXT, Outputs, Stream

INTERRUPTED = """
import os, sys, threading
from types import SimpleNamespace
from provgraph.magics.outputs import Outputs

def forks():
    if os.fork() == 0:
        print("of the child", flush=True)
        os._exit(0)
    os.wait()

def interrupts(frame, event, argument):
    if event == "call" and frame.f_code.co_name == "add":
        sys.setprofile(None)
        print("of a handler", flush=True)
        thread = threading.Thread(target=forks)
        thread.start()
        thread.join()

outputs = Outputs(SimpleNamespace())
outputs.begin()
sys.setprofile(interrupts)
print("of the cell", flush=True)
sys.setprofile(None)
(found,) = outputs.end()
print(found["characters"])
"""


def test_what_is_put_out_in_the_middle_of_it_stops_nothing() -> None:
    """A handler of a signal, and a process that a thread forks, while the cell's own text is being kept."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", INTERRUPTED], check=True, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.splitlines() == ["of a handler", "of the child", "of the cell", "25"]


def _kept(*texts: str) -> str:
    stream = Stream()
    for text in texts:
        stream.add(text)
    return stream.text(scrubbed_text)


def test_a_secret_at_a_cut_is_taken_out() -> None:
    secret = "ghp_" + "a1B2" * 9
    filling = "word " * (TEXT // 5)
    for shift in range(0, 45, 4):
        begins = f"{filling[shift:]}{secret} "
        ends = f" {secret} {filling[shift:]}"
        for kept in (
            _kept(begins, filling * 9, ends),
            _kept(begins, filling, ends),
            _kept(begins + filling * 9 + ends),
        ):
            assert "a1B2a1B2" not in kept
            assert "characters …" in kept
            assert len(kept) < 2 * TEXT + 50
    assert _kept("x" * TEXT * 9).startswith("x" * TEXT + "\n… ")
    assert _kept("short\n", "text") == "short\ntext"


def test_many_secrets_leave_no_half_of_one() -> None:
    """So many that what is left of all that is held is shorter than what may be shown."""
    key = "-----BEGIN PRIVATE KEY-----\n" + "q1W2e3R4/" * 300 + "\n-----END PRIVATE KEY-----\n"
    assert "q1W2e3R4" not in _kept(*[key] * 12)
    assert "B2a1" not in _kept(" ".join(["ghp_" + "a1B2" * 30] * 900))


def test_a_secret_in_a_display_is_taken_out_before_it_is_cut() -> None:
    secret = "ghp_" + "a1B2" * 9
    shell = SimpleNamespace(display_pub=SimpleNamespace(publish=lambda data: None))
    outputs = Outputs(shell)
    outputs.begin()
    shell.display_pub.publish({"text/plain": "word " * ((SHOWN - 10) // 5) + secret + " word" * 2000})
    (shown,) = outputs.end(scrubbed_text)
    text = str(shown["text"])
    assert "a1B2" not in text
    assert text.startswith("word ")
    assert len(text) <= SHOWN + 1
