#include "BuiltFor.h"

// A macro that is defined is 1; of one that is not, the name remains.
#define TEXT(x) #x
#define IS_ONE(macro) (TEXT(macro)[0] == '1')
#define ENTRY(name, macro, people) IS_ONE(macro),

const bool lab_built_for[] = {LAB_FEATURES(ENTRY)};

const bool lab_built_for_avx512 = IS_ONE(__AVX512F__) && IS_ONE(__AVX512VL__);
const bool lab_built_for_avx2 = IS_ONE(__AVX2__) && IS_ONE(__FMA__);
