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

/* Whether a phrase of the list may stand among words, see unspun.extractors.phrases. */
EXPORT int32_t unspun_holds_phrase(const Tables *t, const uint64_t *hashes, const uint8_t *breaks, int64_t count) {
    for (int64_t i = 0; i < count; i++) {
        uint64_t phrase = mix(0, hashes[i]);
        for (int64_t k = 1; k < t->longest_phrase && i + k < count && !breaks[i + k]; k++) {
            phrase = mix(phrase, hashes[i + k]);
            if (is_phrase(t, phrase)) return 1;
        }
    }
    return 0;
}

/* The number of the quotation that holds each word, -1 for none, as unspun.text.Text.quotations finds them. */
EXPORT void unspun_number_quotations(
    const uint32_t *text, int64_t length, const int32_t *starts, int64_t count, int32_t *numbers
) {
    const int64_t longest = 1500;
    int64_t opened = -1, word = 0;
    int32_t number = 0;
    for (int64_t i = 0, next; i <= length; i = next) {
        uint32_t c = i < length ? text[i] : 0;
        int ends = i == length, closes = ends || c == 0x201d || c == 0xbb;
        next = i + 1;
        if (c == '\n') {
            int64_t k = next;
            while (k < length && (text[k] == ' ' || text[k] == '\t' || text[k] == '\r')) k++;
            if (k == length || text[k] != '\n') continue;
            next = k + 1;
            closes = 1;
        } else if (!closes && c != '"' && c != 0x201c && c != 0x201e && c != 0xab) {
            continue;
        }
        if (opened >= 0 && (closes || c == '"')) {
            int quoted = i - opened > 0 && i - opened <= longest;
            for (; word < count && starts[word] < i; word++)
                numbers[word] = quoted && starts[word] >= opened ? number : -1;
            number += quoted;
            opened = -1;
        } else if (!closes) {
            opened = next;
        }
    }
    for (; word < count; word++) numbers[word] = -1;
}

/* unspun.examined.Examined, with the letters of the text. */
typedef struct {
    const int32_t *ids, *start, *end, *sentence, *quotation;
    const uint64_t *hash;
    const float *zipf;
    const uint8_t *breaks, *capital, *named, *numeric, *content, *opens;
    const uint32_t *letters;
    int64_t count;
} ExaminedText;

static Arrays view(const ExaminedText *text) {
    return (Arrays){
        .id = (int32_t *)text->ids, .zipf = (float *)text->zipf, .breaks = (uint8_t *)text->breaks,
        .numeric = (uint8_t *)text->numeric, .capital = (uint8_t *)text->capital, .opens = (uint8_t *)text->opens,
    };
}

/* unspun.extractors.wording.examine_wording, less what is known of habits; `among` NULL: all words. found int32[4]
 * [count]: ids, places, left, right; features float32[count][WORD_FEATURES]. How many words were examined, -1 where
 * there is no memory. */
EXPORT int64_t unspun_examine_words(
    const Tables *t, const ExaminedText *text, const uint8_t *among, int32_t *found, float *features
) {
    Arrays arrays, a = view(text);
    int64_t count = text->count, contents;
    if (!reserve(&arrays, count, t->size)) return -1;
    a.sorted = arrays.sorted, a.place = found + count;
    int wide = 0;
#ifdef AVX2
    wide = HAS_AVX2;
#endif
    double total;
    float usual = find_usual(t, &a, count, &contents, &total);
    int64_t examined = examine_words(t, &a, count, among, usual, a.place, features, wide);
    for (int64_t i = 0; i < examined; i++) {
        Around around;
        look_around(&a, count, a.place[i], &around);
        found[i] = text->ids[a.place[i]], found[2 * count + i] = around.left, found[3 * count + i] = around.right;
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

/* --- alignment: unspun.alignment -------------------------------------------------------------------------------- */

/* A text whose words have the numbers of unspun.references too, -1 for those in no reference. */
typedef struct {
    const ExaminedText *text;
    const int32_t *ids;
    int32_t *starts; /* of its sentences, and the end */
    int64_t sentences;
} Numbered;

enum { MOST_CELLS = 1 << 22, MOST_SEGMENT = 12, MOST_STRETCH = 12, MOST_GROWTH = 4, MOST_PADDING = 2 };
enum { COVER = 11, LEAST_ORDERED = 6, MOST_COLUMN = 4096 };

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
    uint64_t at = (uint32_t)id * 0x9E3779B97F4A7C15u >> 32 & s->mask;
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
            while (row && low < high && before + 1 < columns && are_alike(s, low, before + 1)) matched[low++] = ++before;
            while (end < rows && high > low && after > 0 && are_alike(s, high - 1, after - 1)) matched[--high] = --after;
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
               matched[last] - high <= 2)
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
 * rapidfuzz's Levenshtein.opcodes finds: partner[i] = where the other's word stands, `from` the first. 0 where it would
 * take too much memory. */
static int align_words(
    const int32_t *ids, int64_t length, const int32_t *others, int64_t count, int32_t from, int32_t *partner
) {
    while (length && count && *ids == *others) *partner++ = from++, ids++, others++, length--, count--;
    while (length && count && ids[length - 1] == others[count - 1])
        partner[--length] = (int32_t)(from + --count);
    if (!length || !count) return 1;
    /* Above this rapidfuzz divides the matrix, and finds another edit of the same length. */
    if (length > MOST_COLUMN || 2 * length * count / 8 >= 1024 * 1024) return 0;
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
        uint64_t at = (uint32_t)ids[i] * 0x9E3779B97F4A7C15u >> 32 & (uint64_t)(slots - 1);
        while (places[at].id && places[at].id != ids[i] + 1) at = (at + 1) & (uint64_t)(slots - 1);
        if (!places[at].id) {
            places[at] = (Place){ids[i] + 1, ++rows};
            memset(mask + rows * words, 0, (size_t)words * sizeof *mask);
        }
        mask[places[at].row * words + i / 64] |= 1ull << i % 64;
    }
    for (int64_t w = 0; w < words; w++) vp[w] = UINT64_MAX, vn[w] = 0;
    for (int64_t j = 0; j < count; j++) {
        uint64_t at = (uint32_t)others[j] * 0x9E3779B97F4A7C15u >> 32 & (uint64_t)(slots - 1);
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

static int align_segments(const Tables *t, const Sharing *s, const int32_t *ranges, int64_t segments,
                          int32_t *partner, int32_t *segment_of, Found *found) {
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
 * int32[count][4]; found: how many segments, pairs, words deleted and inserted. 0 where it takes too much memory. */
EXPORT int32_t unspun_align(
    const Tables *t, const ExaminedText *text, const int32_t *ids, const ExaminedText *other, const int32_t *other_ids,
    const float *weights, int32_t *partner, int32_t *segment_of, uint8_t *covered, int32_t *ranges, int32_t *pairs,
    int64_t *found
) {
    int64_t count = text->count, rows = (int64_t)text->sentence[count - 1] + 1;
    int64_t columns = (int64_t)other->sentence[other->count - 1] + 1, slots = 4;
    while (slots < 2 * (count + other->count)) slots *= 2;
    size_t doubles = (size_t)(rows + 2 * columns) * sizeof(double), words = (size_t)slots * sizeof(Shared);
    size_t entries = (size_t)other->count * sizeof(Entered), whole = (size_t)(2 * rows + 2 * columns + 2) * sizeof(int32_t);
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

/* --- house style: unspun.extractors.substitutions ---------------------------------------------------------------- */

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

/* unspun.extractors.substitutions._is_slip: optimal string alignment (Boytsov 2011) */
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

/* unspun.extractors.substitutions.spell_out, without spaces and possessives: the form in which mere house style makes no
 * difference; how many letters it has, -1 where they are more than LONGEST_WORDING. */
static int32_t press(const Tables *t, const ExaminedText *text, int32_t first, int32_t last, uint32_t *out) {
    static const char *const contractions[][2] = {
        {"'ve", "have"}, {"'re", "are"}, {"'ll", "will"}, {"'m", "am"}, {"n't", "not"}, {"'d", "would"}, {"'s", "is"},
    };
    enum { ENDINGS = sizeof contractions / sizeof *contractions, LONGEST_ENDING = 8 };
    int32_t length = 0;
    for (int32_t place = first; place < last; place++) {
        int32_t from = length, slot = find_marked(t, text->hash[place]);
        if (slot >= 0 && t->marks[slot] & STYLED) {
            for (const uint32_t *c = t->spelt + t->spelt_at[slot]; *c && length < LONGEST_WORDING; c++) out[length++] = *c;
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

/* unspun.extractors.substitutions._find_house_style of one pair */
static int judge_style(const Tables *t, const ExaminedText *text, const ExaminedText *other, const int32_t *pair) {
    int32_t a0 = pair[0], a1 = pair[1], r0 = pair[2], r1 = pair[3], a = text->ids[a0], b = other->ids[r0];
    int single = a1 - a0 == 1 && r1 - r0 == 1, known = a >= 0 && b >= 0;
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
    } else if (
        (a1 - a0 == 1 && is_acronym(t, text, a0, other, r0, r1)) || (r1 - r0 == 1 && is_acronym(t, other, r0, text, a0, a1))
    ) {
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
            uint64_t slot = hash & mask;
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

/* others [references], fewer than 128; covered: which words of the text follow each, uint8[count]; set uint64[mask + 1],
 * all 0, room for twice their words. Writes best and sequences int32[examined], features float32[examined]
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

/* --- pairs of wordings: unspun.extractors.substitutions and direction ------------------------------------------- */

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
/* --- originals: unspun.extractors.originals ----------------------------------------------------------------------- */

enum { ORIGINAL_FEATURES = 11, MOST_LIKELY = 8 };

/* The `most` (MOST_LIKELY or fewer) likeliest originals of the words at places int32[count]: likeliest int32[count][most],
 * -1 where there are no more. weights [ORIGINAL_FEATURES]. */
EXPORT void unspun_rank_originals(
    const Tables *t, const ExaminedText *text, const int32_t *places, int64_t count, const double *weights,
    int32_t most, int32_t *likeliest
) {
    enum { AHEAD = 8 };
    Arrays a = view(text);
    for (int64_t p = 0; p < count; p++, likeliest += most) {
        int64_t place = places[p], found = 0;
        int32_t own = text->ids[place], topic[DIMENSIONS] = {0};
        double scores[MOST_LIKELY];
        for (int32_t k = 0; k < most; k++) likeliest[k] = -1;
        if (own < 0) continue;
        Around r;
        look_around(&a, text->count, place, &r);
        r.before = find_pair(t, r.before_left, r.left);
        r.after = find_pair(t, r.right, r.after_right);
        r.usual = r.right >= 0 ? log_pair(t, r.after, r.right, r.after_right) : 0;
        add_vectors(t, text, place > WINDOW ? place - WINDOW : 0, place, topic);
        add_vectors(t, text, place + 1, place + 1 + WINDOW < text->count ? place + 1 + WINDOW : text->count, topic);
        int64_t square = 0, last = t->synonym_starts[own + 1];
        for (int k = 0; k < DIMENSIONS; k++) square += (int64_t)topic[k] * topic[k];
        for (int64_t s = t->synonym_starts[own]; s < last; s++) {
            if (s + AHEAD < last) {
                int32_t next = t->synonym_ids[s + AHEAD];
                PREFETCH(t->logs + next);
                PREFETCH(t->vectors + (int64_t)next * DIMENSIONS);
                PREFETCH(t->vectors + (int64_t)next * DIMENSIONS + 64);
                if (r.left >= 0) ask_filter(&t->pairs, pair_key(t, r.left, next));
                if (r.right >= 0) ask_filter(&t->pairs, pair_key(t, next, r.right));
            }
            int32_t word = t->synonym_ids[s];
            int64_t follow = ask_pair(t, r.left, word) ? find_pair(t, r.left, word) : -1, dot = 0;
            int64_t lead = ask_pair(t, word, r.right) ? find_pair(t, word, r.right) : -1;
            float left, right;
            measure_fit(t, &r, word, follow, lead, &left, &right);
            const int8_t *vector = t->vectors + (int64_t)word * DIMENSIONS;
            for (int k = 0; k < DIMENSIONS; k++) dot += topic[k] * vector[k];
            int64_t product = square * t->squares[word];
            uint8_t bits = t->synonym_sources[s];
            const double features[ORIGINAL_FEATURES] = {
                left, right, t->logs[word].unigram, t->out_degrees[word],
                find_cosine(t->vectors, t->squares, own, word),
                (double)dot / sqrt((double)(product > 1 ? product : 1)),
                t->inflections[word] == t->inflections[own], log((double)(s - t->synonym_starts[own]) + 1),
                (bits & 1) != 0, (bits & 2) != 0, (bits & 8) != 0,
            };
            double score = 0;
            for (int k = 0; k < ORIGINAL_FEATURES; k++) score += features[k] * weights[k];
            if (found == most && score <= scores[most - 1]) continue;
            int64_t at = found < most ? found++ : most - 1;
            for (; at && score > scores[at - 1]; at--) scores[at] = scores[at - 1], likeliest[at] = likeliest[at - 1];
            scores[at] = score, likeliest[at] = word;
        }
    }
}

/* --- scores: unspun.scoring, second_look, features ---------------------------------------------------------------- */

/* unspun.trees.Trees as unspun_add_leaves reads them; log-odds are slope times the margin + offset. */
typedef struct {
    const Node *nodes;
    const int64_t *node_starts, *leaves, *leaf_starts;
    int64_t trees, width;
    double base, step, slope, offset;
} Forest;

/* Rows of features float64[count][width] into log-odds; 0 where there is no memory. */
static int add_trees(const Forest *f, const double *rows, int64_t count, double *odds) {
    double *work = malloc((size_t)(f->width * ABREAST + count + 1) * sizeof *work);
    if (!work) return 0;
    int64_t *sums = (int64_t *)(work + f->width * ABREAST);
    unspun_add_leaves(
        f->nodes, f->node_starts, f->leaves, f->leaf_starts, f->trees, rows, count, f->width, work, sums
    );
    for (int64_t i = 0; i < count; i++) odds[i] = f->slope * (f->base + (double)sums[i] * f->step) + f->offset;
    free(work);
    return 1;
}

/* What the scorers of words say of examined words: ids, left, right int32[count], features float32[count]
 * [WORD_FEATURES] less habits, which are filled in; log-odds float64[count], strange NULL where nobody asks. */
EXPORT void unspun_score_words(
    const Tables *t, const int32_t *ids, const int32_t *left, const int32_t *right, float *features, int64_t count,
    double *words, double *strange
) {
    int wide = 0;
#ifdef AVX2
    wide = HAS_AVX2 && t->words.units % 16 == 0 && t->strange.units % 16 == 0;
#endif
    for (int64_t i = 0; i < count; i++, features += WORD_FEATURES) {
        double row[WORD_FEATURES];
        write_habits(
            t, ids[i], find_after(t, left[i], ids[i]), find_before(t, ids[i], right[i]),
            features + WORD_FEATURES - HABITS
        );
        for (int k = 0; k < WORD_FEATURES; k++) row[k] = features[k];
        words[i] = score(&t->words, row, wide);
        if (strange) strange[i] = score(&t->strange, row, wide);
    }
}

enum { WORDING_FEATURES = 17, COMPARED_FEATURES = 26, SECOND_FEATURES = PAIR_FEATURES + 6 };

/* unspun.features.measure_alone up to prior_gain: places int32[examined], one more than zero; the log-odds of words and
 * strange float64[examined] are taken apart. */
EXPORT void unspun_measure_wording(
    int64_t count, int32_t *sentence, int64_t sentences, int32_t *places, float *features, int64_t examined,
    double *words, double *strange, double *out
) {
    Arrays a = {.place = places, .sentence = sentence, .features = features, .words = words, .strange = strange};
    measure_wording(&a, count, examined, sentences, out);
}

typedef struct {
    /* pairs of wordings int32[pairs][4], whose each is, what is known of them */
    const int32_t *table, *owner;
    const float *features, *directions;
    int64_t pairs;
    /* the examined words of the article and, of each reference, of those in pairs: where they stand, their log-odds */
    const int32_t *places;
    const double *odds;
    int64_t examined;
    const int32_t *const *opposite;
    const double *const *opposite_odds;
    const int64_t *opposites;
    const float *usage; /* float32[examined][USAGE_FEATURES] */
    /* of each comparison */
    const int32_t *const *partners, *const *segments;
    const uint8_t *const *covered;
    const double *coverage;
    const int64_t *changed; /* words deleted and inserted */
    int64_t comparisons, words;
} Compared;

/* The highest log-odds of the examined words in [first, last). */
static double find_highest(const int32_t *places, const double *odds, int64_t count, int32_t first, int32_t last) {
    const double unexamined = -4.0;
    int64_t low = 0, high = count;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (places[middle] < first) low = middle + 1;
        else high = middle;
    }
    if (low == count || places[low] >= last) return unexamined;
    double highest = odds[low];
    for (low++; low < count && places[low] < last; low++) highest = odds[low] > highest ? odds[low] : highest;
    return highest;
}

static double clip(double value, double most) { return value < -most ? -most : value > most ? most : value; }

typedef struct {
    double score;
    int64_t index;
} Ranked;

static int compare_ranked(const void *one, const void *two) {
    const Ranked *a = one, *b = two;
    return a->score != b->score ? (a->score < b->score) - (a->score > b->score)
                                : (a->index > b->index) - (a->index < b->index);
}

/* unspun.features._summarise; takes the probabilities apart */
static double *summarise_usage(double *probabilities, int64_t count, double *out) {
    double sum = 0, half = 0, sure = 0, top = 0;
    int64_t tenth = count / 10 > 1 ? count / 10 : 1;
    for (int64_t i = 0; i < count; i++)
        sum += probabilities[i], half += probabilities[i] > 0.5, sure += probabilities[i] > 0.8;
    select_highest(probabilities, count, tenth);
    for (int64_t i = 0; i < tenth && i < count; i++) top += probabilities[i];
    double n = (double)(count ? count : 1);
    *out++ = sum / n, *out++ = half / n, *out++ = sure / n, *out++ = count ? top / (double)tenth : 0;
    return out;
}

/* unspun.features.measure_compared but for what comes from the article alone; taken uint8[words + words], ranked [pairs]
 * and usage are taken apart. */
static void measure_compared(
    const Compared *c, const double *swaps, const double *probability, const double *direction, double *usage,
    uint8_t *taken, Ranked *ranked, double *out
) {
    enum { WORDS = 0, QUOTED = 16, CAPITAL = 17, SUPPORTED = 21, FLUENCY_MEAN = 11 };
    const double smoothing = 20, certain = 0.993;
    double strength = 0, total = 0, sure = 0, sures = 0, quote_sum = 0, name_sum = 0, quotes = 0, agreed = 0, both = 0;
    double fluency = 0, pulls = 0, weight = 0, chosen = 0;
    memset(taken, 0, (size_t)c->words);
    for (int64_t i = 0; i < c->pairs; i++) ranked[i] = (Ranked){swaps[i], i};
    qsort(ranked, (size_t)c->pairs, sizeof *ranked, compare_ranked);
    for (int64_t k = 0; k < c->pairs; k++) {
        int64_t i = ranked[k].index;
        const int32_t *pair = c->table + 4 * i;
        const float *f = c->features + i * PAIR_FEATURES;
        if (count_true(taken, pair[0], pair[1])) continue;
        memset(taken + pair[0], 1, (size_t)(pair[1] - pair[0]));
        double p = swaps[i];
        int quoted = f[QUOTED] > 0, named = f[CAPITAL] > 0 && f[CAPITAL + 1] > 0;
        int agreeing = f[SUPPORTED + 1] > 1 && f[SUPPORTED] == 0;
        chosen++, strength += p, total += p * (pair[1] - pair[0]);
        sure += p > 0.8, sures += p > certain;
        quotes += quoted, quote_sum += quoted ? p : 0, name_sum += named ? p : 0;
        agreed += agreeing ? probability[i] : 0, both += agreeing && quoted ? probability[i] : 0;
        fluency += p * f[FLUENCY_MEAN];
        pulls += probability[i] * clip(direction[i], 3), weight += probability[i];
    }
    uint8_t *inside = taken, *vouched = taken + c->words;
    memset(taken, 0, 2 * (size_t)c->words);
    double best_rate = 0, coverage = 0, identity = 0, news = 0;
    for (int64_t k = 0; k < c->comparisons; k++) {
        double mine = 0, matches = 0, held = 0;
        for (int64_t i = 0; i < c->pairs; i++) mine += c->owner[i] == k ? swaps[i] : 0;
        for (int64_t i = 0; i < c->words; i++) {
            int in = c->segments[k][i] >= 0;
            matches += c->partners[k][i] >= 0, held += in;
            inside[i] |= in, vouched[i] |= c->covered[k][i];
        }
        if (held < 1) held = 1;
        double rate = mine / (matches + smoothing);
        best_rate = rate > best_rate ? rate : best_rate;
        if (c->coverage[k] > coverage) {
            coverage = c->coverage[k];
            identity = held > 15 ? matches / held : 0;
            news = (double)c->changed[k] / held;
        }
    }
    double n = (double)c->words;
    *out++ = 1.0 - (double)count_true(vouched, 0, c->words) / n;
    *out++ = log1p(strength);
    *out++ = total / n, *out++ = total / ((double)count_true(inside, 0, c->words) + smoothing);
    *out++ = log1p(sure), *out++ = log1p(sures), *out++ = log1p(quote_sum), *out++ = log1p(name_sum);
    *out++ = quote_sum / (quotes + 2.0), *out++ = strength / (chosen + 3.0);
    *out++ = best_rate;
    *out++ = log1p(agreed), *out++ = log1p(both);
    out = summarise_usage(usage, c->examined, out);
    *out++ = coverage, *out++ = identity, *out++ = news;
    *out++ = log(n + 1);
    *out++ = fluency / (strength + 1.0);
    *out++ = log1p(weight), *out++ = pulls / sqrt(weight + 1.0), *out++ = pulls / (weight + 1.0);
    *out++ = 0; /* tricks */
}

/* unspun.scoring.measure beside references: usage float64[examined], swaps float64[pairs], the article's features
 * float64[COMPARED_FEATURES], the last 0. forests: pairs, directions, swaps, usage. 0 where there is no memory. */
EXPORT int32_t unspun_score_compared(
    const Forest *const *forests, const Compared *c, double *usage, double *swaps, double *features
) {
    int64_t most = c->pairs > c->examined ? c->pairs : c->examined, m = c->pairs;
    size_t doubles = (size_t)(most * SECOND_FEATURES + 4 * m + c->examined + 3 * c->comparisons + 1);
    double *rows = malloc(doubles * sizeof(double) + (size_t)m * sizeof(Ranked) + 2 * (size_t)c->words);
    if (!rows) return 0;
    double *odds = rows + most * SECOND_FEATURES, *probability = odds + m, *direction = probability + m;
    double *pull = direction + m, *copy = pull + m, *sums = copy + c->examined;
    Ranked *ranked = (Ranked *)(sums + 3 * c->comparisons + 1);
    int done = 1;
    for (int64_t i = 0; i < c->examined; i++) {
        double *row = rows + i * USAGE_FEATURES;
        for (int k = 0; k < USAGE_FEATURES; k++) row[k] = c->usage[i * USAGE_FEATURES + k];
        row[0] = (float)c->odds[i];
    }
    done = done && add_trees(forests[3], rows, c->examined, usage);
    for (int64_t i = 0; i < c->examined; i++) copy[i] = usage[i] = to_probability(usage[i]);
    for (int64_t i = 0; i < m; i++) {
        double *row = rows + i * DIRECTION_FEATURES;
        const int32_t *pair = c->table + 4 * i, k = c->owner[i];
        for (int j = 1; j < DIRECTION_FEATURES; j++) row[j] = c->directions[i * DIRECTION_FEATURES + j];
        row[0] = (float)(find_highest(c->places, c->odds, c->examined, pair[0], pair[1]) -
                         find_highest(c->opposite[k], c->opposite_odds[k], c->opposites[k], pair[2], pair[3]));
    }
    done = done && add_trees(forests[1], rows, m, direction);
    for (int64_t i = 0; i < m * PAIR_FEATURES; i++) rows[i] = c->features[i];
    done = done && add_trees(forests[0], rows, m, odds);
    /* unspun.second_look.look_again: what the other pairs of the reference say */
    memset(sums, 0, 3 * (size_t)c->comparisons * sizeof *sums);
    for (int64_t i = 0; i < m; i++) {
        double *sum = sums + 3 * c->owner[i];
        probability[i] = to_probability(odds[i]);
        pull[i] = probability[i] * clip(direction[i], 3);
        sum[0] += probability[i], sum[1] += pull[i], sum[2]++;
    }
    for (int64_t i = 0; i < m; i++) {
        double *row = rows + i * SECOND_FEATURES;
        const double *sum = sums + 3 * c->owner[i];
        double total = sum[0] - probability[i], positive = total > 0 ? total : 0;
        for (int k = 0; k < PAIR_FEATURES; k++) *row++ = c->features[i * PAIR_FEATURES + k];
        *row++ = odds[i], *row++ = direction[i];
        *row++ = total / (sum[2] - 1 + 3.0), *row++ = log1p(positive);
        *row++ = (sum[1] - pull[i]) / sqrt(positive + 1.0), *row++ = c->coverage[c->owner[i]];
    }
    done = done && add_trees(forests[2], rows, m, swaps);
    for (int64_t i = 0; i < m; i++) swaps[i] = to_probability(swaps[i]);
    if (done) measure_compared(c, swaps, probability, direction, copy, (uint8_t *)(ranked + m), ranked, features);
    free(rows);
    return done;
}
