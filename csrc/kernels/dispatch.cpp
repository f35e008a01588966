#include "dispatch.hpp"

#include <atomic>
#include <cstdlib>
#include <stdexcept>

namespace facewire {
namespace {

std::vector<const Kernels*> available_tables() {
    std::vector<const Kernels*> tables = {&kScalarKernels};
#if defined(FACEWIRE_X86)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) tables.push_back(&kAvx2Kernels);
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl"))
        tables.push_back(&kAvx512Kernels);
#endif
#if defined(FACEWIRE_ARM64)
    tables.push_back(&kNeonKernels);
#endif
    return tables;
}

const Kernels* choose_at_start() {
    const char* wanted = std::getenv("FACEWIRE_ISA");
    if (wanted != nullptr && *wanted != '\0') return &kernels_named(wanted);
    return available_tables().back();
}

std::atomic<const Kernels*>& table_in_force() {
    static std::atomic<const Kernels*> table{choose_at_start()};
    return table;
}

}  // namespace

const Kernels& kernels() { return *table_in_force().load(std::memory_order_acquire); }

const Kernels& kernels_named(std::string_view name) {
    std::string known;
    for (const Kernels* table : available_tables()) {
        if (name == table->name) return *table;
        known += known.empty() ? table->name : std::string(", ") + table->name;
    }
    throw std::invalid_argument("instruction set '" + std::string(name) +
                                "' is unknown or not on this processor; it has: " + known);
}

void use_kernels(std::string_view name) { table_in_force().store(&kernels_named(name), std::memory_order_release); }

std::vector<std::string> available_isas() {
    std::vector<std::string> names;
    for (const Kernels* table : available_tables()) names.emplace_back(table->name);
    return names;
}

}  // namespace facewire
