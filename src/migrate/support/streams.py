# part: streams
# names: StreamReader, StreamWriter, Server, open_connection, open_unix_connection, start_server, start_unix_server, IncompleteReadError, LimitOverrunError
# needs: core, futures, tasks
# imports: import inspect; import socket; import ssl as _ssl; from typing import Any, Optional, Tuple; import anyio; from anyio.abc import SocketAttribute; from anyio.streams.tls import TLSAttribute, TLSListener
_LIMIT = 2**16


class IncompleteReadError(EOFError):
    """The stream ended before all was read; `partial` is what came."""

    def __init__(self, partial: bytes, expected: Optional[int]) -> None:
        wanted = "undefined" if expected is None else repr(expected)
        super().__init__(f"{len(partial)} bytes read on a total of {wanted} expected bytes")
        self.partial, self.expected = partial, expected


class LimitOverrunError(Exception):
    """The separator was not found within the limit."""

    def __init__(self, message: str, consumed: int) -> None:
        super().__init__(message)
        self.consumed = consumed


class StreamReader:
    """Reads bytes and lines: what `asyncio.StreamReader` is to asyncio."""

    def __init__(self, stream: Any, limit: int = _LIMIT) -> None:
        self._stream, self._limit = stream, limit
        self._buffer = bytearray()
        self._eof = False

    async def _fill(self) -> bool:
        """Receive some more; False at the end of the stream."""
        if self._eof:
            return False
        try:
            self._buffer += await self._stream.receive(65536)
        except anyio.EndOfStream:
            self._eof = True
        except anyio.ClosedResourceError:
            self._eof = True
        except anyio.BrokenResourceError as exc:
            self._eof = True
            raise _connection_error(exc) from None
        except anyio.BusyResourceError:
            raise RuntimeError("read() called while another coroutine is already waiting for incoming data") from None
        return not self._eof

    def _take(self, count: int) -> bytes:
        data = bytes(self._buffer[:count])
        del self._buffer[:count]
        return data

    def at_eof(self) -> bool:
        return self._eof and not self._buffer

    def feed_data(self, data: bytes) -> None:
        self._buffer += data

    def feed_eof(self) -> None:
        self._eof = True

    async def read(self, n: int = -1) -> bytes:
        if n == 0:
            return b""
        if n < 0:
            while await self._fill():
                pass
            return self._take(len(self._buffer))
        if not self._buffer:
            await self._fill()
        return self._take(n)

    async def readexactly(self, n: int) -> bytes:
        if n < 0:
            raise ValueError("readexactly size can not be less than zero")
        while len(self._buffer) < n:
            if not await self._fill():
                raise IncompleteReadError(self._take(len(self._buffer)), n)
        return self._take(n)

    async def readline(self) -> bytes:
        try:
            return await self.readuntil(b"\n")
        except IncompleteReadError as exc:
            return exc.partial
        except LimitOverrunError as exc:
            if self._buffer.startswith(b"\n", exc.consumed):
                del self._buffer[: exc.consumed + 1]
            else:
                self._buffer.clear()
            raise ValueError(exc.args[0]) from None

    async def readuntil(self, separator: Any = b"\n") -> bytes:
        separators = sorted(separator, key=len) if isinstance(separator, tuple) else [separator]
        if not separators or not separators[0]:
            raise ValueError("Separator should be at least one-byte string")
        while True:
            ends = [at + len(s) for s in separators for at in [self._buffer.find(s)] if at >= 0]
            if ends:
                end = min(ends)
                if end - len(separators[0]) > self._limit:
                    raise LimitOverrunError("Separator is found, but chunk is longer than limit", end - len(separators[0]))
                return self._take(end)
            if len(self._buffer) + 1 - len(separators[-1]) > self._limit:
                raise LimitOverrunError(
                    "Separator is not found, and chunk exceed the limit", len(self._buffer) + 1 - len(separators[-1])
                )
            if not await self._fill():
                raise IncompleteReadError(self._take(len(self._buffer)), None)

    def __aiter__(self) -> "StreamReader":
        return self

    async def __anext__(self) -> bytes:
        line = await self.readline()
        if not line:
            raise StopAsyncIteration
        return line


def _connection_error(exc: BaseException) -> BaseException:
    """The OSError behind an error of an AnyIO stream."""
    if isinstance(exc.__cause__, OSError):
        return exc.__cause__
    return ConnectionResetError("Connection lost")


class StreamWriter:
    """Writes without waiting, sends in the background: as `asyncio.StreamWriter`."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._buffer = bytearray()
        self._eof = self._closing = False
        self._error: Optional[BaseException] = None
        self._flusher: Optional[Task] = None
        self._closed: Future = Future()

    def write(self, data: Any) -> None:
        if self._eof:
            raise RuntimeError("Cannot call write() after write_eof()")
        if self._closing or self._error is not None:
            return
        self._buffer += data
        self._kick()

    def writelines(self, data: Any) -> None:
        self.write(b"".join(data))

    def write_eof(self) -> None:
        self._eof = True
        self._kick()

    def can_write_eof(self) -> bool:
        return hasattr(self._stream, "send_eof")

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        if not self._closing:
            self._closing = True
            self._kick()

    async def wait_closed(self) -> None:
        await self._closed._wait_done()

    def _kick(self) -> None:
        if self._flusher is None or self._flusher.done():
            self._flusher = Task(self._flush())

    async def _flush(self) -> None:
        eof_sent = False
        try:
            while True:
                while self._buffer and self._error is None:
                    data, self._buffer = bytes(self._buffer), bytearray()
                    await self._stream.send(data)
                if self._eof and not eof_sent and not self._closing and self._error is None:
                    eof_sent = True
                    if hasattr(self._stream, "send_eof"):
                        await self._stream.send_eof()
                    else:
                        await self._stream.aclose()
                if self._buffer and self._error is None:
                    continue
                break
        except (anyio.BrokenResourceError, anyio.ClosedResourceError, OSError) as exc:
            self._error = exc if isinstance(exc, OSError) else _connection_error(exc)
            self._buffer.clear()
        finally:
            if self._closing:
                with anyio.CancelScope(shield=True):
                    try:
                        await self._stream.aclose()
                    except (anyio.BrokenResourceError, OSError):
                        pass
                    if not self._closed.done():
                        self._closed.set_result(None)

    async def drain(self) -> None:
        if self._error is not None:
            raise self._error
        while len(self._buffer) > 2**16 and self._flusher is not None:
            await self._flusher._wait_done()
        if self._error is not None:
            raise self._error
        await anyio.sleep(0)

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        raw = self._stream.extra(SocketAttribute.raw_socket, None)
        if name == "socket":
            return default if raw is None else raw
        if name in ("peername", "sockname"):
            try:
                return raw.getpeername() if name == "peername" else raw.getsockname()
            except (AttributeError, OSError):
                return default
        attribute = {"ssl_object": "ssl_object", "peercert": "peer_certificate", "cipher": "cipher"}.get(name)
        return self._stream.extra(getattr(TLSAttribute, attribute), default) if attribute else default


def _first_os_error(exc: OSError) -> OSError:
    """What asyncio raises where AnyIO says "All connection attempts failed"."""
    cause = exc.__cause__
    while cause is not None and hasattr(cause, "exceptions"):
        cause = cause.exceptions[0]
    return cause if isinstance(cause, OSError) else exc


async def open_connection(
    host: Any = None, port: Any = None, *, limit: int = _LIMIT, ssl: Any = None,
    server_hostname: Any = None, local_addr: Any = None, happy_eyeballs_delay: float = 0.25,
) -> Tuple[StreamReader, StreamWriter]:
    """Connect by TCP, and TLS with `ssl`; a reader and a writer."""
    options: dict = {"happy_eyeballs_delay": happy_eyeballs_delay}
    if local_addr is not None:
        options["local_host"] = local_addr[0]
    if ssl:
        options.update(tls=True, tls_standard_compatible=False, tls_hostname=server_hostname)
        if isinstance(ssl, _ssl.SSLContext):
            options["ssl_context"] = ssl
    try:
        stream = await anyio.connect_tcp(host, port, **options)
    except OSError as exc:
        raise _first_os_error(exc) from None
    return StreamReader(stream, limit), StreamWriter(stream)


async def open_unix_connection(path: Any = None, *, limit: int = _LIMIT) -> Tuple[StreamReader, StreamWriter]:
    """Connect to a UNIX socket; a reader and a writer."""
    try:
        stream = await anyio.connect_unix(path)
    except OSError as exc:
        raise _first_os_error(exc) from None
    return StreamReader(stream, limit), StreamWriter(stream)


class Server:
    """Accepts connections until closed; each runs as a task of its own."""

    def __init__(self, listener: Any, connected: Any, limit: int) -> None:
        self._listener, self._connected, self._limit = listener, connected, limit
        self._task: Optional[Task] = None
        self._accepting: Future = Future()
        self._closed: Future = Future()

    @property
    def sockets(self) -> Tuple[Any, ...]:
        if self._closed.done():
            return ()
        inner = getattr(self._listener, "listener", self._listener)
        parts = getattr(inner, "listeners", [inner])
        return tuple(part.extra(SocketAttribute.raw_socket) for part in parts)

    def is_serving(self) -> bool:
        return self._task is not None and not self._task.done()

    async def start_serving(self) -> None:
        if self._task is None:
            self._task = Task(self._accept())
            await self._accepting._wait_done()

    async def _accept(self) -> None:
        self._accepting.set_result(None)
        try:
            await self._listener.serve(self._handle)
        finally:
            with anyio.CancelScope(shield=True):
                await self._listener.aclose()

    async def _handle(self, stream: Any) -> None:
        reader, writer = StreamReader(stream, self._limit), StreamWriter(stream)

        async def connection() -> None:
            try:
                result = self._connected(reader, writer)
                if inspect.isawaitable(result):
                    await result
            except Exception:
                _log.exception("Unhandled exception in client_connected_cb")
                writer.close()

        Task(connection())

    async def serve_forever(self) -> None:
        await self.start_serving()
        try:
            await self._closed._wait_done()
            raise TaskCancelled
        finally:
            self.close()

    def close(self) -> None:
        if self._closed.done():
            return
        for sock in self.sockets if self._task is None else ():
            sock.close()
        if self._task is not None:
            self._task.cancel()
        self._closed.set_result(None)

    async def wait_closed(self) -> None:
        await self._closed._wait_done()
        if self._task is not None:
            await self._task._wait_done()

    async def __aenter__(self) -> "Server":
        return self

    async def __aexit__(self, *exc_info: Any) -> None:
        self.close()
        with anyio.CancelScope(shield=True):
            await self.wait_closed()


async def _serve(listener: Any, connected: Any, limit: int, ssl: Any, start_serving: bool) -> Server:
    if ssl is not None:
        listener = TLSListener(listener, ssl, standard_compatible=False)
    server = Server(listener, connected, limit)
    if start_serving:
        await server.start_serving()
    return server


async def start_server(
    client_connected_cb: Any, host: Any = None, port: Any = None, *, limit: int = _LIMIT, ssl: Any = None,
    family: Any = socket.AF_UNSPEC, backlog: int = 100, reuse_port: bool = False, start_serving: bool = True,
) -> Server:
    """Serve TCP (TLS with `ssl`): the callback gets a reader and a writer."""
    listener = await anyio.create_tcp_listener(
        local_host=host or None, local_port=port or 0, family=family, backlog=backlog, reuse_port=bool(reuse_port)
    )
    return await _serve(listener, client_connected_cb, limit, ssl, start_serving)


async def start_unix_server(
    client_connected_cb: Any, path: Any = None, *, limit: int = _LIMIT, ssl: Any = None,
    backlog: int = 100, start_serving: bool = True,
) -> Server:
    """Serve a UNIX socket: the callback gets a reader and a writer."""
    listener = await anyio.create_unix_listener(path, backlog=backlog)
    return await _serve(listener, client_connected_cb, limit, ssl, start_serving)
