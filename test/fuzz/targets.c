/* The list of fuzz targets. */
#include "fuzz/targets.h"

const struct cn_fuzz_target cn_fuzz_targets[] = {
    {"text", ".py", cn_fuzz_text},       {"migrate", ".py", cn_fuzz_migrate},
    {"edit", ".edit", cn_fuzz_edit},     {"diff", ".py", cn_fuzz_diff},
    {"config", ".toml", cn_fuzz_config},
};
const size_t cn_fuzz_target_count = CN_COUNT(cn_fuzz_targets);

uint32_t cn_fuzz_hash(struct cn_str data)
{
    uint32_t h = 2166136261u;

    for (size_t i = 0; i < data.len; i++)
        h = (h ^ (unsigned char)data.ptr[i]) * 16777619u;
    return h ^ h >> 15;
}
