/* Shared by the tests of core/base: messages are compared to the letter. */
#ifndef ANPE_TEST_BASE_SUPPORT_H
#define ANPE_TEST_BASE_SUPPORT_H
#include "data_support.h"

static inline void expect_message(const char *message)
{
    if (strcmp(anpe_error(ctx), message)) {
        printf("\n  message: %s\n  wanted:  %s\n", anpe_error(ctx), message);
        CU_FAIL("message");
    }
}

#define SAYS(call, status, message)                                                                \
    do {                                                                                           \
        CU_ASSERT_EQUAL_FATAL((call), status);                                                     \
        expect_message(message);                                                                   \
    } while (0)
#endif
