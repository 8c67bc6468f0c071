/* Which words of two texts are opposite each other: unspun.alignment. */

/* A text whose words have the numbers of unspun.references too, -1 for those in no reference. */
typedef struct {
    const ExaminedText *text;
    const int32_t *ids;
    int32_t *starts; /* of its sentences, and the end */
    int64_t sentences;
} Numbered;

enum { MOST_CELLS = 1 << 22, MOST_SEGMENT = 12, MOST_SEGMENT_WORDS = 2000, MOST_STRETCH = 12, MOST_GROWTH = 4 };
enum { MOST_PADDING = 2, COVER = 11, LEAST_ORDERED = 6 };

static void find_sentences(Numbered *one) {
    const ExaminedText *text = one->text;
    int32_t next = 0;
    for (int64_t i = 0; i < text->count; i++)
        if (text->sentence[i] == next) one->starts[next++] = (int32_t)i;
    one->starts[next] = (int32_t)text->count;
}

/* What is known of a word: its weight; its entries, one for each sentence of the reference that holds it. */
typedef struct {
    int32_t id, first, sentences, seen, meetings; /* id and first plus one */
    float weight;
} Shared;

typedef struct {
    int32_t sentence, next;
} Entered;

typedef struct {
    Numbered article, other;
    Shared *slots;
    Entered *entries;
    uint64_t mask;
    const float *weights;
    double *own, *its;              /* weights of sentences */
    double *shared;                 /* of one sentence of the article with each of the reference */
    int32_t *touched, *matched;
} Sharing;

static Shared *find_shared(const Sharing *s, int32_t id) {
    uint64_t at = wanted_slot((uint64_t)id, s->mask);
    while (s->slots[at].id && s->slots[at].id != id + 1) at = (at + 1) & s->mask;
    Shared *word = s->slots + at;
    if (!word->id) word->id = id + 1, word->weight = s->weights[id];
    return word;
}

static int compare_meetings(const void *one, const void *two) {
    const Shared *a = *(Shared *const *)one, *b = *(Shared *const *)two;
    return a->meetings != b->meetings ? (a->meetings > b->meetings) - (a->meetings < b->meetings)
                                      : (a->id > b->id) - (a->id < b->id);
}

/* unspun.alignment._leave_out_commonest; 0 where there is no memory */
static int leave_out_commonest(Sharing *s) {
    Shared **order = malloc(((size_t)s->mask + 1) * sizeof *order);
    if (!order) return 0;
    int64_t found = 0, total = 0;
    for (uint64_t slot = 0; slot <= s->mask; slot++)
        if (s->slots[slot].meetings) order[found++] = s->slots + slot;
    qsort(order, (size_t)found, sizeof *order, compare_meetings);
    for (int64_t k = 0; k < found; k++) {
        total += order[k]->meetings;
        if (total > MOST_CELLS) order[k]->weight = 0;
    }
    free(order);
    return 1;
}

/* Enters the words, and weighs the sentences of the reference by theirs: a word counts once a sentence. */
static int enter_words(Sharing *s) {
    const ExaminedText *text = s->article.text, *other = s->other.text;
    int32_t used = 0;
    int64_t meetings = 0;
    for (int64_t i = 0; i < other->count; i++) {
        Shared *word = find_shared(s, s->other.ids[i]);
        if (word->first && s->entries[word->first - 1].sentence == other->sentence[i]) continue;
        s->entries[used] = (Entered){other->sentence[i], word->first};
        word->first = ++used;
        word->sentences++;
    }
    for (int64_t i = 0; i < text->count; i++) {
        if (s->article.ids[i] < 0) continue;
        Shared *word = find_shared(s, s->article.ids[i]);
        if (word->seen == text->sentence[i] + 1) continue;
        word->seen = text->sentence[i] + 1;
        word->meetings += word->sentences;
        meetings += word->sentences;
    }
    if (meetings > MOST_CELLS && !leave_out_commonest(s)) return 0;
    for (uint64_t slot = 0; slot <= s->mask; slot++) {
        s->slots[slot].seen = 0;
        for (int32_t entry = s->slots[slot].first; entry; entry = s->entries[entry - 1].next)
            s->its[s->entries[entry - 1].sentence] += s->slots[slot].weight;
    }
    return 1;
}

static double find_sentence_cosine(const Sharing *s, double shared, int32_t row, int32_t column) {
    double product = s->own[row] * s->its[column];
    return shared / sqrt(product > 1e-9 ? product : 1e-9);
}

/* The sentence of the reference that shares most with one of the article, -1 for none. Words of no reference weigh 1:
 * spun wording must not make a short remnant look like a full match. */
static int32_t pair_sentence(Sharing *s, int32_t row) {
    const double least_cosine = 0.22, least_weight = 1.6;
    int32_t best = -1;
    int64_t met = 0;
    for (int32_t i = s->article.starts[row]; i < s->article.starts[row + 1]; i++) {
        if (s->article.ids[i] < 0) {
            s->own[row]++;
            continue;
        }
        Shared *word = find_shared(s, s->article.ids[i]);
        if (word->seen == row + 1) continue;
        word->seen = row + 1;
        s->own[row] += word->weight;
        for (int32_t entry = word->weight > 0 ? word->first : 0; entry; entry = s->entries[entry - 1].next) {
            int32_t column = s->entries[entry - 1].sentence;
            if (s->shared[column] == 0) s->touched[met++] = column;
            s->shared[column] += word->weight;
        }
    }
    double highest = 0, weight = 0;
    for (int64_t k = 0; k < met; k++) {
        int32_t column = s->touched[k];
        double cosine = find_sentence_cosine(s, s->shared[column], row, column);
        if (cosine > highest || (cosine == highest && column < best))
            highest = cosine, weight = s->shared[column], best = column;
        s->shared[column] = 0;
    }
    return highest >= least_cosine && weight >= least_weight ? best : -1;
}

static int holds(const int32_t *ids, int32_t from, int32_t to, int32_t id) {
    for (int32_t i = from; i < to; i++)
        if (ids[i] == id) return 1;
    return 0;
}

/* Length of the longest common subsequence of words; row: room for count + 1, all 0. */
static int32_t count_in_order(const int32_t *ids, int32_t length, const int32_t *others, int32_t count, int32_t *row) {
    for (int32_t i = 0; i < length; i++) {
        int32_t before = 0;
        for (int32_t j = 0; j < count; j++) {
            int32_t here = row[j + 1];
            if (ids[i] == others[j]) row[j + 1] = before + 1;
            else if (row[j] > here) row[j + 1] = row[j];
            before = here;
        }
    }
    return row[count];
}

/* Whether two sentences, beside which others are paired, are alike. */
static int are_alike(const Sharing *s, int32_t row, int32_t column) {
    const double least_cosine = 0.1, least_in_order = 0.2;
    int32_t from = s->article.starts[row], to = s->article.starts[row + 1];
    int32_t first = s->other.starts[column], last = s->other.starts[column + 1];
    double shared = 0;
    for (int32_t i = from; i < to; i++) {
        int32_t id = s->article.ids[i];
        if (id >= 0 && !holds(s->article.ids, from, i, id) && holds(s->other.ids, first, last, id))
            shared += find_shared(s, id)->weight;
    }
    if (find_sentence_cosine(s, shared, row, column) >= least_cosine) return 1;
    int32_t length = to - from, count = last - first, longer = length > count ? length : count;
    if ((length < count ? length : count) < LEAST_ORDERED) return 0;
    int32_t *work = calloc((size_t)count + 1, sizeof *work);
    if (!work) return 0;
    int32_t common = count_in_order(s->article.ids + from, length, s->other.ids + first, count, work);
    free(work);
    /* In rapidfuzz's order of operations. */
    return 1.0 - (double)(longer - common) / longer >= least_in_order;
}

/* unspun.alignment._fill_gaps */
static void fill_gaps(const Sharing *s) {
    int32_t *matched = s->matched, rows = (int32_t)s->article.sentences, columns = (int32_t)s->other.sentences;
    for (int32_t row = 0, end; row < rows; row = end + 1) {
        for (end = row; end < rows && matched[end] < 0;) end++;
        int32_t before = row ? matched[row - 1] : -1, after = end < rows ? matched[end] : columns;
        if (row && end < rows && after - before == end - row + 1) {
            for (int32_t k = row; k < end; k++) matched[k] = before + 1 + k - row;
        } else if (end > row) {
            int32_t low = row, high = end;
            while (row && low < high && before + 1 < columns && are_alike(s, low, before + 1))
                matched[low++] = ++before;
            while (end < rows && high > low && after > 0 && are_alike(s, high - 1, after - 1))
                matched[--high] = --after;
        }
    }
}

/* unspun.alignment.join_segments; how many they are */
static int64_t join_segments(const Sharing *s, int32_t *ranges) {
    const int32_t *matched = s->matched;
    int64_t found = 0;
    for (int64_t row = 0, last; row < s->article.sentences; row = last) {
        last = row + 1;
        if (matched[row] < 0) continue;
        int32_t low = matched[row], high = low;
        while (last < s->article.sentences && last - row < MOST_SEGMENT && matched[last] >= high &&
               matched[last] - high <= 2 &&
               s->article.starts[last + 1] - s->article.starts[row] <= MOST_SEGMENT_WORDS &&
               s->other.starts[matched[last] + 1] - s->other.starts[low] <= MOST_SEGMENT_WORDS)
            high = matched[last++];
        int32_t *range = ranges + 4 * found++;
        range[0] = s->article.starts[row], range[1] = s->article.starts[last];
        range[2] = s->other.starts[low], range[3] = s->other.starts[high + 1];
    }
    return found;
}

/* Words of a text by the bits of their places, for others to be looked up. */
typedef struct {
    int32_t id, row; /* id plus one */
} Place;

/* Which words of two stretches of text are opposite each other in the shortest edit (Hyyro 2003), the same that
 * rapidfuzz's Levenshtein.opcodes finds in texts of up to MOST_SEGMENT_WORDS: partner[i] = where the other's word
 * stands, `from` the first. 0 where there is no memory. */
static int align_words(
    const int32_t *ids, int64_t length, const int32_t *others, int64_t count, int32_t from, int32_t *partner
) {
    while (length && count && *ids == *others) *partner++ = from++, ids++, others++, length--, count--;
    while (length && count && ids[length - 1] == others[count - 1])
        partner[--length] = (int32_t)(from + --count);
    if (!length || !count) return 1;
    int64_t words = (length + 63) / 64, slots = 4;
    while (slots < 2 * length) slots *= 2;
    size_t masks = (size_t)(length + 1) * (size_t)words, matrix = (size_t)count * (size_t)words;
    char *block = malloc((size_t)slots * sizeof(Place) + (masks + 2 * matrix + 2 * (size_t)words) * sizeof(uint64_t));
    if (!block) return 0;
    Place *places = (Place *)block;
    uint64_t *mask = (uint64_t *)(places + slots), *positive = mask + masks, *negative = positive + matrix;
    uint64_t *vp = negative + matrix, *vn = vp + words;
    memset(places, 0, (size_t)slots * sizeof *places);
    memset(mask, 0, (size_t)words * sizeof *mask); /* row 0: words that are not there */
    int32_t rows = 0;
    for (int64_t i = 0; i < length; i++) {
        if (ids[i] < 0) continue;
        uint64_t at = wanted_slot((uint64_t)ids[i], (uint64_t)slots - 1);
        while (places[at].id && places[at].id != ids[i] + 1) at = (at + 1) & (uint64_t)(slots - 1);
        if (!places[at].id) {
            places[at] = (Place){ids[i] + 1, ++rows};
            memset(mask + rows * words, 0, (size_t)words * sizeof *mask);
        }
        mask[places[at].row * words + i / 64] |= 1ull << i % 64;
    }
    for (int64_t w = 0; w < words; w++) vp[w] = UINT64_MAX, vn[w] = 0;
    for (int64_t j = 0; j < count; j++) {
        uint64_t at = wanted_slot((uint64_t)others[j], (uint64_t)slots - 1);
        while (places[at].id && places[at].id != others[j] + 1) at = (at + 1) & (uint64_t)(slots - 1);
        const uint64_t *equal = mask + (places[at].id ? places[at].row : 0) * words;
        uint64_t more = 1, less = 0;
        for (int64_t w = 0; w < words; w++) {
            uint64_t x = equal[w] | less;
            uint64_t zero = (((x & vp[w]) + vp[w]) ^ vp[w]) | x | vn[w];
            uint64_t up = vn[w] | ~(zero | vp[w]), down = zero & vp[w];
            uint64_t next_more = up >> 63, next_less = down >> 63;
            up = up << 1 | more, down = down << 1 | less;
            more = next_more, less = next_less;
            positive[j * words + w] = vp[w] = down | ~(zero | up);
            negative[j * words + w] = vn[w] = up & zero;
        }
    }
    for (int64_t row = count, column = length; row && column;) {
        int64_t word = (column - 1) / 64;
        uint64_t bit = 1ull << (column - 1) % 64;
        if (positive[(row - 1) * words + word] & bit) {
            column--;
        } else if (--row && negative[(row - 1) * words + word] & bit) {
            continue;
        } else if (ids[--column] == others[row]) {
            partner[column] = (int32_t)(from + row);
        }
    }
    free(block);
    return 1;
}

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

/* What is known of a word's part in a sentence. */
enum { ARTICLE = 1, AUXILIARY = 2 };

static int is_kind(const Tables *t, const ExaminedText *text, int32_t place, int kind) {
    return text->ids[place] >= 0 && (t->kinds[text->ids[place]] & kind) != 0;
}

/* Without the article ("the") that only one of two wordings has in front. */
static void tighten(const Tables *t, const ExaminedText *text, const ExaminedText *other, int32_t *pair) {
    if (pair[1] - pair[0] == 1 && pair[3] - pair[2] == 1) return;
    int own = is_kind(t, text, pair[0], ARTICLE), its = is_kind(t, other, pair[2], ARTICLE);
    if (pair[1] - pair[0] > 1 && own && !its) pair[0]++;
    else if (pair[3] - pair[2] > 1 && its && !own) pair[2]++;
}

/* unspun.alignment.split_stretch: the pairs of words a0 to a1 of a text, r0 to r1 of another, no side longer than
 * MOST_STRETCH; how many. */
static int32_t split_stretch(
    const Tables *t, const ExaminedText *text, const ExaminedText *other, int32_t a0, int32_t a1, int32_t r0,
    int32_t r1, int32_t *pairs
) {
    int32_t m = a1 - a0, n = r1 - r0;
    float gain[MOST_STRETCH][MOST_STRETCH];
    double best[MOST_STRETCH + 1][MOST_STRETCH + 1] = {{0}};
    for (int32_t i = m - 1; i >= 0; i--) {
        for (int32_t j = n - 1; j >= 0; j--) {
            gain[i][j] = m == 1 && n == 1 ? 1 : find_gain(t, text->ids[a0 + i], other->ids[r0 + j]);
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
        grow(a, k ? a : a0, last ? a1 : anchors[k + 1][0], text->breaks, pairs);
        grow(r, k ? r : r0, last ? r1 : anchors[k + 1][1], other->breaks, pairs + 2);
        tighten(t, text, other, pairs);
    }
    return found;
}

/* How much oftener than by itself a word follows another. */
static float find_pull(const Tables *t, const ExaminedText *text, int32_t place) {
    int32_t previous = text->ids[place - 1], word = text->ids[place];
    return log_pair(t, find_pair(t, previous, word), previous, word) - t->logs[at(t, word)].unigram;
}

static int ends_in_ly(const Tables *t, const ExaminedText *text, int32_t place) {
    int32_t start = text->start[place], end = text->end[place];
    return end - start > 1 && FOLD(text->letters[end - 2]) == 'l' && FOLD(text->letters[end - 1]) == 'y';
}

/* unspun.alignment._find_padded; 1 where there is such a pair */
static int find_padded(
    const Tables *t, const ExaminedText *text, const int32_t *partner, int32_t first, int32_t last, int32_t place,
    int32_t *pair
) {
    for (int32_t i = first + 1; i < last; i++)
        if (text->breaks[i]) return 0;
    int before = first > 0 && place > 0 && partner[first - 1] == place - 1 && !text->breaks[first];
    int after = last < text->count && partner[last] == place && !text->breaks[last];
    if (before && after) {
        int adverb = is_kind(t, text, first - 1, AUXILIARY) && ends_in_ly(t, text, last - 1);
        before = adverb || find_pull(t, text, first) > find_pull(t, text, last);
    }
    if (before) {
        pair[0] = first - 1, pair[1] = last, pair[2] = place - 1, pair[3] = place;
    } else {
        pair[0] = first, pair[1] = last + 1, pair[2] = place, pair[3] = place + 1;
    }
    return before || after;
}

typedef struct {
    int32_t *pairs; /* [][4] */
    int64_t count, deleted, inserted;
} Found;

/* Words a0 to a1 stand where the reference has r0 to r1: pairs of wordings, or words that only one of them has. */
static void add_stretch(
    const Tables *t, const ExaminedText *text, const ExaminedText *other, const int32_t *partner, int32_t a0,
    int32_t a1, int32_t r0, int32_t r1, Found *found
) {
    int32_t longest = a1 - a0 > r1 - r0 ? a1 - a0 : r1 - r0, *next = found->pairs + 4 * found->count;
    if (a0 < a1 && r0 < r1 && longest <= MOST_STRETCH) {
        found->count += split_stretch(t, text, other, a0, a1, r0, r1, next);
        return;
    }
    found->deleted += r1 - r0;
    found->inserted += a1 - a0;
    if (r0 < r1 || a1 - a0 > MOST_PADDING || !find_padded(t, text, partner, a0, a1, r0, next)) return;
    if (found->count && next[-3] > next[0]) { /* a word padded on both sides is one pair */
        next[-3] = next[1], next[-1] = next[3];
    } else {
        found->count++;
    }
}

/* unspun.alignment.follows: which words have a match among others that have one */
static void cover_words(const int32_t *partner, int64_t count, uint8_t *covered) {
    int64_t matches = 0, low = 0, high = 0;
    for (int64_t i = 0; i < count; i++) {
        for (; high < count && high <= i + COVER / 2; high++) matches += partner[high] >= 0;
        for (; low < i - COVER / 2; low++) matches -= partner[low] >= 0;
        covered[i] = partner[i] >= 0 && 2 * matches >= high - low;
    }
}

/* The words of each segment; 0 where there is no memory. */
static int align_segments(
    const Tables *t, const Sharing *s, const int32_t *ranges, int64_t segments, int32_t *partner, int32_t *segment_of,
    Found *found
) {
    const ExaminedText *text = s->article.text, *other = s->other.text;
    for (int64_t k = 0; k < segments; k++, ranges += 4) {
        int32_t a0 = ranges[0], a1 = ranges[1], r0 = ranges[2], r1 = ranges[3];
        if (!align_words(s->article.ids + a0, a1 - a0, s->other.ids + r0, r1 - r0, r0, partner + a0)) return 0;
        int32_t own = a0, its = r0;
        for (int32_t i = a0; i <= a1; i++) {
            if (i < a1) segment_of[i] = (int32_t)k;
            if (i < a1 && partner[i] < 0) continue;
            int32_t end = i < a1 ? partner[i] : r1;
            if (own < i || its < end) add_stretch(t, text, other, partner, own, i, its, end, found);
            own = i + 1, its = end + 1;
        }
    }
    return 1;
}

/* unspun.alignment.align: partner and segment_of int32[count], covered uint8[count], ranges int32[sentences][4], pairs
 * int32[count][4]; found: how many segments, pairs, words deleted and inserted. 0 where there is no memory. */
EXPORT int32_t unspun_align(
    const Tables *t, const ExaminedText *text, const int32_t *ids, const ExaminedText *other, const int32_t *other_ids,
    const float *weights, int32_t *partner, int32_t *segment_of, uint8_t *covered, int32_t *ranges, int32_t *pairs,
    int64_t *found
) {
    int64_t count = text->count, rows = (int64_t)text->sentence[count - 1] + 1;
    int64_t columns = (int64_t)other->sentence[other->count - 1] + 1, slots = 4;
    while (slots < 2 * (count + other->count)) slots *= 2;
    size_t doubles = (size_t)(rows + 2 * columns) * sizeof(double), words = (size_t)slots * sizeof(Shared);
    size_t entries = (size_t)other->count * sizeof(Entered);
    size_t whole = (size_t)(2 * rows + 2 * columns + 2) * sizeof(int32_t);
    char *block = calloc(1, doubles + words + entries + whole);
    if (!block) return 0;
    Sharing s = {.mask = (uint64_t)slots - 1, .weights = weights};
    s.own = (double *)block, s.its = s.own + rows, s.shared = s.its + columns;
    s.slots = (Shared *)(s.shared + columns), s.entries = (Entered *)(s.slots + slots);
    s.matched = (int32_t *)(s.entries + other->count), s.touched = s.matched + rows;
    s.article = (Numbered){text, ids, s.touched + columns, rows};
    s.other = (Numbered){other, other_ids, s.article.starts + rows + 1, columns};
    find_sentences(&s.article);
    find_sentences(&s.other);
    memset(partner, -1, (size_t)count * sizeof *partner);
    memset(segment_of, -1, (size_t)count * sizeof *segment_of);
    Found all = {.pairs = pairs};
    int done = enter_words(&s);
    if (done) {
        for (int32_t row = 0; row < rows; row++) s.matched[row] = pair_sentence(&s, row);
        fill_gaps(&s);
        found[0] = join_segments(&s, ranges);
        done = align_segments(t, &s, ranges, found[0], partner, segment_of, &all);
        cover_words(partner, count, covered);
        found[1] = all.count, found[2] = all.deleted, found[3] = all.inserted;
    }
    free(block);
    return done;
}
