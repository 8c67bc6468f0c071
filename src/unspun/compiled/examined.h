/* A text for the path with references: unspun.text, examined, extractors.wording and phrases. */

/* Words, breaks and sentences as unspun.text and unspun.examined have them. places int32[3][most]: start, end,
 * sentence; hashes uint64[most]; marks uint8[6][most + 1]: breaks, capital, numeric, opens, alphabetic, odd (words
 * whose hash the caller must find). How many words; -1 where the text is too hard, -2 less the page where a page of
 * characters is wanted. */
EXPORT int64_t unspun_split_text(
    const Tables *t, const uint32_t *text, int64_t length, int64_t most, int32_t *places, uint64_t *hashes,
    uint8_t *marks
) {
    Arrays a = {.start = places, .end = places + most, .sentence = places + 2 * most, .hash = hashes};
    a.breaks = marks, a.capital = marks + (most + 1), a.numeric = marks + 2 * (most + 1);
    a.opens = marks + 3 * (most + 1), a.alphabetic = marks + 4 * (most + 1), a.odd = marks + 5 * (most + 1);
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
