/* Two texts, from one data cut in half or at a NUL, through the unified diff.
 * What must hold: the patch, applied by the small patch program below, gives
 * the second text; equal texts give no patch. */
#include <stdlib.h>

#include "fuzz/targets.h"
#include "migrate/apply.h"

static struct cn_str take_line(struct cn_str *s)
{
    const char *end = s->len ? memchr(s->ptr, '\n', s->len) : NULL;
    size_t len = end ? (size_t)(end - s->ptr) + 1 : s->len;
    struct cn_str line = cn_str_sub(*s, 0, len);

    *s = cn_str_sub(*s, len, s->len);
    return line;
}

static void skip_file_header(struct cn_str *patch)
{
    while (patch->len && patch->ptr[0] != '@')
        take_line(patch);
}

/* "@@ -12,3 +12,4 @@": the first line of the old text that the hunk is about,
 * and the counts. */
static void read_hunk(struct cn_str line, long *start, long *old_count,
                      long *new_count)
{
    char z[64] = {0}, *at;

    memcpy(z, line.ptr, line.len < sizeof z - 1 ? line.len : sizeof z - 1);
    cn_assert(strncmp(z, "@@ -", 4) == 0);
    *start = strtol(z + 4, &at, 10);
    *old_count = *at == ',' ? strtol(at + 1, &at, 10) : 1;
    cn_assert(strncmp(at, " +", 2) == 0);
    strtol(at + 2, &at, 10);
    *new_count = *at == ',' ? strtol(at + 1, &at, 10) : 1;
    cn_assert(strncmp(at, " @@", 3) == 0);
}

/* The text of a patch line, without its sign; a following "\ No newline"
 * takes the line end away. */
static struct cn_str body_of(struct cn_str line, struct cn_str *patch)
{
    struct cn_str body = cn_str_sub(line, 1, line.len);

    if (patch->len && patch->ptr[0] == '\\') {
        take_line(patch);
        body.len--;
    }
    return body;
}

static void apply_hunk(struct cn_str *patch, struct cn_str *old, long *line_no,
                       struct cn_buf *out)
{
    long start, old_count, new_count;

    read_hunk(take_line(patch), &start, &old_count, &new_count);
    /* A hunk without old lines names the line before it. */
    for (long to = old_count ? start : start + 1; *line_no < to; ++*line_no)
        cn_buf_add_str(out, take_line(old));
    while (old_count > 0 || new_count > 0) {
        struct cn_str line = take_line(patch);
        struct cn_str body = body_of(line, patch);

        cn_assert(line.len);
        if (line.ptr[0] != '+') {
            cn_assert(cn_str_eq(take_line(old), body));
            ++*line_no;
            old_count--;
        }
        if (line.ptr[0] != '-') {
            cn_buf_add_str(out, body);
            new_count--;
        }
    }
    cn_assert(old_count == 0 && new_count == 0);
}

static void apply_patch(struct cn_str patch, struct cn_str old,
                        struct cn_buf *out)
{
    long line_no = 1;

    skip_file_header(&patch);
    while (patch.len)
        apply_hunk(&patch, &old, &line_no, out);
    cn_buf_add_str(out, old);
}

/* Before and after: two texts divided by a NUL; else the data, and the data
 * with every line that has an odd hash changed, dropped or doubled. */
static void make_texts(struct cn_str data, struct cn_buf *before,
                       struct cn_buf *after)
{
    const char *nul = data.len ? memchr(data.ptr, 0, data.len) : NULL;

    if (nul) {
        size_t cut = (size_t)(nul - data.ptr);

        cn_buf_add_str(before, cn_str_sub(data, 0, cut));
        cn_buf_add_str(after, cn_str_sub(data, cut + 1, data.len));
        return;
    }
    cn_buf_add_str(before, data);
    for (uint32_t salt = cn_fuzz_hash(data); data.len;
         salt = salt * 69069 + 1) {
        struct cn_str line = take_line(&data);
        uint32_t what = (cn_fuzz_hash(line) ^ salt >> 16) % 8;

        if (what != 1)
            cn_buf_add_str(after, line);
        if (what == 2 || what == 3)
            cn_buf_add_z(after, what == 2 ? "new\n" : "x");
    }
}

void cn_fuzz_diff(struct cn_str data)
{
    struct cn_buf before, after, patch, patched;

    cn_buf_init(&before, 64 << 20);
    cn_buf_init(&after, 64 << 20);
    cn_buf_init(&patch, 256 << 20);
    cn_buf_init(&patched, 64 << 20);
    make_texts(data, &before, &after);
    cn_diff(&patch, CN_STR("a.py"), cn_buf_str(&before), cn_buf_str(&after),
            false);
    cn_assert(patch.err == 0);
    cn_assert((patch.len == 0) ==
              cn_str_eq(cn_buf_str(&before), cn_buf_str(&after)));
    apply_patch(cn_buf_str(&patch), cn_buf_str(&before), &patched);
    cn_assert(cn_str_eq(cn_buf_str(&patched), cn_buf_str(&after)));
    cn_buf_done(&before);
    cn_buf_done(&after);
    cn_buf_done(&patch);
    cn_buf_done(&patched);
}
