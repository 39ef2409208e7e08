/* Fuzz targets: functions that take any bytes and stop the program (cn_assert,
 * a sanitizer, an alarm) when something that must always hold does not.
 *
 * fuzzer.c gives one of them to libFuzzer (`make fuzz`); replay_test.c runs
 * all of them over the seeds and over a fixed row of mutations (`make test`).
 * To add one: a function in a *_target.c, and a row in targets.c. */
#ifndef CN_FUZZ_TARGETS_H
#define CN_FUZZ_TARGETS_H

#include "base/base.h"

struct cn_fuzz_target {
    const char *name;
    const char *seeds; /* how the names of its seed files end */
    void (*run)(struct cn_str data);
};

extern const struct cn_fuzz_target cn_fuzz_targets[];
extern const size_t cn_fuzz_target_count;

void cn_fuzz_text(struct cn_str data);
void cn_fuzz_migrate(struct cn_str data);
void cn_fuzz_edit(struct cn_str data);
void cn_fuzz_diff(struct cn_str data);
void cn_fuzz_config(struct cn_str data);

/* A number that depends on all bytes: for choices that the data makes. */
uint32_t cn_fuzz_hash(struct cn_str data);

#endif
