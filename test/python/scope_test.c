/* bind and scope: what is bound where, by which statement, to which value.
 * Called with --dump it prints the scopes of the files named on its input,
 * for symtable.test, which compares them with CPython's own. */
#include "python_test.h"

static struct cn_symbol *symbol(const struct analysed *a, const char *name,
                                int n)
{
    struct cn_symbol *s = cn_symbol_at(a->module, identifier(a, name, n));

    assert_non_null(s);
    return s;
}

/* The bindings as words: kind, `?` when conditional, value, annotation. */
static const char *bindings_of(struct analysed *a, const struct cn_symbol *s)
{
    static const char *const kinds[] = {
        "import", "from",   "assign", "augment", "annotation",
        "param",  "def",    "class",  "for",     "with",
        "except", "walrus", "match",  "delete",  "type",
    };
    struct cn_buf b;
    const char *words;

    cn_buf_init(&b, CN_MIB);
    cn_vec_for (it, &s->bindings) {
        cn_buf_fmt(&b, "%s%s%s", b.len ? " " : "", kinds[it->kind],
                   it->conditional ? "?" : "");
        if (it->value)
            cn_buf_fmt(&b, "=%.*s", CN_STR_ARG(cn_text(a->tree, it->value)));
        if (it->annotation)
            cn_buf_fmt(&b, ":%.*s",
                       CN_STR_ARG(cn_text(a->tree, it->annotation)));
    }
    words = cn_str_dup(&a->arena, cn_buf_str(&b));
    cn_buf_done(&b);
    return words;
}

static void every_statement_binds_its_way(void **state)
{
    (void)state;
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"import x", "import"},
        {"import x.y", "import"},
        {"import a.b as x", "import"},
        {"from a import x", "from"},
        {"from a import b as x", "from"},
        {"x = 1", "assign=1"},
        {"(x) = 1", "assign=1"},
        {"x = y = 1", "assign=1"},
        {"y = x = 1", "assign=1"},
        {"x, y = 1, 2", "assign=1"},
        {"y, x = (1, 2)", "assign=2"},
        {"x, *y = 1, 2", "assign"},
        {"x, y = z", "assign"},
        {"[x, [y]] = z", "assign"},
        {"*x, y = z", "assign"},
        {"x: int", "annotation:int"},
        {"x: int = 1", "assign=1:int"},
        {"(x): int", NULL},
        {"x += 1", "augment"},
        {"def x(): 1", "def"},
        {"@d\ndef x(): 1", "def"},
        {"class x: 1", "class"},
        {"for x in y: 1", "for?"},
        {"for (a, x) in y: 1", "for?"},
        {"with y as x: 1", "with"},
        {"with y as (a, x): 1", "with"},
        {"with (y as x): 1", "with"},
        {"with (y as x, z as a): 1", "with"},
        {"try: 1\nexcept E as x: 1", "except?"},
        {"(x := 1)", "walrus?=1"},
        {"match y:\n case x: 1", "match?"},
        {"match y:\n case [a, *x]: 1", "match?"},
        {"match y:\n case {'a': 1, **x}: 1", "match?"},
        {"match y:\n case A(b=x): 1", "match?"},
        {"match y:\n case 1 as x: 1", "match?"},
        {"match y:\n case (1 | 2) as x: 1", "match?"},
        {"del x", "delete"},
        {"del (a, [x])", "delete"},
        {"type x = int", "type"},
        {"type x[T] = list[T]", "type"},
        {"if y: x = 1", "assign?=1"},
        {"if y: 1\nelse: x = 1", "assign?=1"},
        {"try: x = 1\nfinally: 1", "assign?=1"},
        {"try: 1\nfinally: x = 1", "assign=1"},
        {"while y: x = 1", "assign?=1"},
        {"with y: x = 1", "assign=1"},
        {"x.y = 1", NULL},
        {"x[1] = 1", NULL},
        {"x.y: int = 1", NULL},
        {"with y as x.z: 1", NULL},
        {"f(x=1)", NULL},
        {"match y:\n case x.z: 1", NULL},
        {"match y:\n case x(): 1", NULL},
        {"f'{x:=5}'", NULL},
    };

    for (size_t i = 0; i < CN_COUNT(rows); i++) {
        struct analysed a;
        struct cn_symbol *s;

        analyse(&a, rows[i].text);
        s = cn_lookup(a.module, 1, CN_STR("x"));
        if (!rows[i].want)
            assert_null(s);
        else if (!s || strcmp(bindings_of(&a, s), rows[i].want) != 0)
            fail_msg("%s: %s", rows[i].text, s ? bindings_of(&a, s) : "none");
        forget(&a);
    }
}

static void parameters_belong_to_their_function(void **state)
{
    (void)state;
    struct analysed a;

    analyse(&a, "def f(a, b: int, c=x1, *d: str, e: int = x2, **g): a\n"
                "lambda h, *i, j=x3, **k: h\n");
    static const char *const names[] = {"a", "b", "c", "d", "e",
                                        "g", "h", "i", "j", "k"};

    for (size_t i = 0; i < CN_COUNT(names); i++) {
        struct cn_symbol *s = symbol(&a, names[i], 1);

        assert_true(s->is_parameter);
        assert_int_equal(s->bindings.len, 1);
        assert_int_equal(s->bindings.at[0].statement, s->scope->node);
        assert_false(s->bindings.at[0].conditional);
    }
    assert_string_equal(bindings_of(&a, symbol(&a, "b", 1)), "param:int");
    assert_int_equal(symbol(&a, "a", 1)->uses.len, 1);
    for (int i = 1; i <= 3; i++) {
        char name[3] = {'x', (char)('0' + i), 0};

        assert_int_equal(cn_scope_at(a.module, identifier(&a, name, 1))->kind,
                         CN_SCOPE_MODULE);
    }
    forget(&a);
}

static void declarations_move_bindings(void **state)
{
    (void)state;
    struct analysed a;

    analyse(&a, "x = 1\ndef f():\n global x, y\n x = 2\n y = 3\n"
                "def g():\n z = 1\n def h():\n  nonlocal z\n  z += 1\n"
                "  def i():\n   nonlocal z\n   z = 3\n");
    assert_string_equal(bindings_of(&a, symbol(&a, "x", 1)),
                        "assign=1 assign=2");
    assert_true(symbol(&a, "x", 1)->bound_below);
    assert_int_equal(symbol(&a, "y", 2)->scope->kind, CN_SCOPE_MODULE);
    assert_string_equal(bindings_of(&a, symbol(&a, "z", 1)),
                        "assign=1 augment assign=3");
    for (int i = 2; i <= 5; i++)
        assert_ptr_equal(symbol(&a, "z", i), symbol(&a, "z", 1));
    assert_int_equal(symbol(&a, "z", 1)->uses.len, 1);
    forget(&a);
}

static void statements_are_the_innermost(void **state)
{
    (void)state;
    struct analysed a;

    analyse(&a, "if a:\n b = 1\nelif (c := 2):\n d = 3\n"
                "@e\nclass F: g = 4; h = 5\n");
    static const struct {
        const char *name, *statement;
    } rows[] = {{"b", "b = 1"}, {"d", "d = 3"}, {"g", "g = 4"}, {"h", "h = 5"}};

    for (size_t i = 0; i < CN_COUNT(rows); i++) {
        const struct cn_symbol *s = symbol(&a, rows[i].name, 1);

        assert_true(
            cn_text_is(a.tree, s->bindings.at[0].statement, rows[i].statement));
    }
    assert_true(cn_is(a.tree, symbol(&a, "c", 1)->bindings.at[0].statement,
                      CN_K_IF_STATEMENT));
    assert_true(cn_is(a.tree, symbol(&a, "F", 1)->bindings.at[0].statement,
                      CN_K_DECORATED_DEFINITION));
    forget(&a);
}

static void scopes_are_found_by_their_nodes(void **state)
{
    (void)state;
    struct analysed a;

    analyse(&a, "def f[T](x=lambda: 1): [y for y in z]\nclass C: 2\n");
    assert_int_equal(a.module->scopes.len, 6);
    for (size_t i = 0; i < a.module->scopes.len; i++)
        assert_ptr_equal(cn_scope_of(a.module, a.module->scopes.at[i]->node),
                         a.module->scopes.at[i]);
    assert_null(cn_scope_of(a.module, identifier(&a, "f", 1)));
    assert_int_equal(cn_scope_at(a.module, identifier(&a, "z", 1))->kind,
                     CN_SCOPE_FUNCTION);
    assert_int_equal(cn_scope_at(a.module, identifier(&a, "y", 1))->kind,
                     CN_SCOPE_COMPREHENSION);
    forget(&a);
}

/* --- dumping ------------------------------------------------------------------ */

/* scope INDEX KIND LINE PARENT name:L|G|N ... (local, global, nonlocal) */
static void dump_scope(const struct cn_module *m, const struct cn_scope *s)
{
    static const char *const kinds[] = {"module", "class",         "function",
                                        "lambda", "comprehension", "types"};
    uint32_t start = s->parent ? cn_start(m->tree, s->node) : 0;

    printf("scope %u %s %u %d", s->index, kinds[s->kind],
           s->parent ? cn_place_of(m->tree, start).line : 0,
           s->parent ? (int)s->parent->index : -1);
    for (uint32_t i = 0; i < s->symbols.len; i++) {
        const struct cn_map_entry *e = &s->symbols.entries[i];
        const struct cn_symbol *symbol = e->value.cptr;
        const struct cn_scope *home;

        while (symbol->real)
            symbol = symbol->real;
        home = symbol->scope;
        printf(" %.*s:%c", CN_STR_ARG(e->key),
               home == s                       ? 'L'
               : home->kind == CN_SCOPE_MODULE ? 'G'
                                               : 'N');
    }
    printf("\n");
}

static bool read_file(const char *path, struct cn_buf *out)
{
    char part[65536];
    size_t n;
    FILE *f = fopen(path, "rb");

    if (!f)
        return false;
    while ((n = fread(part, 1, sizeof part, f)) > 0)
        cn_buf_add(out, part, n);
    fclose(f);
    return !out->err;
}

static void dump_file(struct cn_parser *parser, const char *path)
{
    struct cn_arena arena;
    struct cn_tree *tree;
    struct cn_buf text;

    cn_arena_init(&arena);
    cn_buf_init(&text, 64 * CN_MIB);
    printf("file %s\n", path);
    if (read_file(path, &text) && cn_text_check(cn_buf_str(&text), NULL) == 0 &&
        cn_tree_parse(parser, &arena, cn_buf_str(&text), &tree) == 0 &&
        cn_valid(tree, NULL) == 0) {
        const struct cn_module *m =
            cn_module_analyse(&arena, tree, CN_STR(""), false, NULL);

        for (size_t i = 0; i < m->scopes.len; i++)
            dump_scope(m, m->scopes.at[i]);
    } else {
        printf("refused\n");
    }
    cn_buf_done(&text);
    cn_arena_done(&arena);
}

static int dump(void)
{
    struct cn_parser *parser = cn_parser_open();
    char path[4096];

    while (fgets(path, sizeof path, stdin)) {
        path[strcspn(path, "\n")] = '\0';
        dump_file(parser, path);
    }
    cn_parser_close(parser);
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_statement_binds_its_way),
        cmocka_unit_test(parameters_belong_to_their_function),
        cmocka_unit_test(declarations_move_bindings),
        cmocka_unit_test(statements_are_the_innermost),
        cmocka_unit_test(scopes_are_found_by_their_nodes),
    };

    if (argc > 1 && !strcmp(argv[1], "--dump"))
        return dump();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
