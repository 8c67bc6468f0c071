/* Words held against their synonyms: unspun.extractors.wording, and what unspun.features makes of it. */

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


static double to_probability(double margin) {
    const double most = 12.0;
    return 1.0 / (1.0 + exp(-(margin < -most ? -most : margin > most ? most : margin)));
}

static int32_t multiply(const int16_t *a, const int16_t *b) {
    int32_t sum = 0;
    for (int k = 0; k < DIMENSIONS; k++) sum += a[k] * b[k];
    return sum;
}

static int32_t multiply_bytes(const int16_t *a, const int8_t *b) {
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

AVX2 static int32_t multiply_bytes_wide(const int16_t *a, const int8_t *b) {
    __m256i sums = _mm256_setzero_si256();
    int32_t parts[8], sum = 0;
    int k = 0;
    for (; k + 16 <= DIMENSIONS; k += 16) {
        __m256i bytes = _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(b + k)));
        sums = _mm256_add_epi32(sums, _mm256_madd_epi16(_mm256_loadu_si256((const __m256i *)(a + k)), bytes));
    }
    for (; k < DIMENSIONS; k++) sum += a[k] * b[k];
    _mm256_storeu_si256((__m256i *)parts, sums);
    for (int i = 0; i < 8; i++) sum += parts[i];
    return sum;
}
#else
#define multiply_wide multiply
#define multiply_bytes_wide multiply_bytes
#endif

static float compare(const Tables *t, const int16_t *around, int64_t square, int32_t id, int wide) {
    const int8_t *vector = t->vectors + (int64_t)id * DIMENSIONS;
    int64_t product = square * t->squares[id];
    double dot = wide ? multiply_bytes_wide(around, vector) : multiply_bytes(around, vector);
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

static int64_t count_synonyms(const Tables *t, int32_t id) {
    return id < 0 ? 0 : t->synonym_starts[id + 1] - t->synonym_starts[id];
}

/* How much likelier than a word its synonyms are by themselves: of every word of the lexicon, 0 without synonyms. */
EXPORT void unspun_fill_priors(const Tables *t, float *priors) {
    for (int32_t own = 0; own < t->size; own++) {
        float channel[MOST_SYNONYMS], peak;
        int64_t number = count_synonyms(t, own);
        if (number > MOST_SYNONYMS) number = MOST_SYNONYMS;
        for (int64_t k = 0; k < number; k++) channel[k] = t->logs[t->synonym_ids[t->synonym_starts[own] + k]].channel;
        priors[own] = number ? (float)(add_logs(t, channel, number, &peak) - (double)t->logs[own].unigram) : 0;
    }
}

enum { BLOCK = 8, TRIED = 1 + MOST_SYNONYMS };

/* The place of a pair that may be there; asks for what is known of it before the word that comes next. */
static inline int64_t take_pair(const Tables *t, int32_t a, int32_t b, int32_t next) {
    int64_t pair = find_pair(t, a, b);
    if (pair < 0) return pair;
    PREFETCH(t->pair_logs + pair);
    PREFETCH(t->triple_backoff + pair);
    if (next >= 0) ask_filter(&t->triples, triple_key(t, pair, next));
    return pair;
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
        if (r->after_right >= 0)
            PREFETCH(t->pairs.slots + first_slot(&t->pairs, pair_key(t, r->right, r->after_right)));
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
            follow[b][k] = follow[b][k] ? take_pair(t, r->left, word, r->right) : -1;
            lead[b][k] = lead[b][k] ? take_pair(t, word, r->right, r->after_right) : -1;
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
        float peak;
        for (int64_t k = 1; k <= number; k++)
            if (space.times[tried[b][k]] > most_times) most_times = space.times[tried[b][k]];
        int32_t own = tried[b][0], other = tried[b][best[b] + 1];
        float own_unigram = t->logs[own].unigram, own_left = left[b][0], own_right = right[b][0];
        float best_left = left[b][best[b] + 1], best_right = right[b][best[b] + 1];
        float best_channel = t->logs[other].channel;
        float together = own_left + own_right + own_unigram;
        double gain = add_logs(t, posterior[b], number, &peak) - (double)together;
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
        *f++ = t->priors[own];
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
