/* Sources: may these bytes be handled as Python text?
 *
 * Edits move bytes, so an encoding is fine when each ASCII byte means itself
 * wherever it stands: UTF-8 and the single-byte ones. What the file says about
 * its encoding is read as CPython reads it (PEP 263). Nothing is decoded. */
#include "python/module.h"

static const unsigned char BOM[] = {0xEF, 0xBB, 0xBF};

enum encoding { UTF_8, ASCII, SINGLE_BYTE, REFUSED };

/* Names of single-byte encodings that contain ASCII, as CPython spells them
 * after folding; a trailing `*` stands for a number or letter. */
static const char *const single_byte[] = {
    "latin-1",  "latin1",       "l1",         "iso-8859-*", "iso8859-*",
    "8859",     "iso-8859",     "iso8859",    "latin*",     "latin-*",
    "cp125*",   "windows-125*", "cp437",      "cp720",      "cp737",
    "cp775",    "cp85*",        "cp86*",      "cp874",      "cp1125",
    "cp1006",   "koi8-*",       "mac-*",      "macroman",   "maccyrillic",
    "macgreek", "maclatin2",    "macturkish", "tis-620",    "tis620",
    "ptcp154",  "kz1048",       "kz-1048",    "hp-roman8",  "palmos",
};

/* `name` in lower case with `-` for `_`, cut to the buffer. */
static void fold(struct cn_str name, char *out, size_t size)
{
    size_t n = name.len < size - 1 ? name.len : size - 1;

    for (size_t i = 0; i < n; i++) {
        char c = name.ptr[i];

        out[i] = c == '_'               ? '-'
                 : c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a')
                                        : c;
    }
    out[n] = '\0';
}

static bool matches(const char *name, const char *pattern)
{
    size_t n = strlen(pattern);

    if (pattern[n - 1] != '*')
        return !strcmp(name, pattern);
    return !strncmp(name, pattern, n - 1) && name[n - 1] &&
           strlen(name + n - 1) <= 8;
}

/* The only spelling that CPython takes beside a byte order mark. */
static bool is_plain_utf8(struct cn_str name)
{
    char folded[40];

    fold(name, folded, sizeof folded);
    return !strcmp(folded, "utf-8") || !strncmp(folded, "utf-8-", 6);
}

static enum encoding encoding_of(struct cn_str name)
{
    char folded[40];

    fold(name, folded, sizeof folded);
    if (is_plain_utf8(name) || !strcmp(folded, "utf8") ||
        !strcmp(folded, "u8") || !strcmp(folded, "cp65001"))
        return UTF_8;
    if (!strcmp(folded, "ascii") || !strcmp(folded, "us-ascii") ||
        !strcmp(folded, "646"))
        return ASCII;
    for (size_t i = 0; i < CN_COUNT(single_byte); i++)
        if (matches(folded, single_byte[i]))
            return SINGLE_BYTE;
    return REFUSED;
}

/* --- cookies -------------------------------------------------------------- */

static struct cn_str cut_line(struct cn_str *text)
{
    size_t n = 0;
    struct cn_str line;

    while (n < text->len && text->ptr[n] != '\n' && text->ptr[n] != '\r')
        n++;
    line = cn_str_sub(*text, 0, n);
    if (n + 1 < text->len && text->ptr[n] == '\r' && text->ptr[n + 1] == '\n')
        n++;
    *text = cn_str_sub(*text, n + 1, text->len);
    return line;
}

static bool in_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

/* The name behind `coding:` or `coding=` in a comment that is the whole line.
 */
static bool cookie_in(struct cn_str line, struct cn_str *name)
{
    line = cn_str_trim(line);
    if (!line.len || line.ptr[0] != '#')
        return false;
    for (ptrdiff_t at; (at = cn_str_find(line, CN_STR("coding"))) >= 0;) {
        line = cn_str_sub(line, (size_t)at + 6, line.len);
        if (!line.len || (line.ptr[0] != ':' && line.ptr[0] != '='))
            continue;
        size_t i = 1, n = 0;

        while (i < line.len && (line.ptr[i] == ' ' || line.ptr[i] == '\t'))
            i++;
        while (i + n < line.len && in_name(line.ptr[i + n]))
            n++;
        *name = cn_str_sub(line, i, i + n);
        if (n)
            return true;
    }
    return false;
}

/* The cookie of line 1, or of line 2 when only a comment or nothing is above
 * it. */
static bool find_cookie(struct cn_str text, struct cn_str *name, uint32_t *line)
{
    struct cn_str first = cut_line(&text);

    *line = 1;
    if (cookie_in(first, name))
        return true;
    first = cn_str_trim(first);
    *line = 2;
    return (!first.len || first.ptr[0] == '#') &&
           cookie_in(cut_line(&text), name);
}

/* --- bytes ---------------------------------------------------------------- */

static uint32_t line_of(struct cn_str text, size_t at)
{
    uint32_t line = 1;

    for (size_t i = 0; i < at; i++)
        line += text.ptr[i] == '\n' ||
                (text.ptr[i] == '\r' && text.ptr[i + 1] != '\n');
    return line;
}

/* How many bytes the character at `p` has, of `left`; 0: not UTF-8. */
static size_t utf8_length(const unsigned char *p, size_t left)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t n = p[0] < 0x80           ? 1
               : (p[0] >> 5) == 6    ? 2
               : (p[0] >> 4) == 0xE  ? 3
               : (p[0] >> 3) == 0x1E ? 4
                                     : 0;
    uint32_t c = n ? p[0] & (0xFFu >> (n > 1 ? n + 1 : 1)) : 0;

    if (!n || n > left)
        return 0;
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xC0) != 0x80)
            return 0;
        c = c << 6 | (p[i] & 0x3F);
    }
    return c < least[n] || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF) ? 0 : n;
}

/* Where the text stops to be UTF-8, or its length. */
static size_t utf8_prefix(struct cn_str text)
{
    const unsigned char *p = (const unsigned char *)text.ptr;
    size_t i = 0;

    while (i < text.len) {
        uint64_t eight;
        size_t n;

        if (i + 8 <= text.len &&
            (memcpy(&eight, p + i, 8), !(eight & 0x8080808080808080u))) {
            i += 8;
            continue;
        }
        n = utf8_length(p + i, text.len - i);
        if (!n)
            return i;
        i += n;
    }
    return i;
}

static size_t ascii_prefix(struct cn_str text)
{
    size_t i = 0;

    while (i < text.len && (unsigned char)text.ptr[i] < 0x80)
        i++;
    return i;
}

static int refuse(struct cn_note *note, uint32_t line, const char *what,
                  struct cn_str detail)
{
    cn_note_set(note, CN_EENCODING, what, CN_STR_ARG(detail));
    if (note)
        note->line = line;
    return CN_EENCODING;
}

static int check_nul(struct cn_str text, struct cn_note *note)
{
    const char *nul = text.len ? memchr(text.ptr, 0, text.len) : NULL;
    const unsigned char *p = (const unsigned char *)text.ptr;

    if (text.len >= 2 &&
        ((p[0] == 0xFF && p[1] == 0xFE) || (p[0] == 0xFE && p[1] == 0xFF)))
        return refuse(note, 1,
                      "encoded in UTF-16, which Python does not read%.*s",
                      CN_STR(""));
    if (nul)
        return refuse(note, line_of(text, (size_t)(nul - text.ptr)),
                      "contains a NUL byte%.*s", CN_STR(""));
    return 0;
}

int cn_text_check(struct cn_str text, struct cn_note *note)
{
    bool bom = text.len >= 3 && memcmp(text.ptr, BOM, 3) == 0;
    struct cn_str body = cn_str_sub(text, bom ? 3 : 0, text.len);
    struct cn_str name = CN_STR("utf-8");
    enum encoding encoding;
    uint32_t line = 1;
    size_t good = text.len;

    if (text.len > INT32_MAX)
        return cn_note_set(note, CN_ETOOBIG, "larger than 2 GiB");
    if (check_nul(text, note) < 0)
        return CN_EENCODING;
    find_cookie(body, &name, &line);
    encoding = encoding_of(name);
    if (encoding == REFUSED)
        return refuse(note, line,
                      "declares the encoding %.*s; only UTF-8 and single-byte "
                      "encodings are handled",
                      name);
    if (bom && !is_plain_utf8(name))
        return refuse(note, line, "has a UTF-8 mark but declares %.*s", name);
    if (encoding == UTF_8)
        good = utf8_prefix(text);
    else if (encoding == ASCII)
        good = ascii_prefix(text);
    if (good < text.len)
        return refuse(note, line_of(text, good), "is not valid %.*s here",
                      name);
    return 0;
}
