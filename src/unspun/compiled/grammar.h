/* Wrong articles, doubled words and known phrases, counted: unspun.extractors.grammar and phrases. */

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
