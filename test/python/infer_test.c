/* infer and object: what variables hold, which methods of asyncio objects are
 * used, what escapes; and the names in string annotations. */
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

static void variables_hold_what_is_assigned(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"import asyncio\ne = asyncio.Event()\ne.clear()\n",
         "asyncio.Event@2 asyncio.Event.clear@3"},
        {"import asyncio\nasyncio.get_running_loop().time()\n",
         "asyncio.get_running_loop@2 asyncio.loop.time@2"},
        {"from asyncio import get_event_loop as g\nx = g()\nx.time\n",
         "asyncio.get_event_loop@2 asyncio.loop.time@3"},
        {"import asyncio\nif (e := asyncio.Event()).is_set(): e.set()\n",
         "asyncio.Event.is_set@2 asyncio.Event@2 asyncio.Event.set@2"},
        {"import asyncio\na = b = asyncio.Lock()\na.locked(); b.locked()\n",
         "asyncio.Lock@2 asyncio.Lock.locked@3 asyncio.Lock.locked@3"},
        {"import asyncio\na, b = asyncio.Lock(), 1\na.locked(); b.locked()\n",
         "asyncio.Lock@2 asyncio.Lock.locked@3"},
        {"import asyncio\na = asyncio.Lock()\nb = a\nb.locked()\n",
         "asyncio.Lock@2 asyncio.Lock.locked@4"},
        {"import asyncio\ne = None\ndef f():\n global e\n"
         " e = asyncio.Event()\ne.set()\n",
         "asyncio.Event@5 asyncio.Event.set@6"},
        {"import asyncio\ne = asyncio.Event()\nif x: e = y()\ne.set()\n",
         "asyncio.Event@2 asyncio.Event.set?@4"},
        {"import asyncio, threading\ne = asyncio.Event()\n"
         "if x: e = threading.Event()\ne.set()\n",
         "asyncio.Event@2 asyncio.Event.set?@4"},
        {"import asyncio, threading\ne = threading.Event()\ne.set()\n"
         "asyncio\n",
         "asyncio@4"},
        {"import asyncio\nclass Event: 1\ne = Event()\ne.set()\nasyncio\n",
         "asyncio@5"},
        {"import asyncio\ndef f(loop=None):\n"
         " loop = loop or asyncio.get_event_loop()\n loop.time()\n",
         "asyncio.get_event_loop@3 asyncio.loop.time?@4"},
        {"import asyncio\ndef f(e):\n e.set()\nasyncio\n", "asyncio@4"},
        {"import asyncio\ndef f(e: asyncio.Event):\n e.set()\n",
         "asyncio.Event@2 asyncio.Event.set@3"},
        {"import asyncio\ndef f(e: asyncio.Event | None = None):\n e.set()\n",
         "asyncio.Event@2 asyncio.Event.set@3"},
        {"import asyncio\nfrom typing import Optional\n"
         "def f(e: Optional[asyncio.Event] = None):\n e.set()\n",
         "asyncio.Event@3 asyncio.Event.set@4"},
        {"import asyncio\ndef f(e: 'asyncio.Event'):\n e.set()\n",
         "'asyncio.Event@2 asyncio.Event.set@3"},
        {"import asyncio\ndef f(q: 'asyncio.Queue[int]'):\n q.put()\n",
         "'asyncio.Queue@2 asyncio.Queue.put@3"},
        {"import asyncio\ndef f(l: asyncio.AbstractEventLoop):\n l.time()\n",
         "asyncio.AbstractEventLoop@2 asyncio.loop.time@3"},
        {"import asyncio\ndef f(l: list[asyncio.Task]):\n l.pop()\n",
         "asyncio.Task@2"},
        {"import asyncio\nt: asyncio.Task = g()\nt.cancel()\n",
         "asyncio.Task@2 asyncio.Task.cancel@3"},
        {"import asyncio\ndef g() -> asyncio.Event: 1\ng().set()\n",
         "asyncio.Event@2 asyncio.Event.set@3"},
        {"import asyncio\nasync def g() -> asyncio.Event: 1\n"
         "async def h():\n (await g()).set()\n g().set()\n",
         "asyncio.Event@2 asyncio.Event.set@4"},
        {"import asyncio\nl = asyncio.new_event_loop()\n"
         "t = l.create_task(f())\nt.cancel()\n",
         "asyncio.new_event_loop@2 asyncio.loop.create_task@3 "
         "asyncio.Task.cancel@4"},
        {"import asyncio\nasync def f():\n"
         " async with asyncio.TaskGroup() as tg:\n  tg.create_task(g())\n",
         "asyncio.TaskGroup@3 asyncio.TaskGroup.create_task@4"},
        {"import asyncio\nasync def f():\n async with asyncio.Lock() as x:\n"
         "  x.foo\n",
         "asyncio.Lock@3"},
        {"import asyncio\nasync def f():\n"
         " p = await asyncio.create_subprocess_exec('x')\n p.wait()\n",
         "asyncio.create_subprocess_exec@3 asyncio.subprocess.Process.wait@4"},
        {"import asyncio\nasync def f():\n"
         " p = asyncio.create_subprocess_exec('x')\n p.wait()\n",
         "asyncio.create_subprocess_exec@3"},
        {"import asyncio\nasync def f():\n"
         " r, w = await asyncio.open_connection('x')\n w.drain(); r.read()\n",
         "asyncio.open_connection@3 asyncio.StreamWriter.drain@4 "
         "asyncio.StreamReader.read@4"},
        {"import asyncio\nx = asyncio.Lock() if y else None\nx.locked()\n",
         "asyncio.Lock@2 asyncio.Lock.locked@3"},
        {"import asyncio\ntry: loop = asyncio.get_running_loop()\n"
         "except RuntimeError:\n loop = asyncio.new_event_loop()\n"
         "loop.time()\n",
         "asyncio.get_running_loop@2 asyncio.new_event_loop@4 "
         "asyncio.loop.time@5"},
        {"import asyncio\nfor e in [asyncio.Event()]: e.set()\n",
         "asyncio.Event@2"},
        {"import asyncio\na = b\nb = a\na.x\nasyncio\n", "asyncio@5"},
    };

    check_rows(rows, CN_COUNT(rows));
}

static void attributes_belong_to_classes(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"import asyncio\nclass C:\n def __init__(self):\n"
         "  self.e = asyncio.Event()\n def f(self): self.e.set()\n",
         "asyncio.Event@4 asyncio.Event.set@5"},
        {"import asyncio\nclass C:\n def f(me):\n"
         "  me.e = asyncio.Event()\n  def g(): me.e.set()\n",
         "asyncio.Event@4 asyncio.Event.set@5"},
        {"import asyncio\nclass C:\n e: asyncio.Event\n"
         " def f(self): self.e.set()\n",
         "asyncio.Event@3 asyncio.Event.set@4"},
        {"import asyncio\nclass C:\n e = asyncio.Event()\n e.set()\n"
         " def f(self): self.e.set()\n"
         " @classmethod\n def g(cls): cls.e.set()\nC.e.clear()\n",
         "asyncio.Event@3 asyncio.Event.set@4 asyncio.Event.set@5 "
         "asyncio.Event.set@7 asyncio.Event.clear@8"},
        {"import asyncio\nclass C:\n def f(self):\n"
         "  self.e = asyncio.Event()\n @staticmethod\n"
         " def g(self): self.e.set()\n",
         "asyncio.Event@4"},
        {"import asyncio\nclass C:\n def f(self):\n  self.e = asyncio.Event()\n"
         "class D:\n def f(self):\n  self.e.set()\n",
         "asyncio.Event@4"},
        {"import asyncio\nclass C:\n def f(self):\n  self.e = asyncio.Event()\n"
         "class D(C):\n def f(self):\n  self.e.set()\n",
         "asyncio.Event@4 asyncio.Event.set@7"},
        {"import asyncio\nclass C:\n def f(self):\n  self.e = None\n"
         "  self.e = asyncio.Event()\n  self.e.set()\n",
         "asyncio.Event@5 asyncio.Event.set@6"},
        {"import asyncio\nclass C:\n def f(self, e):\n  self.e = e\n"
         "  self.e = asyncio.Event()\n  self.e.set()\n",
         "asyncio.Event@5 asyncio.Event.set?@6"},
        {"import asyncio\nclass C:\n def get(self):\n"
         "  if self.l is None: self.l = asyncio.get_event_loop()\n"
         "  return self.l\n"
         " def f(self):\n  l = self.get()\n  l.stop()\n",
         "asyncio.get_event_loop@4 asyncio.loop.stop@8"},
        {"import asyncio\nclass C:\n @property\n def l(self):\n"
         "  return asyncio.get_event_loop()\n"
         " def f(self):\n  self.l.stop()\n",
         "asyncio.get_event_loop@5 asyncio.loop.stop@7"},
        {"import asyncio\nclass C:\n @other\n def l(self):\n"
         "  return asyncio.get_event_loop()\n"
         " def f(self):\n  self.l().stop()\n",
         "asyncio.get_event_loop@5"},
        {"import asyncio\ndef f():\n if x: return 1\n"
         " return asyncio.Event()\nf().set()\n",
         "asyncio.Event@4 asyncio.Event.set?@5"},
        {"import asyncio\ndef f():\n def g(): return 1\n return f() or "
         "asyncio.Event()\nf().set()\n",
         "asyncio.Event@4 asyncio.Event.set@5"},
        {"import asyncio\nfrom typing import Optional\nclass C:\n"
         " def f(self):\n"
         "  self.t: Optional[asyncio.Task] = None\n  self.t.cancel()\n",
         "asyncio.Task@5 asyncio.Task.cancel@6"},
    };

    check_rows(rows, CN_COUNT(rows));
}

static void strings_are_read_as_types(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"import asyncio\nx: 'asyncio.Task'\n", "'asyncio.Task@2"},
        {"import asyncio\nx: list['asyncio.Task | None']\n", "'asyncio.Task@2"},
        {"import asyncio\ndef f() -> '''\n list[asyncio.Task]''': 1\n",
         "'asyncio.Task@3"},
        {"import asyncio\ndef f(x: \"dict[str, 'asyncio.Task']\"): 1\n",
         "'asyncio.Task@2"},
        {"import asyncio\nx: Literal['asyncio']\n", ""},
        {"import asyncio\nx: Annotated[int, 'asyncio is good']\n", ""},
        {"import asyncio\nx: 'some.asyncio.Task'\n", ""},
        {"import asyncio\nx = 'asyncio.Task'\n", ""},
        {"from asyncio import Task as T\nx: 'T[int]'\n", "'asyncio.Task@2"},
        {"import asyncio\nclass C:\n asyncio = 1\n def f(x: 'asyncio.a'): 1\n",
         ""},
        {"def f():\n import asyncio\n x: 'asyncio.a' = 1\n", "'asyncio.a@3"},
    };

    check_rows(rows, CN_COUNT(rows));
}

static void strings_and_all_count_as_uses(void **state)
{
    (void)state;
    struct analysed a;
    struct cn_symbol *s;

    analyse(&a, "from asyncio import sleep, gather, Task\nimport asyncio\n"
                "__all__ = ['sleep'] + other\n__all__ += ('gather',)\n"
                "__all__.append('asyncio')\nx: 'Task'\n");
    static const struct {
        const char *name;
        bool exported;
    } rows[] = {
        {"sleep", true}, {"gather", true}, {"asyncio", true}, {"Task", false}};

    for (size_t i = 0; i < CN_COUNT(rows); i++) {
        s = cn_lookup(a.module, 1, cn_str_from(rows[i].name));
        assert_int_equal(s->string_uses, 1);
        assert_int_equal(s->exported, rows[i].exported);
    }
    forget(&a);
}

static void positions_inside_strings_are_exact(void **state)
{
    (void)state;
    struct analysed a;

    analyse(&a, "import asyncio\nx: 'list[asyncio.Task.y]'\n");
    assert_int_equal(a.module->uses.len, 1);
    struct cn_use *u = &a.module->uses.at[0];

    assert_true(cn_is(a.tree, u->node, CN_K_STRING));
    assert_string_equal(
        cn_str_dup(&a.arena, cn_str_sub(a.tree->text, u->start, u->end)),
        "asyncio.Task");
    forget(&a);
}

static void escapes_are_seen(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool escapes;
    } rows[] = {
        {"x = f()\nx.set()", false},
        {"x = f()\nawait_(x)", true},
        {"async def g():\n x = f()\n await x", false},
        {"async def g():\n x = f()\n async with x: 1", false},
        {"async def g():\n x = f()\n async with x as y: 1", true},
        {"def g():\n x = f()\n return x", true},
        {"def g():\n x = f()\n yield x", true},
        {"x = f()\ny = x", true},
        {"x = f()\ny = [x]", true},
        {"x = f()\ny = {1: x}", true},
        {"x = f()\nif x is None: 1", false},
        {"x = f()\nif not x and 1: 1", false},
        {"x = f()\ny = x or z", true},
        {"x = f()\ny = 1 if x else 2", false},
        {"x = f()\ny = x if 1 else 2", true},
        {"x = f()\nx()", false},
        {"x = f()\nx[1]", false},
        {"x = f()\ny[x]", true},
        {"x = f()\nfor y in x: 1", false},
        {"x = f()\nlambda: x", true},
        {"x = f()\ndef g(): x.set()", false},
        {"x = f()\nprint(f'{x}')", false},
        {"x = f()\ng(*x)", true},
        {"x = f()\n(x)", false},
        {"x = f()\ny: x = 1", false},
    };

    for (size_t i = 0; i < CN_COUNT(rows); i++) {
        struct analysed a;
        const struct cn_object *o;

        analyse(&a, rows[i].text);
        o = cn_object_at(a.module, identifier(&a, "x", 1));
        assert_non_null(o);
        if (o->escapes != rows[i].escapes)
            fail_msg("%s", rows[i].text);
        forget(&a);
    }
}

static void objects_are_one_for_all_places(void **state)
{
    (void)state;
    struct analysed a;

    analyse(&a, "class C:\n q = None\n def f(self):\n  self.q = g()\n"
                "  del self.q\n  self.q, x = 1, 2\n"
                "  with y as self.q: self.q.get()\n"
                "  self.q += 1\n"
                "class D(C):\n def f(self): self.q.put()\n"
                "z.other\n");
    const struct cn_object *o = cn_object_at(a.module, identifier(&a, "q", 1));

    assert_non_null(o);
    assert_int_equal(o->writes.len, 6);
    assert_int_equal(o->writes.at[0].kind, CN_BIND_ASSIGN);
    assert_int_equal(o->writes.at[1].kind, CN_BIND_ASSIGN);
    assert_true(cn_text_is(a.tree, o->writes.at[1].value, "g()"));
    assert_int_equal(o->writes.at[2].kind, CN_BIND_DELETE);
    assert_int_equal(o->writes.at[3].value, 0);
    assert_int_equal(o->writes.at[4].kind, CN_BIND_WITH);
    assert_int_equal(o->writes.at[5].kind, CN_BIND_AUGMENT);
    assert_int_equal(o->reads.len, 3);
    assert_false(o->elsewhere);
    for (int i = 2; i <= 8; i++)
        assert_ptr_equal(
            cn_object_at(a.module, cn_parent(a.tree, identifier(&a, "q", i))),
            o);
    assert_null(
        cn_object_at(a.module, cn_parent(a.tree, identifier(&a, "other", 1))));
    forget(&a);
}

static void definitions_are_found(void **state)
{
    (void)state;
    struct analysed a;

    analyse(&a, "def f(): 1\nf()\nif x:\n def g(): 1\nelse:\n def g(): 2\n"
                "g()\nclass C:\n def m(self): self.m()\n"
                " @staticmethod\n def s(self): self.m()\n"
                " def n(self): self.z()\n");
    assert_int_equal(cn_definition_of(a.module, identifier(&a, "f", 2)),
                     cn_parent(a.tree, identifier(&a, "f", 1)));
    assert_int_equal(cn_definition_of(a.module, identifier(&a, "g", 3)), 0);
    assert_int_equal(
        cn_definition_of(a.module, cn_parent(a.tree, identifier(&a, "m", 2))),
        cn_parent(a.tree, identifier(&a, "m", 1)));
    assert_int_equal(
        cn_definition_of(a.module, cn_parent(a.tree, identifier(&a, "m", 3))),
        0);
    assert_int_equal(
        cn_definition_of(a.module, cn_parent(a.tree, identifier(&a, "z", 1))),
        0);
    forget(&a);
}

static void fresh_names_meet_nobody(void **state)
{
    (void)state;
    struct analysed a;

    analyse(&a, "tg_2 = 1\ndef f():\n here\n def g():\n  tg = 1\n"
                "def h():\n there; tg_3\n");
    assert_true(cn_str_is(
        cn_fresh_name(a.module, identifier(&a, "here", 1), "tg"), "tg_3"));
    assert_true(cn_str_is(
        cn_fresh_name(a.module, identifier(&a, "there", 1), "tg"), "tg"));
    assert_true(cn_str_is(
        cn_fresh_name(a.module, identifier(&a, "there", 1), "h"), "h_2"));
    forget(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(variables_hold_what_is_assigned),
        cmocka_unit_test(attributes_belong_to_classes),
        cmocka_unit_test(strings_are_read_as_types),
        cmocka_unit_test(strings_and_all_count_as_uses),
        cmocka_unit_test(positions_inside_strings_are_exact),
        cmocka_unit_test(escapes_are_seen),
        cmocka_unit_test(objects_are_one_for_all_places),
        cmocka_unit_test(definitions_are_found),
        cmocka_unit_test(fresh_names_meet_nobody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
