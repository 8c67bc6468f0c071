/* References numbered and searched: unspun.word_numbers, unspun.references. */

/* Hashes of words and their numbers [mask + 1], a power of two that leaves room; an odd salt, see words.h. */
typedef struct {
    uint64_t *held;
    int32_t *numbers;
    uint64_t mask, salt;
} Numbers;

static uint64_t find_number(const Numbers *n, uint64_t hash) {
    uint64_t slot = salted_slot(hash, n->mask, n->salt);
    while (n->held[slot] && n->held[slot] != hash) slot = (slot + 1) & n->mask;
    return slot;
}

/* Numbers words in the order of their first occurrence; how many there are. */
EXPORT int32_t unspun_number_words(
    uint64_t *held, int32_t *numbers, uint64_t mask, uint64_t odd, const uint64_t *hashes, int64_t count, int32_t *found
) {
    const Numbers n = {held, numbers, mask, odd};
    int32_t next = 0;
    for (int64_t i = 0; i < count; i++) {
        uint64_t slot = find_number(&n, hashes[i]);
        if (!held[slot]) held[slot] = hashes[i], numbers[slot] = next++;
        found[i] = numbers[slot];
    }
    return next;
}

/* The numbers of words, -1 of those that have none. */
EXPORT void unspun_find_numbers(
    uint64_t *held, int32_t *numbers, uint64_t mask, uint64_t odd, const uint64_t *hashes, int64_t count, int32_t *found
) {
    const Numbers n = {held, numbers, mask, odd};
    for (int64_t i = 0; i < count; i++) {
        uint64_t slot = find_number(&n, hashes[i]);
        found[i] = held[slot] ? numbers[slot] : -1;
    }
}

typedef struct {
    uint64_t key; /* of a word or of three in a row, plus one */
    float weight;
    int32_t count, last; /* references that hold it, and the last of them plus one */
} Sought;

static uint64_t triple_number(const int32_t *ids) {
    uint64_t a = (uint64_t)ids[0], b = (uint64_t)ids[1], c = (uint64_t)ids[2];
    return ((a * 0x9E3779B97F4A7C15u + b) * 0xC2B2AE3D27D4EB4Fu + c * 0x9E3779B97F4A7C15u) | 1ull << 63;
}

static Sought *find_sought(Sought *table, uint64_t mask, uint64_t key) {
    uint64_t slot = wanted_slot(key, mask);
    while (table[slot].key && table[slot].key != key + 1) slot = (slot + 1) & mask;
    return table + slot;
}

/* unspun.references.References.query: ids [count], -1 for words of no reference; those of the references one after
 * another, which end at ends[references]; weights and rare by number; shares: what a word's weight is multiplied by
 * for each number of references that hold it, to be rounded. table [mask + 1], all 0, room for 4 * count. Adds to
 * scores [references] and to found[2]: the weight of all that was found, and how many were not. */
EXPORT void unspun_weigh_references(
    const int32_t *ids, int64_t count, const int32_t *others, const int64_t *ends, int64_t references,
    const float *weights, const uint8_t *rare, const double *shares, Sought *table, uint64_t mask, int64_t *scores,
    int64_t *found
) {
    for (int64_t i = 0; i < count; i++) {
        if (ids[i] < 0) continue;
        if (rare[ids[i]]) {
            Sought *one = find_sought(table, mask, (uint64_t)ids[i]);
            one->key = (uint64_t)ids[i] + 1, one->weight = weights[ids[i]];
        }
        if (i + 2 < count && ids[i + 1] >= 0 && ids[i + 2] >= 0) {
            uint64_t key = triple_number(ids + i);
            Sought *one = find_sought(table, mask, key);
            one->key = key + 1, one->weight = (weights[ids[i]] + weights[ids[i + 1]] + weights[ids[i + 2]]) / 2;
        }
    }
    /* Once to count the references that hold each, then to add. */
    for (int round = 0; round < 2; round++) {
        int64_t at = 0;
        for (int32_t r = 0; r < references; r++) {
            for (int64_t begin = at; at < ends[r]; at++) {
                for (int three = 0; three < 2; three++) {
                    if (three ? at < begin + 2 : !rare[others[at]]) continue;
                    uint64_t key = three ? triple_number(others + at - 2) : (uint64_t)others[at];
                    Sought *one = find_sought(table, mask, key);
                    if (!one->key || one->last == r + 1) continue;
                    one->last = r + 1;
                    if (round) scores[r] += (int64_t)rint((double)one->weight * shares[one->count]);
                    else one->count++;
                }
            }
        }
        for (uint64_t slot = 0; slot <= mask && !round; slot++) {
            if (!table[slot].key) continue;
            table[slot].last = 0;
            if (table[slot].count) found[0] += (int64_t)rint((double)table[slot].weight * shares[table[slot].count]);
            else found[1]++;
        }
    }
}
