/* Suppression comments: `# canyon: ignore[sleep, CN301] -- reason` at the end
 * of a line or on a line above a statement, `# canyon: file-ignore[...]`
 * anywhere. There is no form without names. Read-only; a comment that is not
 * understood suppresses nothing. */
#include "migrate/engine.h"

struct entry {
    uint32_t start, end; /* the bytes that it covers */
    struct cn_str words; /* between the brackets */
};

struct cn_suppressions {
    CN_VEC(struct entry) at;
};

/* The words between the brackets behind `key`, or nothing. */
static struct cn_str words_of(struct cn_str comment, struct cn_str key)
{
    comment = cn_str_trim(cn_str_sub(comment, 1, comment.len));
    if (!cn_str_starts(comment, CN_STR("canyon:")))
        return (struct cn_str){0};
    comment = cn_str_trim(cn_str_sub(comment, 7, comment.len));
    if (!cn_str_starts(comment, key))
        return (struct cn_str){0};
    comment = cn_str_trim(cn_str_sub(comment, key.len, comment.len));
    ptrdiff_t close = cn_str_find(comment, CN_STR("]"));

    if (close < 0 || comment.ptr[0] != '[')
        return (struct cn_str){0};
    return cn_str_sub(comment, 1, (size_t)close);
}

/* The lines of the statement that a comment on its own line stands above: of a
 * compound statement only the header. */
static struct cn_span below(const struct cn_tree *t, cn_node comment)
{
    cn_node n = comment + 1;

    while (n < t->count && (cn_is(t, n, CN_K_COMMENT) || !t->at[n].named ||
                            cn_is(t, n, CN_K_BLOCK)))
        n++;
    cn_node statement = n < t->count ? cn_statement(t, n) : 0;

    if (!statement || cn_start(t, statement) < cn_end(t, comment))
        return (struct cn_span){0, 0};
    cn_node body = cn_child(t, statement, CN_F_BODY);

    if (!body)
        body = cn_child(t, statement, CN_F_CONSEQUENCE);
    return (struct cn_span){cn_start(t, statement),
                            body ? cn_start(t, body) : cn_end(t, statement)};
}

/* A comment at the end of a line covers what starts on that line, and, behind
 * the last line of a statement over several lines, the whole of it. */
static struct cn_span beside(const struct cn_tree *t, cn_node comment)
{
    uint32_t at = cn_start(t, comment), start = cn_line_start(t, at);
    cn_node before = comment - 1;
    cn_node statement = before ? cn_statement(t, before) : 0;

    if (statement && cn_end(t, statement) <= at &&
        cn_line_of(t, cn_end(t, statement)) == cn_line_of(t, at) &&
        !cn_child(t, statement, CN_F_BODY) && cn_start(t, statement) < start)
        start = cn_start(t, statement);
    return (struct cn_span){start, at};
}

struct cn_suppressions *cn_suppressions_read(struct cn_arena *a,
                                             const struct cn_tree *t)
{
    struct cn_suppressions *s = CN_NEW(a, struct cn_suppressions);

    if (cn_str_find(t->text, CN_STR("canyon:")) < 0)
        return s;
    for (cn_node n = 1; n < t->count; n++) {
        if (!cn_is(t, n, CN_K_COMMENT))
            continue;
        struct cn_str words = words_of(cn_text(t, n), CN_STR("ignore"));
        struct cn_span span = {0, (uint32_t)t->text.len};

        if (words.len)
            span = cn_starts_line(t, n) ? below(t, n) : beside(t, n);
        else
            words = words_of(cn_text(t, n), CN_STR("file-ignore"));
        if (words.len)
            cn_vec_push(a, &s->at,
                        ((struct entry){span.start, span.end, words}));
    }
    return s;
}

static bool names_rule(struct cn_str words, const struct cn_rule *rule)
{
    struct cn_str word;

    while (cn_str_cut(&words, ',', &word)) {
        word = cn_str_trim(word);
        if (cn_str_is(word, rule->code) || cn_str_is(word, rule->name))
            return true;
    }
    return false;
}

bool cn_suppressed(const struct cn_suppressions *s, uint32_t at,
                   const struct cn_rule *rule)
{
    for (size_t i = 0; i < s->at.len; i++) {
        const struct entry *e = &s->at.at[i];

        if (e->start <= at && at < e->end && names_rule(e->words, rule))
            return true;
    }
    return false;
}
