/* Validity, as far as the parser itself can tell: a tree with an error or a
 * made-up token is no Python. The stricter checks (what CPython's compile()
 * refuses and tree-sitter lets through) replace this file. */
#include "python/module.h"

int cn_valid(const struct cn_tree *tree, struct cn_note *note)
{
    struct cn_place at;

    if (!tree->broken)
        return 0;
    at = cn_place_of(tree, cn_start(tree, tree->broken));
    cn_note_set(note, CN_ESYNTAX, "invalid syntax");
    if (note) {
        note->line = at.line;
        note->column = at.column;
    }
    return CN_ESYNTAX;
}
