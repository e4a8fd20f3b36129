/* file/catalogue_read_cells.c -- tables whose cells are texts: what the readers of text files
 * share. */
#include <config.h>
#include "file/catalogue_read_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* One, or up to n with blanks between them. */
static int is_number(const char *text, int64_t n)
{
    char *end;
    do {
        strtod(text, &end);
        if (end == text)
            return 0;
        end += strspn(end, " ");
        text = end;
    } while (--n > 0 && *end);
    return !*end;
}

/* No value: an empty cell, or what databases and table writers put for one. */
static int is_missing(const char *text)
{
    static const char *const words[] = {"", "null", "none", "na", "n/a", "--", "-", "masked"};
    text += strspn(text, " ");
    size_t n = strlen(text);
    while (n && text[n - 1] == ' ')
        n--;
    for (size_t k = 0; k < sizeof words / sizeof *words; k++)
        if (strlen(words[k]) == n && !strncasecmp(words[k], text, n))
            return 1;
    return 0;
}

void anpe_table_cells_find_types(anpe_catalogue_file *c, const anpe_table_cells *t)
{
    for (int64_t i = 0; i < c->n_rows * c->n_columns; i++)
        if (!is_missing(t->cell[i]) && !is_number(t->cell[i], c->column[i % c->n_columns].width))
            c->column[i % c->n_columns].can = ANPE_TABLE_TEXTS;
}

void anpe_table_cells_reals(const anpe_catalogue_file *c, const anpe_table_cells *t, int column,
                            int64_t element, double *values)
{
    for (int64_t r = 0; r < c->n_rows; r++) {
        const char *cell = t->cell[r * c->n_columns + column];
        for (int64_t k = 0; k < element; k++) {
            cell += strspn(cell, " ");
            cell += strcspn(cell, " ");
        }
        values[r] = is_missing(cell) ? NAN : strtod(cell, NULL);
    }
}

anpe_status anpe_table_cells_texts(anpe_ctx *ctx, const anpe_catalogue_file *c,
                                   const anpe_table_cells *t, int column, char **texts)
{
    for (int64_t r = 0; r < c->n_rows; r++)
        if (!(texts[r] = anpe_strdup(ctx, t->cell[r * c->n_columns + column])))
            return ANPE_ENOMEM;
    return ANPE_OK;
}

void anpe_table_cells_clear(anpe_table_cells *t)
{
    free(t->cell);
    free(t->text);
    *t = (anpe_table_cells){0};
}
