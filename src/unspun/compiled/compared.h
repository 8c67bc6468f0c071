/* Compiled parts of the path with references, which twin.c takes in: texts, wordings, alignment, usage, pairs.
 *
 * Unlike an article without references, one with them goes through Python, which calls these one by one; each names its
 * plain counterpart there, which gives the same numbers.
 */

/* --- texts: unspun.text, examined, extractors.wording ----------------------------------------------------------- */

/* Words, breaks and sentences as unspun.text and unspun.examined have them. places int32[3][most]: start, end,
 * sentence; hashes uint64[most]; marks uint8[5][most + 1]: breaks, capital, numeric, opens, alphabetic. How many words;
 * -1 where the text is too hard, -2 less the page where a page of characters is wanted. */
EXPORT int64_t unspun_split_text(
    const Tables *t, const uint32_t *text, int64_t length, int64_t most, int32_t *places, uint64_t *hashes,
    uint8_t *marks
) {
    Arrays a = {.start = places, .end = places + most, .sentence = places + 2 * most, .hash = hashes};
    a.breaks = marks, a.capital = marks + (most + 1), a.numeric = marks + 2 * (most + 1);
    a.opens = marks + 3 * (most + 1), a.alphabetic = marks + 4 * (most + 1);
    if (length > INT32_MAX) return -1; /* places are kept in 32 bits */
    for (int64_t i = 0; i < length; i++)
        if (!t->classes[text[i] / PAGE]) return -2 - (int64_t)(text[i] / PAGE);
    int64_t count = split_words(t, text, length, &a);
    if (count < 0) return -1;
    find_breaks(t, text, &a, count);
    split_sentences(t, text, length, &a, count);
    return count;
}

/* The hashes of words, one a line of UTF-32. */
EXPORT void unspun_hash_words(const uint32_t *letters, int64_t length, uint64_t *hashes) {
    int64_t first = 0;
    for (int64_t i = 0; i <= length; i++) {
        if (i < length && letters[i] != '\n') continue;
        *hashes++ = hash_letters(letters + first, i - first);
        first = i + 1;
    }
}

/* What unspun.examined says of the words of so many sentences: ids, zipf, content, named [count]. */
EXPORT void unspun_look_words_up(
    const Tables *t, const uint64_t *hashes, const uint8_t *capital, const uint8_t *numeric, const uint8_t *opens,
    const int32_t *sentences, int64_t count, int32_t *ids, float *zipf, uint8_t *content, uint8_t *named
) {
    enum { AHEAD = 8 };
    for (int64_t i = 0; i < count; i++) {
        if (i + AHEAD < count) {
            uint64_t ahead = first_entry(t, hashes[i + AHEAD]);
            PREFETCH(&t->entries[ahead]);
            PREFETCH(&t->ids[ahead]);
        }
        uint64_t slot = find_entry(t, hashes[i]);
        int known = t->entries[slot].hash != 0;
        ids[i] = known ? t->ids[slot] : -1;
        zipf[i] = known ? t->entries[slot].zipf : 0;
        content[i] = zipf[i] < t->function_zipf && !numeric[i];
    }
    for (int64_t first = 0, last; first < count; first = last) {
        int64_t contents = 0, capitals = 0;
        for (last = first; last < count && sentences[last] == sentences[first]; last++)
            contents += content[last], capitals += content[last] && capital[last];
        /* A line where most content words are capitalised is a headline. */
        int headline = contents >= 3 && (double)capitals / (double)contents > 0.7;
        for (int64_t i = first; i < last; i++) named[i] = capital[i] && !opens[i] && !headline;
    }
}

/* unspun.extractors.wording.examine_wording, less what is known of habits; `among` NULL: all words. places, left, right
 * int32[count], features float32[count][WORD_FEATURES]. How many words were examined, -1 where there is no memory. */
EXPORT int64_t unspun_examine_words(
    const Tables *t, int32_t *ids, float *zipf, uint8_t *breaks, uint8_t *numeric, uint8_t *capital, uint8_t *opens,
    const uint8_t *among, int64_t count, int32_t *places, int32_t *left, int32_t *right, float *features
) {
    Arrays arrays, *a = &arrays;
    if (!reserve(a, count, t->size)) return -1;
    a->id = ids, a->zipf = zipf, a->breaks = breaks, a->numeric = numeric, a->capital = capital, a->opens = opens;
    a->place = places;
    int wide = 0;
#ifdef AVX2
    wide = HAS_AVX2;
#endif
    int64_t contents;
    double total;
    float usual = find_usual(t, a, count, &contents, &total);
    int64_t examined = examine_words(t, a, count, among, usual, places, features, wide);
    for (int64_t i = 0; i < examined; i++) {
        Around around;
        look_around(a, count, places[i], &around);
        left[i] = around.left, right[i] = around.right;
    }
    give_back();
    return examined;
}

/* unspun.examined.Examined.content_sums: sums int32[count + 1][DIMENSIONS] */
EXPORT void unspun_sum_vectors(
    const int8_t *vectors, const int32_t *ids, const uint8_t *content, int64_t count, int32_t *sums
) {
    for (int k = 0; k < DIMENSIONS; k++) sums[k] = 0;
    for (int64_t i = 0; i < count; i++, sums += DIMENSIONS) {
        if (content[i] && ids[i] >= 0) {
            const int8_t *vector = vectors + (int64_t)ids[i] * DIMENSIONS;
            for (int k = 0; k < DIMENSIONS; k++) sums[DIMENSIONS + k] = sums[k] + vector[k];
        } else {
            memcpy(sums + DIMENSIONS, sums, DIMENSIONS * sizeof *sums);
        }
    }
}

/* --- alignment: unspun.alignment -------------------------------------------------------------------------------- */

/* Weights of words shared by sentences, those of an article [rows] and of a reference [columns]: shared float64[rows]
 * [columns], and of each sentence's own words, float64[rows] and [columns]; a word counts once a sentence, an unknown
 * one (-1, in the article only) 1 each time. All of these 0 before, as work int32[3 * slots + 2 * other_count]; slots:
 * a power of two, twice the words of both or more. Sums of such weights are exact: their order does not matter. */
EXPORT void unspun_share_words(
    const int32_t *ids, const int32_t *sentences, int64_t count, const int32_t *others, const int32_t *other_sentences,
    int64_t other_count, const float *weights, int64_t columns, int32_t *work, int64_t slots, double *shared,
    double *own, double *its
) {
    typedef struct {
        int32_t id, entry, seen; /* each plus one */
    } Slot;
    typedef struct {
        int32_t sentence, next;
    } Held;
    Slot *table = (Slot *)work;
    Held *entries = (Held *)(work + 3 * slots);
    int32_t used = 0;
    for (int64_t i = 0; i < other_count + count; i++) {
        int in_article = i >= other_count;
        int32_t id = in_article ? ids[i - other_count] : others[i];
        int32_t sentence = in_article ? sentences[i - other_count] : other_sentences[i];
        if (id < 0) {
            own[sentence]++;
            continue;
        }
        uint64_t at = (uint32_t)id * 0x9E3779B97F4A7C15u >> 32 & (uint64_t)(slots - 1);
        while (table[at].id && table[at].id != id + 1) at = (at + 1) & (uint64_t)(slots - 1);
        Slot *slot = table + at;
        slot->id = id + 1;
        if (!in_article) {
            if (slot->entry && entries[slot->entry - 1].sentence == sentence) continue;
            entries[used] = (Held){sentence, slot->entry};
            slot->entry = ++used;
            its[sentence] += weights[id];
        } else if (slot->seen != sentence + 1) {
            slot->seen = sentence + 1;
            own[sentence] += weights[id];
            for (int32_t entry = slot->entry; entry; entry = entries[entry - 1].next)
                shared[sentence * columns + entries[entry - 1].sentence] += weights[id];
        }
    }
}

/* --- references: unspun.word_numbers, references ---------------------------------------------------------------- */

/* A word's number: that of its hash in the table, hashes and numbers [mask + 1], a power of two that leaves room. */
static uint64_t find_number(const uint64_t *held, uint64_t mask, uint64_t hash) {
    uint64_t slot = (hash * 0xD6E8FEB86659FD93u) >> 20 & mask;
    while (held[slot] && held[slot] != hash) slot = (slot + 1) & mask;
    return slot;
}

/* Numbers words in the order of their first occurrence; how many there are. */
EXPORT int32_t unspun_number_words(
    uint64_t *held, int32_t *numbers, uint64_t mask, const uint64_t *hashes, int64_t count, int32_t *found
) {
    int32_t next = 0;
    for (int64_t i = 0; i < count; i++) {
        uint64_t slot = find_number(held, mask, hashes[i]);
        if (!held[slot]) held[slot] = hashes[i], numbers[slot] = next++;
        found[i] = numbers[slot];
    }
    return next;
}

/* The numbers of words, -1 of those that have none. */
EXPORT void unspun_find_numbers(
    const uint64_t *held, const int32_t *numbers, uint64_t mask, const uint64_t *hashes, int64_t count, int32_t *found
) {
    for (int64_t i = 0; i < count; i++) {
        uint64_t slot = find_number(held, mask, hashes[i]);
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
    uint64_t slot = (key * 0x9E3779B97F4A7C15u) >> 20 & mask;
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

enum { MOST_STRETCH = 12, MOST_GROWTH = 4 };

/* Who lists two words as synonyms, 0 for nobody. */
static int find_sources(const Tables *t, int32_t a, int32_t b) {
    int64_t pair = a < 0 || b < 0 ? -1 : find_key(&t->synonyms, pair_key(t, a, b));
    return pair < 0 ? 0 : t->synonym_bits[pair];
}

/* How alike two words are, 0 where they are not. */
static float find_gain(const Tables *t, int32_t a, int32_t b) {
    if (a < 0 || b < 0) return 0;
    float cosine = find_cosine(t->vectors, t->squares, a, b);
    int listed = find_sources(t, a, b) != 0;
    if (!listed && !(cosine > 0.3f) && t->lemmas[a] != t->lemmas[b]) return 0;
    return (float)((double)(cosine > 0.1f ? cosine : 0.1f) + 0.3 * listed);
}

/* The range around an anchor, up to the next punctuation on both sides, within [low, high). */
static void grow(int32_t anchor, int32_t low, int32_t high, const uint8_t *breaks, int32_t *range) {
    int32_t start = anchor, end = anchor + 1;
    while (start > low && !breaks[start]) start--;
    while (end < high && !breaks[end]) end++;
    range[0] = anchor - start <= MOST_GROWTH ? start : anchor;
    range[1] = end - anchor - 1 <= MOST_GROWTH ? end : anchor + 1;
}

/* stretches int32[count][4]: words a0, a1 of a text, r0, r1 of another, no side longer than MOST_STRETCH. Writes the
 * pairs int32[][4] of one stretch after another, and how many each has. */
EXPORT void unspun_split_stretches(
    const Tables *t, const int32_t *ids, const uint8_t *breaks, const int32_t *others, const uint8_t *other_breaks,
    const int32_t *stretches, int64_t count, int32_t *pairs, int32_t *numbers
) {
    for (int64_t s = 0; s < count; s++, stretches += 4) {
        int32_t a0 = stretches[0], a1 = stretches[1], r0 = stretches[2], r1 = stretches[3], m = a1 - a0, n = r1 - r0;
        float gain[MOST_STRETCH][MOST_STRETCH];
        double best[MOST_STRETCH + 1][MOST_STRETCH + 1] = {{0}};
        for (int32_t i = m - 1; i >= 0; i--) {
            for (int32_t j = n - 1; j >= 0; j--) {
                gain[i][j] = find_gain(t, ids[a0 + i], others[r0 + j]);
                double with = best[i + 1][j + 1] + gain[i][j];
                double without = best[i + 1][j] > best[i][j + 1] ? best[i + 1][j] : best[i][j + 1];
                best[i][j] = with > without ? with : without;
            }
        }
        int32_t anchors[MOST_STRETCH][2], found = 0;
        for (int32_t i = 0, j = 0; i < m && j < n;) {
            if (gain[i][j] > 0 && best[i][j] <= best[i + 1][j + 1] + gain[i][j] + 1e-9) {
                anchors[found][0] = a0 + i++, anchors[found++][1] = r0 + j++;
            } else if (best[i + 1][j] >= best[i][j + 1]) {
                i++;
            } else {
                j++;
            }
        }
        /* Nothing is alike: word by word when the numbers agree, else the stretch as a whole. */
        if (!found)
            for (; found < (m == n ? m : 1); found++) anchors[found][0] = a0 + found, anchors[found][1] = r0 + found;
        for (int32_t k = 0; k < found; k++, pairs += 4) {
            int32_t a = anchors[k][0], r = anchors[k][1], last = k + 1 == found;
            /* In front of the first anchor only: what lies between two anchors belongs to the earlier one. */
            grow(a, k ? a : a0, last ? a1 : anchors[k + 1][0], breaks, pairs);
            grow(r, k ? r : r0, last ? r1 : anchors[k + 1][1], other_breaks, pairs + 2);
        }
        numbers[s] = found;
    }
}

/* --- usage: unspun.extractors.usage.examine_usage --------------------------------------------------------------- */

/* Of a lemma of the references: how often it stands in them, and above that in how many. */
enum { TIMES_BITS = 24, USAGE_FEATURES = 16 };
#define SEEN (1u << 31)

typedef struct {
    uint64_t *keys; /* pairs of neighbouring lemmas, plus one */
    uint64_t mask;
} PairSet;

/* Where a pair is, or would go. */
static uint64_t *find_neighbours(const Tables *t, const PairSet *set, int32_t left, int32_t right) {
    uint64_t key = (uint64_t)left * (uint64_t)t->size + (uint64_t)right + 1, slot = key * 0x9E3779B97F4A7C15u >> 32;
    while (set->keys[slot & set->mask] && set->keys[slot & set->mask] != key) slot++;
    return set->keys + (slot & set->mask);
}

static int are_neighbours(const Tables *t, const PairSet *set, int32_t left, int32_t right) {
    return left >= 0 && right >= 0 && *find_neighbours(t, set, left, right) != 0;
}

static inline int32_t lemma_of(const Tables *t, int32_t id) { return id < 0 ? -1 : t->lemmas[id]; }
static inline uint32_t times_of(int32_t lemma) { return space.times[lemma] & ((1u << TIMES_BITS) - 1); }
static inline int32_t holding_of(int32_t lemma) { return lemma < 0 ? 0 : (int32_t)(space.times[lemma] >> TIMES_BITS); }

/* others, other_breaks, other_counts [references]: the ids, the breaks and the lengths of the references, fewer than
 * 128; matched int32[count]; set uint64[mask + 1], all 0, room for twice their words. Writes best and sequences
 * int32[examined], features float32[examined][USAGE_FEATURES]. 0 where there is no memory. */
EXPORT int32_t unspun_examine_usage(
    const Tables *t, int32_t *ids, uint8_t *breaks, int64_t count, const int32_t *places, int64_t examined,
    const int32_t *matched, const int32_t *const *others, const uint8_t *const *other_breaks,
    const int64_t *other_counts, int64_t references, double coverage, uint64_t *set, uint64_t mask, int32_t *best,
    int32_t *sequences, float *features
) {
    Arrays arrays, a = {.id = ids, .breaks = breaks};
    if (!reserve(&arrays, 0, t->size)) return 0;
    const PairSet pairs = {set, mask};
    int64_t vocabulary = 0;
    for (int64_t r = 0; r < references; r++) {
        for (int64_t i = 0; i < other_counts[r]; i++) {
            int32_t lemma = lemma_of(t, others[r][i]);
            if (lemma < 0) continue;
            uint32_t *times = space.times + lemma;
            vocabulary += *times == 0;
            if (!(*times & SEEN)) *times = (*times | SEEN) + (1u << TIMES_BITS);
            ++*times;
            int32_t previous = i && !other_breaks[r][i] ? lemma_of(t, others[r][i - 1]) : -1;
            if (previous >= 0)
                *find_neighbours(t, &pairs, previous, lemma) =
                    (uint64_t)previous * (uint64_t)t->size + (uint64_t)lemma + 1;
        }
        for (int64_t i = 0; i < other_counts[r]; i++)
            if (others[r][i] >= 0) space.times[t->lemmas[others[r][i]]] &= ~SEEN;
    }
    float words = log2_of(1 + vocabulary);
    for (int64_t m = 0; m < examined; m++) {
        int64_t place = places[m];
        Around around;
        look_around(&a, count, place, &around);
        int32_t own = ids[place], lemma = t->lemmas[own];
        int32_t left = lemma_of(t, around.left), right = lemma_of(t, around.right);
        int32_t used = 0, likeliest = -1, beside_best = 0, listed_by = 0;
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
        *f++ = (float)matched[place];
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
        for (int64_t i = 0; i < other_counts[r]; i++)
            if (others[r][i] >= 0) space.times[t->lemmas[others[r][i]]] = 0;
    give_back();
    return 1;
}

/* --- pairs of wordings: unspun.extractors.substitutions and direction ------------------------------------------- */

typedef struct {
    const int32_t *ids, *start, *end, *quotation;
    const float *zipf;
    const uint8_t *breaks, *named, *numeric, *content, *opens;
    int64_t count;
} ExaminedText;

enum { PAIR_FEATURES = 29, DIRECTION_FEATURES = 13, REACH = 8, MOST_RUN = 12, MOST_COMPARED = 4, LONGEST_SUM = 128 };

/* The sum of up to LONGEST_SUM values in numpy's order: eight sums of every eighth, then the rest one by one. */
static float add_up(const float *values, int64_t count) {
    float sum = 0, part[8];
    int64_t i = 0;
    if (count >= 8) {
        memcpy(part, values, sizeof part);
        for (i = 8; i + 8 <= count; i += 8)
            for (int k = 0; k < 8; k++) part[k] += values[i + k];
        sum = ((part[0] + part[1]) + (part[2] + part[3])) + ((part[4] + part[5]) + (part[6] + part[7]));
    }
    for (; i < count; i++) sum += values[i];
    return sum;
}

/* log10 P of the words `other` [r0, r1) set into the text at [a0, a1), with the two words after them. */
static float log_sequence(
    const Tables *t, const ExaminedText *text, int32_t a0, int32_t a1, const ExaminedText *other, int32_t r0, int32_t r1
) {
    Arrays a = {.id = (int32_t *)text->ids, .breaks = (uint8_t *)text->breaks};
    Around start, end;
    float logs[LONGEST_SUM];
    look_around(&a, text->count, a0, &start);
    look_around(&a, text->count, a1 - 1, &end);
    int32_t before = start.before_left, previous = start.left, words = r1 - r0;
    for (int32_t k = 0; k < words + 2; k++) {
        int32_t word = k < words ? other->ids[r0 + k] : k == words ? end.right : end.after_right;
        int64_t context = find_pair(t, before, previous), pair = find_pair(t, previous, word);
        /* Nothing is known of a neighbour across punctuation: such an end costs nothing. */
        logs[k] = k >= words && word < 0 ? 0 : add_context(t, log_pair(t, pair, previous, word), context, word);
        before = previous, previous = word;
    }
    return logs[0] + add_up(logs + 1, words + 1);
}

static int64_t count_true(const uint8_t *values, int64_t from, int64_t to) {
    int64_t count = 0;
    for (int64_t i = from; i < to; i++) count += values[i];
    return count;
}

/* Where the rarest word of a wording stands. */
static int32_t find_rarest(const ExaminedText *text, int32_t from, int32_t to) {
    int32_t rarest = from;
    for (int32_t i = from + 1; i < to; i++)
        if (text->zipf[i] < text->zipf[rarest]) rarest = i;
    return rarest;
}

/* The first content words of a wording, or words where it has none; how many. */
static int choose_compared(const ExaminedText *text, int32_t from, int32_t to, int32_t *ids) {
    int found = 0, all = !count_true(text->content, from, to);
    for (int32_t i = from; i < to && found < MOST_COMPARED; i++)
        if (all || text->content[i]) ids[found++] = text->ids[i];
    return found;
}

static double measure_density(const uint8_t *matched, int64_t count, int64_t first, int64_t last) {
    int64_t low = first > REACH ? first - REACH : 0, high = last + REACH < count ? last + REACH : count;
    int64_t words = first - low + high - last;
    int64_t hits = count_true(matched, low, first) + count_true(matched, last, high);
    return (double)hits / (double)(words > 1 ? words : 1);
}

/* Shares of matching words around pairs int32[count][4]: densities float64[2][count], in the text and in the other. */
EXPORT void unspun_measure_density(
    const uint8_t *matched, int64_t words, const uint8_t *other_matched, int64_t other_words, const int32_t *pairs,
    int64_t count, double *densities
) {
    for (int64_t i = 0; i < count; i++, pairs += 4) {
        densities[i] = measure_density(matched, words, pairs[0], pairs[1]);
        densities[count + i] = measure_density(other_matched, other_words, pairs[2], pairs[3]);
    }
}

/* segments int32[][4]: word ranges of segments, of which segment_of tells a word's; densities float64[2][count]. Writes
 * features float64[count][PAIR_FEATURES], 0 for those that the caller fills in. */
EXPORT void unspun_measure_pairs(
    const Tables *t, const ExaminedText *text, const ExaminedText *other, const uint8_t *matched,
    const int32_t *segment_of, const int32_t *segments, const int32_t *pairs, int64_t count, const double *densities,
    double *features
) {
    int64_t kindred = 0;
    for (int64_t i = 0; i < count; i++) {
        int32_t a0 = pairs[4 * i], a1 = pairs[4 * i + 1], r0 = pairs[4 * i + 2], r1 = pairs[4 * i + 3];
        int32_t own[MOST_COMPARED], its[MOST_COMPARED];
        int owns = choose_compared(text, a0, a1, own), others = choose_compared(other, r0, r1, its);
        int sources = 0, lemma = 0;
        float cosine = -INFINITY;
        for (int j = 0; j < owns; j++) {
            for (int k = 0; k < others; k++) {
                float found = find_cosine(t->vectors, t->squares, own[j], its[k]);
                cosine = found > cosine ? found : cosine;
                sources |= find_sources(t, own[j], its[k]);
                lemma |= own[j] >= 0 && its[k] >= 0 && t->lemmas[own[j]] == t->lemmas[its[k]];
            }
        }
        kindred += sources > 0 || cosine > 0.45f;
        float total = log_sequence(t, text, a0, a1, other, r0, r1);
        float own_total = log_sequence(t, text, a0, a1, text, a0, a1);
        float mean = (float)((double)total / (r1 - r0 + 2)), own_mean = (float)((double)own_total / (a1 - a0 + 2));
        int64_t before = 0, after = 0;
        while (before < MOST_RUN && a0 > before && matched[a0 - before - 1]) before++;
        while (after < MOST_RUN && a1 + after < text->count && matched[a1 + after]) after++;
        const int32_t *segment = segments + 4 * segment_of[a0];
        int32_t width = segment[1] - segment[0];
        double *f = features + i * PAIR_FEATURES;
        *f++ = a1 - a0, *f++ = r1 - r0;
        *f++ = cosine;
        *f++ = (sources & 1) != 0, *f++ = (sources & 2) != 0, *f++ = (sources & 8) != 0;
        *f++ = 0; /* letters */
        *f++ = lemma;
        *f++ = text->zipf[find_rarest(text, a0, a1)], *f++ = other->zipf[find_rarest(other, r0, r1)];
        *f++ = total - own_total, *f++ = mean - own_mean;
        *f++ = (double)before, *f++ = (double)after;
        *f++ = densities[i], *f++ = densities[count + i];
        *f++ = text->quotation[a0] >= 0 && other->quotation[r0] >= 0;
        *f++ = count_true(text->named, a0, a1) > 0, *f++ = count_true(other->named, r0, r1) > 0;
        *f++ = count_true(text->numeric, a0, a1) > 0, *f++ = count_true(other->numeric, r0, r1) > 0;
        *f++ = 0, *f++ = 0, *f++ = 0; /* what other references say */
        *f++ = (double)count_true(matched, segment[0], segment[1]) / (width > 1 ? width : 1);
        *f++ = (double)count_true(text->content, a0, a1), *f++ = (double)count_true(other->content, r0, r1);
        *f++ = 0; /* kindred_share, below */
        *f++ = text->opens[a0];
    }
    for (int64_t i = 0; i < count; i++)
        features[i * PAIR_FEATURES + PAIR_FEATURES - 2] = (double)kindred / (double)count;
}

static void add_vectors(const Tables *t, const ExaminedText *text, int64_t from, int64_t to, int32_t *sum) {
    for (int64_t i = from; i < to; i++) {
        if (!text->content[i] || text->ids[i] < 0) continue;
        const int8_t *vector = t->vectors + (int64_t)text->ids[i] * DIMENSIONS;
        for (int k = 0; k < DIMENSIONS; k++) sum[k] += vector[k];
    }
}

static void make_unit(const int32_t *sum, float *unit) {
    int64_t square = 0;
    for (int k = 0; k < DIMENSIONS; k++) square += (int64_t)sum[k] * sum[k];
    double length = sqrt((double)square);
    for (int k = 0; k < DIMENSIONS; k++) unit[k] = (float)(sum[k] / (length > 1 ? length : 1));
}

/* One side of a pair: the directions of its content words and of those around; the frequency of its rarest word, how
 * often the other text has that, and its synonyms. */
typedef struct {
    float own[DIMENSIONS], around[DIMENSIONS], zipf;
    int64_t times, synonyms;
} Facing;

static void face(
    const Tables *t, const ExaminedText *text, int32_t first, int32_t last, const ExaminedText *other, Facing *side
) {
    int32_t sum[DIMENSIONS] = {0}, around[DIMENSIONS] = {0};
    int64_t low = first > WINDOW ? first - WINDOW : 0, high = last + WINDOW < text->count ? last + WINDOW : text->count;
    add_vectors(t, text, first, last, sum);
    add_vectors(t, text, low, first, around);
    add_vectors(t, text, last, high, around);
    make_unit(sum, side->own);
    make_unit(around, side->around);
    int32_t rarest = find_rarest(text, first, last), id = text->ids[rarest];
    side->zipf = text->zipf[rarest];
    side->times = 0;
    for (int64_t i = 0; id >= 0 && i < other->count; i++) side->times += other->ids[i] == id;
    side->synonyms = count_synonyms(t, id);
}

static int has_unknown(const ExaminedText *text, int32_t first, int32_t last) {
    for (int32_t i = first; i < last; i++)
        if (text->ids[i] < 0) return 1;
    return 0;
}

/* unspun.extractors.direction: features float32[count][DIRECTION_FEATURES] of pairs; fluency float32[count] */
EXPORT void unspun_measure_directions(
    const Tables *t, const ExaminedText *text, const ExaminedText *other, const int32_t *pairs, int64_t count,
    const float *fluency, float *features
) {
    for (int64_t i = 0; i < count; i++, pairs += 4) {
        int32_t a0 = pairs[0], a1 = pairs[1], r0 = pairs[2], r1 = pairs[3];
        Facing own, its;
        float here[DIMENSIONS], there[DIMENSIONS], alike[DIMENSIONS];
        face(t, text, a0, a1, other, &own);
        face(t, other, r0, r1, text, &its);
        for (int k = 0; k < DIMENSIONS; k++) {
            float less = own.own[k] - its.own[k];
            here[k] = less * own.around[k], there[k] = less * its.around[k], alike[k] = own.own[k] * its.own[k];
        }
        float *f = features + i * DIRECTION_FEATURES;
        *f++ = 0;
        *f++ = -fluency[i];
        *f++ = log_sequence(t, other, r0, r1, text, a0, a1) - log_sequence(t, other, r0, r1, other, r0, r1);
        *f++ = add_up(here, DIMENSIONS), *f++ = add_up(there, DIMENSIONS);
        *f++ = own.zipf - its.zipf;
        *f++ = (float)(text->end[a1 - 1] - text->start[a0] - (other->end[r1 - 1] - other->start[r0]));
        *f++ = (float)(a1 - a0 - (r1 - r0));
        *f++ = (float)(own.synonyms - its.synonyms);
        *f++ = (float)(has_unknown(text, a0, a1) - has_unknown(other, r0, r1));
        *f++ = (float)(log2((double)(1 + own.times)) - log2((double)(1 + its.times)));
        *f++ = add_up(alike, DIMENSIONS);
        *f++ = count_true(text->named, a0, a1) > 0 && count_true(other->named, r0, r1) > 0;
    }
}
