/* What tells a swap from an honest difference, and which side was swapped: extractors.substitutions, direction. */

enum { PAIR_FEATURES = 29, DIRECTION_FEATURES = 13, MOST_RUN = 12, MOST_COMPARED = 4, LONGEST_SUM = 128 };

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

/* Where the rarest word of a wording stands. */
static int32_t find_rarest(const ExaminedText *text, int32_t from, int32_t to) {
    int32_t rarest = from;
    for (int32_t i = from + 1; i < to; i++)
        if (text->zipf[i] < text->zipf[rarest]) rarest = i;
    return rarest;
}

/* The first content words of a wording, or words where it has none: their places; how many. */
static int choose_compared(const ExaminedText *text, int32_t from, int32_t to, int32_t *places) {
    int found = 0, all = !count_true(text->content, from, to);
    for (int32_t i = from; i < to && found < MOST_COMPARED; i++)
        if (all || text->content[i]) places[found++] = i;
    return found;
}

/* The best likeness of letters (0-1) of any two words that are compared; -1 where the letters are not known here. */
static double compare_letters(
    const Tables *t, const ExaminedText *text, const int32_t *own, int owns, const ExaminedText *other,
    const int32_t *its, int others
) {
    double best = 0;
    if (!text->letters || !other->letters) return -1;
    for (int j = 0; j < owns; j++)
        if (are_odd(t, text, own[j], own[j] + 1)) return -1;
    for (int k = 0; k < others; k++)
        if (are_odd(t, other, its[k], its[k] + 1)) return -1;
    for (int j = 0; j < owns; j++) {
        uint32_t one[LONGEST_WORD], two[LONGEST_WORD];
        int32_t length = read_norm(t, text, own[j], one);
        for (int k = 0; k < others; k++) {
            int32_t count = read_norm(t, other, its[k], two);
            if (!length || !count) return -1;
            double ratio = find_ratio(one, length, two, count);
            best = ratio > best ? ratio : best;
        }
    }
    return best / 100;
}

/* segments int32[][4]: word ranges of segments, of which segment_of tells a word's; densities float64[2][count]. Writes
 * features float64[count][PAIR_FEATURES], 0 for those that the caller fills in, -1 for letters that it must compare. */
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
        double letters = compare_letters(t, text, own, owns, other, its, others);
        for (int j = 0; j < owns; j++) {
            for (int k = 0; k < others; k++) {
                int32_t a = text->ids[own[j]], b = other->ids[its[k]];
                float found = find_cosine(t->vectors, t->squares, a, b);
                cosine = found > cosine ? found : cosine;
                sources |= find_sources(t, a, b);
                lemma |= a >= 0 && b >= 0 && t->lemmas[a] == t->lemmas[b];
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
        *f++ = letters;
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

/* One side of a pair: the directions of its content words and of those around; the frequency of its rarest word and
 * how many synonyms that has. */
typedef struct {
    float own[DIMENSIONS], around[DIMENSIONS], zipf;
    int64_t synonyms;
} Facing;

static void face(const Tables *t, const ExaminedText *text, int32_t first, int32_t last, Facing *side) {
    int32_t sum[DIMENSIONS] = {0}, around[DIMENSIONS] = {0};
    int64_t low = first > WINDOW ? first - WINDOW : 0, high = last + WINDOW < text->count ? last + WINDOW : text->count;
    add_vectors(t, text, first, last, sum);
    add_vectors(t, text, low, first, around);
    add_vectors(t, text, last, high, around);
    make_unit(sum, side->own);
    make_unit(around, side->around);
    int32_t rarest = find_rarest(text, first, last);
    side->zipf = text->zipf[rarest];
    side->synonyms = count_synonyms(t, text->ids[rarest]);
}

/* How often the other text has the rarest word of each wording, on the side that pairs point to: float64[count]. */
static void count_repeats(
    const ExaminedText *text, const ExaminedText *other, const int32_t *pairs, int64_t count, double *times
) {
    for (int64_t i = 0; i < other->count; i++)
        if (other->ids[i] >= 0) space.times[other->ids[i]]++;
    for (int64_t i = 0; i < count; i++, pairs += 4) {
        int32_t id = text->ids[find_rarest(text, pairs[0], pairs[1])];
        times[i] = id < 0 ? 0 : space.times[id];
    }
    for (int64_t i = 0; i < other->count; i++)
        if (other->ids[i] >= 0) space.times[other->ids[i]] = 0;
}

static int has_unknown(const ExaminedText *text, int32_t first, int32_t last) {
    for (int32_t i = first; i < last; i++)
        if (text->ids[i] < 0) return 1;
    return 0;
}

/* unspun.extractors.direction: features float32[count][DIRECTION_FEATURES] of pairs; fluency float32[count] */
EXPORT int32_t unspun_measure_directions(
    const Tables *t, const ExaminedText *text, const ExaminedText *other, const int32_t *pairs, int64_t count,
    const float *fluency, float *features
) {
    Arrays arrays;
    double *times = malloc((size_t)(2 * count + 1) * sizeof *times), *other_times = times + count;
    if (!times || !reserve(&arrays, 0, t->size)) {
        free(times);
        return 0;
    }
    count_repeats(text, other, pairs, count, times);
    count_repeats(other, text, pairs + 2, count, other_times);
    for (int64_t i = 0; i < count; i++, pairs += 4) {
        int32_t a0 = pairs[0], a1 = pairs[1], r0 = pairs[2], r1 = pairs[3];
        Facing own, its;
        float here[DIMENSIONS], there[DIMENSIONS], alike[DIMENSIONS];
        face(t, text, a0, a1, &own);
        face(t, other, r0, r1, &its);
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
        *f++ = (float)(log2(1 + times[i]) - log2(1 + other_times[i]));
        *f++ = add_up(alike, DIMENSIONS);
        *f++ = count_true(text->named, a0, a1) > 0 && count_true(other->named, r0, r1) > 0;
    }
    free(times);
    return 1;
}
