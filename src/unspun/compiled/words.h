/* Words by their hashes, and the sets that they are looked up in. */

static inline uint64_t mix(uint64_t hash, uint64_t next) {
    hash = (hash ^ next) * 0x9E3779B97F4A7C15u;
    return hash ^ (hash >> 29);
}

/* Of this process: else somebody could write a text whose words all want one slot of the tables made for it. */
static uint64_t salt = 0x9E3779B97F4A7C15u;

EXPORT void unspun_set_salt(uint64_t value) { salt = value | 1; }

/* The slot that a key wants in a table of mask + 1, a power of two (multiply-shift: Dietzfelbinger et al. 1997), by an
 * odd salt: tables that may go to another process keep theirs. */
static inline uint64_t salted_slot(uint64_t key, uint64_t mask, uint64_t odd) {
    key *= 0xD6E8FEB86659FD93u;
    return mask ? ((key ^ key >> 32) * odd) >> __builtin_clzll(mask) : 0;
}

static inline uint64_t wanted_slot(uint64_t key, uint64_t mask) { return salted_slot(key, mask, salt); }

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

/* Puts words, one a line of UTF-32, into the entries, new ones with their zipf (0 where that is NULL). Where ids or
 * flags are given, the words are numbered there, or get a flag more. */
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
