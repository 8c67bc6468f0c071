/* Pairs of wordings that are one in another house style, and who else has them: extractors.honest and substitutions. */

/* What is known of a word whose hash is marked: that it is another in another house style; that acronyms leave it out;
 * (4) that all English text has some such. */
enum { STYLED = 1, SMALL = 2 };
/* Letters of a word that is compared by letters here; longer ones are left to the caller. */
enum { LONGEST_WORD = 64, LONG_WORD = 8 };
enum { ANOTHER = 0, HONEST = 1, ASK = 2 };

static int32_t find_marked(const Tables *t, uint64_t hash) {
    uint64_t slot = hash & t->marked_mask;
    while (t->marked[slot] && t->marked[slot] != hash) slot = (slot + 1) & t->marked_mask;
    return t->marked[slot] ? (int32_t)slot : -1;
}

static int is_marked(const Tables *t, uint64_t hash, int mark) {
    int32_t slot = find_marked(t, hash);
    return slot >= 0 && (t->marks[slot] & mark) != 0;
}

/* How many of these words have a mark. */
EXPORT int64_t unspun_count_marked(const Tables *t, const uint64_t *hashes, int64_t count, int32_t mark) {
    int64_t found = 0;
    for (int64_t i = 0; i < count; i++) found += is_marked(t, hashes[i], mark);
    return found;
}

/* Whether words have letters whose norm is not known here. */
static int are_odd(const Tables *t, const ExaminedText *text, int32_t first, int32_t last) {
    for (int32_t i = text->start[first]; i < text->end[last - 1]; i++)
        if (CLASS(text->letters[i]) & HARD) return 1;
    return 0;
}

/* A letter of a word's norm. */
static inline uint32_t norm_letter(const Tables *t, const ExaminedText *text, int32_t i) {
    uint32_t c = text->letters[i];
    return CLASS(c) & ALNUM ? FOLD(c) : is_apostrophe(c) ? '\'' : c;
}

/* The norm of a word of up to LONGEST_WORD letters; how many it has, 0 where they are more. */
static int32_t read_norm(const Tables *t, const ExaminedText *text, int32_t place, uint32_t *letters) {
    int32_t length = text->end[place] - text->start[place];
    if (length > LONGEST_WORD) return 0;
    for (int32_t i = 0; i < length; i++) letters[i] = norm_letter(t, text, text->start[place] + i);
    return length;
}

/* rapidfuzz's fuzz.ratio of two words, by the longest common subsequence of their letters (Hyyro 2004) */
static double find_ratio(const uint32_t *one, int32_t length, const uint32_t *other, int32_t count) {
    uint64_t left = UINT64_MAX;
    for (int32_t j = 0; j < count; j++) {
        uint64_t equal = 0;
        for (int32_t i = 0; i < length; i++) equal |= (uint64_t)(one[i] == other[j]) << i;
        uint64_t both = left & equal;
        left = (left + both) | (left - both);
    }
    uint64_t used = length < 64 ? (1ull << length) - 1 : UINT64_MAX;
    int64_t common = __builtin_popcountll(~left & used), most = length + count;
    return (1.0 - (double)(most - 2 * common) / (double)most) * 100;
}

static int is_letters(const Tables *t, const uint32_t *letters, int32_t length) {
    for (int32_t i = 0; i < length; i++)
        if (!(CLASS(letters[i]) & ALPHA)) return 0;
    return 1;
}

static int least_of(int a, int b) { return a < b ? a : b; }

/* unspun.extractors.honest._is_slip: optimal string alignment (Boytsov 2011) */
static int is_slip(const Tables *t, const uint32_t *one, int32_t length, const uint32_t *other, int32_t count) {
    int most = (length > count ? length : count) >= LONG_WORD ? 2 : 1;
    int32_t longer = length > count ? length - count : count - length;
    if (longer > most || *one != *other || !is_letters(t, one, length) || !is_letters(t, other, count)) return 0;
    int rows[3][LONGEST_WORD + 1];
    for (int32_t j = 0; j <= count; j++) rows[0][j] = j;
    for (int32_t i = 1; i <= length; i++) {
        int *here = rows[i % 3], *above = rows[(i + 2) % 3], *two_above = rows[(i + 1) % 3];
        here[0] = i;
        for (int32_t j = 1; j <= count; j++) {
            int other_letter = one[i - 1] != other[j - 1];
            here[j] = least_of(least_of(above[j], here[j - 1]) + 1, above[j - 1] + other_letter);
            if (i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1])
                here[j] = least_of(here[j], two_above[j - 2] + 1);
        }
    }
    return rows[length % 3][count] <= most;
}

/* Whether a word is an acronym of words first to last of the other text, with or without its small words. */
static int is_acronym(
    const Tables *t, const ExaminedText *text, int32_t place, const ExaminedText *other, int32_t first, int32_t last
) {
    if (text->end[place] - text->start[place] < 2 || last - first < 2) return 0;
    for (int all = 0; all < 2; all++) {
        int32_t i = text->start[place], word = first;
        for (;;) {
            while (i < text->end[place] && text->letters[i] == '.') i++;
            while (word < last && !all && is_marked(t, other->hash[word], SMALL)) word++;
            if (i == text->end[place] || word == last) break;
            if (norm_letter(t, text, i) != norm_letter(t, other, other->start[word])) break;
            i++, word++;
        }
        if (i == text->end[place] && word == last) return 1;
    }
    return 0;
}

enum { LONGEST_WORDING = 256 };

/* unspun.extractors.honest.spell_out, without spaces and possessives: the form in which mere house style makes
 * no difference; how many letters it has, -1 where they are more than LONGEST_WORDING. */
static int32_t press(const Tables *t, const ExaminedText *text, int32_t first, int32_t last, uint32_t *out) {
    static const char *const contractions[][2] = {
        {"'ve", "have"}, {"'re", "are"}, {"'ll", "will"}, {"'m", "am"}, {"n't", "not"}, {"'d", "would"}, {"'s", "is"},
    };
    enum { ENDINGS = sizeof contractions / sizeof *contractions, LONGEST_ENDING = 8 };
    int32_t length = 0;
    for (int32_t place = first; place < last; place++) {
        int32_t from = length, slot = find_marked(t, text->hash[place]);
        if (slot >= 0 && t->marks[slot] & STYLED) {
            const uint32_t *spelt = t->spelt + t->spelt_at[slot];
            while (*spelt && length < LONGEST_WORDING) out[length++] = *spelt++;
        } else {
            for (int32_t i = text->start[place]; i < text->end[place] && length < LONGEST_WORDING; i++)
                out[length++] = norm_letter(t, text, i);
        }
        if (length + LONGEST_ENDING > LONGEST_WORDING) return -1;
        for (int k = 0; k < ENDINGS; k++) {
            const char *ending = contractions[k][0], *full = contractions[k][1];
            int32_t begin = length - (int32_t)strlen(ending), i = 0;
            if (begin <= from) continue;
            while (ending[i] && out[begin + i] == (uint32_t)(unsigned char)ending[i]) i++;
            if (ending[i]) continue;
            for (length = begin; *full; full++) out[length++] = (uint32_t)(unsigned char)*full;
            break;
        }
    }
    int32_t kept = 0;
    for (int32_t i = 0; i < length; i++)
        if (out[i] != ',') out[kept++] = out[i];
    int32_t pressed = 0;
    length = kept;
    for (int32_t i = 0; i < length; i++) {
        if (out[i] == '\'' && i + 1 < length && out[i + 1] == 's') i++;
        else out[pressed++] = out[i];
    }
    return pressed;
}

/* unspun.extractors.honest.find_house_style of one pair */
static int judge_style(const Tables *t, const ExaminedText *text, const ExaminedText *other, const int32_t *pair) {
    int32_t a0 = pair[0], a1 = pair[1], r0 = pair[2], r1 = pair[3], a = text->ids[a0], b = other->ids[r0];
    int single = a1 - a0 == 1 && r1 - r0 == 1, known = a >= 0 && b >= 0;
    if (are_odd(t, text, a0, a1) || are_odd(t, other, r0, r1)) return ASK;
    if (single && known && find_key(&t->spellings, pair_key(t, a, b)) >= 0) return HONEST;
    if (text->capital[a0] && other->named[r0]) { /* "E. P." or "X" for a name */
        int32_t place = a0;
        while (place < a1 && text->end[place] - text->start[place] == 1 && text->capital[place]) place++;
        if (place == a1) return HONEST;
    }
    if (single) {
        float rarer = fabsf(text->zipf[a0] - other->zipf[r0]);
        int misspelt = rarer >= 1.5f && !(known && t->lemmas[a] == t->lemmas[b]) && !find_sources(t, a, b);
        int named = text->named[a0] && other->named[r0];
        if (misspelt || named) {
            uint32_t one[LONGEST_WORD], two[LONGEST_WORD];
            int32_t length = read_norm(t, text, a0, one), count = read_norm(t, other, r0, two);
            if (!length || !count) return ASK;
            if (misspelt && is_slip(t, one, length, two, count)) return HONEST;
            if (named && find_ratio(one, length, two, count) >= 80) return HONEST;
        }
    } else if (a1 - a0 == 1 ? is_acronym(t, text, a0, other, r0, r1)
                            : r1 - r0 == 1 && is_acronym(t, other, r0, text, a0, a1)) {
        return HONEST;
    }
    uint32_t one[LONGEST_WORDING], two[LONGEST_WORDING];
    int32_t length = press(t, text, a0, a1, one), count = press(t, other, r0, r1, two);
    if (length < 0 || count < 0) return ASK;
    return length == count && !memcmp(one, two, (size_t)length * sizeof *one) ? HONEST : ANOTHER;
}

static int64_t count_true(const uint8_t *values, int64_t from, int64_t to) {
    int64_t count = 0;
    for (int64_t i = from; i < to; i++) count += values[i];
    return count;
}

enum { REACH = 8 };

static double measure_density(const uint8_t *matched, int64_t count, int64_t first, int64_t last) {
    int64_t low = first > REACH ? first - REACH : 0, high = last + REACH < count ? last + REACH : count;
    int64_t words = first - low + high - last;
    int64_t hits = count_true(matched, low, first) + count_true(matched, last, high);
    return (double)hits / (double)(words > 1 ? words : 1);
}

/* Which pairs int32[count][4] are other words in the same place: marks uint8[words + other words] becomes where each
 * text's words match, densities float64[2][count] the shares of matching words around; told uint8[count]: ANOTHER
 * wording, an HONEST one or one among few matches, or ASK. */
EXPORT void unspun_judge_pairs(
    const Tables *t, const ExaminedText *text, const ExaminedText *other, const int32_t *partner, const int32_t *pairs,
    int64_t count, double least_density, uint8_t *marks, double *densities, uint8_t *told
) {
    uint8_t *others = marks + text->count;
    memset(others, 0, (size_t)other->count);
    for (int64_t i = 0; i < text->count; i++) {
        marks[i] = partner[i] >= 0;
        if (partner[i] >= 0) others[partner[i]] = 1;
    }
    for (int64_t i = 0; i < count; i++, pairs += 4) {
        densities[i] = measure_density(marks, text->count, pairs[0], pairs[1]);
        densities[count + i] = measure_density(others, other->count, pairs[2], pairs[3]);
        int dense = densities[i] >= least_density && densities[count + i] >= least_density;
        told[i] = (uint8_t)(dense ? judge_style(t, text, other, pairs) : HONEST);
    }
}

/* How often references word alike, for pairs int32[count][4] of which owner int32[count] says whose each is: partners
 * and others [references], the matches of an article of so many words and the numbers of a reference's; dense
 * uint8[words]; table uint64[mask + 1][2], all 0, room for twice the pairs. own int32[count]: references that have the
 * article's wording there, but the owner; agreeing int32[count]: those that have the owner's. */
EXPORT void unspun_count_support(
    int64_t words, const int32_t *const *partners, const int32_t *const *others, int64_t references,
    const int32_t *pairs, const int32_t *owner, int64_t count, uint8_t *dense, uint64_t *table, uint64_t mask,
    int32_t *own, int32_t *agreeing
) {
    for (int64_t r = 0; r < references; r++) {
        const int32_t *partner = partners[r];
        /* A match counts when a neighbour matches too: a lone "the" is in place by chance. */
        for (int64_t i = 0; i < words; i++)
            dense[i] = partner[i] >= 0 && ((i && partner[i - 1] >= 0) || (i + 1 < words && partner[i + 1] >= 0));
        for (int64_t k = 0; k < count; k++) {
            const int32_t *pair = pairs + 4 * k;
            if (!r) own[k] = 0;
            if (owner[k] == r) continue;
            own[k] += count_true(dense, pair[0], pair[1]) == pair[1] - pair[0];
        }
    }
    for (int round = 0; round < 2; round++) {
        for (int64_t k = 0; k < count; k++) {
            const int32_t *pair = pairs + 4 * k, *ids = others[owner[k]];
            uint64_t hash = mix(mix(1, (uint64_t)pair[0]), (uint64_t)pair[1]);
            for (int32_t i = pair[2]; i < pair[3]; i++) hash = mix(hash, (uint64_t)ids[i]);
            hash += !hash;
            uint64_t slot = wanted_slot(hash, mask);
            while (table[2 * slot] && table[2 * slot] != hash) slot = (slot + 1) & mask;
            /* How many references, and above that the last of them plus one. */
            uint64_t *at = table + 2 * slot;
            if (round) {
                agreeing[k] = (int32_t)(at[1] & UINT32_MAX);
            } else if (at[1] >> 32 != (uint64_t)owner[k] + 1) {
                at[0] = hash;
                at[1] = ((uint64_t)owner[k] + 1) << 32 | ((at[1] & UINT32_MAX) + 1);
            }
        }
    }
}
