"""Here-documents of a shell line, blanked out: what is left has the same offsets and a grammar that is easy to parse.

A body starts on the line after its operator, so the rest of that line lies between them, and several bodies may
follow one line. Parsers of the grammar stumble over that; the shell's own lexer does it by hand, as here.
"""

from __future__ import annotations

_BLANKS = b" \t"
_WORD_END = b" \t\n;&|<>()"


class UnreadableError(ValueError):
    """A text whose quotes, substitutions or here-documents do not end where the text does."""


def without_here_documents(text: bytes) -> bytes:
    """``text`` with each ``<<WORD`` turned into ``< WORD`` and its body into blank lines; as long as before.

    Raises:
        UnreadableError: something that was opened is not closed, or a here-document stands in backquotes.
    """
    return bytes(_Scanner(text).scan())


class _Scanner:
    """Walks over a text as the shell's lexer does; only what hides or ends a here-document matters."""

    def __init__(self, text: bytes) -> None:
        self._text = text
        self._out = bytearray(text)
        self._at = 0
        self._waiting: list[tuple[bytes, bool]] = []  # delimiters of bodies to come, and whether tabs are stripped

    def scan(self) -> bytearray:
        self._commands(end=b"")
        if self._waiting:
            raise UnreadableError("a here-document has no body")
        return self._out

    def _starts(self, what: bytes) -> bool:
        return self._text.startswith(what, self._at)

    def _commands(self, end: bytes) -> None:
        """Commands up to ``end`` (")" of a substitution, or "" for the end of the text)."""
        text, depth, at_word_start = self._text, 0, True
        while self._at < len(text):
            byte = text[self._at : self._at + 1]
            if byte == b")" and end and not depth:
                self._at += 1
                return
            if byte == b"#" and at_word_start:
                newline = text.find(b"\n", self._at)
                self._at = len(text) if newline < 0 else newline
                continue
            if byte == b"\n":
                self._at += 1
                self._bodies()
            elif self._starts(b"((") and self._arithmetic_command():
                pass
            elif byte in (b"(", b")"):
                depth += 1 if byte == b"(" else -1
                self._at += 1
            elif self._starts(b"<<<"):
                self._at += 3
            elif self._starts(b"<<"):
                self._operator()
            else:
                self._quoted_or_plain(byte)
            at_word_start = byte in b" \t\n;&|<>()"
        if end:
            raise UnreadableError("a substitution is not closed")

    def _quoted_or_plain(self, byte: bytes) -> None:
        """One element of a word: an escape, a quoted string, a substitution, or a byte."""
        if byte == b"\\":
            self._at += 2
        elif byte == b"'":
            self._skip_past(b"'", self._at + 1)
        elif byte == b'"':
            self._at += 1
            self._double_quoted()
        elif byte == b"`":
            self._backquoted()
        elif byte == b"$":
            self._dollar(in_quotes=False)
        else:
            self._at += 1

    def _skip_past(self, what: bytes, start: int) -> None:
        found = self._text.find(what, start)
        if found < 0:
            raise UnreadableError(f"no closing {what.decode()}")
        self._at = found + len(what)

    def _double_quoted(self) -> None:
        while self._at < len(self._text):
            byte = self._text[self._at : self._at + 1]
            if byte == b'"':
                self._at += 1
                return
            if byte == b"$":
                self._dollar(in_quotes=True)
            elif byte == b"`":
                self._backquoted()
            else:
                self._at += 2 if byte == b"\\" else 1
        raise UnreadableError('no closing "')

    def _backquoted(self) -> None:
        start = self._at
        self._at += 1
        while self._at < len(self._text) and not self._starts(b"`"):
            self._at += 2 if self._starts(b"\\") else 1
        if self._at >= len(self._text):
            raise UnreadableError("no closing `")
        self._at += 1
        if b"<<" in self._text[start : self._at]:
            raise UnreadableError("a here-document in backquotes")

    def _dollar(self, *, in_quotes: bool) -> None:
        if self._starts(b"$((") and self._arithmetic(self._at + 3):
            return
        if self._starts(b"$("):
            self._at += 2
            waiting, self._waiting = self._waiting, []
            self._commands(end=b")")
            if self._waiting:
                raise UnreadableError("a here-document has no body")
            self._waiting = waiting
        elif self._starts(b"${"):
            self._at += 2
            self._braced(in_quotes=in_quotes)
        elif self._starts(b"$'") and not in_quotes:
            self._at += 2
            while self._at < len(self._text) and not self._starts(b"'"):
                self._at += 2 if self._starts(b"\\") else 1
            if self._at >= len(self._text):
                raise UnreadableError("no closing '")
            self._at += 1
        else:
            self._at += 1

    def _braced(self, *, in_quotes: bool) -> None:
        while self._at < len(self._text):
            byte = self._text[self._at : self._at + 1]
            if byte == b"}":
                self._at += 1
                return
            if byte == b"'" and in_quotes:
                self._at += 1
            elif byte == b"$":
                self._dollar(in_quotes=in_quotes)
            else:
                self._quoted_or_plain(byte)
        raise UnreadableError("no closing }")

    def _arithmetic_command(self) -> bool:
        return self._arithmetic(self._at + 2)

    def _arithmetic(self, start: int) -> bool:
        """Skip an arithmetic expression that begins at ``start``; False where it turns out to be none."""
        depth, at = 0, start
        while at < len(self._text):
            byte = self._text[at : at + 1]
            if byte == b"(":
                depth += 1
            elif byte == b")" and depth:
                depth -= 1
            elif byte == b")":
                if self._text[at + 1 : at + 2] != b")":
                    return False
                self._at = at + 2
                return True
            elif byte in (b"\n", b"`", b";"):
                return False
            at += 1
        return False

    def _operator(self) -> None:
        """``<<`` or ``<<-`` and its delimiter."""
        start = self._at
        self._at += 2
        tabs = self._starts(b"-")
        self._at += tabs
        while self._at < len(self._text) and self._text[self._at] in _BLANKS:
            self._at += 1
        word = self._at
        while self._at < len(self._text) and self._text[self._at] not in _WORD_END:
            byte = self._text[self._at : self._at + 1]
            if byte in (b"$", b"`"):
                raise UnreadableError("a here-document's delimiter that the shells read differently")
            self._quoted_or_plain(byte)
        delimiter = _unquoted(self._text[word : self._at])
        if self._at == word or b"\n" in delimiter:
            raise UnreadableError("a here-document has no delimiter")
        self._out[start + 1 : start + 2 + tabs] = b" " * (1 + tabs)
        self._waiting.append((delimiter, tabs))

    def _bodies(self) -> None:
        """The bodies that start on the line that was just entered."""
        for delimiter, tabs in self._waiting:
            while True:
                if self._at >= len(self._text):
                    raise UnreadableError("a here-document is not closed")
                newline = self._text.find(b"\n", self._at)
                end = len(self._text) if newline < 0 else newline
                line = self._text[self._at : end]
                self._out[self._at : end] = b" " * (end - self._at)
                last = newline < 0
                self._at = end + (not last)
                if (line.lstrip(b"\t") if tabs else line) == delimiter:
                    break
        self._waiting = []


def _unquoted(word: bytes) -> bytes:
    """A delimiter without its quotes."""
    out, quote, at = bytearray(), 0, 0
    while at < len(word):
        byte = word[at]
        if quote:
            if byte == quote:
                quote = 0
            else:
                out.append(byte)
        elif byte in b"'\"":
            quote = byte
        elif byte == 0x5C and at + 1 < len(word):
            at += 1
            out.append(word[at])
        else:
            out.append(byte)
        at += 1
    return bytes(out)
