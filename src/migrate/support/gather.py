# part: gather
# names: gather
# needs: core, futures, tasks
# imports: from typing import Any, Dict, List
class _GatherFuture(Future):
    """The result of `gather`: cancelling it cancels every child."""

    def __init__(self, children: List[Future]) -> None:
        super().__init__()
        self._children = children
        self._cancel_asked = False

    def cancel(self, msg: Any = None) -> bool:
        if self.done():
            return False
        asked = [child.cancel(msg) for child in self._children]
        if any(asked):
            self._cancel_asked = True
            self._cancel_message = msg
        return any(asked)


def gather(*awaitables: Any, return_exceptions: bool = False) -> Future:
    """Run awaitables side by side; a list of their results, in order.

    As `asyncio.gather`: the first error goes to the awaiter as it is and the
    others run on; with `return_exceptions` errors stand in the list; being
    cancelled cancels all. The same awaitable given twice runs once.
    """
    futures: Dict[int, Future] = {}
    children: List[Future] = []
    for awaitable in awaitables:
        if id(awaitable) not in futures:
            futures[id(awaitable)] = ensure_future(awaitable)
        children.append(futures[id(awaitable)])
    outer = _GatherFuture(children)
    left = len(futures)

    def outcome(child: Future) -> Any:
        if child.cancelled():
            return child._cancelled_error()
        return child.exception() or child.result()

    def child_done(child: Future) -> None:
        nonlocal left
        left -= 1
        if outer.done():
            if not child.cancelled():
                child.exception()  # seen
            return
        if not return_exceptions:
            if child.cancelled():
                outer._error = child._cancelled_error()
            elif child.exception() is not None:
                outer._error = child.exception()
            if outer._error is not None:
                outer._finish("finished")
                return
        if left == 0:
            if outer._cancel_asked:
                outer._finish("cancelled")
            else:
                outer.set_result([outcome(child) for child in children])

    for future in futures.values():
        future.add_done_callback(child_done)
    if not futures:
        outer.set_result([])
    return outer
