#include "dispatch.hpp"

#include <atomic>
#include <cstdlib>
#include <stdexcept>

namespace facewire {
namespace {

#if defined(FACEWIRE_X86)
// AVX-512's table with what VNNI does better. Put together here: code of the instruction-set files must not run where
// the instructions are missing, and this runs everywhere.
const Kernels& avx512vnni_kernels() {
    static const Kernels table = [] {
        Kernels copy = kAvx512Kernels;
        copy.name = "avx512vnni";
        copy.screen_codes = kScreenCodesVnni;
        return copy;
    }();
    return table;
}
#endif

std::vector<const Kernels*> available_tables() {
    std::vector<const Kernels*> tables = {&kScalarKernels};
#if defined(FACEWIRE_X86)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) tables.push_back(&kAvx2Kernels);
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl")) {
        tables.push_back(&kAvx512Kernels);
        if (__builtin_cpu_supports("avx512vnni")) tables.push_back(&avx512vnni_kernels());
    }
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
