/* What a rule function calls: verdicts, plain edits, and small texts. They
 * only write into the match's own fix; nothing is applied here. Invariant: a
 * fix that was demoted to MANUAL ends as CN_LEFT whatever verdict follows. */
#include "migrate/engine.h"

static const char *format(struct cn_match *m, const char *fmt, va_list ap)
{
    return fmt ? cn_str_vfmt(m->arena, fmt, ap).ptr : NULL;
}

static void drop_edits(struct cn_fix *fix)
{
    fix->edits.len = fix->moved.len = fix->drops.len = 0;
    fix->arguments.len = fix->needs.len = fix->support.len = 0;
}

static enum cn_verdict leave(struct cn_match *m, enum cn_class class_,
                             const char *advice, const char *reason)
{
    drop_edits(m->fix);
    m->fix->class_ = class_;
    m->fix->advice = advice ? advice : m->rule->advice;
    m->fix->reason = reason;
    return CN_LEFT;
}

static enum cn_verdict fixed(struct cn_match *m, enum cn_class class_,
                             const char *reason)
{
    struct cn_fix *fix = m->fix;

    cn_layout_keep_comments(m);
    if (!fix->manual && cn_fix_collides(m->arena, m->tree->text, fix))
        fix->manual = "its edits overlap";
    if (fix->manual)
        return leave(m, CN_CLASS_MANUAL, NULL, fix->manual);
    if (fix->unsafe) {
        class_ = CN_CLASS_UNSAFE;
        reason = fix->unsafe;
    }
    fix->class_ = class_;
    fix->reason = reason;
    return CN_FIXED;
}

enum cn_verdict cn_pass(struct cn_match *m)
{
    (void)m;
    return CN_PASS;
}

enum cn_verdict cn_safe(struct cn_match *m)
{
    return fixed(m, CN_CLASS_SAFE, NULL);
}

enum cn_verdict cn_unsafe(struct cn_match *m, const char *reason, ...)
{
    va_list ap;

    va_start(ap, reason);
    const char *text = format(m, reason, ap);
    va_end(ap);
    return fixed(m, CN_CLASS_UNSAFE, text);
}

enum cn_verdict cn_manual(struct cn_match *m, const char *advice,
                          const char *reason, ...)
{
    va_list ap;

    va_start(ap, reason);
    const char *text = format(m, reason, ap);
    va_end(ap);
    return leave(m, CN_CLASS_MANUAL, advice, text);
}

enum cn_verdict cn_wrong(struct cn_match *m, const char *advice,
                         const char *reason, ...)
{
    va_list ap;

    va_start(ap, reason);
    const char *text = format(m, reason, ap);
    va_end(ap);
    return leave(m, CN_CLASS_WRONG, advice, text);
}

void cn_demote_unsafe(struct cn_match *m, const char *reason)
{
    if (!m->fix->unsafe)
        m->fix->unsafe = reason;
}

void cn_demote_manual(struct cn_match *m, const char *reason)
{
    if (!m->fix->manual)
        m->fix->manual = reason;
    drop_edits(m->fix);
}

/* --- edits -------------------------------------------------------------- */

static void edit(struct cn_match *m, uint32_t start, uint32_t end,
                 struct cn_str text)
{
    cn_fix_edit(
        m->arena, m->fix,
        (struct cn_edit){
            .start = start, .end = end, .text = text, .rank = CN_RANK_TEXT});
}

void cn_replace(struct cn_match *m, cn_node node, const char *fmt, ...)
{
    uint32_t start = cn_start(m->tree, node), end = cn_end(m->tree, node);
    va_list ap;

    if (m->use && m->use->in_string && node == m->node) {
        start = m->use->start; /* only the name inside the string */
        end = m->use->end;
    }
    va_start(ap, fmt);
    edit(m, start, end, cn_str_vfmt(m->arena, fmt, ap));
    va_end(ap);
}

void cn_replace_span(struct cn_match *m, uint32_t start, uint32_t end,
                     const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    edit(m, start, end, cn_str_vfmt(m->arena, fmt, ap));
    va_end(ap);
}

void cn_insert(struct cn_match *m, uint32_t at, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    edit(m, at, at, cn_str_vfmt(m->arena, fmt, ap));
    va_end(ap);
}

/* --- small texts -------------------------------------------------------- */

const char *cn_z(struct cn_match *m, cn_node node)
{
    return cn_str_dup(m->arena, cn_text(m->tree, node));
}

const char *cn_new_name(struct cn_match *m, const char *base)
{
    return cn_str_dup(m->arena, cn_fresh_name(m->module, m->node, base));
}

void cn_claim(struct cn_match *m, cn_node site)
{
    cn_vec_push(m->arena, &m->fix->claims, site);
}
