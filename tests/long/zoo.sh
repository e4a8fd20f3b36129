#!/bin/sh
# tests/cli/test_zoo_https.sh with 50 ends by kill -9 instead of six.
KILLS=50 exec sh "${ANPE_SRCDIR:-.}/tests/cli/test_zoo_https.sh"
