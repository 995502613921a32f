/* Counts times by buckets that are at most 1.6 % wide. */
#pragma once
#include <stdint.h>

enum { bucket_bits = 6, buckets = (64 - bucket_bits + 1) << bucket_bits };

struct histogram {
    uint64_t counts[buckets];
    uint64_t total, longest;
};

static inline int bucket_of(uint64_t value) {
    if (value < (1 << bucket_bits)) return (int)value;
    int shift = 63 - __builtin_clzll(value) - bucket_bits;
    return (int)(((uint64_t)(shift + 1) << bucket_bits) + ((value >> shift) & ((1 << bucket_bits) - 1)));
}

/* Returns the highest value of a bucket. */
static inline uint64_t value_of(int bucket) {
    if (bucket < (1 << bucket_bits)) return (uint64_t)bucket;
    int shift = (bucket >> bucket_bits) - 1;
    uint64_t lowest = ((uint64_t)(1 << bucket_bits) + (uint64_t)(bucket & ((1 << bucket_bits) - 1))) << shift;
    return lowest + ((uint64_t)1 << shift) - 1;
}

static inline void record(struct histogram *histogram, uint64_t value, uint64_t times) {
    histogram->counts[bucket_of(value)] += times;
    histogram->total += times;
    if (value > histogram->longest) histogram->longest = value;
}

/* Returns the value that a share of all values doesn't exceed. */
static inline uint64_t quantile(const struct histogram *histogram, double share) {
    uint64_t rank = (uint64_t)(share * (double)histogram->total), seen = 0;
    if ((double)rank < share * (double)histogram->total) rank++;
    for (int bucket = 0; bucket < buckets; bucket++) {
        seen += histogram->counts[bucket];
        if (seen >= rank && seen > 0) {
            uint64_t value = value_of(bucket);
            return value < histogram->longest ? value : histogram->longest;
        }
    }
    return 0;
}
