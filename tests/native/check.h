/* What the checks of the C parts share: a failed one says where and ends the program. */
#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                        \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

typedef struct {
    const char *name;
    void (*run)(void);
} Check;

/* Runs the check named on the command line, or lists them. */
static int
run_named(const Check *checks, size_t count, int argc, char **argv)
{
    for (size_t i = 0; i < count; i++) {
        if (argc < 2) {
            puts(checks[i].name);
        }
        else if (strcmp(checks[i].name, argv[1]) == 0) {
            checks[i].run();
            return 0;
        }
    }
    return argc < 2 ? 0 : 2;
}

#define ROUNDS(usual) (getenv("ROUNDS") ? atoi(getenv("ROUNDS")) : (usual))

#endif
