/* The compiled twin: what scores articles, in one library that Python calls through ctypes.
 *
 * An article without references is scored in one call, unspun_measure below. One with them goes through Python, which
 * calls the parts one by one; each names its plain counterpart there. All do what these do, in the same order of
 * operations, so that their numbers are the same; tests compare them. Where a text holds what compiled code does not
 * know (letters whose lower case or compatible form is more than one letter, hidden characters, combining marks), it
 * says so, and the caller goes the long way.
 *
 * No state is kept between calls but a thread's own work space. Compile with -ffp-contract=off: a fused multiplication
 * rounds once where numpy rounds twice.
 */

#include "tables.h"
#include "words.h"
#include "space.h"
#include "text.h"
#include "grammar.h"
#include "lookups.h"
#include "scorers.h"
#include "wording.h"
#include "examined.h"
#include "references.h"
#include "alignment.h"
#include "style.h"
#include "usage.h"
#include "pairs.h"
#include "originals.h"
#include "scores.h"

EXPORT int32_t unspun_version(void) { return VERSION; }

typedef struct {
    double odds, score;
    int64_t words, page;
    double features[ARTICLE_FEATURES];
} Result;

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
    wide = HAS_AVX2;
#endif

    int64_t contents, unknown = 0;
    double zipf;
    for (int64_t i = 0; i < count; i++) unknown += a->id[i] < 0;
    float usual = find_usual(t, a, count, &contents, &zipf);
    int64_t examined = examine_words(t, a, count, NULL, usual, a->place, a->features, wide);
    for (int64_t i = 0; i < examined; i++) {
        double row[WORD_FEATURES];
        for (int k = 0; k < WORD_FEATURES; k++) row[k] = a->features[i * WORD_FEATURES + k];
        a->words[i] = score(&t->words, row);
        a->strange[i] = score(&t->strange, row);
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
    result->odds = score(&t->alone, result->features);
    result->score = to_probability(result->odds);
    give_back();
    return SCORED;
}

/* What unspun.compiled counts on, one after another; -1 behind the last. */
EXPORT int64_t unspun_size(int32_t which) {
    const int64_t sizes[] = {
        sizeof(Tables), sizeof(Result), sizeof(Network), WORD_FEATURES, ARTICLE_FEATURES, MOST_SYNONYMS, WINDOW,
        DIMENSIONS, sizeof(Forest), sizeof(Compared), PAIR_FEATURES, DIRECTION_FEATURES, USAGE_FEATURES,
        SECOND_FEATURES, COMPARED_FEATURES, WORDING_FEATURES,
    };
    return which >= 0 && which < (int32_t)(sizeof sizes / sizeof *sizes) ? sizes[which] : -1;
}
