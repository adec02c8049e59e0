"""A network that delays, cuts and swallows, between a client and a server on this machine; and other servers."""

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

LOOPBACK = "127.0.0.1"


class Network:
    """Passes connections on to a port, as badly as its attributes say at the moment.

    Attributes:
        delay_s: before each piece is passed on.
        piece: the most bytes that are passed on at once.
        allowance: bytes in both directions until every connection breaks, in the middle of a piece; None for ever.
        reset: whether they break as by a cut cable (RST), else as if the other side had closed (FIN).
        silent: nothing arrives any more, and nothing breaks.
        passed: bytes passed on so far.
    """

    def __init__(self, target: int, port: int = 0) -> None:
        self.target, self.port = target, port
        self.delay_s, self.piece, self.reset, self.silent = 0.0, 1 << 16, True, False
        self.allowance: int | None = None
        self.passed = 0
        self.connections = 0
        self._writers: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,), daemon=True)
        self._thread.start()
        ready.wait()

    def cut(self) -> None:
        """Break all connections now."""
        asyncio.run_coroutine_threadsafe(self._cut(), self._loop).result()

    def close(self) -> None:
        """Nobody listens any more. Closing again does nothing."""
        if self._loop.is_closed():
            return
        self.cut()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _run(self, ready: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._accept, LOOPBACK, self.port))
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        self._loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            far_reader, far_writer = await asyncio.open_connection(LOOPBACK, self.target)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, far_writer}
        with contextlib.suppress(OSError, asyncio.CancelledError):
            await asyncio.gather(self._pass(reader, far_writer), self._pass(far_reader, writer))
        for end in (writer, far_writer):
            self._writers.discard(end)
            end.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(self.piece):
            if self.delay_s:
                await asyncio.sleep(self.delay_s)
            while self.silent:  # noqa: ASYNC110 - another thread says so
                await asyncio.sleep(0.02)
            if self.allowance is not None:
                data = data[: self.allowance]
                self.allowance -= len(data)
            writer.write(data)
            self.passed += len(data)
            await writer.drain()
            if self.allowance == 0:
                await self._cut()
                return
        writer.close()

    async def _cut(self) -> None:
        for writer in [*self._writers]:
            self._writers.discard(writer)
            end = writer.get_extra_info("socket")
            if self.reset and end is not None:
                with contextlib.suppress(OSError):
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            if self.reset:
                writer.transport.abort()
            else:
                writer.close()


@contextlib.contextmanager
def network(target: int, port: int = 0) -> Iterator[Network]:
    """A network before a port; it works until it is told not to. ``port``: where it listens; 0 for any free one."""
    opened = Network(target, port)
    try:
        yield opened
    finally:
        opened.close()


@contextlib.contextmanager
def talker(answer: Callable[[socket.socket], Any]) -> Iterator[int]:
    """The port of a server that treats each connection as ``answer`` does."""
    listening = socket.create_server((LOOPBACK, 0))

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listening.accept()
                threading.Thread(target=treat, args=(connection,), daemon=True).start()

    def treat(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            answer(connection)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join()


def echo(connection: socket.socket) -> None:
    """Says what it hears."""
    while data := connection.recv(4096):
        connection.sendall(data)


def mute(connection: socket.socket) -> None:
    """Hears and says nothing."""
    while connection.recv(4096):
        pass


def hang_up(connection: socket.socket) -> None:
    """Ends the connection at once."""


def ssh(connection: socket.socket) -> None:
    """Greets as another protocol does."""
    connection.sendall(b"SSH-2.0-OpenSSH_9.2p1\r\n")
    mute(connection)


def half_an_answer(connection: socket.socket) -> None:
    """Answers a handshake in part."""
    connection.recv(20)
    connection.sendall(b"\x00\x00")


@contextlib.contextmanager
def web_server() -> Iterator[int]:
    """The port of a real HTTP server."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer((LOOPBACK, 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()
