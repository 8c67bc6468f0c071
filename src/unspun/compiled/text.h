/* A text into words, breaks and sentences: unspun.text, unspun.examined. */

#define CLASS(c) (t->classes[(c) / PAGE][(c) % PAGE])
#define FOLD(c) (t->folds[(c) / PAGE][(c) % PAGE])

static inline int is_apostrophe(uint32_t c) { return c == '\'' || c == 0x2019; }

/* Words as unspun.text.WORD finds them; -1 where the text is too hard. The hash of odd words is not known here. */
static int64_t split_words(const Tables *t, const uint32_t *text, int64_t length, Arrays *a) {
    int64_t count = 0, i = 0;
    while (i < length) {
        uint8_t class = CLASS(text[i]);
        if (!(class & ALNUM)) {
            if (class & HARD) return -1;
            i++;
            continue;
        }
        int64_t first = i;
        uint64_t hash = 0;
        int alphabetic = 1, odd = 0;
        if (class & DECIMAL) {
            int64_t end = i + 1, last = 0;
            while (end < length && CLASS(text[end]) & DECIMAL) end++;
            while (end + 1 < length && (text[end] == '.' || text[end] == ',') && CLASS(text[end + 1]) & DECIMAL) {
                end++;
                while (end < length && CLASS(text[end]) & DECIMAL) end++;
                last = end;
            }
            if (last) i = last;
        }
        if (i > first) {
            for (int64_t k = first; k < i; k++) {
                odd |= CLASS(text[k]) & HARD;
                hash = mix(hash, FOLD(text[k]) + 1);
            }
            alphabetic = 0;
        } else {
            for (;;) {
                for (; i < length && (class = CLASS(text[i])) & ALNUM; i++) {
                    odd |= class & HARD;
                    if (!(class & ALPHA)) alphabetic = 0;
                    hash = mix(hash, FOLD(text[i]) + 1);
                }
                int64_t next = i;
                while (next < length && is_apostrophe(text[next])) next++;
                if (next == i || next == length || !(CLASS(text[next]) & ALNUM)) break;
                for (; i < next; i++) hash = mix(hash, '\'' + 1);
                alphabetic = 0;
            }
        }
        if (a->odd) a->odd[count] = odd != 0;
        else if (odd) return -1;
        a->start[count] = (int32_t)first, a->end[count] = (int32_t)i;
        a->hash[count] = hash;
        a->alphabetic[count] = (uint8_t)alphabetic;
        class = CLASS(text[first]);
        a->capital[count] = (class & UPPER) != 0, a->numeric[count] = (class & DIGIT) != 0;
        count++;
    }
    return count;
}

static void look_words_up(const Tables *t, Arrays *a, int64_t count) {
    enum { AHEAD = 8 };
    for (int64_t i = 0; i < count; i++) {
        if (i + AHEAD < count) {
            uint64_t ahead = first_entry(t, a->hash[i + AHEAD]);
            PREFETCH(&t->entries[ahead]);
            PREFETCH(&t->ids[ahead]);
            PREFETCH(&t->flags[ahead]);
        }
        uint64_t slot = find_entry(t, a->hash[i]);
        int known = t->entries[slot].hash != 0;
        a->id[i] = known ? t->ids[slot] : -1;
        a->zipf[i] = known ? t->entries[slot].zipf : 0;
        a->flags[i] = known ? t->flags[slot] : 0;
    }
}

/* Punctuation before each word, as unspun.examined.breaks has it. */
static void find_breaks(const Tables *t, const uint32_t *text, Arrays *a, int64_t count) {
    a->breaks[0] = a->breaks[count] = 1;
    for (int64_t i = 1; i < count; i++) {
        int32_t from = a->end[i - 1], to = a->start[i];
        int lines = 0;
        a->breaks[i] = 0;
        for (int32_t k = from; to - from > 1 && k < to; k++) {
            uint32_t c = text[k];
            if (c == '\n') lines++;
            if (lines == 2) a->breaks[i] = 1;
            if (CLASS(c) & SPACE) continue;
            lines = 0;
            if (!(is_apostrophe(c) || c == '-' || c == 0x2010 || c == 0x2011)) a->breaks[i] = 1;
        }
    }
}

static inline int is_stop(uint32_t c) { return c == '.' || c == '!' || c == '?' || c == 0x2026; }
static inline int is_closer(uint32_t c) {
    return c == '"' || c == '\'' || c == 0x201d || c == 0x2019 || c == ')' || c == ']';
}
static inline int is_opener(uint32_t c) {
    return c == '"' || c == '\'' || c == 0x201c || c == 0x2018 || c == '(' || c == '[';
}
static inline int ends_line(uint32_t c) {
    return (c >= 0x0a && c <= 0x0d) || c == 0x85 || c == 0x2028 || c == 0x2029;
}

/* Whether the full stop at text[stop] belongs to an abbreviation or an initial. */
static int is_abbreviated(const Tables *t, const uint32_t *text, int64_t stop) {
    enum { LONGEST = 12 };
    int64_t low = stop > LONGEST ? stop - LONGEST : 0, end = stop;
    if (end > low && text[end - 1] == '\n') end--;
    int64_t first = end;
    while (first > low && (CLASS(text[first - 1]) & ALNUM || text[first - 1] == '_' || text[first - 1] == '.')) first--;
    if (first == end) return 0;
    if (end - first == 1 && CLASS(text[first]) & ALPHA) return 1;
    uint64_t hash = 0;
    for (int64_t k = first; k < end; k++) {
        uint32_t c = text[k];
        hash = mix(hash, (CLASS(c) & ALNUM ? FOLD(c) : c) + 1);
    }
    uint64_t slot = find_entry(t, hash);
    return t->entries[slot].hash && t->flags[slot] & ABBREVIATION;
}

/* The words from *first to word are a sentence, or several where they are more than unspun.text.MAX_SENTENCE. */
static int64_t end_sentence(Arrays *a, int64_t *first, int64_t word, int64_t sentence) {
    enum { MAX_SENTENCE = 1000 };
    for (int64_t i = *first; i < word; i++) {
        a->opens[i] = (i - *first) % MAX_SENTENCE == 0;
        a->sentence[i] = (int32_t)(sentence + (i - *first) / MAX_SENTENCE);
    }
    sentence += (word - *first + MAX_SENTENCE - 1) / MAX_SENTENCE;
    *first = word;
    return sentence;
}

/* Numbers the words' sentences as unspun.text.Text.sentences has them; how many there are. */
static int64_t split_sentences(const Tables *t, const uint32_t *text, int64_t length, Arrays *a, int64_t count) {
    int64_t word = 0, sentence = 0, i = 0, first = 0;
    while (i < length) {
        int64_t end = 0;
        if (is_stop(text[i])) {
            int64_t stop = i;
            while (i < length && is_stop(text[i])) i++;
            int64_t closed = i, next;
            while (closed < length && is_closer(text[closed])) closed++;
            next = closed;
            while (next < length && CLASS(text[next]) & SPACE) next++;
            if (next > closed) {
                while (next < length && is_opener(text[next])) next++;
                if (next < length && CLASS(text[next]) & ALNUM && !(text[next] >= 'a' && text[next] <= 'z'))
                    end = closed;
            }
            if (!end) {
                closed = i;
                while (closed < length && is_closer(text[closed]) && text[closed] != '\'') closed++;
                next = closed;
                while (next < length && CLASS(text[next]) & SPACE) next++;
                if (next == length) end = closed;
            }
            if (!end) continue;
            i = end;
            if (text[stop] == '.' && is_abbreviated(t, text, stop)) continue;
        } else if (ends_line(text[i])) {
            while (i < length && ends_line(text[i])) i++;
            end = i;
        } else {
            i++;
            continue;
        }
        while (word < count && a->start[word] < end) word++;
        sentence = end_sentence(a, &first, word, sentence);
    }
    return end_sentence(a, &first, count, sentence);
}
