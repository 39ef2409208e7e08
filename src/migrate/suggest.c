/* Edit distance with swaps of neighbours (optimal string alignment), so that
 * `sacn` is one slip away from `scan`. */
#include "migrate/suggest.h"

enum { LONGEST = 40 };

static unsigned min(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

static unsigned distance(struct cn_str a, struct cn_str b)
{
    unsigned d[LONGEST + 1][LONGEST + 1];

    for (unsigned i = 0; i <= a.len; i++)
        d[i][0] = i;
    for (unsigned j = 0; j <= b.len; j++)
        d[0][j] = j;
    for (unsigned i = 1; i <= a.len; i++) {
        for (unsigned j = 1; j <= b.len; j++) {
            unsigned same = a.ptr[i - 1] == b.ptr[j - 1];

            d[i][j] =
                min(min(d[i - 1][j], d[i][j - 1]) + 1, d[i - 1][j - 1] + !same);
            if (i > 1 && j > 1 && a.ptr[i - 1] == b.ptr[j - 2] &&
                a.ptr[i - 2] == b.ptr[j - 1])
                d[i][j] = min(d[i][j], d[i - 2][j - 2] + 1);
        }
    }
    return d[a.len][b.len];
}

const char *cn_suggest(struct cn_str word, const char *const *candidates,
                       size_t count)
{
    const char *best = NULL;
    unsigned nearest = (unsigned)-1;

    if (!word.len || word.len > LONGEST)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        struct cn_str candidate = cn_str_from(candidates[i]);

        if (candidate.len > LONGEST)
            continue;
        unsigned d = distance(word, candidate);
        size_t longer = word.len > candidate.len ? word.len : candidate.len;

        if (d < nearest && d * 3 <= longer + 1) {
            nearest = d;
            best = candidates[i];
        }
    }
    return best;
}
