// OpenBLAS from libopenblas-dev: the C interface to BLAS and the control of its threads.
#include <cblas.h>
