/* What compiled code reads: the tables that Python fills in. */

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
#define VERSION 13

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
    const float *priors; /* [size], see wording.h */
    const uint8_t *synonym_sources;
    /* pairs of synonyms, either way, and their sources; only where texts are compared, as are lemmas */
    KeyTable synonyms, spellings;
    const uint8_t *synonym_bits, *kinds; /* kinds: of words, see alignment.h */
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
