/* A thread's work space, kept between calls. */

typedef struct {
    int32_t *start, *end, *id, *sentence, *place;
    uint64_t *hash;
    float *zipf, *sorted, *features;
    uint8_t *flags, *breaks, *capital, *numeric, *opens, *alphabetic;
    uint8_t *odd; /* words with hard letters; NULL where such a text is left to the caller */
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
    a->odd = NULL;
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
