# part: core
# names: call_soon
# needs:
# imports: import logging; import sys; import anyio
_log = logging.getLogger(__name__)


def _trio():
    """The trio module when the calling code runs under trio, else None."""
    trio = sys.modules.get("trio")
    if trio is None:
        return None
    try:
        trio.lowlevel.current_trio_token()
    except RuntimeError:
        return None
    return trio


def _guarded(callback, *args):
    """Call back and log an error, as an event loop does."""
    try:
        callback(*args)
    except Exception:
        _log.exception("error in callback %r", callback)


def call_soon(callback, *args):
    """Call `callback(*args)` at the next turn of the loop, in order."""
    trio = _trio()
    if trio is None:
        import asyncio

        asyncio.get_running_loop().call_soon(_guarded, callback, *args)
    else:
        trio.lowlevel.current_trio_token().run_sync_soon(_guarded, callback, *args)
