/* The compiled twin of the path without references: a text's words, their features, their scores, the article's; and
 * networks, trees and look-ups for the path with references, whose other parts are in compared.h.
 *
 * It does what unspun.text, examined, extractors.wording, extractors.grammar, extractors.phrases, habits, networks and
 * features do, in the same order of operations, so that its numbers are theirs; tests compare them. Where a text holds
 * what it does not know (letters whose lower case or compatible form is more than one letter, hidden characters,
 * combining marks), it says so, and the caller goes the long way.
 *
 * No state is kept between calls but a thread's own work space. Compile with -ffp-contract=off: a fused multiplication
 * rounds once where numpy rounds twice.
 */

#include <math.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#define HAS_AVX2 __builtin_cpu_supports("avx2")
#define AVX2 __attribute__((target("avx2")))
#endif

#define EXPORT __attribute__((visibility("default")))
#define PREFETCH(address) __builtin_prefetch(address)
#define first_bit(bits) __builtin_ctzll(bits)

/* Changed whenever something here is called in another way: unspun.compiled.library refuses a library of another. */
#define VERSION 8

enum { PAGE = 256, PAGES = 0x1100 };
/* What a character is, see unspun.compiled.twin. */
enum { ALNUM = 1, DECIMAL = 2, SPACE = 4, UPPER = 8, CASED = 16, DIGIT = 32, ALPHA = 64, HARD = 128 };
/* What is known of a word beside its number and its frequency. */
enum { ENGLISH = 1, ABBREVIATION = 2, MAY_DOUBLE = 4, BEGINS_PHRASE = 8 };
enum { SCORED = 0, TOO_SHORT = 1, NOT_ENGLISH = 2, HARD_TEXT = 3, NEW_PAGE = 4, NO_MEMORY = 5 };

enum { WORD_FEATURES = 29, HABITS = 6, ARTICLE_FEATURES = 23, MOST_SYNONYMS = 8, DIMENSIONS = 100, WINDOW = 6 };
enum { MOST_UNITS = 64, MOST_INPUTS = 32 };

typedef struct {
    const uint64_t *slots;
    int32_t shift, place_bits;
    /* A filter of two bits a key in front (Bloom 1970), in one word: it is an eighth as large as the slots and says of
     * most keys that they are not there. NULL where there is none. */
    const uint64_t *filter;
    int32_t filter_shift, padding;
} KeyTable;

typedef struct {
    int32_t count, inputs, units, padding;
    const double *mean, *steps;
    const int16_t *hidden;      /* [count][inputs / 2, rounded up][units][2] */
    const int32_t *hidden_bias; /* [count][units] */
    const double *output;       /* [count][units], whole numbers */
    const double *step, *output_bias;
    double most, slope, offset;
} Network;

typedef struct {
    uint64_t hash;
    float zipf;
    int32_t padding;
} Entry;

typedef struct {
    float unigram, backoff, channel, padding;
} WordLogs;

typedef struct {
    /* characters, by pages of 256; NULL where a page was not asked for yet */
    const uint8_t *const *classes;
    const uint32_t *const *folds;
    /* words */
    const Entry *entries;
    const int32_t *ids; /* of the lexicon, -1 for others */
    const uint8_t *flags;
    uint64_t entry_mask;
    const uint64_t *phrases;
    uint64_t phrase_mask;
    int32_t longest_phrase, least_words;
    double least_english;
    /* the lexicon */
    int64_t size;
    const WordLogs *logs; /* [size + 3] */
    KeyTable pairs, triples;
    const uint8_t *pair_logs;
    const int16_t *gains;
    const int8_t *triple_backoff;
    float log_step, gain_step;
    const int32_t *synonym_starts, *synonym_ids;
    const uint8_t *synonym_sources;
    /* pairs of synonyms, either way, and their sources; only where texts are compared, as are lemmas */
    KeyTable synonyms, spellings;
    const uint8_t *synonym_bits, *kinds; /* kinds: of words, see compared.h */
    const int32_t *lemmas;
    const uint8_t *inflections;
    const float *out_degrees;
    /* hashes of words, a few of a sort, and of which */
    const uint64_t *marked;
    const uint8_t *marks;
    const int32_t *spelt_at;
    const uint32_t *spelt;
    uint64_t marked_mask;
    const int8_t *vectors;
    const int32_t *squares;
    const int64_t *shares;
    int32_t last_share;
    float share_steps, most_zipf, function_zipf;
    int64_t stretch;
    /* habits; NULL where the caller knows them */
    const float *habits, *after_values, *before_values;
    KeyTable after, before;
    Network words, strange, alone;
} Tables;

typedef struct {
    double odds, score;
    int64_t words, page;
    double features[ARTICLE_FEATURES];
} Result;

EXPORT int32_t unspun_version(void) { return VERSION; }

/* --- words ---------------------------------------------------------------------------------------------------- */

static inline uint64_t mix(uint64_t hash, uint64_t next) {
    hash = (hash ^ next) * 0x9E3779B97F4A7C15u;
    return hash ^ (hash >> 29);
}

static uint64_t hash_letters(const uint32_t *letters, int64_t length) {
    uint64_t hash = 0;
    for (int64_t i = 0; i < length; i++) hash = mix(hash, letters[i] + 1);
    return hash;
}

static inline uint64_t first_entry(const Tables *t, uint64_t hash) {
    return (hash * 0xD6E8FEB86659FD93u) >> 20 & t->entry_mask;
}

static inline uint64_t find_entry(const Tables *t, uint64_t hash) {
    uint64_t slot = first_entry(t, hash);
    while (t->entries[slot].hash && t->entries[slot].hash != hash) slot = (slot + 1) & t->entry_mask;
    return slot;
}

/* Puts words, one a line of UTF-32, into the entries, new ones with their zipf (0 where that is NULL). Where ids or flags
 * are given, the words are numbered there, or get a flag more. */
EXPORT void unspun_add_words(
    Entry *entries, uint64_t mask, const uint32_t *letters, int64_t length, const float *zipf, int32_t *ids,
    uint8_t *flags, int32_t flag
) {
    Tables t = {.entries = entries, .entry_mask = mask};
    int64_t first = 0, number = 0;
    for (int64_t i = 0; i <= length; i++) {
        if (i < length && letters[i] != '\n') continue;
        uint64_t hash = hash_letters(letters + first, i - first);
        uint64_t slot = find_entry(&t, hash);
        if (!entries[slot].hash) {
            entries[slot].hash = hash;
            entries[slot].zipf = zipf ? zipf[number] : 0;
        }
        if (ids) ids[slot] = (int32_t)number;
        if (flags) flags[slot] |= (uint8_t)flag;
        number++;
        first = i + 1;
    }
}

/* The zipf of words, one a line of UTF-32; 0 of those that are not there. */
EXPORT void unspun_find_frequencies(
    const Entry *entries, uint64_t mask, const uint32_t *letters, int64_t length, float *zipf
) {
    Tables t = {.entries = entries, .entry_mask = mask};
    int64_t first = 0;
    for (int64_t i = 0; i <= length; i++) {
        if (i < length && letters[i] != '\n') continue;
        uint64_t slot = find_entry(&t, hash_letters(letters + first, i - first));
        *zipf++ = entries[slot].hash ? entries[slot].zipf : 0;
        first = i + 1;
    }
}

/* Puts phrases, one a line of UTF-32 with single spaces, into a set. */
EXPORT void unspun_add_phrases(uint64_t *phrases, uint64_t mask, const uint32_t *letters, int64_t length) {
    uint64_t phrase = 0;
    int64_t first = 0;
    for (int64_t i = 0; i <= length; i++) {
        if (i < length && letters[i] != '\n' && letters[i] != ' ') continue;
        phrase = mix(phrase, hash_letters(letters + first, i - first));
        first = i + 1;
        if (i < length && letters[i] == ' ') continue;
        uint64_t slot = phrase & mask;
        while (phrases[slot] && phrases[slot] != phrase) slot = (slot + 1) & mask;
        phrases[slot] = phrase;
        phrase = 0;
    }
}

static int is_phrase(const Tables *t, uint64_t phrase) {
    uint64_t slot = phrase & t->phrase_mask;
    while (t->phrases[slot] && t->phrases[slot] != phrase) slot = (slot + 1) & t->phrase_mask;
    return t->phrases[slot] != 0;
}

/* Fills a KeyTable of unspun.key_table: the slots are empty, each number goes to the first free one. */
EXPORT void unspun_fill_slots(
    uint64_t *slots, int32_t shift, int32_t place_bits, uint64_t mask, const uint64_t *keys, int64_t count
) {
    for (int64_t i = 0; i < count; i++) {
        uint64_t slot = keys[i] * 0x9E3779B97F4A7C15u >> shift;
        while (slots[slot] != UINT64_MAX) slot = (slot + 1) & mask;
        slots[slot] = keys[i] << place_bits | (uint64_t)i;
    }
}

/* --- a thread's work space ------------------------------------------------------------------------------------ */

typedef struct {
    int32_t *start, *end, *id, *sentence, *place;
    uint64_t *hash;
    float *zipf, *sorted, *features;
    uint8_t *flags, *breaks, *capital, *numeric, *opens, *alphabetic;
    double *words, *strange;
} Arrays;

typedef struct {
    char *block;
    size_t size;
    uint32_t *times; /* [lexicon], all zero between calls */
    int64_t times_size;
} Space;

static __thread Space space;
static pthread_key_t ended;
static pthread_once_t prepared = PTHREAD_ONCE_INIT;

/* A thread that ends gives its work space back. */
static void release(void *one) {
    Space *left = one;
    free(left->block);
    free(left->times);
    *left = (Space){0};
}

static void prepare(void) { pthread_key_create(&ended, release); }

/* Larger blocks are given back after the call: one long text must not keep memory for good. */
enum { KEPT = 8 << 20 };

static char *take(char **at, size_t bytes) {
    char *taken = *at;
    *at += (bytes + 63) / 64 * 64;
    return taken;
}

static int reserve(Arrays *a, int64_t most_words, int64_t size) {
    size_t n = (size_t)most_words + 2;
    size_t wanted = n * (5 * 4 + 8 + 2 * 4 + WORD_FEATURES * 4 + 6 + 2 * 8) + 64 * 32;
    if (space.size < wanted) {
        free(space.block);
        space.block = malloc(wanted);
        space.size = space.block ? wanted : 0;
    }
    pthread_once(&prepared, prepare);
    pthread_setspecific(ended, &space);
    if (space.times_size < size) {
        free(space.times);
        space.times = calloc((size_t)size, sizeof(uint32_t));
        space.times_size = space.times ? size : 0;
    }
    if (!space.block || !space.times) return 0;
    char *at = (char *)(((uintptr_t)space.block + 63) / 64 * 64);
    a->start = (int32_t *)take(&at, 4 * n), a->end = (int32_t *)take(&at, 4 * n), a->id = (int32_t *)take(&at, 4 * n);
    a->sentence = (int32_t *)take(&at, 4 * n), a->place = (int32_t *)take(&at, 4 * n);
    a->hash = (uint64_t *)take(&at, 8 * n);
    a->zipf = (float *)take(&at, 4 * n), a->sorted = (float *)take(&at, 4 * n);
    a->features = (float *)take(&at, 4 * n * WORD_FEATURES);
    a->flags = (uint8_t *)take(&at, n), a->breaks = (uint8_t *)take(&at, n), a->capital = (uint8_t *)take(&at, n);
    a->numeric = (uint8_t *)take(&at, n), a->opens = (uint8_t *)take(&at, n), a->alphabetic = (uint8_t *)take(&at, n);
    a->words = (double *)take(&at, 8 * n), a->strange = (double *)take(&at, 8 * n);
    return 1;
}

static void give_back(void) {
    if (space.size > KEPT) {
        free(space.block);
        space.block = NULL;
        space.size = 0;
    }
}

/* --- text ----------------------------------------------------------------------------------------------------- */

#define CLASS(c) (t->classes[(c) / PAGE][(c) % PAGE])
#define FOLD(c) (t->folds[(c) / PAGE][(c) % PAGE])

static inline int is_apostrophe(uint32_t c) { return c == '\'' || c == 0x2019; }

/* Words as unspun.text.WORD finds them; -1 where one is too hard. */
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
        int alphabetic = 1;
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
                if (CLASS(text[k]) & HARD) return -1;
                hash = mix(hash, FOLD(text[k]) + 1);
            }
            alphabetic = 0;
        } else {
            for (;;) {
                for (; i < length && (class = CLASS(text[i])) & ALNUM; i++) {
                    if (class & HARD) return -1;
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
                if (next < length && CLASS(text[next]) & ALNUM && !(text[next] >= 'a' && text[next] <= 'z')) end = closed;
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

/* --- grammar and phrases -------------------------------------------------------------------------------------- */

typedef struct {
    const Tables *tables;
    const uint32_t *text;
    int64_t length;
} Shown;

static uint32_t letter_at(const Shown *word, int64_t i) {
    if (i >= word->length) return 0;
    const Tables *t = word->tables;
    uint32_t c = word->text[i];
    return CLASS(c) & ALNUM ? FOLD(c) : is_apostrophe(c) ? '\'' : c;
}

static int begins(const Shown *word, const char *with) {
    int64_t i = 0;
    for (; with[i]; i++)
        if (letter_at(word, i) != (uint32_t)(unsigned char)with[i]) return 0;
    return 1;
}

static int begins_whole(const Shown *word, const char *with) {
    const Tables *t = word->tables;
    uint32_t next = letter_at(word, (int64_t)strlen(with));
    return begins(word, with) && !(next && CLASS(next) & ALNUM);
}

static int begins_with_any(const Shown *word, const char *const *prefixes) {
    for (; *prefixes; prefixes++)
        if (begins(word, *prefixes)) return 1;
    return 0;
}

/* unspun.extractors.grammar.wrong_article */
static int is_wrong_article(int an, const Shown *word) {
    static const char *const either[] = {"histor", "hotel", "hero", "habit", "hyster", "horrif", "herb", "heredit", 0};
    static const char *const vowels[] = {"hour", "honest", "honor", "honour", "heir", "8", 0};
    static const char *const consonants[] = {
        "unanim", "unary", "usa", "use", "usi", "usu", "uta", "ute", "uti", "uto", "eu", "ew", "ura", "ure", "uri",
        "uro", "ubiq", "ufo", 0,
    };
    if (begins_with_any(word, either)) return 0;
    int vowel = begins_with_any(word, vowels) || begins_whole(word, "11") || begins_whole(word, "18");
    uint32_t first = letter_at(word, 0), fourth = letter_at(word, 3);
    if (!vowel && (first == 'a' || first == 'e' || first == 'i' || first == 'o' || first == 'u')) {
        int consonant = begins_with_any(word, consonants) || begins_whole(word, "one") || begins_whole(word, "once") ||
                        begins_whole(word, "u") ||
                        (begins(word, "uni") && fourth != 'd' && fourth != 'm' && fourth != 'n');
        vowel = !consonant;
    }
    return an ? !vowel : vowel;
}

static int is_shouted(const Tables *t, const uint32_t *text, int64_t from, int64_t to) {
    int upper = 0;
    for (int64_t k = from; k < to; k++) {
        if (CLASS(text[k]) & UPPER) upper = 1;
        else if (CLASS(text[k]) & CASED) return 0;
    }
    return upper;
}

static void count_grammar(
    const Tables *t, const uint32_t *text, const Arrays *a, int64_t count, double *wrong, double *doubled
) {
    static const uint32_t letters[] = {'a', 'n'};
    const uint64_t a_hash = hash_letters(letters, 1), an_hash = hash_letters(letters, 2);
    *wrong = *doubled = 0;
    for (int64_t i = 0; i + 1 < count; i++) {
        int an = a->hash[i] == an_hash;
        if ((a->hash[i] != a->hash[i + 1] && a->hash[i] != a_hash && !an) || a->breaks[i + 1]) continue;
        int64_t from = a->start[i + 1], to = a->end[i + 1];
        if (an || a->hash[i] == a_hash) {
            if (to - from > 2 && !is_shouted(t, text, from, to) && !(CLASS(text[from]) & DIGIT)) {
                Shown next = {t, text + from, to - from};
                *wrong += is_wrong_article(an, &next);
            }
        } else if (to - from > 1 && a->alphabetic[i] && !(a->flags[i] & MAY_DOUBLE)) {
            *doubled += !(a->capital[i] && a->capital[i + 1]);
        }
    }
}

static double count_phrases(const Tables *t, const Arrays *a, int64_t count) {
    double found = 0;
    for (int64_t i = 0; i < count; i++) {
        if (!(a->flags[i] & BEGINS_PHRASE)) continue;
        uint64_t phrase = mix(0, a->hash[i]);
        int64_t longest = 0; /* the shortest phrases have two words */
        for (int64_t k = 1; k < t->longest_phrase && i + k < count && !a->breaks[i + k]; k++) {
            phrase = mix(phrase, a->hash[i + k]);
            if (is_phrase(t, phrase)) longest = k + 1;
        }
        if (longest) {
            found++;
            i += longest - 1;
        }
    }
    return found;
}

/* --- look-ups ------------------------------------------------------------------------------------------------- */

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

static inline uint64_t filter_bits(uint64_t product) { return 1ull << (product >> 24 & 63) | 1ull << (product >> 18 & 63); }

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

/* --- networks: sums of whole numbers, the same in any order ---------------------------------------------------- */

static void add_units_plainly(const Network *n, int32_t network, const int16_t *inputs, int32_t *units) {
    int32_t pairs = (n->inputs + 1) / 2;
    const int16_t *weights = n->hidden + (int64_t)network * pairs * n->units * 2;
    memcpy(units, n->hidden_bias + (int64_t)network * n->units, (size_t)n->units * sizeof(int32_t));
    for (int32_t j = 0; j < pairs; j++, weights += 2 * n->units) {
        int32_t one = inputs[2 * j], two = inputs[2 * j + 1];
        for (int32_t u = 0; u < n->units; u++) units[u] += weights[2 * u] * one + weights[2 * u + 1] * two;
    }
}

static double add_output_plainly(const double *output, const int32_t *units, int32_t count) {
    double total = 0;
    for (int32_t u = 0; u < count; u++) total += output[u] * (units[u] > 0 ? units[u] : 0);
    return total;
}

#ifdef AVX2
AVX2 static void add_units_by_eight(const Network *n, int32_t network, const int16_t *inputs, int32_t *units) {
    int32_t pairs = (n->inputs + 1) / 2;
    for (int32_t u = 0; u < n->units; u += 16) {
        const int16_t *weights = n->hidden + ((int64_t)network * pairs * n->units + u) * 2;
        const int32_t *bias = n->hidden_bias + (int64_t)network * n->units + u;
        __m256i one = _mm256_loadu_si256((const __m256i *)bias), two = _mm256_loadu_si256((const __m256i *)(bias + 8));
        for (int32_t j = 0; j < pairs; j++, weights += 2 * n->units) {
            int32_t both;
            memcpy(&both, inputs + 2 * j, sizeof both);
            __m256i input = _mm256_set1_epi32(both);
            one = _mm256_add_epi32(one, _mm256_madd_epi16(_mm256_loadu_si256((const __m256i *)weights), input));
            two = _mm256_add_epi32(two, _mm256_madd_epi16(_mm256_loadu_si256((const __m256i *)(weights + 16)), input));
        }
        _mm256_storeu_si256((__m256i *)(units + u), one);
        _mm256_storeu_si256((__m256i *)(units + u + 8), two);
    }
}

AVX2 static double add_output_by_four(const double *output, const int32_t *units, int32_t count) {
    __m256d total = _mm256_setzero_pd();
    for (int32_t u = 0; u < count; u += 4) {
        __m128i lit = _mm_max_epi32(_mm_loadu_si128((const __m128i *)(units + u)), _mm_setzero_si128());
        total = _mm256_add_pd(total, _mm256_mul_pd(_mm256_loadu_pd(output + u), _mm256_cvtepi32_pd(lit)));
    }
    double parts[4];
    _mm256_storeu_pd(parts, total);
    return parts[0] + parts[1] + parts[2] + parts[3];
}
#endif

/* Added and taken away, these round a smaller number to the nearest whole one, ties to even, as rint does. */
#define ROUND 6755399441055744.0
#define ROUND_FLOAT 12582912.0f

static double score(const Network *n, const double *features, int wide) {
    int16_t inputs[MOST_INPUTS] = {0};
    int32_t units[MOST_UNITS];
    double margins = 0;
    for (int32_t k = 0; k < n->inputs; k++) {
        double value = (features[k] - n->mean[k]) * n->steps[k];
        value = value < -n->most ? -n->most : value > n->most ? n->most : value;
        inputs[k] = (int16_t)(value + ROUND - ROUND);
    }
    for (int32_t i = 0; i < n->count; i++) {
        double total;
        const double *output = n->output + (int64_t)i * n->units;
#ifdef AVX2
        if (wide) {
            add_units_by_eight(n, i, inputs, units);
            total = add_output_by_four(output, units, n->units);
        } else
#endif
        {
            add_units_plainly(n, i, inputs, units);
            total = add_output_plainly(output, units, n->units);
        }
        margins += total * n->step[i] + n->output_bias[i];
    }
    (void)wide;
    return n->slope * (margins / n->count) + n->offset;
}

/* unspun.networks.Networks.margin: rows of features float64[count][inputs] */
EXPORT void unspun_score_rows(const Network *network, const double *features, int64_t count, double *margins) {
    int wide = 0;
#ifdef AVX2
    wide = HAS_AVX2 && network->units % 16 == 0;
#endif
    for (int64_t i = 0; i < count; i++) margins[i] = score(network, features + i * network->inputs, wide);
}

enum { ABREAST = 16 };

typedef struct {
    double threshold;
    uint64_t gone; /* the leaves on its left, which a value above the threshold rules out */
    int64_t feature;
} Node;

/* The leaves that rows of features, by columns double[][ABREAST], reach in a tree: the first that no node rules out
 * (QuickScorer: Lucchese et al. 2015). */
static void rule_leaves_out(const Node *node, const Node *last, const double *columns, uint64_t *left) {
    for (int i = 0; i < ABREAST; i++) left[i] = UINT64_MAX;
    for (; node < last; node++) {
        const double *values = columns + node->feature * ABREAST;
        for (int i = 0; i < ABREAST; i++) left[i] &= ~(node->gone & -(uint64_t)(values[i] > node->threshold));
    }
}

#ifdef AVX2
AVX2 static void rule_leaves_out_wide(const Node *node, const Node *last, const double *columns, uint64_t *left) {
    enum { FOURS = ABREAST / 4 };
    __m256i still[FOURS];
    for (int i = 0; i < FOURS; i++) still[i] = _mm256_set1_epi64x(-1);
    for (; node < last; node++) {
        const double *values = columns + node->feature * ABREAST;
        __m256d threshold = _mm256_set1_pd(node->threshold);
        __m256d gone = _mm256_castsi256_pd(_mm256_set1_epi64x((int64_t)node->gone));
        for (int i = 0; i < FOURS; i++) {
            __m256d above = _mm256_cmp_pd(_mm256_loadu_pd(values + 4 * i), threshold, _CMP_GT_OQ);
            still[i] = _mm256_andnot_si256(_mm256_castpd_si256(_mm256_and_pd(above, gone)), still[i]);
        }
    }
    for (int i = 0; i < FOURS; i++) _mm256_storeu_si256((__m256i *)(left + 4 * i), still[i]);
}
#else
#define rule_leaves_out_wide rule_leaves_out
#endif

/* unspun.trees.Trees.margin: the sums of the leaves that rows of features float64[count][width] reach; work: room for
 * float64[width][ABREAST]. */
EXPORT void unspun_add_leaves(
    const Node *nodes, const int64_t *node_starts, const int64_t *leaves, const int64_t *leaf_starts, int64_t trees,
    const double *features, int64_t count, int64_t width, double *work, int64_t *sums
) {
    int wide = 0;
#ifdef AVX2
    wide = HAS_AVX2;
#endif
    for (int64_t from = 0; from < count; from += ABREAST) {
        int64_t size = count - from < ABREAST ? count - from : ABREAST, total[ABREAST] = {0};
        for (int64_t k = 0; k < width; k++)
            for (int64_t i = 0; i < ABREAST; i++)
                work[k * ABREAST + i] = i < size ? features[(from + i) * width + k] : 0;
        for (int64_t tree = 0; tree < trees; tree++) {
            const Node *node = nodes + node_starts[tree], *last = nodes + node_starts[tree + 1];
            const int64_t *values = leaves + leaf_starts[tree];
            uint64_t left[ABREAST];
            if (wide) rule_leaves_out_wide(node, last, work, left);
            else rule_leaves_out(node, last, work, left);
            for (int i = 0; i < ABREAST; i++) total[i] += values[first_bit(left[i])];
        }
        memcpy(sums + from, total, (size_t)size * sizeof *sums);
    }
}

static float find_cosine(const int8_t *vectors, const int32_t *squares, int32_t a, int32_t b) {
    if (a < 0 || b < 0) return 0;
    const int8_t *one = vectors + (int64_t)a * DIMENSIONS, *two = vectors + (int64_t)b * DIMENSIONS;
    int32_t dot = 0;
    for (int k = 0; k < DIMENSIONS; k++) dot += one[k] * two[k];
    int64_t product = (int64_t)squares[a] * squares[b];
    return (float)((double)dot / sqrt((double)(product > 1 ? product : 1)));
}

/* unspun.lexicon.Lexicon.similarity */
EXPORT void unspun_compare_words(
    const int8_t *vectors, const int32_t *squares, const int32_t *a, const int32_t *b, int64_t count, float *cosines
) {
    enum { AHEAD = 8 };
    for (int64_t i = 0; i < count; i++) {
        if (i + AHEAD < count) {
            PREFETCH(vectors + (int64_t)(a[i + AHEAD] < 0 ? 0 : a[i + AHEAD]) * DIMENSIONS);
            PREFETCH(vectors + (int64_t)(b[i + AHEAD] < 0 ? 0 : b[i + AHEAD]) * DIMENSIONS);
        }
        cosines[i] = find_cosine(vectors, squares, a[i], b[i]);
    }
}

/* --- wording -------------------------------------------------------------------------------------------------- */

static double to_probability(double margin) {
    const double most = 12.0;
    return 1.0 / (1.0 + exp(-(margin < -most ? -most : margin > most ? most : margin)));
}

static int32_t multiply(const int16_t *a, const int16_t *b) {
    int32_t sum = 0;
    for (int k = 0; k < DIMENSIONS; k++) sum += a[k] * b[k];
    return sum;
}

#ifdef AVX2
AVX2 static int32_t multiply_wide(const int16_t *a, const int16_t *b) {
    int32_t sum = 0;
    for (int k = 0; k < DIMENSIONS; k++) sum += a[k] * b[k];
    return sum;
}
#else
#define multiply_wide multiply
#endif

static float compare(const Tables *t, const int16_t *around, int64_t square, int32_t id, int wide) {
    int16_t vector[DIMENSIONS];
    for (int k = 0; k < DIMENSIONS; k++) vector[k] = t->vectors[(int64_t)id * DIMENSIONS + k];
    int64_t product = square * t->squares[id];
    double dot = wide ? multiply_wide(around, vector) : multiply(around, vector);
    return (float)(dot / sqrt((double)(product > 1 ? product : 1)));
}

/* The sum of the vectors of the content words around, moved on word by word. */
typedef struct {
    int16_t sum[DIMENSIONS];
    int64_t entered, left;
} Topic;

static void add_vector(const Tables *t, const Arrays *a, Topic *topic, int64_t i, int sign) {
    if (a->id[i] < 0 || !(a->zipf[i] < t->function_zipf) || a->numeric[i]) return;
    const int8_t *vector = t->vectors + (int64_t)a->id[i] * DIMENSIONS;
    if (sign > 0)
        for (int k = 0; k < DIMENSIONS; k++) topic->sum[k] = (int16_t)(topic->sum[k] + vector[k]);
    else
        for (int k = 0; k < DIMENSIONS; k++) topic->sum[k] = (int16_t)(topic->sum[k] - vector[k]);
}

static void move_topic(const Tables *t, const Arrays *a, Topic *topic, int64_t place, int64_t count) {
    while (topic->entered < count && topic->entered <= place + WINDOW) add_vector(t, a, topic, topic->entered++, 1);
    while (topic->left < place - WINDOW) add_vector(t, a, topic, topic->left++, -1);
}

static inline int32_t id_at(const Arrays *a, int64_t i, int closed) { return closed ? -1 : a->id[i]; }

static inline void look_around(const Arrays *a, int64_t count, int64_t i, Around *r) {
    int before = a->breaks[i], after = a->breaks[i + 1];
    r->left = id_at(a, i - 1, before);
    r->before_left = id_at(a, i - 2, before || a->breaks[i - 1]);
    r->right = id_at(a, i + 1, after);
    r->after_right = id_at(a, i + 2, after || i + 2 > count || a->breaks[i + 2]);
}

static float log2_of(int64_t number) {
    static const float small[] = {0.0f, 0.0f, 1.0f};
    return number <= 2 ? small[number] : (float)log2((double)number);
}

/* log10 of the sum of what logs are logarithms of, and the highest of these */
static double add_logs(const Tables *t, const float *logs, int64_t count, float *peak) {
    int64_t total = 0;
    *peak = logs[0];
    for (int64_t k = 1; k < count; k++) *peak = logs[k] > *peak ? logs[k] : *peak;
    for (int64_t k = 0; k < count; k++) {
        float below = (*peak - logs[k]) * t->share_steps + ROUND_FLOAT - ROUND_FLOAT;
        total += t->shares[below < (float)t->last_share ? (int64_t)below : t->last_share];
    }
    return (double)*peak + log10((double)total / (double)t->shares[0]);
}

/* Where the habit of a word after, or before, its neighbour is, -1 for nowhere. */
static inline int64_t find_after(const Tables *t, int32_t left, int32_t own) {
    return left < 0 ? -1 : find_key(&t->after, habit_key(t, left, own));
}
static inline int64_t find_before(const Tables *t, int32_t own, int32_t right) {
    return right < 0 ? -1 : find_key(&t->before, habit_key(t, own, right));
}

/* unspun.habits.Habits.look_up */
static void write_habits(const Tables *t, int32_t own, int64_t after, int64_t before, float *f) {
    const float *habit = t->habits + (int64_t)own * 2;
    *f++ = habit[0], *f++ = habit[1];
    *f++ = after < 0 ? habit[0] : t->after_values[2 * after];
    *f++ = after < 0 ? 0 : t->after_values[2 * after + 1];
    *f++ = before < 0 ? habit[0] : t->before_values[2 * before];
    *f++ = before < 0 ? 0 : t->before_values[2 * before + 1];
}

enum { BLOCK = 8, TRIED = 1 + MOST_SYNONYMS };

static int64_t count_synonyms(const Tables *t, int32_t id) {
    return id < 0 ? 0 : t->synonym_starts[id + 1] - t->synonym_starts[id];
}

/* Writes the features of up to BLOCK words at places[]; in rounds, each of which asks for the memory of the next. */
static void examine_block(
    const Tables *t, const Arrays *a, int64_t count, const int32_t *places, int64_t size, float usual, Topic *topic,
    float *features, int wide
) {
    Around around[BLOCK];
    int32_t tried[BLOCK][TRIED];
    int64_t follow[BLOCK][TRIED], lead[BLOCK][TRIED], synonyms[BLOCK], habit_after[BLOCK], habit_before[BLOCK];
    for (int64_t b = 0; b < size; b++) {
        int64_t place = places[b];
        Around *r = &around[b];
        look_around(a, count, place, r);
        int32_t own = a->id[place];
        const int32_t *candidates = t->synonym_ids + t->synonym_starts[own];
        synonyms[b] = count_synonyms(t, own);
        if (synonyms[b] > MOST_SYNONYMS) synonyms[b] = MOST_SYNONYMS;
        tried[b][0] = own;
        memcpy(tried[b] + 1, candidates, (size_t)synonyms[b] * sizeof(int32_t));
        if (r->before_left >= 0) PREFETCH(t->pairs.slots + first_slot(&t->pairs, pair_key(t, r->before_left, r->left)));
        if (r->after_right >= 0) PREFETCH(t->pairs.slots + first_slot(&t->pairs, pair_key(t, r->right, r->after_right)));
        if (t->habits) {
            if (r->left >= 0) PREFETCH(t->after.slots + first_slot(&t->after, habit_key(t, r->left, own)));
            if (r->right >= 0) PREFETCH(t->before.slots + first_slot(&t->before, habit_key(t, own, r->right)));
            PREFETCH(t->habits + (int64_t)own * 2);
        }
        for (int64_t k = 0; k <= synonyms[b]; k++) {
            PREFETCH(t->logs + tried[b][k]);
            PREFETCH(space.times + tried[b][k]);
            if (r->left >= 0) ask_filter(&t->pairs, pair_key(t, r->left, tried[b][k]));
            if (r->right >= 0) ask_filter(&t->pairs, pair_key(t, tried[b][k], r->right));
        }
    }
    for (int64_t b = 0; b < size; b++) {
        Around *r = &around[b];
        r->before = find_pair(t, r->before_left, r->left);
        r->after = find_pair(t, r->right, r->after_right);
        r->usual = r->right >= 0 ? log_pair(t, r->after, r->right, r->after_right) : 0;
        if (r->before >= 0) PREFETCH(t->triple_backoff + r->before);
        habit_after[b] = t->habits ? find_after(t, r->left, tried[b][0]) : -1;
        habit_before[b] = t->habits ? find_before(t, tried[b][0], r->right) : -1;
        if (habit_after[b] >= 0) PREFETCH(t->after_values + 2 * habit_after[b]);
        if (habit_before[b] >= 0) PREFETCH(t->before_values + 2 * habit_before[b]);
        for (int64_t k = 0; k <= synonyms[b]; k++) {
            follow[b][k] = ask_pair(t, r->left, tried[b][k]);
            lead[b][k] = ask_pair(t, tried[b][k], r->right);
            if (r->before >= 0) ask_filter(&t->triples, triple_key(t, r->before, tried[b][k]));
        }
    }
    for (int64_t b = 0; b < size; b++) {
        const Around *r = &around[b];
        for (int64_t k = 0; k <= synonyms[b]; k++) {
            int32_t word = tried[b][k];
            if (r->before >= 0) ask_triple(t, r->before, word);
            if (follow[b][k]) {
                follow[b][k] = find_pair(t, r->left, word);
                if (follow[b][k] >= 0) {
                    PREFETCH(t->pair_logs + follow[b][k]);
                    PREFETCH(t->triple_backoff + follow[b][k]);
                    if (r->right >= 0) ask_filter(&t->triples, triple_key(t, follow[b][k], r->right));
                }
            } else {
                follow[b][k] = -1;
            }
            if (lead[b][k]) {
                lead[b][k] = find_pair(t, word, r->right);
                if (lead[b][k] >= 0) {
                    PREFETCH(t->pair_logs + lead[b][k]);
                    PREFETCH(t->triple_backoff + lead[b][k]);
                    if (r->after_right >= 0) ask_filter(&t->triples, triple_key(t, lead[b][k], r->after_right));
                }
            } else {
                lead[b][k] = -1;
            }
        }
    }
    float left[BLOCK][TRIED], right[BLOCK][TRIED], posterior[BLOCK][MOST_SYNONYMS];
    int64_t best[BLOCK];
    for (int64_t b = 0; b < size; b++) {
        best[b] = 0;
        for (int64_t k = 0; k <= synonyms[b]; k++) {
            int32_t word = tried[b][k];
            measure_fit(t, &around[b], word, follow[b][k], lead[b][k], &left[b][k], &right[b][k]);
            if (!k) continue;
            posterior[b][k - 1] = left[b][k] + right[b][k] + t->logs[word].channel;
            if (posterior[b][k - 1] > posterior[b][best[b]]) best[b] = k - 1;
        }
        int32_t other = tried[b][best[b] + 1];
        PREFETCH(t->vectors + (int64_t)other * DIMENSIONS);
        PREFETCH(t->vectors + (int64_t)other * DIMENSIONS + 64);
        PREFETCH(t->squares + other);
        PREFETCH(t->synonym_sources + t->synonym_starts[tried[b][0]] + best[b]);
    }
    for (int64_t b = 0; b < size; b++) {
        int64_t place = places[b], number = synonyms[b], most_times = 0;
        const Around *r = &around[b];
        float channel[MOST_SYNONYMS], peak, prior_peak;
        for (int64_t k = 0; k < number; k++) {
            int32_t word = tried[b][k + 1];
            channel[k] = t->logs[word].channel;
            if (space.times[word] > most_times) most_times = space.times[word];
        }
        int32_t own = tried[b][0], other = tried[b][best[b] + 1];
        float own_unigram = t->logs[own].unigram, own_left = left[b][0], own_right = right[b][0];
        float best_left = left[b][best[b] + 1], best_right = right[b][best[b] + 1], best_channel = channel[best[b]];
        float together = own_left + own_right + own_unigram;
        double gain = add_logs(t, posterior[b], number, &peak) - (double)together;
        double prior = add_logs(t, channel, number, &prior_peak) - (double)own_unigram;
        uint8_t bits = t->synonym_sources[t->synonym_starts[own] + best[b]];
        int64_t product = (int64_t)t->squares[own] * t->squares[other];
        int16_t near[DIMENSIONS];
        const int8_t *mine = t->vectors + (int64_t)own * DIMENSIONS, *its = t->vectors + (int64_t)other * DIMENSIONS;
        move_topic(t, a, topic, place, count);
        int content = a->zipf[place] < t->function_zipf; /* numbers are not examined */
        int32_t dot = 0;
        for (int k = 0; k < DIMENSIONS; k++) {
            near[k] = (int16_t)(topic->sum[k] - (content ? mine[k] : 0));
            dot += mine[k] * its[k];
        }
        int64_t square = wide ? multiply_wide(near, near) : multiply(near, near);
        float context = compare(t, near, square, own, wide);
        float *f = features + b * WORD_FEATURES;
        *f++ = (float)gain;
        *f++ = peak - together;
        *f++ = best_left + best_channel - own_left - own_unigram;
        *f++ = best_right + best_channel - own_right - own_unigram;
        *f++ = (float)prior;
        *f++ = own_left, *f++ = own_right, *f++ = best_left, *f++ = best_right;
        *f++ = a->zipf[place];
        *f++ = t->logs[other].unigram - own_unigram;
        *f++ = (float)((double)dot / sqrt((double)(product > 1 ? product : 1)));
        *f++ = (float)((bits & 1) != 0) + (float)((bits & 2) != 0) + (float)((bits & 8) != 0);
        *f++ = (float)count_synonyms(t, own);
        *f++ = a->capital[place], *f++ = a->opens[place];
        *f++ = (float)(r->left < 0) + (float)(r->right < 0);
        *f++ = a->zipf[place] - usual;
        *f++ = context;
        *f++ = compare(t, near, square, other, wide) - context;
        *f++ = log2_of(space.times[own]);
        *f++ = log2_of(1 + space.times[other]);
        *f++ = log2_of(1 + most_times);
        if (!t->habits) {
            for (int k = 0; k < HABITS; k++) *f++ = 0;
            continue;
        }
        write_habits(t, own, habit_after[b], habit_before[b], f);
    }
}

/* The value that would stand at `rank` if values were sorted; puts no greater ones before it (Hoare 1961). */
static float select_float(float *values, int64_t count, int64_t rank) {
    int64_t low = 0, high = count - 1;
    while (low < high) {
        float pivot = values[low + (high - low) / 2];
        int64_t i = low, j = high;
        while (i <= j) {
            while (values[i] < pivot) i++;
            while (values[j] > pivot) j--;
            if (i <= j) {
                float swap = values[i];
                values[i++] = values[j], values[j--] = swap;
            }
        }
        if (rank <= j) high = j;
        else if (rank >= i) low = i;
        else break;
    }
    return values[rank];
}

static void select_highest(double *values, int64_t count, int64_t wanted) {
    int64_t low = 0, high = count - 1;
    while (low < high) {
        double pivot = values[low + (high - low) / 2];
        int64_t i = low, j = high;
        while (i <= j) {
            while (values[i] > pivot) i++;
            while (values[j] < pivot) j--;
            if (i <= j) {
                double swap = values[i];
                values[i++] = values[j], values[j--] = swap;
            }
        }
        if (wanted - 1 <= j) high = j;
        else if (wanted - 1 >= i) low = i;
        else break;
    }
}

/* unspun.features._summarise_words; odds[] becomes probabilities in another order */
static double *summarise(const Arrays *a, double *odds, int64_t examined, int64_t sentences, double *out) {
    const double least = log(1e-3 / (1 - 1e-3));
    double sum = 0, logs = 0, half = 0, sure = 0, hit = 0, top = 0;
    int32_t last_hit = -1;
    for (int64_t i = 0; i < examined; i++) {
        double p = odds[i] == -INFINITY ? 0 : to_probability(odds[i]);
        logs += odds[i] < least ? least : odds[i] > -least ? -least : odds[i];
        sum += p;
        half += p > 0.5, sure += p > 0.8;
        int32_t sentence = a->sentence[a->place[i]];
        if (p > 0.6 && sentence != last_hit) last_hit = sentence, hit++;
        odds[i] = p;
    }
    int64_t tenth = examined / 10 > 1 ? examined / 10 : 1;
    select_highest(odds, examined, tenth);
    for (int64_t i = 0; i < tenth; i++) top += odds[i];
    double n = (double)examined;
    *out++ = sum / n, *out++ = half / n, *out++ = sure / n, *out++ = top / (double)tenth;
    *out++ = logs / n, *out++ = hit / (double)sentences;
    return out;
}

/* The first features of unspun.features.measure_alone, of the examined words' features and log-odds, which this takes
 * apart; what is behind them. */
static double *measure_wording(Arrays *a, int64_t count, int64_t examined, int64_t sentences, double *out) {
    double unfit = 0, fit_sum = 0, gain = 0, prior = 0, m = (double)(examined ? examined : 1);
    for (int64_t i = 0; i < examined; i++) {
        const float *row = a->features + i * WORD_FEATURES;
        double fit = row[5] < row[6] ? row[5] : row[6];
        unfit += fit < -0.5, fit_sum += fit, gain += row[0], prior += row[4];
    }
    if (!examined) {
        examined = 1;
        a->place[0] = 0;
        a->words[0] = a->strange[0] = -INFINITY;
    }
    *out++ = log((double)count + 1);
    out = summarise(a, a->words, examined, sentences, out);
    out = summarise(a, a->strange, examined, sentences, out);
    *out++ = unfit / m, *out++ = fit_sum / m, *out++ = gain / m, *out++ = prior / m;
    return out;
}

/* The median frequency of the content words, and how many there are and what these sum up to. */
static float find_usual(const Tables *t, Arrays *a, int64_t count, int64_t *contents, double *total) {
    int64_t found = 0;
    *total = 0;
    for (int64_t i = 0; i < count; i++) {
        if (!(a->zipf[i] < t->function_zipf) || a->numeric[i]) continue;
        a->sorted[found++] = a->zipf[i];
        *total += a->zipf[i];
    }
    *contents = found;
    if (!found) return 5;
    float usual = select_float(a->sorted, found, found / 2);
    if (found % 2) return usual;
    float below = a->sorted[0];
    for (int64_t i = 1; i < found / 2; i++) below = a->sorted[i] > below ? a->sorted[i] : below;
    return (below + usual) / 2;
}

/* The features of the examined words: those of `among` (all where that is NULL) that have synonyms and are no function
 * words; their places. How many they are. Words are counted within stretches, see unspun.extractors.wording. */
static int64_t examine_words(
    const Tables *t, const Arrays *a, int64_t count, const uint8_t *among, float usual, int32_t *places,
    float *features, int wide
) {
    int64_t examined = 0, stretches = (count + t->stretch - 1) / t->stretch;
    Topic topic = {{0}, 0, 0};
    for (int64_t s = 0; s < stretches; s++) {
        int64_t first = count * s / stretches, last = count * (s + 1) / stretches, from = examined;
        for (int64_t i = first; i < last; i++) {
            int32_t id = a->id[i];
            if (id >= 0) space.times[id]++;
            if (among && !among[i]) continue;
            if (count_synonyms(t, id) > 0 && a->zipf[i] < t->most_zipf && !a->numeric[i]) {
                places[examined++] = (int32_t)i;
                PREFETCH(t->synonym_ids + t->synonym_starts[id]);
                PREFETCH(t->vectors + (int64_t)id * DIMENSIONS);
            }
        }
        for (; from < examined; from += BLOCK) {
            int64_t size = examined - from < BLOCK ? examined - from : BLOCK;
            examine_block(t, a, count, places + from, size, usual, &topic, features + from * WORD_FEATURES, wide);
        }
        for (int64_t i = first; i < last; i++)
            if (a->id[i] >= 0) space.times[a->id[i]] = 0;
    }
    return examined;
}

/* Why a text gets no score, as unspun.detector.find_unscored_reason has it; SCORED where it gets one. */
static int refuse(const Tables *t, const uint32_t *text, int64_t length, const Arrays *a, int64_t count) {
    int64_t foreign = 0, letters = 0, alphabetic = 0, english = 0;
    for (int64_t i = 0; i < length; i++) {
        if (!(CLASS(text[i]) & ALPHA)) continue;
        letters++;
        foreign += text[i] > 0x24f;
    }
    if (foreign && 2 * foreign > letters) return NOT_ENGLISH;
    if (count < t->least_words) return TOO_SHORT;
    for (int64_t i = 0; i < count; i++) {
        alphabetic += a->alphabetic[i];
        english += (a->flags[i] & ENGLISH) != 0;
    }
    return (double)english < t->least_english * (double)alphabetic ? NOT_ENGLISH : SCORED;
}

/* The article's calibrated log-odds and what they were made of; a page of characters that is wanted in result->page. */
EXPORT int32_t unspun_measure(const Tables *t, const uint32_t *text, int64_t length, Result *result) {
    Arrays arrays, *a = &arrays;
    if (length > INT32_MAX) return HARD_TEXT; /* places are kept in 32 bits */
    for (int64_t i = 0; i < length; i++) {
        if (!t->classes[text[i] / PAGE]) {
            result->page = text[i] / PAGE;
            return NEW_PAGE;
        }
    }
    if (!reserve(a, length / 2 + 1, t->size)) return NO_MEMORY;
    int64_t count = split_words(t, text, length, a);
    if (count < 0) {
        give_back();
        return HARD_TEXT;
    }
    result->words = count;
    look_words_up(t, a, count);
    int refused = refuse(t, text, length, a, count);
    if (refused != SCORED) {
        give_back();
        return refused;
    }
    find_breaks(t, text, a, count);
    int64_t sentences = split_sentences(t, text, length, a, count);
    int wide = 0;
#ifdef AVX2
    wide = HAS_AVX2 && t->words.units % 16 == 0 && t->strange.units % 16 == 0 && t->alone.units % 16 == 0;
#endif

    int64_t contents, unknown = 0;
    double zipf;
    for (int64_t i = 0; i < count; i++) unknown += a->id[i] < 0;
    float usual = find_usual(t, a, count, &contents, &zipf);
    int64_t examined = examine_words(t, a, count, NULL, usual, a->place, a->features, wide);
    for (int64_t i = 0; i < examined; i++) {
        double row[WORD_FEATURES];
        for (int k = 0; k < WORD_FEATURES; k++) row[k] = a->features[i * WORD_FEATURES + k];
        a->words[i] = score(&t->words, row, wide);
        a->strange[i] = score(&t->strange, row, wide);
    }

    double n = (double)count, wrong, doubled;
    double *out = measure_wording(a, count, examined, sentences, result->features);
    count_grammar(t, text, a, count, &wrong, &doubled);
    *out++ = 100.0 * wrong / n;
    *out++ = 100.0 * doubled / n;
    *out++ = 100.0 * count_phrases(t, a, count) / n;
    *out++ = 0; /* tricks: such text is hard */
    *out++ = (double)unknown / n;
    *out++ = contents ? zipf / (double)contents : 0;
    result->odds = score(&t->alone, result->features, wide);
    result->score = to_probability(result->odds);
    give_back();
    return SCORED;
}

/* What only articles with references need, made of the same parts: one library, so that these are compiled into it. */
#include "compared.h"

/* What unspun.compiled counts on, one after another; -1 behind the last. */
EXPORT int64_t unspun_size(int32_t which) {
    const int64_t sizes[] = {
        sizeof(Tables), sizeof(Result), sizeof(Network), WORD_FEATURES, ARTICLE_FEATURES, MOST_SYNONYMS, WINDOW,
        DIMENSIONS, sizeof(Forest), sizeof(Compared), PAIR_FEATURES, DIRECTION_FEATURES, USAGE_FEATURES,
        SECOND_FEATURES, COMPARED_FEATURES, WORDING_FEATURES,
    };
    return which >= 0 && which < (int32_t)(sizeof sizes / sizeof *sizes) ? sizes[which] : -1;
}
