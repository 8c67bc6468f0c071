/* Networks and trees: sums of whole numbers, the same in any order (unspun.networks, unspun.trees). */

static void add_units(const Network *n, int32_t network, const int16_t *inputs, int32_t *units) {
    int32_t pairs = (n->inputs + 1) / 2;
    const int16_t *weights = n->hidden + (int64_t)network * pairs * n->units * 2;
    memcpy(units, n->hidden_bias + (int64_t)network * n->units, (size_t)n->units * sizeof(int32_t));
    for (int32_t j = 0; j < pairs; j++, weights += 2 * n->units) {
        int32_t one = inputs[2 * j], two = inputs[2 * j + 1];
        for (int32_t u = 0; u < n->units; u++) units[u] += weights[2 * u] * one + weights[2 * u + 1] * two;
    }
}

static double add_output(const double *output, const int32_t *units, int32_t count) {
    double total = 0;
    for (int32_t u = 0; u < count; u++) total += output[u] * (units[u] > 0 ? units[u] : 0);
    return total;
}

/* Added and taken away, these round a smaller number to the nearest whole one, ties to even, as rint does. */
#define ROUND 6755399441055744.0
#define ROUND_FLOAT 12582912.0f

static void standardise(const Network *n, const double *features, int16_t *inputs) {
    for (int32_t k = 0; k < n->inputs; k++) {
        double value = (features[k] - n->mean[k]) * n->steps[k];
        value = value < -n->most ? -n->most : value > n->most ? n->most : value;
        inputs[k] = (int16_t)(value + ROUND - ROUND);
    }
}

#ifdef AVX2
/* The same, four at a time. */
AVX2 static void standardise_wide(const Network *n, const double *features, int16_t *inputs) {
    const __m256d most = _mm256_set1_pd(n->most), least = _mm256_set1_pd(-n->most);
    int32_t k = 0;
    for (; k + 4 <= n->inputs; k += 4) {
        __m256d value = _mm256_sub_pd(_mm256_loadu_pd(features + k), _mm256_loadu_pd(n->mean + k));
        value = _mm256_min_pd(_mm256_max_pd(_mm256_mul_pd(value, _mm256_loadu_pd(n->steps + k)), least), most);
        __m128i whole = _mm256_cvtpd_epi32(value);
        _mm_storel_epi64((__m128i *)(inputs + k), _mm_packs_epi32(whole, whole));
    }
    const Network rest = {.inputs = n->inputs - k, .mean = n->mean + k, .steps = n->steps + k, .most = n->most};
    standardise(&rest, features + k, inputs + k);
}

AVX2 static inline __m256d add_lit(__m256d total, __m256i units, const double *output) {
    __m256i lit = _mm256_max_epi32(units, _mm256_setzero_si256());
    __m256d low = _mm256_cvtepi32_pd(_mm256_castsi256_si128(lit));
    __m256d high = _mm256_cvtepi32_pd(_mm256_extracti128_si256(lit, 1));
    total = _mm256_add_pd(total, _mm256_mul_pd(_mm256_loadu_pd(output), low));
    return _mm256_add_pd(total, _mm256_mul_pd(_mm256_loadu_pd(output + 4), high));
}

/* What one of the networks makes of its inputs, sixteen units at a time. */
AVX2 static double run_network_wide(const Network *n, int32_t network, const int16_t *inputs) {
    int32_t pairs = (n->inputs + 1) / 2;
    __m256d total = _mm256_setzero_pd();
    for (int32_t u = 0; u < n->units; u += 16) {
        const int16_t *weights = n->hidden + ((int64_t)network * pairs * n->units + u) * 2;
        const int64_t first = (int64_t)network * n->units + u;
        __m256i one = _mm256_loadu_si256((const __m256i *)(n->hidden_bias + first));
        __m256i two = _mm256_loadu_si256((const __m256i *)(n->hidden_bias + first + 8));
        for (int32_t j = 0; j < pairs; j++, weights += 2 * n->units) {
            int32_t both;
            memcpy(&both, inputs + 2 * j, sizeof both);
            __m256i input = _mm256_set1_epi32(both);
            one = _mm256_add_epi32(one, _mm256_madd_epi16(_mm256_loadu_si256((const __m256i *)weights), input));
            two = _mm256_add_epi32(two, _mm256_madd_epi16(_mm256_loadu_si256((const __m256i *)(weights + 16)), input));
        }
        total = add_lit(add_lit(total, one, n->output + first), two, n->output + first + 8);
    }
    double parts[4];
    _mm256_storeu_pd(parts, total);
    return parts[0] + parts[1] + parts[2] + parts[3];
}
#endif

static double run_network(const Network *n, int32_t network, const int16_t *inputs) {
    int32_t units[MOST_UNITS];
    add_units(n, network, inputs, units);
    return add_output(n->output + (int64_t)network * n->units, units, n->units);
}

static double score(const Network *n, const double *features) {
    int16_t inputs[MOST_INPUTS] = {0};
    double margins = 0;
#ifdef AVX2
    if (HAS_AVX2 && n->units % 16 == 0) {
        standardise_wide(n, features, inputs);
        for (int32_t i = 0; i < n->count; i++)
            margins += run_network_wide(n, i, inputs) * n->step[i] + n->output_bias[i];
        return n->slope * (margins / n->count) + n->offset;
    }
#endif
    standardise(n, features, inputs);
    for (int32_t i = 0; i < n->count; i++) margins += run_network(n, i, inputs) * n->step[i] + n->output_bias[i];
    return n->slope * (margins / n->count) + n->offset;
}

/* unspun.networks.Networks.margin: rows of features float64[count][inputs] */
EXPORT void unspun_score_rows(const Network *network, const double *features, int64_t count, double *margins) {
    for (int64_t i = 0; i < count; i++) margins[i] = score(network, features + i * network->inputs);
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
