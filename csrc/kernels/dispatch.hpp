// Chooses the kernel table once, at first use: the widest instruction set this processor has, or what the
// environment variable FACEWIRE_ISA names.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "kernels.hpp"

namespace facewire {

// The table in force. Throws std::invalid_argument at first use if FACEWIRE_ISA names a set that is unknown or
// that this processor lacks.
const Kernels& kernels();

// The table of one instruction set: scalar, avx2, avx512 or neon. Throws std::invalid_argument as above.
const Kernels& kernels_named(std::string_view name);

// Replaces the table in force (for tests and benchmarks); safe to call while other threads compute.
void use_kernels(std::string_view name);

// What this processor can run, slowest first.
std::vector<std::string> available_isas();

}  // namespace facewire
