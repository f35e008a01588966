#include "bandwidth.hpp"

#include <algorithm>
#include <chrono>

#include "../kernels/dispatch.hpp"
#include "slab.hpp"

namespace facewire {

double read_bandwidth(std::size_t bytes) {
    constexpr int kRounds = 5;
    const std::size_t count = bytes / sizeof(float);
    const Slab<float> memory = make_slab<float>(count, /*huge=*/true);
    std::fill_n(memory.get(), count, 1.0f);  // memory never written is one page of zeros, read from the cache
    double best = 0.0;
    volatile float sum = 0.0f;  // or nothing would be read
    for (int round = 0; round < kRounds; ++round) {
        const auto start = std::chrono::steady_clock::now();
        sum = kernels().sum_floats(memory.get(), count);
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
        best = std::max(best, static_cast<double>(count * sizeof(float)) / took.count());
    }
    static_cast<void>(sum);
    return best;
}

}  // namespace facewire
