/* How references word what an article words so: unspun.extractors.usage. */

/* Of a lemma of the references: how often it stands in them, and above that in how many. */
enum { TIMES_BITS = 24, USAGE_FEATURES = 16 };
#define SEEN (1u << 31)

typedef struct {
    uint64_t *keys; /* pairs of neighbouring lemmas, plus one */
    uint64_t mask;
} PairSet;

/* Where a pair is, or would go. */
static uint64_t *find_neighbours(const Tables *t, const PairSet *set, int32_t left, int32_t right) {
    uint64_t key = (uint64_t)left * (uint64_t)t->size + (uint64_t)right + 1, slot = wanted_slot(key, set->mask);
    while (set->keys[slot & set->mask] && set->keys[slot & set->mask] != key) slot++;
    return set->keys + (slot & set->mask);
}

static int are_neighbours(const Tables *t, const PairSet *set, int32_t left, int32_t right) {
    return left >= 0 && right >= 0 && *find_neighbours(t, set, left, right) != 0;
}

static inline int32_t lemma_of(const Tables *t, int32_t id) { return id < 0 ? -1 : t->lemmas[id]; }
static inline uint32_t times_of(int32_t lemma) { return space.times[lemma] & ((1u << TIMES_BITS) - 1); }
static inline int32_t holding_of(int32_t lemma) { return lemma < 0 ? 0 : (int32_t)(space.times[lemma] >> TIMES_BITS); }

/* others [references], fewer than 128; covered: which words of the text follow each, uint8[count]; set uint64
 * [mask + 1], all 0, room for twice their words. Writes best and sequences int32[examined], features float32[examined]
 * [USAGE_FEATURES]. 0 where there is no memory. */
EXPORT int32_t unspun_examine_usage(
    const Tables *t, const ExaminedText *text, const int32_t *places, int64_t examined,
    const ExaminedText *const *others, const uint8_t *const *covered, int64_t references, double coverage,
    uint64_t *set, uint64_t mask, int32_t *best, int32_t *sequences, float *features
) {
    Arrays arrays, a = view(text);
    const int32_t *ids = text->ids;
    int64_t count = text->count;
    if (!reserve(&arrays, 0, t->size)) return 0;
    const PairSet pairs = {set, mask};
    int64_t vocabulary = 0;
    for (int64_t r = 0; r < references; r++) {
        const ExaminedText *other = others[r];
        for (int64_t i = 0; i < other->count; i++) {
            int32_t lemma = lemma_of(t, other->ids[i]);
            if (lemma < 0) continue;
            uint32_t *times = space.times + lemma;
            vocabulary += *times == 0;
            if (!(*times & SEEN)) *times = (*times | SEEN) + (1u << TIMES_BITS);
            ++*times;
            int32_t previous = i && !other->breaks[i] ? lemma_of(t, other->ids[i - 1]) : -1;
            if (previous >= 0)
                *find_neighbours(t, &pairs, previous, lemma) =
                    (uint64_t)previous * (uint64_t)t->size + (uint64_t)lemma + 1;
        }
        for (int64_t i = 0; i < other->count; i++)
            if (other->ids[i] >= 0) space.times[t->lemmas[other->ids[i]]] &= ~SEEN;
    }
    float words = log2_of(1 + vocabulary);
    for (int64_t m = 0; m < examined; m++) {
        int64_t place = places[m];
        Around around;
        look_around(&a, count, place, &around);
        int32_t own = ids[place], lemma = t->lemmas[own];
        int32_t left = lemma_of(t, around.left), right = lemma_of(t, around.right);
        int32_t used = 0, likeliest = -1, beside_best = 0, listed_by = 0, matched = 0;
        for (int64_t r = 0; r < references; r++) matched += covered[r][place];
        double rank_best = 0;
        float similarity_best = -1;
        for (int32_t k = t->synonym_starts[own]; k < t->synonym_starts[own + 1]; k++) {
            int32_t candidate = t->synonym_ids[k], its = t->lemmas[candidate];
            if (!space.times[its] || its == lemma) continue;
            int32_t beside = are_neighbours(t, &pairs, left, its) + are_neighbours(t, &pairs, its, right);
            float similarity = find_cosine(t->vectors, t->squares, own, candidate);
            double rank = (double)similarity + beside + 0.1 * log2(1.0 + holding_of(its));
            if (!used++ || rank > rank_best) {
                rank_best = rank, likeliest = candidate, beside_best = beside, similarity_best = similarity;
                listed_by = t->synonym_sources[k];
            }
        }
        best[m] = likeliest, sequences[m] = beside_best;
        float fluency = 0, commoner = -5;
        if (used) {
            for (int sign = 1, word = likeliest; sign >= -1; sign -= 2, word = own) {
                int64_t follow = find_pair(t, around.left, word), lead = find_pair(t, word, around.right);
                float before = around.left >= 0 ? log_pair(t, follow, around.left, word) : t->logs[word].unigram;
                float after = around.right >= 0 ? log_pair(t, lead, word, around.right) : 0;
                fluency += (float)sign * before;
                fluency += (float)sign * after;
            }
            commoner = t->logs[likeliest].unigram - t->logs[own].unigram;
        }
        float *f = features + m * USAGE_FEATURES;
        *f++ = 0;
        *f++ = (float)holding_of(lemma);
        *f++ = log2_of(1 + times_of(lemma));
        *f++ = (float)(are_neighbours(t, &pairs, left, lemma) + are_neighbours(t, &pairs, lemma, right));
        *f++ = (float)matched;
        *f++ = (float)used;
        *f++ = similarity_best;
        *f++ = (float)listed_by;
        *f++ = (float)beside_best;
        *f++ = used ? (float)holding_of(t->lemmas[likeliest]) : 0;
        *f++ = commoner;
        *f++ = fluency;
        *f++ = (float)((holding_of(left) > 0) + (holding_of(right) > 0));
        *f++ = (float)coverage;
        *f++ = (float)references;
        *f++ = words;
    }
    for (int64_t r = 0; r < references; r++)
        for (int64_t i = 0; i < others[r]->count; i++)
            if (others[r]->ids[i] >= 0) space.times[t->lemmas[others[r]->ids[i]]] = 0;
    give_back();
    return 1;
}
