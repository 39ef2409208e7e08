/* Texts and names of error codes, made from the one table in err.h. */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *cn_strerror(int code)
{
    switch (code) {
    case 0: return "success";
#define CN_ERROR_TEXT(name, number, text)                                      \
    case name: return text;
        CN_ERROR_MAP(CN_ERROR_TEXT)
#undef CN_ERROR_TEXT
    default: break;
    }
    const char *text = code < 0 ? strerrordesc_np(-code) : NULL;
    return text ? text : "unknown error";
}

const char *cn_errname(int code)
{
    switch (code) {
    case 0: return "0";
#define CN_ERROR_NAME(name, number, text)                                      \
    case name: return #name;
        CN_ERROR_MAP(CN_ERROR_NAME)
#undef CN_ERROR_NAME
    default: break;
    }
    const char *name = code < 0 ? strerrorname_np(-code) : NULL;
    return name ? name : "?";
}

int cn_note_set(struct cn_note *note, int code, const char *fmt, ...)
{
    va_list ap;

    if (!note)
        return code;
    note->code = code;
    va_start(ap, fmt);
    vsnprintf(note->message, sizeof(note->message), fmt, ap);
    va_end(ap);
    return code;
}
