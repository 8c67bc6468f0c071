/* Keys among millions, and word sequences: unspun.key_table, unspun.lexicon. */

static inline uint64_t first_slot(const KeyTable *k, uint64_t key) { return key * 0x9E3779B97F4A7C15u >> k->shift; }

/* The place of a key, -1 where it is not. */
static inline int64_t find_key(const KeyTable *k, uint64_t key) {
    uint64_t mask = UINT64_MAX >> k->shift, slot = first_slot(k, key);
    for (;; slot = (slot + 1) & mask) {
        uint64_t held = k->slots[slot];
        if (held == UINT64_MAX) return -1;
        if (held >> k->place_bits == key) return (int64_t)(held & ((1ull << k->place_bits) - 1));
    }
}

static inline uint64_t filter_bits(uint64_t product) {
    return 1ull << (product >> 24 & 63) | 1ull << (product >> 18 & 63);
}

/* Whether a key may be there. */
static inline int may_hold(const KeyTable *k, uint64_t key) {
    uint64_t product = key * 0x9E3779B97F4A7C15u, bits = filter_bits(product);
    return (k->filter[product >> k->filter_shift] & bits) == bits;
}

static inline void ask_filter(const KeyTable *k, uint64_t key) {
    PREFETCH(k->filter + (key * 0x9E3779B97F4A7C15u >> k->filter_shift));
}

/* Fills the filter of a table, which is empty. */
EXPORT void unspun_fill_filter(
    const uint64_t *slots, int64_t count, int32_t place_bits, uint64_t *filter, int32_t filter_shift
) {
    for (int64_t i = 0; i < count; i++) {
        if (slots[i] == UINT64_MAX) continue;
        uint64_t product = (slots[i] >> place_bits) * 0x9E3779B97F4A7C15u;
        filter[product >> filter_shift] |= filter_bits(product);
    }
}

/* unspun.key_table.KeyTable.find */
EXPORT void unspun_find_keys(
    const uint64_t *slots, int32_t shift, int32_t place_bits, const uint64_t *wanted, int64_t count, int64_t *places,
    uint8_t *found
) {
    enum { AHEAD = 16 };
    const KeyTable table = {.slots = slots, .shift = shift, .place_bits = place_bits};
    for (int64_t i = 0; i < count; i++) {
        if (i + AHEAD < count) PREFETCH(slots + first_slot(&table, wanted[i + AHEAD]));
        int64_t place = find_key(&table, wanted[i]);
        found[i] = place >= 0;
        places[i] = place >= 0 ? place : 0;
    }
}

static inline uint64_t pair_key(const Tables *t, int32_t a, int32_t b) { return (uint32_t)(a * (t->size + 2) + b); }

static inline uint64_t habit_key(const Tables *t, int32_t a, int32_t b) { return (uint32_t)(a * t->size + b); }

static inline int64_t find_pair(const Tables *t, int32_t a, int32_t b) {
    return a < 0 || b < 0 ? -1 : find_key(&t->pairs, pair_key(t, a, b));
}

/* The arrays of the lexicon go on with the start and the end of a sentence, and end with an unknown word. */
static inline int64_t at(const Tables *t, int32_t id) { return id < 0 ? t->size + 2 : id; }

static inline float log_pair(const Tables *t, int64_t pair, int32_t previous, int32_t word) {
    if (pair >= 0) return (float)t->pair_logs[pair] * t->log_step;
    return t->logs[at(t, previous)].backoff + t->logs[at(t, word)].unigram;
}

static inline uint64_t triple_key(const Tables *t, int64_t context, int32_t word) {
    return (uint64_t)context * (uint64_t)(t->size + 2) + (uint64_t)(int64_t)word;
}

/* Whether a pair may be there; if so, its slot is asked for. */
static inline int64_t ask_pair(const Tables *t, int32_t a, int32_t b) {
    if (a < 0 || b < 0) return 0;
    uint64_t key = pair_key(t, a, b);
    if (!may_hold(&t->pairs, key)) return 0;
    PREFETCH(t->pairs.slots + first_slot(&t->pairs, key));
    return 1;
}

static inline void ask_triple(const Tables *t, int64_t context, int32_t word) {
    uint64_t key = triple_key(t, context, word);
    if (may_hold(&t->triples, key)) PREFETCH(t->triples.slots + first_slot(&t->triples, key));
}

/* What the words before add, where the pair that they end with is known. */
static inline float add_context(const Tables *t, float estimate, int64_t context, int32_t word) {
    if (context < 0) return estimate;
    int32_t gain = t->triple_backoff[context];
    if (word >= 0) {
        uint64_t key = triple_key(t, context, word);
        int64_t triple = may_hold(&t->triples, key) ? find_key(&t->triples, key) : -1;
        if (triple >= 0) gain += t->gains[triple];
    }
    return estimate + (float)gain * t->gain_step;
}

typedef struct {
    int32_t before_left, left, right, after_right;
    int64_t before, after;
    float usual;
} Around;

/* unspun.extractors.wording.measure_fit, for one word in one place, its pairs found */
static inline void measure_fit(
    const Tables *t, const Around *r, int32_t word, int64_t follow, int64_t lead, float *follows, float *leads
) {
    *follows = *leads = 0;
    if (r->left >= 0) {
        float estimate = add_context(t, log_pair(t, follow, r->left, word), r->before, word);
        *follows = estimate - t->logs[at(t, word)].unigram;
    }
    if (r->right >= 0) {
        float estimate = add_context(t, log_pair(t, lead, word, r->right), follow, r->right);
        *leads = estimate - t->logs[at(t, r->right)].unigram;
        if (r->after_right >= 0) *leads += add_context(t, r->usual, lead, r->after_right) - r->usual;
    }
}
