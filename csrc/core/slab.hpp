// Memory for long arrays that are scanned from end to end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace facewire {

struct FreeSlab {
    void operator()(void* memory) const { std::free(memory); }
};

template <typename T>
using Slab = std::unique_ptr<T[], FreeSlab>;

inline constexpr std::size_t kCacheLine = 64;       // and one AVX-512 register
inline constexpr std::size_t kHugePage = 2u << 20;  // x86-64, and arm64 with 4 kB pages

// Uninitialised, so that only what is used becomes resident. Pages of 2 MB save a scan the walks through the page
// table, two to three per cent of its time (docs/performance.md); they are resident from their first byte on, so `huge`
// is for memory that will be used whole.
template <typename T>
Slab<T> make_slab(std::size_t count, bool huge) {
    const bool huge_pages = huge && count * sizeof(T) >= kHugePage;
    const std::size_t alignment = huge_pages ? kHugePage : kCacheLine;
    const std::size_t bytes = (count * sizeof(T) + alignment - 1) / alignment * alignment;
    void* memory = std::aligned_alloc(alignment, bytes);
    if (memory == nullptr) throw std::bad_alloc();
#if defined(__linux__)
    if (huge_pages) madvise(memory, bytes, MADV_HUGEPAGE);  // advice: without it the same, slower
#endif
    return Slab<T>(static_cast<T*>(memory));
}

}  // namespace facewire
