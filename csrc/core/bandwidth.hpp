// What this processor reads from memory, one thread: the bound that a scan of a large gallery is measured against.
#pragma once

#include <cstddef>

namespace facewire {

// Bytes a second; the best of several sums of `bytes` of memory.
double read_bandwidth(std::size_t bytes);

}  // namespace facewire
