/* No tree is too strange: every prefix of a text with one of everything, and
 * texts that nest deeply, are analysed and asked everything. What must hold is
 * that nothing crashes (the sanitizers watch) and that nothing takes long. */
#include "python_test.h"

static const char rich[] =
    "import asyncio, os as o\nfrom .a import (b as c, d)\nfrom e import *\n"
    "__all__ = ['b', *c.__all__]\n"
    "@dec(lambda x=1, *y, **z: (yield))\n"
    "class C[T: int](B, metaclass=M):\n"
    "    q: 'asyncio.Queue[int]' = None\n"
    "    async def f(self, a, /, b: \"x\" = 1, *, c=2, **k) -> 'D | None':\n"
    "        global g; nonlocal_ = [i async for i in a if (w := i)]\n"
    "        async with asyncio.timeout(1) as t, x() as (u, *v):\n"
    "            self.q = await asyncio.wait_for(f(*g(h), **j), 2) ** 2\n"
    "        def n():\n            nonlocal t\n            del t, a.b[c]\n"
    "        try:\n            return {**a, 'k': f'{t!r:>{u}}'}\n"
    "        except* (E, F) as e: raise X from e\n"
    "        finally: asyncio.get_running_loop().call_soon(self.q.put)\n"
    "match x, y:\n"
    "    case [1, C(z=p), *r] | {'a': s, **m} as l if l: a.b: int = c = d\n"
    "    case _: type A[P] = list[P]\n"
    "while (n := n + 1): x += (yield), not 1 if y else ...\n"
    "else: print >>f, 0777, `x`\n";

static void ask_everything(struct cn_module *m)
{
    struct cn_str s;

    for (cn_node n = 1; n < m->tree->count; n++) {
        cn_resolve(m, n, &s);
        cn_type_of(m, n, &s);
        cn_object_at(m, n);
        cn_definition_of(m, n);
        cn_scope_of(m, n);
        assert_non_null(cn_scope_at(m, n));
    }
    assert_true(cn_fresh_name(m, m->tree->count - 1, "x").len > 0);
}

static void analyse_all(const char *text, size_t len)
{
    struct cn_arena arena;
    struct cn_parser *parser = cn_parser_open();
    char *exact = malloc(len ? len : 1);
    struct cn_tree *tree;
    bool broken;

    memcpy(exact, text, len);
    cn_arena_init(&arena);
    assert_int_equal(
        cn_tree_parse(parser, &arena, (struct cn_str){exact, len}, &tree), 0);
    broken = tree->broken != 0;
    assert_true(cn_valid(tree, NULL) != 0 || !broken);
    ask_everything(
        cn_module_analyse(&arena, tree, CN_STR("pkg.mod"), len % 2 == 0, NULL));
    cn_arena_done(&arena);
    cn_parser_close(parser);
    free(exact);
}

static void any_prefix_is_analysed(void **state)
{
    (void)state;
    for (size_t len = 0; len < sizeof rich; len++)
        analyse_all(rich, len);
}

/* `head`, then `open` and `close` so many times around `core`. */
static void nested(const char *head, const char *open, const char *core,
                   const char *close, size_t times)
{
    struct cn_buf b;

    cn_buf_init(&b, 4 * CN_MIB);
    cn_buf_add_z(&b, head);
    for (size_t i = 0; i < times; i++)
        cn_buf_add_z(&b, open);
    cn_buf_add_z(&b, core);
    for (size_t i = 0; i < times; i++)
        cn_buf_add_z(&b, close);
    cn_buf_add_z(&b, "\n");
    assert_int_equal(b.err, 0);
    struct cn_arena arena;
    struct cn_parser *parser = cn_parser_open();
    struct cn_tree *tree;

    cn_arena_init(&arena);
    assert_int_equal(cn_tree_parse(parser, &arena, cn_buf_str(&b), &tree), 0);
    cn_valid(tree, NULL);
    cn_module_analyse(&arena, tree, CN_STR(""), false, NULL);
    cn_arena_done(&arena);
    cn_parser_close(parser);
    cn_buf_done(&b);
}

static void depth_is_no_danger(void **state)
{
    (void)state;
    nested("x = ", "(", "1", ")", 20000);
    nested("x = ", "a + ", "1", "", 20000);
    nested("x = ", "a ** ", "1", "", 20000);
    nested("", "a = ", "1", "", 20000);
    nested("import asyncio\nx = asyncio", ".a", "", "", 20000);
    nested("import asyncio\nx = asyncio.get_event_loop()", ".a()", "", "",
           20000);
    nested("import asyncio\nx = asyncio.Event()\ny = ", "x or ", "x\ny.set()",
           "", 20000);
    nested("x = [", "*f(", "1", ")", 5000);
    nested("x = ", "lambda: ", "1", "", 5000);
    nested("x = ", "(y := ", "1", ")", 5000);
    nested("x: ", "a[", "b", "]", 5000);
    nested("import asyncio\nx: '", "asyncio.Task | ", "None'", "", 5000);
    nested("import asyncio\nx: '", "Optional[", "asyncio.Task", "]", 5000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_prefix_is_analysed),
        cmocka_unit_test(depth_is_no_danger),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
