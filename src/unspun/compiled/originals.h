/* What may have stood where a word was swapped in: unspun.extractors.originals. */

enum { ORIGINAL_FEATURES = 11, MOST_LIKELY = 8 };

/* The `most` (MOST_LIKELY or fewer) likeliest originals of the words at places int32[count]: likeliest int32[count]
 * [most], -1 where there are no more. weights [ORIGINAL_FEATURES]. */
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
