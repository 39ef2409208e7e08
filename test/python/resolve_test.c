/* resolve: which texts use which asyncio names, one rule of Python's scoping
 * or importing a row. Expected uses are written as uses_of() prints them. */
#include "python_test.h"

struct row {
    const char *text, *uses;
};

static void check_rows(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct analysed a;

        analyse(&a, rows[i].text);
        if (a.tree->broken)
            fail_msg("does not parse:\n%s", rows[i].text);
        if (strcmp(uses_of(&a), rows[i].uses) != 0)
            fail_msg("%s\n  gives  %s\n  wanted %s", rows[i].text, uses_of(&a),
                     rows[i].uses);
        forget(&a);
    }
}

static void every_spelling_resolves(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"import asyncio\nasyncio.sleep(1)\n", "asyncio.sleep@2"},
        {"import asyncio as aio\naio.sleep(1)\n", "asyncio.sleep@2"},
        {"from asyncio import sleep\nsleep(1)\n", "asyncio.sleep@2"},
        {"from asyncio import sleep as nap\nnap(1)\n", "asyncio.sleep@2"},
        {"from asyncio import (sleep as nap,\n  gather,)\nnap(gather())\n",
         "asyncio.sleep@3 asyncio.gather@3"},
        {"import asyncio\nasyncio.tasks.gather()\n", "asyncio.gather@2"},
        {"import asyncio.tasks\nasyncio.sleep\n", "asyncio.sleep@2"},
        {"import asyncio.tasks as t\nt.gather()\n", "asyncio.gather@2"},
        {"from asyncio import tasks\ntasks.gather()\n", "asyncio.gather@2"},
        {"from asyncio.tasks import gather\ngather()\n", "asyncio.gather@2"},
        {"from asyncio.exceptions import TimeoutError as T\nT\n",
         "asyncio.TimeoutError@2"},
        {"import asyncio.subprocess\nasyncio.subprocess.PIPE\n",
         "asyncio.subprocess.PIPE@2"},
        {"from asyncio import subprocess\nsubprocess.PIPE\n",
         "asyncio.subprocess.PIPE@2"},
        {"from asyncio.subprocess import PIPE\nPIPE\n",
         "asyncio.subprocess.PIPE@2"},
        {"from asyncio.subprocess import create_subprocess_exec as c\nc()\n",
         "asyncio.create_subprocess_exec@2"},
        {"from asyncio.tasks import _private\n_private\n",
         "asyncio.tasks._private@2"},
        {"import asyncio\nasyncio . sleep\n", "asyncio.sleep@2"},
        {"import asyncio\n(asyncio\n .sleep(1))\n", "asyncio.sleep@2"},
        {"import asyncio, os as o\no.x; asyncio.run\n", "asyncio.run@2"},
        {"import asyncio\nasyncio.sleep.__name__\n", "asyncio.sleep@2"},
        {"import asyncio\nf(asyncio)\n", "asyncio@2"},
        {"import asyncio\nf'{asyncio.sleep:{asyncio.run}}'\n",
         "asyncio.sleep@2 asyncio.run@2"},
        {"import anyio\nanyio.to_thread.run_sync(f)\n",
         "anyio.to_thread.run_sync@2"},
        {"from anyio import to_thread\nto_thread.run_sync(f)\n",
         "anyio.to_thread.run_sync@2"},
        {"import asyncio\nf(1, *asyncio.all_tasks().x)\n",
         "asyncio.all_tasks@2"},
        {"import asyncio\ndef f(x):\n f'{asyncio:=5}'\n", "asyncio@3"},
        {"import trio\ntrio.run(f)\n", "trio.run@2"},
        {"import os\nos.sleep()\n", ""},
        {"import my.asyncio\nmy.asyncio.sleep\n", ""},
        {"x.asyncio.sleep(asyncio=1)\n", ""},
        {"@asyncio.coroutine\ndef f(): pass\nimport asyncio\n",
         "asyncio.coroutine@1"},
        {"import asyncio\ndel asyncio\n", ""},
        {"import asyncio\nx: asyncio.Queue[int] | None = None\n",
         "asyncio.Queue@2"},
        {"import asyncio\ndef f(a: asyncio.Task[int] = asyncio.x, "
         "*b: asyncio.Lock, **c: list[asyncio.Event]) -> asyncio.Task: 1\n",
         "asyncio.Task@2 asyncio.x@2 asyncio.Lock@2 asyncio.Event@2 "
         "asyncio.Task@2"},
    };

    check_rows(rows, CN_COUNT(rows));
}

static void scopes_decide(void **state)
{
    (void)state;
    static const struct row rows[] = {
        /* shadowing */
        {"import asyncio\ndef f(asyncio): asyncio.sleep\n", ""},
        {"import asyncio\ndef f():\n asyncio = 1\n asyncio.sleep\n", ""},
        {"import asyncio\ndef f():\n for asyncio in x: asyncio.sleep\n", ""},
        {"import asyncio\nlambda asyncio: asyncio.sleep\n", ""},
        {"import asyncio\nlambda x=asyncio.run: asyncio.sleep\n",
         "asyncio.run@2 asyncio.sleep@2"},
        {"import asyncio\n[asyncio.sleep for asyncio in x]\n", ""},
        {"import asyncio\n[asyncio.run for asyncio in asyncio.x]\n",
         "asyncio.x@2"},
        {"import asyncio\n[1 for a in b for asyncio in asyncio.x]\n", ""},
        {"import asyncio\ndef f():\n with x as asyncio: asyncio.a\n", ""},
        {"import asyncio\ndef f():\n with x as (a, asyncio): asyncio.a\n", ""},
        {"import asyncio\ndef f():\n try: 1\n except E as asyncio: "
         "asyncio.a\n",
         ""},
        {"import asyncio\ndef f():\n match x:\n  case asyncio: asyncio.a\n",
         ""},
        {"import asyncio\ndef f():\n match x:\n  case C(b=asyncio): "
         "asyncio.a\n",
         ""},
        {"import asyncio\ndef f():\n match x:\n  case [*asyncio]: asyncio.a\n",
         ""},
        {"import asyncio\ndef f():\n match x:\n  case 1 as asyncio: "
         "asyncio.a\n",
         ""},
        {"import asyncio\nmatch x:\n case asyncio.Event(): 1\n"
         " case asyncio.FOO: 2\n",
         "asyncio.Event@3 asyncio.FOO@4"},
        {"import asyncio\ndef f():\n (asyncio := 1)\n asyncio.a\n", ""},
        {"import asyncio\ndef f():\n [asyncio := 1 for x in y]\n asyncio.a\n",
         ""},
        {"import asyncio\ndef f():\n def asyncio(): 1\n asyncio.a\n", ""},
        {"import asyncio\ndef f():\n class asyncio: 1\n asyncio.a\n", ""},
        {"import asyncio\ndef f[asyncio](x: asyncio.a): asyncio.b\n", ""},
        {"import asyncio\nclass C[asyncio](asyncio.a): asyncio.b\n", ""},
        {"import asyncio\ntype X[asyncio] = asyncio.a\nasyncio.b\n",
         "asyncio.b@3"},
        {"import asyncio\ndef f():\n asyncio: int\n asyncio.a\n", ""},
        {"import asyncio\ndef f():\n asyncio += 1\n asyncio.a\n", ""},
        {"import asyncio\ndef f():\n del asyncio\n asyncio.a\n", ""},
        {"import asyncio\ndef f(a, *asyncio): asyncio.a\n", ""},
        {"import asyncio\ndef f(a, *, asyncio=asyncio.b): asyncio.a\n",
         "asyncio.b@2"},
        {"import asyncio\ndef f(a, **asyncio): asyncio.a\n", ""},
        /* decorators and defaults stand outside */
        {"import asyncio\n@asyncio.a\ndef f(asyncio): 1\n", "asyncio.a@2"},
        {"import asyncio\nclass C(asyncio.a, m=asyncio.b):\n asyncio = 1\n",
         "asyncio.a@2 asyncio.b@2"},
        /* classes are skipped from below */
        {"import asyncio\nclass C:\n asyncio = 1\n def f(self): asyncio.a\n",
         "asyncio.a@4"},
        {"import asyncio\nclass C:\n asyncio = 1\n x = asyncio.a\n", ""},
        {"import asyncio\nclass C:\n asyncio = 1\n x = [asyncio.a for b in c]"
         "\n y = [1 for b in asyncio.z]\n",
         "asyncio.a@4"},
        {"class C:\n import asyncio\n x = asyncio.a\n", "asyncio.a@3"},
        {"class C:\n from asyncio import sleep\n def f(self): sleep()\n", ""},
        {"import asyncio\nclass C:\n asyncio = 1\n def f[T: asyncio.a](): 1\n",
         ""},
        /* imports in functions */
        {"def f():\n import asyncio\n asyncio.a\n", "asyncio.a@3"},
        {"import asyncio\ndef f():\n import asyncio\n asyncio.a\nasyncio.b\n",
         "asyncio.a@4 asyncio.b@5"},
        {"def f():\n import asyncio\n def g(): asyncio.a\n", "asyncio.a@3"},
        {"def f():\n import asyncio\ndef g(): asyncio.a\n", "asyncio.a!@3"},
        /* global and nonlocal */
        {"def f():\n global asyncio\n import asyncio\ndef g(): asyncio.a\n",
         "asyncio.a@4"},
        {"import asyncio\ndef f():\n global asyncio\n asyncio = None\n"
         "asyncio.a\n",
         "asyncio.a?@5"},
        {"import asyncio\ndef f():\n asyncio = 1\n def g():\n"
         "  global asyncio\n  asyncio.a\n",
         "asyncio.a@6"},
        {"def f():\n import asyncio\n def g():\n  nonlocal asyncio\n"
         "  asyncio.a\n",
         "asyncio.a@5"},
        {"def f():\n asyncio = None\n def g():\n  nonlocal asyncio\n"
         "  import asyncio\n asyncio.a\n",
         "asyncio.a?@6"},
        {"def f():\n def g():\n  nonlocal asyncio\n  asyncio.a\n"
         " import asyncio\n",
         "asyncio.a@4"},
    };

    check_rows(rows, CN_COUNT(rows));
}

static void certainty_follows_bindings(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"if x:\n import asyncio\nasyncio.a\n", "asyncio.a@3"},
        {"try:\n import asyncio\nfinally: 1\nasyncio.a\n", "asyncio.a@4"},
        {"from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n"
         " from asyncio import Task\nx: Task\n",
         "asyncio.Task@4"},
        {"import asyncio\nimport asyncio.tasks\nasyncio.a\n", "asyncio.a@3"},
        {"try:\n import asyncio\nexcept ImportError:\n asyncio = None\n"
         "asyncio.a\n",
         "asyncio.a@5"},
        {"try:\n import asyncio, foo\nexcept ImportError:\n asyncio = None\n"
         "asyncio.a\n",
         "asyncio.a?@5"},
        {"try:\n import anyio\nexcept ImportError:\n anyio = None\n"
         "anyio.a\n",
         "anyio.a?@5"},
        {"try:\n from asyncio import timeout\nexcept ImportError:\n"
         " from async_timeout import timeout\ntimeout(1)\n",
         "asyncio.timeout?@5"},
        {"try:\n from async_timeout import timeout\nexcept ImportError:\n"
         " from asyncio import timeout\ntimeout(1)\n",
         "asyncio.timeout?@5"},
        {"try:\n import anyio as aio\nexcept ImportError:\n"
         " import asyncio as aio\naio.run\n",
         "anyio.run?@5"},
        {"from asyncio import sleep\nif x:\n def sleep(): 1\nsleep()\n",
         "asyncio.sleep?@4"},
        {"from asyncio import sleep\nsleep: object\nsleep()\n",
         "asyncio.sleep@3"},
        {"from asyncio import *\nsleep()\nfoo()\nasyncio.b\n",
         "asyncio.sleep?@2 asyncio.b?@4"},
        {"from .compat import *\nsleep()\nasyncio.b\n", "asyncio.b?@3"},
        {"from .compat import *\nfrom asyncio import sleep\nsleep()\n",
         "asyncio.sleep@3"},
        {"from asyncio import sleep\nfrom .compat import *\nsleep()\n",
         "asyncio.sleep?@3"},
        {"import asyncio\nfrom .compat import *\nasyncio.sleep()\n",
         "asyncio.sleep@3"},
        {"asyncio.sleep(1)\n", "asyncio.sleep!@1"},
        {"anyio.x; trio.y; other.z\n", "anyio.x!@1 trio.y!@1"},
    };

    check_rows(rows, CN_COUNT(rows));
}

static void relative_imports_are_absolute(void **state)
{
    (void)state;
    static const struct {
        const char *text, *module, *want;
        bool is_package;
    } rows[] = {
        {"from . import x", "pkg.mod", "pkg.x", false},
        {"from . import x", "pkg", "pkg.x", true},
        {"from .a.b import x", "pkg.mod", "pkg.a.b.x", false},
        {"from .a import x", "pkg.sub", "pkg.sub.a.x", true},
        {"from .. import x", "pkg.sub.mod", "pkg.x", false},
        {"from ..a import x", "pkg.sub", "pkg.a.x", true},
        {"from ... import x", "pkg.mod", ".x", false},
        {"from . import x", "mod", ".x", false},
        {"from .a import x", "mod", "a.x", false},
        {"from .a import x", "", ".a.x", false},
        {"from a . b import x", "", "a.b.x", false},
        {"import a.b as x", "", "a.b", false},
        {"import x.y", "", "x", false},
        {"from __future__ import x", "", "__future__.x", false},
    };

    for (size_t i = 0; i < CN_COUNT(rows); i++) {
        struct analysed a;
        struct cn_symbol *s;

        analyse_as(&a, rows[i].text, rows[i].module, rows[i].is_package, NULL);
        s = cn_lookup(a.module, 1, CN_STR("x"));
        assert_non_null(s);
        assert_string_equal(cn_str_dup(&a.arena, s->bindings.at[0].import),
                            rows[i].want);
        forget(&a);
    }
}

static bool compat_exports(void *ctx, struct cn_str module, struct cn_str name,
                           struct cn_str *dotted)
{
    (void)ctx;
    if (cn_str_is(module, "pkg.deep") && cn_str_is(name, "aio")) {
        *dotted = CN_STR("pkg.compat.asyncio");
        return true;
    }
    if (!cn_str_is(module, "pkg.compat"))
        return false;
    *dotted = cn_str_is(name, "asyncio") ? CN_STR("asyncio")
              : cn_str_is(name, "nap")   ? CN_STR("asyncio.tasks.sleep")
                                         : CN_STR("pkg.compat.f");
    return true;
}

static void reexports_are_followed(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"from .compat import asyncio\nasyncio.run\n", "asyncio.run@2"},
        {"from .compat import asyncio as aio\naio.run\n", "asyncio.run@2"},
        {"from pkg.compat import nap\nnap(1)\n", "asyncio.sleep@2"},
        {"from . import compat\ncompat.asyncio.run\n", "asyncio.run@2"},
        {"import pkg.compat\npkg.compat.asyncio.run\n", "asyncio.run@2"},
        {"import pkg.compat as c\nc.nap(1)\n", "asyncio.sleep@2"},
        {"from .deep import aio\naio.sleep\n", "asyncio.sleep@2"},
        {"from .compat import f\nf.asyncio\n", ""},
        {"from .other import asyncio\nasyncio.run\n", ""},
    };
    struct cn_project_facts project = {.export_of = compat_exports};

    for (size_t i = 0; i < CN_COUNT(rows); i++) {
        struct analysed a;

        analyse_as(&a, rows[i].text, "pkg.mod", false, &project);
        assert_string_equal(uses_of(&a), rows[i].uses);
        forget(&a);
    }
}

static void resolve_answers_for_any_chain(void **state)
{
    (void)state;
    struct analysed a;
    struct cn_str dotted;

    analyse(&a, "import concurrent.futures as cf, os.path\n"
                "from concurrent.futures.thread import ThreadPoolExecutor\n"
                "cf.thread.ThreadPoolExecutor.map\nThreadPoolExecutor\n"
                "os.path.join.x\nx().y\n");
    cn_node chain = cn_parent(a.tree, identifier(&a, "map", 1));

    assert_int_equal(cn_resolve(a.module, chain, &dotted), CN_SURE);
    assert_true(cn_str_is(dotted, "concurrent.futures.ThreadPoolExecutor.map"));
    assert_true(cn_resolves_to(a.module,
                               identifier(&a, "ThreadPoolExecutor", 3),
                               "concurrent.futures.ThreadPoolExecutor"));
    chain = cn_parent(a.tree, identifier(&a, "join", 1));
    assert_true(cn_resolves_to(a.module, chain, "os.path.join"));
    chain = cn_parent(a.tree, identifier(&a, "y", 1));
    assert_int_equal(cn_resolve(a.module, chain, &dotted), CN_UNKNOWN);
    forget(&a);
}

/* Where our trees differ from the grammar's (precedence.c). */
static void precedence_is_pythons(void **state)
{
    (void)state;
    struct analysed a;
    struct cn_arg arg;

    analyse(&a, "async def f():\n"
                " x = 1 + await g(2) ** 3 ** 4\n h(1, *i(j).k)\n");
    cn_node power = cn_parent(
        a.tree, cn_parent(a.tree, cn_parent(a.tree, identifier(&a, "g", 1))));

    assert_true(cn_text_is(a.tree, power, "await g(2) ** 3 ** 4"));
    assert_true(cn_is(a.tree, power, CN_K_BINARY_OPERATOR));
    assert_true(
        cn_text_is(a.tree, cn_child(a.tree, power, CN_F_LEFT), "await g(2)"));
    assert_true(
        cn_text_is(a.tree, cn_child(a.tree, power, CN_F_RIGHT), "3 ** 4"));
    assert_int_not_equal(
        cn_await_of(a.tree, cn_call_of(a.tree, identifier(&a, "g", 1))), 0);
    cn_node call = cn_call_of(a.tree, identifier(&a, "h", 1));

    assert_false(cn_args_plain(a.tree, call));
    assert_true(cn_arg(a.tree, call, 1, &arg));
    assert_int_equal(arg.kind, CN_ARG_SPLAT);
    assert_true(cn_text_is(a.tree, arg.value, "i(j).k"));
    assert_int_not_equal(cn_call_of(a.tree, identifier(&a, "i", 1)), 0);
    for (cn_node n = 2; n < a.tree->count; n++) {
        cn_node parent = cn_parent(a.tree, n);

        assert_true(parent < n && cn_within(a.tree, n, parent));
        assert_true(cn_start(a.tree, n) >= cn_start(a.tree, parent));
        assert_true(cn_end(a.tree, n) <= cn_end(a.tree, parent));
    }
    forget(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_spelling_resolves),
        cmocka_unit_test(scopes_decide),
        cmocka_unit_test(certainty_follows_bindings),
        cmocka_unit_test(relative_imports_are_absolute),
        cmocka_unit_test(reexports_are_followed),
        cmocka_unit_test(resolve_answers_for_any_chain),
        cmocka_unit_test(precedence_is_pythons),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
