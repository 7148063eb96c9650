/* SPDX-License-Identifier: MIT */
/* tracestate.c - what other vendors say of a trace, in order.
 *
 *   list   = member *( OWS "," OWS member ), members may be empty
 *   member = key "=" value
 *   key    = a-z then up to 255 of a-z 0-9 _ - * /, or tenant "@" system:
 *            a-z 0-9 then up to 240 of these, a-z then up to 13 of these
 *   value  = up to 256 of 0x20 .. 0x7e but "," and "=", not ending in a space
 *                                               [W3C Trace Context, level 1]
 *
 * A state is kept in one form: no spaces, no empty members, at most 32 members,
 * no key twice, at most GIRT_TRACESTATE_MAX bytes. */
#include <string.h>

#include <girt/trace.h>

enum {
    MEMBERS_MAX = 32,
    KEY_MAX = 256,
    TENANT_MAX = 241,
    SYSTEM_MAX = 14,
    VALUE_MAX = 256,
    LONG_MEMBER = 128 /* over it: the first to go where there is no room */
};

typedef struct member {
    const char *text;
    size_t size;
    size_t key_size;
} member;

typedef struct member_list {
    member members[MEMBERS_MAX];
    size_t count;
} member_list;

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool are_key_characters(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        char const c = text[i];
        if (!is_lower(c) && !is_digit(c) && c != '_' && c != '-' && c != '*' &&
            c != '/')
            return false;
    }
    return true;
}

static bool is_key(const char *text, size_t size)
{
    if (size == 0)
        return false;
    const char *const at = memchr(text, '@', size);
    if (at == NULL)
        return size <= KEY_MAX && is_lower(text[0]) &&
               are_key_characters(text, size);
    size_t const tenant = (size_t)(at - text), system = size - tenant - 1;
    return tenant >= 1 && tenant <= TENANT_MAX && system >= 1 &&
           system <= SYSTEM_MAX && (is_lower(text[0]) || is_digit(text[0])) &&
           is_lower(at[1]) && are_key_characters(text, tenant) &&
           are_key_characters(at + 1, system);
}

static bool is_value(const char *text, size_t size)
{
    if (size == 0 || size > VALUE_MAX || text[size - 1] == ' ')
        return false;
    for (size_t i = 0; i < size; i++) {
        if (text[i] < 0x20 || text[i] > 0x7e || text[i] == ',' ||
            text[i] == '=')
            return false;
    }
    return true;
}

static bool has_key(const member_list *list, const char *key, size_t key_size)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->members[i].key_size == key_size &&
            memcmp(list->members[i].text, key, key_size) == 0)
            return true;
    }
    return false;
}

/* false: against the grammar, a key twice, or too many. */
static bool add_member(member_list *list, const char *text, size_t size)
{
    const char *const equals = memchr(text, '=', size);
    if (equals == NULL)
        return false;
    size_t const key_size = (size_t)(equals - text);
    if (!is_key(text, key_size) || !is_value(equals + 1, size - key_size - 1) ||
        has_key(list, text, key_size) || list->count == MEMBERS_MAX)
        return false;
    list->members[list->count++] = (member){text, size, key_size};
    return true;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool add_members(member_list *list, const char *text, size_t size)
{
    for (size_t at = 0; at <= size;) {
        const char *const comma =
            at < size ? memchr(text + at, ',', size - at) : NULL;
        size_t end = comma != NULL ? (size_t)(comma - text) : size;
        size_t const next = end + 1;
        while (at < end && is_blank(text[at]))
            at++;
        while (end > at && is_blank(text[end - 1]))
            end--;
        if (end > at && !add_member(list, text + at, end - at))
            return false;
        at = next;
    }
    return true;
}

static size_t joined_size(const member_list *list)
{
    size_t size = list->count == 0 ? 0 : list->count - 1;
    for (size_t i = 0; i < list->count; i++)
        size += list->members[i].size;
    return size;
}

static void remove_member(member_list *list, size_t index)
{
    list->count--;
    memmove(list->members + index, list->members + index + 1,
            (list->count - index) * sizeof *list->members);
}

/* Until it fits: long members from the last to the first, then the last ones.
 * `keep` members in front stay: they fit by themselves. */
static void cut(member_list *list, size_t keep)
{
    for (size_t i = list->count;
         i > keep && joined_size(list) > GIRT_TRACESTATE_MAX; i--) {
        if (list->members[i - 1].size > LONG_MEMBER)
            remove_member(list, i - 1);
    }
    while (joined_size(list) > GIRT_TRACESTATE_MAX)
        list->count--;
}

/* The members may stand in `state` itself. */
static void join(girt_tracestate *state, const member_list *list)
{
    girt_tracestate joined;
    size_t size = 0;
    for (size_t i = 0; i < list->count; i++) {
        if (i > 0)
            joined.text[size++] = ',';
        memcpy(joined.text + size, list->members[i].text,
               list->members[i].size);
        size += list->members[i].size;
    }
    memcpy(state->text, joined.text, size);
    memset(state->text + size, 0, sizeof state->text - size);
    state->size = (uint16_t)size;
}

/* The members of a state; false: not one of ours. */
static bool list_of(member_list *list, const girt_tracestate *state)
{
    list->count = 0;
    return state->size <= GIRT_TRACESTATE_MAX &&
           state->text[state->size] == '\0' &&
           add_members(list, state->text, state->size);
}

girt_status girt_tracestate_parse(girt_tracestate *state, const char *text,
                                  size_t size)
{
    member_list list;
    if (state == NULL || (text == NULL && size != 0) || !list_of(&list, state))
        return GIRT_E_INVALID;
    if (text != NULL && !add_members(&list, text, size))
        return GIRT_E_PROTOCOL;
    cut(&list, 0);
    join(state, &list);
    return GIRT_OK;
}

girt_status girt_tracestate_get(const girt_tracestate *state, const char *key,
                                const char **value, size_t *size)
{
    member_list list;
    if (state == NULL || key == NULL || value == NULL || size == NULL ||
        !list_of(&list, state))
        return GIRT_E_INVALID;
    size_t const key_size = strnlen(key, KEY_MAX + 1);
    for (size_t i = 0; i < list.count; i++) {
        const member *const m = &list.members[i];
        if (m->key_size != key_size || memcmp(m->text, key, key_size) != 0)
            continue;
        *value = m->text + key_size + 1;
        *size = m->size - key_size - 1;
        return GIRT_OK;
    }
    return GIRT_MISSING;
}

girt_status girt_tracestate_set(girt_tracestate *state, const char *key,
                                const char *value)
{
    member_list list, changed = {.count = 0};
    char text[KEY_MAX + 1 + VALUE_MAX];
    if (state == NULL || key == NULL || !list_of(&list, state))
        return GIRT_E_INVALID;
    size_t const key_size = strnlen(key, KEY_MAX + 1);
    if (!is_key(key, key_size))
        return GIRT_E_INVALID;
    if (value != NULL) {
        size_t const value_size = strnlen(value, VALUE_MAX + 1);
        if (!is_value(value, value_size) ||
            key_size + 1 + value_size > GIRT_TRACESTATE_MAX)
            return GIRT_E_INVALID;
        memcpy(text, key, key_size);
        text[key_size] = '=';
        memcpy(text + key_size + 1, value, value_size);
        changed.members[changed.count++] =
            (member){text, key_size + 1 + value_size, key_size};
    }
    for (size_t i = 0; i < list.count && changed.count < MEMBERS_MAX; i++) {
        const member *const m = &list.members[i];
        if (m->key_size != key_size || memcmp(m->text, key, key_size) != 0)
            changed.members[changed.count++] = *m;
    }
    cut(&changed, value != NULL ? 1 : 0);
    join(state, &changed);
    return GIRT_OK;
}
