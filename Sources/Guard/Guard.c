// A program that was built on another machine ends with a sentence, not by an illegal instruction.
//
// Compiled without `-march`, so that it runs on any processor, and run before anything else of the
// program: everything behind it was compiled for the processor of the machine that built it.

#include "Guard.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "BuiltFor.h"

#if defined(__x86_64__)

/// Whether a feature is to count as missing: `LAB_PROCESSOR_LACKS=avx2`, for the tests.
static bool is_masked(const char *name) {
  const char *masked = getenv("LAB_PROCESSOR_LACKS");
  return masked && strcmp(masked, name) == 0;
}

/// The first feature that the package was built for and this processor lacks, as people say it.
static const char *missing(void) {
  __builtin_cpu_init();
  int index = 0;
#define CHECK(name, macro, people)                                                         \
  if (lab_built_for[index++] && (!__builtin_cpu_supports(name) || is_masked(name))) return people;
  LAB_FEATURES(CHECK)
  return NULL;
}

__attribute__((constructor(101))) static void check(void) {
  const char *feature = missing();
  if (!feature) return;
  const char *parts[] = {
      "This program was built for a processor with ", feature,
      ", which this one lacks; remove the folder .build and build it on this machine.\n"};
  for (int i = 0; i < 3; i++) {
    if (write(STDERR_FILENO, parts[i], strlen(parts[i])) < 0) break;
  }
  _exit(EX_UNAVAILABLE);
}

#endif
