# part: processes
# names: Process, create_subprocess_exec, create_subprocess_shell
# needs: core, futures, tasks, streams
# imports: from typing import Any, Optional, Tuple; import anyio
class Process:
    """A child process: what `asyncio.subprocess.Process` is to asyncio."""

    def __init__(self, process: Any, limit: int) -> None:
        self._process = process
        self.stdin = None if process.stdin is None else StreamWriter(process.stdin)
        self.stdout = None if process.stdout is None else StreamReader(process.stdout, limit)
        self.stderr = None if process.stderr is None else StreamReader(process.stderr, limit)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def returncode(self) -> Optional[int]:
        return self._process.returncode

    async def wait(self) -> int:
        return await self._process.wait()

    def _signal(self, number: Any) -> None:
        if self.returncode is not None:
            raise ProcessLookupError
        self._process.send_signal(number)

    def send_signal(self, signal: Any) -> None:
        self._signal(signal)

    def terminate(self) -> None:
        if self.returncode is not None:
            raise ProcessLookupError
        self._process.terminate()

    def kill(self) -> None:
        if self.returncode is not None:
            raise ProcessLookupError
        self._process.kill()

    async def communicate(self, input: Optional[bytes] = None) -> Tuple[Optional[bytes], Optional[bytes]]:
        """Send `input`, read both pipes to their ends, wait for the exit."""
        output: dict = {"stdout": None, "stderr": None}

        async def feed() -> None:
            try:
                if input:
                    await self._process.stdin.send(input)
            except (anyio.BrokenResourceError, anyio.ClosedResourceError):
                pass
            await self._process.stdin.aclose()

        async def read(name: str, reader: StreamReader) -> None:
            output[name] = await reader.read()

        async with anyio.create_task_group() as tg:
            if self.stdin is not None:
                tg.start_soon(feed)
            for name in output:
                if getattr(self, name) is not None:
                    tg.start_soon(read, name, getattr(self, name))
        await self.wait()
        return output["stdout"], output["stderr"]

    def __repr__(self) -> str:
        return f"<Process {self.pid}>"


async def _spawn(command: Any, limit: int, options: dict) -> Process:
    for name in ("stdin", "stdout", "stderr"):
        options.setdefault(name, None)
    return Process(await anyio.open_process(command, **options), limit)


async def create_subprocess_exec(program: Any, *args: Any, limit: int = 2**16, **kwds: Any) -> Process:
    """Start a program; streams are inherited unless given, as in asyncio."""
    return await _spawn([program, *args], limit, kwds)


async def create_subprocess_shell(cmd: Any, *, limit: int = 2**16, **kwds: Any) -> Process:
    """Start a shell command; streams are inherited unless given."""
    return await _spawn(cmd, limit, kwds)
