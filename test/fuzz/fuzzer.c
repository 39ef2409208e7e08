/* libFuzzer's side: one program for all targets, which takes the one that it
 * is called by (argv[0] ends in its name). */
#include <stdio.h>
#include <stdlib.h>

#include "fuzz/targets.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct cn_fuzz_target *target;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    struct cn_str name = cn_str_from((*argv)[0]);

    (void)argc;
    for (size_t i = 0; i < cn_fuzz_target_count; i++)
        if (cn_str_ends(name, cn_str_from(cn_fuzz_targets[i].name)))
            target = &cn_fuzz_targets[i];
    if (!target) {
        fprintf(stderr, "%s: call me by the name of a target\n", (*argv)[0]);
        exit(2);
    }
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    target->run((struct cn_str){(const char *)data, size});
    return 0;
}
