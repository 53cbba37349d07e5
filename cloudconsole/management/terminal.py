"""What `manage.py up` says to the person at the terminal: lines that stay, and one line that moves."""

from __future__ import annotations

from typing import TextIO

BAR_WIDTH = 24


class Terminal:
    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._moves = out.isatty()
        self._moving = False
        self._last_tenth = -1

    def say(self, text: str = "") -> None:
        """A line that stays."""
        if self._moving:
            self._out.write("\r\033[K")
            self._moving = False
        self._out.write(f"{text}\n")
        self._out.flush()

    def step(self, name: str, text: str) -> None:
        self.say(f"  {name:<11}{text}")

    def progress(self, name: str, done: int, total: int, unit: str) -> None:
        """A bar that moves in place; where the output is no terminal, a line for every tenth."""
        tenth = done * 10 // total if total else 0
        if self._moves:
            filled = done * BAR_WIDTH // total if total else 0
            self._out.write(f"\r\033[K  {name:<11}{'█' * filled}{'░' * (BAR_WIDTH - filled)} {done} of {total} {unit}")
            self._out.flush()
            self._moving = True
        elif tenth != self._last_tenth:
            self.step(name, f"{done} of {total} {unit}")
        self._last_tenth = tenth
