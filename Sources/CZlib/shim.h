// zlib from zlib1g-dev: inflating the .gz files of the data set.
#include <zlib.h>
