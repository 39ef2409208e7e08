/* Imports: where they are added, merged, reused and removed. Each pair is a
 * whole text; the body uses mini rules. */
#include "mini.h"

static void check_in(const char *module, const char *before, const char *after)
{
    struct mini x;

    mini_open(&x);
    x.name = cn_str_from(module);
    mini_check(&x, before, after);
    mini_close(&x);
}

static void check(const char *before, const char *after)
{
    check_in("", before, after);
}

#define USE      "\n\nasync def f():\n    await asyncio.sleep(1)\n"
#define NEW      "\n\nasync def f():\n    await anyio.sleep(1)\n"
#define THREAD   "\n\nasync def f():\n    await asyncio.to_thread(g)\n"
#define THREADED "\n\nasync def f():\n    await to_thread.run_sync(g)\n"

static void finds_the_place(void **state)
{
    (void)state;
    check("import asyncio\n" USE, "import anyio\n" NEW);
    check("import asyncio\nimport os\n" USE, "import os\n\nimport anyio\n" NEW);
    check("import asyncio\nimport os\n\nimport httpx\n" USE,
          "import os\n\nimport anyio\nimport httpx\n" NEW);
    check(
        "import asyncio\nimport os\n\nimport aiohttp\nfrom zoo import a\n" USE,
        "import os\n\nimport aiohttp\nimport anyio\nfrom zoo import a\n" NEW);
    check("import asyncio\n\nfrom aiohttp import a\n" USE,
          "import anyio\nfrom aiohttp import a\n" NEW);
    check("import asyncio\n\nfrom . import a\n" USE,
          "import anyio\n\nfrom . import a\n" NEW);
    check("import asyncio\nimport os\n\nfrom . import a\n" USE,
          "import os\n\nimport anyio\n\nfrom . import a\n" NEW);
    check_in("pkg.mod", "import asyncio\nimport os\n\nfrom pkg import a\n" USE,
             "import os\n\nimport anyio\n\nfrom pkg import a\n" NEW);
    check("import asyncio\nimport os\nfrom zoo import a\n" USE,
          "import os\nimport anyio\nfrom zoo import a\n" NEW);
    check("import aiohttp\nimport asyncio\nimport zoo\n" USE,
          "import aiohttp\nimport anyio\nimport zoo\n" NEW);
    check("from aiohttp import a\nimport anyio.abc\nimport asyncio\n" USE,
          "from aiohttp import a\nimport anyio.abc\n" NEW);
}

static void stays_below_headers(void **state)
{
    (void)state;
    check("#!/usr/bin/env python\n# license\nimport asyncio\n" USE,
          "#!/usr/bin/env python\n# license\nimport anyio\n" NEW);
    check("\"\"\"Doc.\"\"\"\nimport asyncio\n" USE,
          "\"\"\"Doc.\"\"\"\nimport anyio\n" NEW);
    check("\"\"\"Doc.\"\"\"\n\nimport asyncio\n" USE,
          "\"\"\"Doc.\"\"\"\n\nimport anyio\n" NEW);
    check("from __future__ import annotations\n\nimport asyncio\n" USE,
          "from __future__ import annotations\n\nimport anyio\n" NEW);
    check("from __future__ import annotations\nimport asyncio\n" USE,
          "from __future__ import annotations\nimport anyio\n" NEW);
    check("# one\n\n# two\nimport asyncio\n\n# about\nimport zoo\n" USE,
          "# one\n\n# two\nimport anyio\n\n# about\nimport zoo\n" NEW);
    check("import zoo\n\nzoo.init()\n\nimport asyncio\nimport os\n" USE,
          "import zoo\n\nzoo.init()\n\nimport os\n\nimport anyio\n" NEW);
    check("import zoo\n\nzoo.init()\n\nimport os\n\n\ndef f():\n"
          "    import asyncio\n    asyncio.run(g())\n",
          "import anyio\nimport zoo\n\nzoo.init()\n\nimport os\n\n\n"
          "def f():\n    anyio.run(g)\n");
    check("import asyncio\n\n\nasync def f():\n    \"\"\"asyncio.run\n"
          "    >>> import asyncio\n    >>> asyncio.run(f())\n    \"\"\"\n"
          "    await asyncio.sleep(1)\n",
          "import anyio\n\n\nasync def f():\n    \"\"\"asyncio.run\n"
          "    >>> import asyncio\n    >>> asyncio.run(f())\n    \"\"\"\n"
          "    await anyio.sleep(1)\n");
}

static void reuses_bindings(void **state)
{
    (void)state;
    check("import anyio\nimport asyncio\n" USE, "import anyio\n" NEW);
    check("import anyio as a\nimport asyncio\n" USE,
          "import anyio as a\n\n\nasync def f():\n    await a.sleep(1)\n");
    check("import asyncio\nfrom anyio import sleep\n" USE,
          "from anyio import sleep\n\n\nasync def f():\n    await sleep(1)\n");
    check("import asyncio\nfrom anyio import sleep as nap\n" USE,
          "from anyio import sleep as nap\n\n\n"
          "async def f():\n    await nap(1)\n");
    check("import asyncio\n\n\nasync def f():\n    import anyio\n"
          "    await asyncio.sleep(1)\n",
          "async def f():\n    import anyio\n    await anyio.sleep(1)\n");
    check("import asyncio as aio\n\n\nasync def f():\n    await aio.sleep(1)\n",
          "import anyio\n" NEW);
    check("from asyncio import sleep as nap\n\n\n"
          "async def f():\n    await nap(1)\n",
          "import anyio\n" NEW);
}

static void imports_submodules(void **state)
{
    (void)state;
    check("import asyncio\n" THREAD, "from anyio import to_thread\n" THREADED);
    check("import asyncio\n\nfrom anyio import Event\n" THREAD,
          "from anyio import Event, to_thread\n" THREADED);
    check("import asyncio\n\nfrom anyio import zzz\n" THREAD,
          "from anyio import to_thread, zzz\n" THREADED);
    check("import asyncio\n\nfrom anyio import (\n    Event,\n    "
          "zzz,\n)\n" THREAD,
          "from anyio import (\n    Event,\n    to_thread,\n    "
          "zzz,\n)\n" THREADED);
    check("import asyncio\n\nfrom anyio import (\n    Event\n)\n" THREAD,
          "from anyio import (\n    Event,\n    to_thread\n)\n" THREADED);
    check("import asyncio\n\nfrom anyio import a as b\n" THREAD,
          "from anyio import a as b\nfrom anyio import to_thread\n" THREADED);
    check("import asyncio\n\nfrom anyio import a\nfrom anyio import b\n" THREAD,
          "from anyio import a\nfrom anyio import b\n"
          "from anyio import to_thread\n" THREADED);
    check("from asyncio import to_thread\n\n\n"
          "async def f():\n    await to_thread(g)\n",
          "import anyio.to_thread\n\n\n"
          "async def f():\n    await anyio.to_thread.run_sync(g)\n");
    check("import asyncio\n\n\nasync def f():\n    await asyncio.to_thread(g)\n"
          "    await asyncio.sleep(1)\n",
          "import anyio\nfrom anyio import to_thread\n\n\n"
          "async def f():\n    await to_thread.run_sync(g)\n"
          "    await anyio.sleep(1)\n");
    check("import asyncio\n\nasyncio.run(f(a, b=1))\n",
          "import functools\n\nimport anyio\n\n"
          "anyio.run(functools.partial(f, a, b=1))\n");
    check("import asyncio\nimport sys\n\nasyncio.run(f(a, b=1))\n",
          "import functools\nimport sys\n\nimport anyio\n\n"
          "anyio.run(functools.partial(f, a, b=1))\n");
}

static void the_support_module_is_our_own(void **state)
{
    (void)state;
    check("import asyncio\nimport os\n\nasyncio.as_completed(asyncio.sleep)\n",
          "import os\n\nimport anyio\n\nimport _anyio_support\n\n"
          "_anyio_support.as_completed(anyio.sleep)\n");
    check("import asyncio\n\nimport zoo\n\nfrom . import a\n\n"
          "asyncio.as_completed()\n",
          "import zoo\n\nimport _anyio_support\n\nfrom . import a\n\n"
          "_anyio_support.as_completed()\n");
}

static void leaves_what_is_shadowed(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "import asyncio\n\nanyio = None\n" USE,
        "import asyncio\n\n\nasync def f(anyio):\n    await asyncio.sleep(1)\n",
        "import asyncio\n\n\nasync def f():\n    await asyncio.sleep(1)\n"
        "    import anyio\n",
        "import asyncio\n\ntry:\n    import anyio\n"
        "except ImportError:\n    anyio = None\n" USE,
        "import asyncio\n\n\nclass A:\n    anyio = 1\n"
        "    x = asyncio.sleep(1)\n",
    };

    for (size_t i = 0; i < CN_COUNT(texts); i++)
        check(texts[i], texts[i]);
}

static void places_local_imports(void **state)
{
    (void)state;
    check("def f():\n    import asyncio\n\n    asyncio.run(g())\n",
          "import anyio\n\ndef f():\n    anyio.run(g)\n");
    check("\"\"\"Doc.\"\"\"\n\n\ndef f():\n    import asyncio\n"
          "    asyncio.run(g())\n",
          "\"\"\"Doc.\"\"\"\n\nimport anyio\n\n\ndef f():\n    anyio.run(g)\n");
    check("import os\n\n\ndef f():\n    import asyncio\n    asyncio.run(g())\n",
          "import os\n\nimport anyio\n\n\ndef f():\n    anyio.run(g)\n");
    check("#!/usr/bin/python\n\ndef f():\n    import asyncio\n"
          "    asyncio.run(g())\n",
          "#!/usr/bin/python\n\nimport anyio\n\ndef f():\n    anyio.run(g)\n");
    check("def f():\n    import asyncio; asyncio.run(g())\n",
          "import anyio\n\ndef f():\n    anyio.run(g)\n");
}

static void removes_names(void **state)
{
    (void)state;
    check("import asyncio  # for sleep\nimport os\n" USE,
          "import os\n\nimport anyio\n" NEW);
    check("import os, asyncio, sys\n" USE,
          "import os, sys\n\nimport anyio\n" NEW);
    check("import asyncio, sys\n" USE, "import sys\n\nimport anyio\n" NEW);
    check(
        "import sys, asyncio as a\n\n\nasync def f():\n    await a.sleep(1)\n",
        "import sys\n\nimport anyio\n" NEW);
    check("from asyncio import sleep, gather\n\nx = sleep, gather\n",
          "from asyncio import gather\n\nimport anyio\n\n"
          "x = anyio.sleep, gather\n");
    check("from asyncio import (\n    gather,\n    sleep,\n)\n\n"
          "x = sleep, gather\n",
          "from asyncio import (\n    gather,\n)\n\nimport anyio\n\n"
          "x = anyio.sleep, gather\n");
    check("import asyncio\nimport asyncio.subprocess\n" USE,
          "import anyio\n" NEW);
    check("import os\n\nimport asyncio\n\nimport zoo\n" USE,
          "import os\n\nimport anyio\nimport zoo\n" NEW);
    check("if TYPE_CHECKING:\n    import asyncio\n\nimport asyncio\n" USE,
          "if TYPE_CHECKING:\n    pass\n\nimport anyio\n" NEW);
    check("try:\n    import os\n    import asyncio\nexcept ImportError:\n"
          "    raise\n\n\nasync def f():\n    await asyncio.sleep(1)\n",
          "import anyio\n\ntry:\n    import os\nexcept ImportError:\n    "
          "raise\n" NEW);
}

static void keeps_what_is_read(void **state)
{
    (void)state;
    check("import asyncio\n\n__all__ = [\"asyncio\"]\n" USE,
          "import asyncio\n\nimport anyio\n\n__all__ = [\"asyncio\"]\n" NEW);
    check("import asyncio\n\nx: \"asyncio.Future\" = None\n" USE,
          "import asyncio\n\nimport anyio\n\n"
          "x: \"asyncio.Future\" = None\n" NEW);
    check("import asyncio\n\n\nasync def f():\n    \"\"\"\n"
          "    >>> asyncio.run(f())\n    \"\"\"\n    await asyncio.sleep(1)\n",
          "import asyncio\n\nimport anyio\n\n\nasync def f():\n    \"\"\"\n"
          "    >>> asyncio.run(f())\n    \"\"\"\n    await anyio.sleep(1)\n");
    check("import asyncio\n" USE "    await asyncio.gather()\n",
          "import asyncio\n\nimport anyio\n" NEW
          "    await asyncio.gather()\n");
    check_in("pkg.mod", "import asyncio\n\nx = \"pkg.mod.asyncio.sleep\"\n" USE,
             "import asyncio\n\nimport anyio\n\n"
             "x = \"pkg.mod.asyncio.sleep\"\n" NEW);
    check("import asyncio\n\nx = 1\n", "import asyncio\n\nx = 1\n");
}

static bool mentions(void *ctx, struct cn_str bytes,
                     const struct cn_module *except)
{
    (void)except;
    return cn_str_is(bytes, ctx);
}

static void asks_the_project(void **state)
{
    (void)state;
    const char *before = "import asyncio\n" USE;
    char path[] = "mod.asyncio", from[] = "mod import asyncio", no[] = "x";
    const struct {
        char *mentioned;
        const char *after;
    } rows[] = {{path, "import asyncio\n\nimport anyio\n" NEW},
                {from, "import asyncio\n\nimport anyio\n" NEW},
                {no, "import anyio\n" NEW}};

    for (size_t i = 0; i < CN_COUNT(rows); i++) {
        struct mini x;
        struct cn_project_facts facts = {.ctx = rows[i].mentioned,
                                         .mentioned = mentions};

        mini_open(&x);
        x.name = CN_STR("pkg.mod");
        x.project = &facts;
        mini_check(&x, before, rows[i].after);
        mini_close(&x);
    }
}

static void imports_once_more_where_it_must(void **state)
{
    (void)state;
    check("import asyncio\n" USE "\n\nif x:\n    import anyio\n",
          "import anyio\n" NEW "\n\nif x:\n    import anyio\n");
    check("if __name__ == 'x':\n    import asyncio\n\n"
          "    asyncio.run(f())\n",
          "import anyio\n\nif __name__ == 'x':\n    anyio.run(f)\n");
    check("import asyncio\n" USE "\n\ntry:\n    import anyio\n"
          "except E:\n    pass\n",
          "import asyncio\n" USE "\n\ntry:\n    import anyio\n"
          "except E:\n    pass\n");
}

static void keeps_line_ends(void **state)
{
    (void)state;
    check("import asyncio\r\nimport os\r\n\r\nasyncio.run(f(a=1))\r\n",
          "import functools\r\nimport os\r\n\r\nimport anyio\r\n\r\n"
          "anyio.run(functools.partial(f, a=1))\r\n");
    check("import asyncio\nasyncio.run(f())", "import anyio\nanyio.run(f)");
    check("\xef\xbb\xbf"
          "def f():\n    import asyncio\n    asyncio.run(g())\n",
          "\xef\xbb\xbf"
          "import anyio\n\ndef f():\n    anyio.run(g)\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_place),
        cmocka_unit_test(stays_below_headers),
        cmocka_unit_test(reuses_bindings),
        cmocka_unit_test(imports_submodules),
        cmocka_unit_test(the_support_module_is_our_own),
        cmocka_unit_test(leaves_what_is_shadowed),
        cmocka_unit_test(places_local_imports),
        cmocka_unit_test(removes_names),
        cmocka_unit_test(keeps_what_is_read),
        cmocka_unit_test(asks_the_project),
        cmocka_unit_test(imports_once_more_where_it_must),
        cmocka_unit_test(keeps_line_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
