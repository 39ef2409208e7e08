"""Rule pages as data: sections, examples, fences. Format: README.md here.

Line numbers are 1-based and point at the fence; `--accept` uses them to write
a `fixed` block back.
"""
import re
from dataclasses import dataclass, field

TARGETS = (400, 414, 415)
CLASSES = ("safe", "unsafe", "manual", "wrong")
HEADING = re.compile(r"^##\s+(CN\d+)\s+(.+?)\s*$")
FENCE = re.compile(r"^(`{3,}|~{3,})\s*(.*?)\s*$")


class PageError(Exception):
    """The page itself is wrong: an unknown word, a pair without its half."""


@dataclass
class Block:
    line: int  # of the opening fence
    end: int  # of the closing fence
    words: list
    text: str
    prose: str  # the paragraph above the fence


@dataclass
class Example:
    page: str
    line: int
    code: str
    rule: str
    before: Block
    fixed: Block | None  # None: unchanged
    classes: set = field(default_factory=set)  # empty: `none`
    targets: tuple = TARGETS
    python: int = 0
    name: str = ""
    idiomatic: bool = False
    support: bool = False
    blocking: bool = False
    run: str = ""  # "", "both", "asyncio"
    diff: str = ""  # "", "both", "trio"

    @property
    def label(self):
        name = f" {self.name}" if self.name else ""
        return f"{self.page}:{self.line} {self.code} {self.rule}{name}"

    @property
    def wanted(self):
        return self.before.text if self.fixed is None else self.fixed.text


def blocks(lines):
    """Every fenced block of the text, with the headings between them, as
    ("heading", (line, code, rule)) and ("block", Block)."""
    paragraph, blank, opened = [], False, None
    for number, line in enumerate(lines, 1):
        bare = line.rstrip("\n")
        if opened:
            mark, start, info, body, prose = opened
            fence = FENCE.match(bare)
            if fence and not fence[2] and fence[1].startswith(mark):
                words = info.split()
                if words and words[0] == "py":
                    yield "block", Block(start, number, words[1:], "".join(body), prose)
                opened = None
            else:
                body.append(line)
            continue
        fence = FENCE.match(bare)
        if fence:
            opened = (fence[1], number, fence[2], [], " ".join(paragraph))
        elif HEADING.match(bare):
            yield "heading", (number, *HEADING.match(bare).groups())
            paragraph = []
        elif bare.startswith("## "):
            yield "heading", None  # a section about something else
            paragraph = []
        elif bare.strip():
            if blank:
                paragraph = []
            paragraph.append(bare.strip())
        blank = not bare.strip()
    if opened:
        raise PageError(f"{opened[1]}: this fence is never closed")


def read(path, text):
    """All examples of one page, in order, and its sections as
    {code: (line, rule name)}."""
    examples, sections, section, half = [], {}, None, None
    name = path.rsplit("/", 1)[-1]
    for what, item in blocks(text.splitlines(keepends=True)):
        if what == "heading":
            if half:
                raise PageError(f"{half.line}: a `py` block without its `py fixed`")
            section = None
            if item is None:
                continue
            line, code, rule = item
            if code in sections:
                raise PageError(f"{line}: a second section for {code}")
            section = (code, rule)
            sections[code] = (line, rule)
        elif section is None:
            raise PageError(f"{item.line}: an example before the first `## CNnnn name`")
        elif "fixed" in item.words:
            if half is None:
                raise PageError(f"{item.line}: a `py fixed` without the block before it")
            if set(item.words) - {"fixed", "run"}:
                raise PageError(f"{item.line}: only `fixed` and `run` stand on this fence")
            examples.append(example(name, section, half, item))
            half = None
        elif half:
            raise PageError(f"{half.line}: a `py` block without its `py fixed`")
        elif "unchanged" in item.words:
            item.words.remove("unchanged")
            examples.append(example(name, section, item, None))
        else:
            half = item
    if half:
        raise PageError(f"{half.line}: a `py` block without its `py fixed`")
    return examples, sections


def example(page, section, before, fixed):
    e = Example(page, before.line, *section, before, fixed)
    classes, none = set(), False
    for word in before.words:
        key, eq, value = word.partition("=")
        if word in CLASSES:
            classes.add(word)
        elif word == "none":
            none = True
        elif key == "anyio" and eq:
            e.targets = numbers(before.line, value)
            if set(e.targets) - set(TARGETS):
                raise PageError(f"{before.line}: {word}: the targets are {TARGETS}")
        elif key == "python" and eq:
            (e.python,) = numbers(before.line, value)[:1]
        elif key == "name" and value:
            e.name = value
        elif word == "idiomatic":
            e.idiomatic = True
        elif word == "support":
            e.support = True
        elif word == "blocking":
            e.blocking = True
        elif word in ("run", "run=asyncio"):
            e.run = value or "both"
        elif word in ("diff", "diff=trio"):
            e.diff = value or "both"
        else:
            raise PageError(f"{before.line}: unknown word `{word}`")
    if none and classes:
        raise PageError(f"{before.line}: `none` and a class")
    if fixed is None and e.run:
        raise PageError(f"{before.line}: an unchanged block is not run")
    if e.diff and not e.run:
        raise PageError(f"{before.line}: `diff` without `run`")
    if e.diff and not re.search(r"\bdiffers?\b", before.prose):
        raise PageError(f"{before.line}: `diff`, but the paragraph above does not say how they differ")
    e.classes = classes or (set() if none else {"manual" if fixed is None else "safe"})
    return e


def numbers(line, value):
    try:
        return tuple(sorted(int(v) for v in value.split(",")))
    except ValueError:
        raise PageError(f"{line}: `{value}` is not a number") from None


def accept(text, results):
    """The page's text with its fixed blocks replaced: results is a list of
    (example, new text)."""
    lines = text.splitlines(keepends=True)
    for e, new in sorted(results, key=lambda r: -r[0].line):
        lines[e.fixed.line : e.fixed.end - 1] = [new]
    return "".join(lines)
