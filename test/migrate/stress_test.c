/* Stress: random functions with the mini rules' patterns in all kinds of
 * statements, lines and neighbours. Whatever is made: the engine succeeds, the
 * result is valid Python, names, strings and comments come out in the same
 * order, and a second run changes nothing. CANYON_STRESS=N runs N texts;
 * CANYON_STRESS_DUMP=DIR writes each pair there for other judges. */
#include "mini.h"

struct maker {
    uint64_t seed;
    struct cn_buf out;
    const char *nl, *unit;
    int depth;     /* of indentation */
    int names;     /* given so far */
    bool in_async; /* await is allowed */
};

static uint32_t roll(struct maker *k, uint32_t n)
{
    k->seed ^= k->seed << 13;
    k->seed ^= k->seed >> 7;
    k->seed ^= k->seed << 17;
    return (uint32_t)((k->seed >> 16) % n);
}

static void put(struct maker *k, const char *z)
{
    cn_buf_add_z(&k->out, z);
}

static void indent(struct maker *k)
{
    for (int i = 0; i < k->depth; i++)
        put(k, k->unit);
}

static void name(struct maker *k)
{
    cn_buf_fmt(&k->out, "v%d", k->names++);
}

static void expression(struct maker *k, int depth);

/* White space between two tokens in brackets: sometimes a line break, with a
 * comment or a backslash. */
static void gap(struct maker *k)
{
    switch (roll(k, 12)) {
    case 0:
        put(k, k->nl);
        indent(k);
        put(k, "      ");
        break;
    case 1: cn_buf_fmt(&k->out, "  # c%d%s", k->names++, k->nl); break;
    case 2:
        put(k, " \\");
        put(k, k->nl);
        break;
    case 3: put(k, " "); break;
    default: break;
    }
}

static void string(struct maker *k)
{
    int n = k->names++;

    switch (roll(k, 5)) {
    case 0: cn_buf_fmt(&k->out, "'s%d'", n); break;
    case 1: cn_buf_fmt(&k->out, "'''s%d%s  x%s'''", n, k->nl, k->nl); break;
    case 2: cn_buf_fmt(&k->out, "f\"s%d{v%d}\"", n, n); break;
    case 3:
        cn_buf_fmt(&k->out, "f'''s%d%s{%sv%d%s}%s'''", n, k->nl, k->nl, n,
                   k->nl, k->nl);
        break;
    default: cn_buf_fmt(&k->out, "b's%d\\%sy'", n, k->nl); break;
    }
}

static void arguments(struct maker *k, int depth)
{
    uint32_t count = roll(k, 3);

    put(k, "(");
    gap(k);
    for (uint32_t i = 0; i < count; i++) {
        expression(k, depth + 1);
        gap(k);
        put(k, ",");
        gap(k);
    }
    if (roll(k, 3) == 0) {
        put(k, "k=");
        expression(k, depth + 1);
        gap(k);
    }
    put(k, ")");
}

static void wait_for(struct maker *k, int depth)
{
    put(k, "(await asyncio.wait_for(");
    gap(k);
    if (roll(k, 4)) {
        name(k);
        arguments(k, depth + 1);
    } else {
        expression(k, depth + 1);
    }
    gap(k);
    put(k, roll(k, 2) ? ", " : ", timeout=");
    cn_buf_fmt(&k->out, "%u", roll(k, 3) + 1);
    gap(k);
    if (roll(k, 3) == 0)
        put(k, ",");
    gap(k);
    put(k, "))");
}

static void pattern(struct maker *k, int depth)
{
    switch (roll(k, 6)) {
    case 0:
        put(k, "asyncio.sleep");
        arguments(k, depth);
        break;
    case 1:
        put(k, "asyncio.to_thread");
        arguments(k, depth);
        break;
    case 2:
        put(k, "asyncio.Semaphore(loop=None");
        gap(k);
        put(k, ",");
        gap(k);
        put(k, "value=");
        expression(k, depth + 1);
        gap(k);
        put(k, roll(k, 2) ? ", old=1)" : ",)");
        break;
    case 3:
        put(k, "asyncio.run(");
        name(k);
        arguments(k, depth);
        put(k, ")");
        break;
    case 4:
        put(k, "asyncio.gather");
        arguments(k, depth);
        break;
    default:
        if (k->in_async)
            wait_for(k, depth);
        else
            put(k, "asyncio.Queue");
        break;
    }
}

static void expression(struct maker *k, int depth)
{
    if (depth > 3) {
        name(k);
        return;
    }
    switch (roll(k, 9)) {
    case 0:
    case 1:
    case 2: pattern(k, depth); break;
    case 3: string(k); break;
    case 4:
        name(k);
        put(k, ".a");
        break;
    case 5:
        name(k);
        arguments(k, depth);
        break;
    case 6:
        put(k, "(");
        expression(k, depth + 1);
        gap(k);
        put(k, " + ");
        expression(k, depth + 1);
        put(k, ")");
        break;
    case 7:
        put(k, "[");
        expression(k, depth + 1);
        gap(k);
        put(k, " if ");
        expression(k, depth + 1);
        put(k, " else ");
        expression(k, depth + 1);
        put(k, "]");
        break;
    default: name(k); break;
    }
}

static void simple(struct maker *k)
{
    switch (roll(k, 8)) {
    case 0: put(k, "asyncio.set_event_loop(1)"); break;
    case 1:
        name(k);
        put(k, " = asyncio.get_event_loop()");
        break;
    case 2:
        put(k, "return ");
        expression(k, 0);
        break;
    case 3:
        name(k);
        put(k, " += ");
        expression(k, 0);
        break;
    case 4:
        put(k, "assert ");
        expression(k, 0);
        break;
    default:
        name(k);
        put(k, " = ");
        expression(k, 0);
        break;
    }
}

static void end_line(struct maker *k)
{
    if (roll(k, 6) == 0)
        cn_buf_fmt(&k->out, "  # c%d", k->names++);
    put(k, k->nl);
    if (roll(k, 10) == 0)
        put(k, k->nl);
    if (roll(k, 12) == 0) {
        indent(k);
        cn_buf_fmt(&k->out, "# c%d%s", k->names++, k->nl);
    }
}

static void simple_line(struct maker *k)
{
    simple(k);
    while (roll(k, 4) == 0) {
        put(k, roll(k, 2) ? "; " : " ;");
        simple(k);
    }
    if (roll(k, 10) == 0)
        put(k, ";");
    end_line(k);
}

static void block(struct maker *k, int level);

static void suite(struct maker *k, int level)
{
    if (roll(k, 4) == 0) {
        put(k, roll(k, 2) ? " " : "");
        simple_line(k);
        return;
    }
    end_line(k);
    k->depth++;
    block(k, level + 1);
    k->depth--;
}

static void clause(struct maker *k, const char *header, int level)
{
    indent(k);
    put(k, header);
    suite(k, level);
}

static void function(struct maker *k, int level)
{
    bool was = k->in_async;

    k->in_async = roll(k, 2);
    put(k, k->in_async ? "async def " : "def ");
    name(k);
    put(k, "():");
    suite(k, level);
    k->in_async = was;
}

static void compound(struct maker *k, int level)
{
    switch (roll(k, 6)) {
    case 0:
        put(k, "if ");
        expression(k, 1);
        put(k, ":");
        suite(k, level);
        if (roll(k, 2))
            clause(k, "elif v0:", level);
        if (roll(k, 2))
            clause(k, "else:", level);
        break;
    case 1:
        put(k, "for x in ");
        expression(k, 1);
        put(k, ":");
        suite(k, level);
        break;
    case 2:
        put(k, "while ");
        expression(k, 1);
        put(k, ":");
        suite(k, level);
        break;
    case 3:
        put(k, "try:");
        suite(k, level);
        clause(k, "except E:", level);
        if (roll(k, 2))
            clause(k, "finally:", level);
        break;
    case 4:
        put(k, "with ");
        expression(k, 1);
        put(k, " as x:");
        suite(k, level);
        break;
    default: function(k, level); break;
    }
}

static void block(struct maker *k, int level)
{
    uint32_t count = 1 + roll(k, 4);

    for (uint32_t i = 0; i < count; i++) {
        indent(k);
        if (level < 4 && roll(k, 3) == 0)
            compound(k, level);
        else
            simple_line(k);
    }
}

static void make_text(struct maker *k)
{
    static const char *const units[] = {"    ", "  ", "\t", " "};

    k->nl = roll(k, 4) ? "\n" : "\r\n";
    k->unit = units[roll(k, 4)];
    if (roll(k, 8) == 0)
        put(k, "\xef\xbb\xbf");
    if (roll(k, 3) == 0)
        cn_buf_fmt(&k->out, "'''Doc.'''%s", k->nl);
    cn_buf_fmt(&k->out, "import asyncio%s", k->nl);
    if (roll(k, 2))
        cn_buf_fmt(&k->out, "import os%s", k->nl);
    put(k, k->nl);
    put(k, "async def f():");
    k->in_async = true;
    suite(k, 0);
    if (roll(k, 6) == 0)
        k->out.len -= strlen(k->nl); /* no line end at the end */
    k->out.ptr[k->out.len] = 0;
}

/* --- judging ------------------------------------------------------------ */

/* Names v1, v2, ... and strings in their order; comments separately, because
 * some move above their statement. */
static void gather(struct cn_arena *a, struct cn_parser *parser,
                   struct cn_str text, struct cn_buf *names,
                   struct cn_buf *comments)
{
    struct cn_tree *t;

    assert_int_equal(cn_tree_parse(parser, a, text, &t), 0);
    for (cn_node n = 1; n < t->count; n++) {
        struct cn_str s = cn_text(t, n);

        if ((cn_is(t, n, CN_K_IDENTIFIER) && s.ptr[0] == 'v' && s.len > 1 &&
             s.ptr[1] >= '0' && s.ptr[1] <= '9') ||
            (cn_is(t, n, CN_K_STRING) && !cn_str_is(s, "'above'") &&
             !cn_str_is(s, "'below'")))
            cn_buf_fmt(names, "%.*s|", CN_STR_ARG(s));
        if (cn_is(t, n, CN_K_COMMENT))
            cn_buf_fmt(comments, "%.*s|", CN_STR_ARG(cn_str_trim(s)));
    }
}

static bool all_in(struct cn_str comments, const struct cn_buf *in)
{
    struct cn_str one;

    while (cn_str_cut(&comments, '|', &one))
        if (cn_str_find(cn_buf_str(in), one) < 0)
            return false;
    return true;
}

static void show(const char *why, struct cn_str before, struct cn_str after)
{
    fprintf(stderr, "%s\n--- before:\n%.*s\n--- after:\n%.*s\n", why,
            CN_STR_ARG(before), CN_STR_ARG(after));
    fail();
}

static void dump(size_t i, const char *kind, struct cn_str text)
{
    const char *dir = getenv("CANYON_STRESS_DUMP");
    char path[512];

    if (!dir)
        return;
    snprintf(path, sizeof path, "%s/%zu_%s.py", dir, i, kind);
    FILE *file = fopen(path, "wb");

    if (file) {
        fwrite(text.ptr, 1, text.len, file);
        fclose(file);
    }
}

/* Says whether the text was changed. */
static bool judge(struct mini *x, size_t i, struct cn_str before)
{
    struct cn_buf names[2], comments[2];
    int err = mini_migrate(x, before);

    dump(i, "before", before);
    if (err)
        show(x->note.message, before, x->result.text);
    struct cn_text_result first = x->result;

    dump(i, "after", first.text);
    for (int k = 0; k < 2; k++) {
        cn_buf_init(&names[k], CN_MIB * 16);
        cn_buf_init(&comments[k], CN_MIB * 16);
        gather(&x->arena, x->parser, k ? first.text : before, &names[k],
               &comments[k]);
    }
    if (!cn_str_eq(cn_buf_str(&names[0]), cn_buf_str(&names[1])))
        show("names or strings differ", before, first.text);
    if (!all_in(cn_buf_str(&comments[0]), &comments[1]) ||
        !all_in(cn_buf_str(&comments[1]), &comments[0]))
        show("comments differ", before, first.text);
    assert_int_equal(mini_migrate(x, first.text), 0);
    assert_false(x->result.changed);
    for (int k = 0; k < 2; k++) {
        cn_buf_done(&names[k]);
        cn_buf_done(&comments[k]);
    }
    return first.changed;
}

static void random_texts(void **state)
{
    (void)state;
    const char *count = getenv("CANYON_STRESS"), *seed = getenv("CANYON_SEED");
    size_t n = count ? strtoul(count, NULL, 10) : 400;
    size_t from = seed ? strtoul(seed, NULL, 10) : 1, changed = 0;

    for (size_t i = from; i < from + n; i++) {
        struct mini x;
        struct maker k = {.seed = i * 0x9e3779b97f4a7c15u + 1};

        cn_buf_init(&k.out, CN_MIB * 16);
        make_text(&k);
        mini_open(&x);
        changed += judge(&x, i, cn_buf_str(&k.out));
        mini_close(&x);
        cn_buf_done(&k.out);
    }
    assert_true(n == 1 || changed > n / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_texts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
