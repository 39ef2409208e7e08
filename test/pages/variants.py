"""The same example in other clothes: what a rule does must not depend on line
ends, on tabs, on comments, on how the file begins and ends.

`of(before, wanted)` gives (name, text, judge) for each variant that makes
sense; judge(result) returns what is wrong, or None.
"""
import ast
import io
import tokenize
from collections import Counter


def of(before, wanted):
    found = []
    for name, change in (("with CRLF", crlf), ("with a BOM", bom), ("without a last line end", no_end), ("with tabs", tabs)):
        text, expected = change(before), change(wanted)
        if text is not None and expected is not None:
            found.append((name, text, lambda result, expected=expected: differs(expected, result)))
    text = commented(before)
    if text is not None:
        found.append(("with comments", text, lambda result: other_code(text, wanted, result)))
    return found


def differs(expected, result):
    if result == expected:
        return None
    import difflib

    lines = difflib.unified_diff(expected.splitlines(True), result.splitlines(True), "expected", "got", n=1)
    return "".join(repr(line)[1:-1] + "\n" for line in lines)


def crlf(text):
    return None if "\r" in text else text.replace("\n", "\r\n")


def bom(text):
    return None if text.startswith("\ufeff") else "\ufeff" + text


def no_end(text):
    return text[:-1] if text.endswith("\n") and text.rstrip("\n") == text[:-1] and text[:-1] else None


def tokens(text):
    try:
        return list(tokenize.generate_tokens(io.StringIO(text).readline))
    except (tokenize.TokenError, SyntaxError):
        return None


def tabs(text):
    """Four spaces of indentation as a tab; not where a string goes over
    several lines or something is aligned by hand."""
    found = tokens(text)
    if found is None or "\t" in text or any(t.start[0] != t.end[0] and t.type != tokenize.NEWLINE for t in found):
        return None
    out = []
    for line in text.splitlines(keepends=True):
        body = line.lstrip(" ")
        spaces = len(line) - len(body)
        if spaces % 4:
            return None
        out.append("\t" * (spaces // 4) + body)
    return "".join(out)


def commented(text):
    """A comment of its own at the end of every line that can have one."""
    found = tokens(text)
    if found is None or "canyon:" in text:
        return None
    lines = text.splitlines(keepends=True)
    busy = {t.start[0] for t in found if t.type == tokenize.COMMENT}
    ends = {t.start[0] for t in found if t.type in (tokenize.NEWLINE, tokenize.NL)} - busy
    strings = {n for t in found if t.start[0] != t.end[0] for n in range(t.start[0], t.end[0])}
    out = []
    for number, line in enumerate(lines, 1):
        if number in ends - strings and line.strip() and line.endswith("\n"):
            line = f"{line[:-1]}  # line {number}\n"
        out.append(line)
    return "".join(out)


def other_code(text, wanted, result):
    """The code must be what it is without the comments, and the comments must
    all be there, but for those of imports and statements that are gone."""
    try:
        same = ast.dump(ast.parse(wanted)) == ast.dump(ast.parse(result))
    except SyntaxError:
        return None  # a newer Python than this one
    if not same:
        return "other code than without the comments:\n" + differs(wanted, result)
    lost = {int(c.rsplit(" ", 1)[1]) for c in comments(text) - comments(result)}
    lost = [f"# line {n}" for n in sorted(lost - lines_that_may_go(text, wanted))]
    return f"lost comments: {', '.join(lost)}\n{result}" if lost else None


def lines_that_may_go(before, after):
    """Lines of imports, and of statements of a kind of which there are fewer
    afterwards."""
    old, new = ([n for n in ast.walk(ast.parse(t)) if isinstance(n, ast.stmt)] for t in (before, after))
    fewer = Counter(type(n) for n in old) - Counter(type(n) for n in new)
    gone = [n for n in old if isinstance(n, (ast.Import, ast.ImportFrom)) or type(n) in fewer]
    lines = {line for n in gone for line in own_lines(n)}
    clauses, left = clause_lines(before), clause_lines(after)
    for word in clauses:
        if len(clauses[word]) > len(left[word]):
            lines.update(line for found in clauses[word] for line in found)
    return lines


def clause_lines(text):
    """The lines of the headers `except ...:` and `finally:`."""
    found = {"except": [], "finally": []}
    for n in ast.walk(ast.parse(text)):
        if isinstance(n, ast.ExceptHandler):
            found["except"].append(range(n.lineno, n.body[0].lineno))
        elif isinstance(n, ast.Try) and n.finalbody:
            above = (n.orelse or n.handlers or n.body)[-1]
            found["finally"].append(range(above.end_lineno + 1, n.finalbody[0].lineno))
    return found


def own_lines(statement):
    """Its lines without those of the statements in it: of a try also `except
    E:`, of an if also `else:`."""
    inner = [n for n in ast.walk(statement) if isinstance(n, ast.stmt) and n is not statement]
    taken = {line for n in inner for line in range(n.lineno, n.end_lineno + 1)}
    return set(range(statement.lineno, statement.end_lineno + 1)) - taken


def comments(text):
    return {t.string for t in tokens(text) or () if t.type == tokenize.COMMENT and t.string.startswith("# line ")}
