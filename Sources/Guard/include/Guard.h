// The guard has nothing to call: it is linked into every program of the package, and runs before it.
#pragma once
