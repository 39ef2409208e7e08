/* Layout: statements wrapped, dropped and given neighbours, on all kinds of
 * lines. What is not edited must stay to the byte. */
#include "mini.h"

static void check(const char *before, const char *after)
{
    struct mini x;

    mini_open(&x);
    mini_check(&x, before, after);
    mini_close(&x);
}

#define HEAD "import asyncio\n\n\n"
#define DONE "import anyio\n\n\n"

static void wraps_statements(void **state)
{
    (void)state;
    check(HEAD "async def f():\n"
               "    x = await asyncio.wait_for(g(1), 5)\n"
               "    return x\n",
          DONE "async def f():\n"
               "    with anyio.fail_after(5):\n"
               "        x = await g(1)\n"
               "    return x\n");
    check(HEAD "async def f():\n"
               "    return await asyncio.wait_for(\n"
               "        g(\n"
               "            1,\n"
               "        ),\n"
               "        timeout=5,\n"
               "    )\n",
          DONE "async def f():\n"
               "    with anyio.fail_after(5):\n"
               "        return await g(\n"
               "            1,\n"
               "        )\n");
    check(HEAD "async def f():\n"
               "    # why\n"
               "    await asyncio.wait_for(g(), 5)  # because\n",
          DONE "async def f():\n"
               "    # why\n"
               "    with anyio.fail_after(5):\n"
               "        await g()  # because\n");
}

static void wraps_with_tabs_and_line_ends(void **state)
{
    (void)state;
    check("import asyncio\r\n\r\n\r\nasync def f():\r\n"
          "\tif 1:\r\n"
          "\t\tawait asyncio.wait_for(g(1,\r\n"
          "\t\t\t2), 5)\r\n",
          "import anyio\r\n\r\n\r\nasync def f():\r\n"
          "\tif 1:\r\n"
          "\t\twith anyio.fail_after(5):\r\n"
          "\t\t\tawait g(1,\r\n"
          "\t\t\t\t2)\r\n");
    check("\xef\xbb\xbfimport asyncio\nasync def f():\n"
          "  await asyncio.wait_for(g(), 5)",
          "\xef\xbb\xbfimport anyio\nasync def f():\n"
          "  with anyio.fail_after(5):\n"
          "    await g()");
    check(HEAD "async def f():\n"
               "\f    await asyncio.wait_for(g(), 5)\n",
          DONE "async def f():\n"
               "\f    with anyio.fail_after(5):\n"
               "        await g()\n");
}

static void expands_one_line_suites(void **state)
{
    (void)state;
    check(HEAD "async def f():\n"
               "    if x: await asyncio.wait_for(g(), 5)\n",
          DONE "async def f():\n"
               "    if x:\n"
               "        with anyio.fail_after(5):\n"
               "            await g()\n");
    check(HEAD "async def f():\n"
               "    if x: a(); await asyncio.wait_for(g(), 5); b()  # c\n"
               "    else: c()\n",
          DONE "async def f():\n"
               "    if x:\n"
               "        a()\n"
               "        with anyio.fail_after(5):\n"
               "            await g()\n"
               "        b()  # c\n"
               "    else: c()\n");
    check(HEAD "async def f(): await asyncio.wait_for(g(), 5)\n",
          DONE "async def f():\n"
               "    with anyio.fail_after(5):\n"
               "        await g()\n");
    check(HEAD "async def f():\n"
               "    a(); await asyncio.wait_for(g(), 5); b();\n",
          DONE "async def f():\n"
               "    a()\n"
               "    with anyio.fail_after(5):\n"
               "        await g()\n"
               "    b();\n");
    check(HEAD "async def f():\n"
               "    try: await asyncio.wait_for(g(), 5)\n"
               "    except E: await asyncio.wait_for(h(), 6)\n"
               "    finally: i()\n",
          DONE "async def f():\n"
               "    try:\n"
               "        with anyio.fail_after(5):\n"
               "            await g()\n"
               "    except E:\n"
               "        with anyio.fail_after(6):\n"
               "            await h()\n"
               "    finally: i()\n");
}

static void keeps_strings(void **state)
{
    (void)state;
    check(HEAD "async def f():\n"
               "    await asyncio.wait_for(g(\"\"\"a\n"
               "  b\n"
               "\"\"\", f'''{\n"
               "x}\n"
               "''',\n"
               "    'c\\\n"
               "d'), 5)\n",
          DONE "async def f():\n"
               "    with anyio.fail_after(5):\n"
               "        await g(\"\"\"a\n"
               "  b\n"
               "\"\"\", f'''{\n"
               "x}\n"
               "''',\n"
               "        'c\\\n"
               "d')\n");
}

static void rescues_comments(void **state)
{
    (void)state;
    check(HEAD "async def f():\n"
               "    x = await asyncio.wait_for(  # one\n"
               "        g(  # two\n"
               "        ),\n"
               "        # three\n"
               "        5,  # noqa\n"
               "    )\n",
          DONE "async def f():\n"
               "    # one\n"
               "    # three\n"
               "    with anyio.fail_after(5):\n"
               "        x = await g(  # two\n"
               "        )\n");
}

static void composes_wraps(void **state)
{
    (void)state;
    check(HEAD "async def f():\n"
               "    async for i in await asyncio.wait_for(g(), 5):\n"
               "        await asyncio.wait_for(h(i), 6)\n"
               "        await asyncio.sleep(1)\n",
          DONE "async def f():\n"
               "    with anyio.fail_after(5):\n"
               "        async for i in await g():\n"
               "            with anyio.fail_after(6):\n"
               "                await h(i)\n"
               "            await anyio.sleep(1)\n");
    check(HEAD "async def f():\n"
               "    x = (await asyncio.wait_for(g(), 1), 2,\n"
               "         y[await asyncio.wait_for(h(), 1)])\n",
          "import asyncio\n\nimport anyio\n\n\n"
          "async def f():\n"
          "    with anyio.fail_after(1):\n"
          "        x = (await g(), 2,\n"
          "             y[await asyncio.wait_for(h(), 1)])\n");
    check(HEAD
          "async def f():\n"
          "    await g(await asyncio.wait_for(h(), 1), asyncio.sleep(1))\n",
          DONE "async def f():\n"
               "    with anyio.fail_after(1):\n"
               "        await g(await h(), anyio.sleep(1))\n");
}

static void unwraps_with_parentheses(void **state)
{
    (void)state;
    check(HEAD "async def f():\n"
               "    await asyncio.wait_for(a or b, 5)\n"
               "    x = await asyncio.wait_for(a\n"
               "        .b(), 5)\n",
          DONE "async def f():\n"
               "    with anyio.fail_after(5):\n"
               "        await (a or b)\n"
               "    with anyio.fail_after(5):\n"
               "        x = await (a\n"
               "            .b())\n");
}

static void drops_statements(void **state)
{
    (void)state;
    check(HEAD "def f():\n"
               "    asyncio.set_event_loop(1)\n"
               "    # stays\n"
               "    a()\n"
               "    asyncio.set_event_loop(2)  # this too\n"
               "    asyncio.set_event_loop(3)  # noqa\n"
               "    b(); asyncio.set_event_loop(4); c()\n"
               "    asyncio.set_event_loop(5); d()\n"
               "    e(); asyncio.set_event_loop(6)\n"
               "    if g: asyncio.set_event_loop(7)\n"
               "    for i in x:\n"
               "        asyncio.set_event_loop(8)\n"
               "        asyncio.set_event_loop(9)\n"
               "    asyncio.set_event_loop(10)",
          "def f():\n"
          "    # stays\n"
          "    a()\n"
          "    # this too\n"
          "    b(); c()\n"
          "    d()\n"
          "    e()\n"
          "    if g: pass\n"
          "    for i in x:\n"
          "        pass");
}

static void adds_lines(void **state)
{
    (void)state;
    check(HEAD "def f():\n"
               "    x = asyncio.get_event_loop()  # c\n"
               "    y = asyncio.get_event_loop(); z()\n"
               "    if y: asyncio.get_event_loop()",
          "def f():\n"
          "    print('above')\n"
          "    x = print()  # c\n"
          "    print('below')\n"
          "    print('above')\n"
          "    y = print()\n"
          "    print('below')\n"
          "    z()\n"
          "    if y:\n"
          "        print('above')\n"
          "        print()\n"
          "        print('below')");
}

static void drops_arguments(void **state)
{
    (void)state;
    check(HEAD "a = asyncio.Semaphore(1, loop=x)\n"
               "b = asyncio.Semaphore(loop=x, value=1)\n"
               "c = asyncio.Semaphore(loop=x)\n"
               "d = asyncio.Semaphore(1, loop=x, old=2)\n"
               "e = asyncio.Semaphore(loop=x, old=2)\n"
               "f = asyncio.Semaphore(\n"
               "    1,\n"
               "    loop=x,\n"
               ")\n"
               "g = asyncio.Semaphore(\n"
               "    loop=x,\n"
               "    value=1,\n"
               ")\n"
               "h = asyncio.Semaphore(loop=x, value=1, old=2)\n",
          DONE "a = anyio.Semaphore(1)\n"
               "b = anyio.Semaphore(value=1)\n"
               "c = anyio.Semaphore()\n"
               "d = anyio.Semaphore(1)\n"
               "e = anyio.Semaphore()\n"
               "f = anyio.Semaphore(\n"
               "    1,\n"
               ")\n"
               "g = anyio.Semaphore(\n"
               "    value=1,\n"
               ")\n"
               "h = anyio.Semaphore(value=1)\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wraps_statements),
        cmocka_unit_test(wraps_with_tabs_and_line_ends),
        cmocka_unit_test(expands_one_line_suites),
        cmocka_unit_test(keeps_strings),
        cmocka_unit_test(rescues_comments),
        cmocka_unit_test(composes_wraps),
        cmocka_unit_test(unwraps_with_parentheses),
        cmocka_unit_test(drops_statements),
        cmocka_unit_test(adds_lines),
        cmocka_unit_test(drops_arguments),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
