/* Words, pairs and articles beside references scored: unspun.scoring, second_look, features. */

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
    for (int64_t i = 0; i < count; i++, features += WORD_FEATURES) {
        double row[WORD_FEATURES];
        write_habits(
            t, ids[i], find_after(t, left[i], ids[i]), find_before(t, ids[i], right[i]),
            features + WORD_FEATURES - HABITS
        );
        for (int k = 0; k < WORD_FEATURES; k++) row[k] = features[k];
        words[i] = score(&t->words, row);
        if (strange) strange[i] = score(&t->strange, row);
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

/* unspun.features.measure_compared but for what comes from the article alone; work space: taken uint8[2 * words],
 * ranked [pairs]; usage is taken apart. */
static void measure_compared(
    const Compared *c, const double *swaps, const double *probability, const double *direction, double *usage,
    uint8_t *taken, Ranked *ranked, double *out
) {
    enum { QUOTED = 16, CAPITAL = 17, SUPPORTED = 21, FLUENCY_MEAN = 11 };
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
