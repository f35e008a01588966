// What several test files need: memory that faults one byte past its end, random numbers, frames in it, and a
// loop over the instruction sets.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <new>
#include <random>
#include <string>
#include <vector>

#include "../core/frame.hpp"
#include "../kernels/dispatch.hpp"

namespace facewire::tests {

// `size` elements that end where an unreadable page begins. AddressSanitizer does not see the reads of gather
// and NEON intrinsics; the processor does.
template <typename T>
class Guarded {
  public:
    explicit Guarded(std::size_t size, T value = T{}) : size_(size) {
        const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
        const std::size_t used = (size * sizeof(T) + page - 1) / page * page;
        mapped_ = used + page;
        memory_ = mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory_ == MAP_FAILED) throw std::bad_alloc();
        auto* end = static_cast<std::uint8_t*>(memory_) + used;
        if (mprotect(end, page, PROT_NONE) != 0) throw std::bad_alloc();
        first_ = reinterpret_cast<T*>(end - size * sizeof(T));
        for (T& element : *this) element = value;
    }
    ~Guarded() { munmap(memory_, mapped_); }
    Guarded(const Guarded&) = delete;
    Guarded& operator=(const Guarded&) = delete;

    T* data() { return first_; }
    const T* data() const { return first_; }
    std::size_t size() const { return size_; }
    T* begin() { return first_; }
    T* end() { return first_ + size_; }
    const T* begin() const { return first_; }
    const T* end() const { return first_ + size_; }
    T& operator[](std::size_t i) { return first_[i]; }
    const T& operator[](std::size_t i) const { return first_[i]; }

  private:
    std::size_t size_, mapped_;
    void* memory_;
    T* first_;
};

// Seeded, so that a failure repeats.
class Random {
  public:
    explicit Random(unsigned seed) : engine_(seed) {}
    float real(float low, float high) { return std::uniform_real_distribution<float>(low, high)(engine_); }
    int integer(int low, int high) { return std::uniform_int_distribution<int>(low, high)(engine_); }
    std::uint8_t byte() { return static_cast<std::uint8_t>(integer(0, 255)); }
    template <typename T>
    const T& one_of(const std::vector<T>& values) {
        return values[static_cast<std::size_t>(integer(0, static_cast<int>(values.size()) - 1))];
    }

  private:
    std::mt19937 engine_;
};

inline int channels_of(PixelFormat format) {
    return format == PixelFormat::kBgr24 || format == PixelFormat::kRgb24 ? 3 : 1;
}

// A frame whose last row has no padding: its memory ends with its last pixel.
class Frame {
  public:
    Frame(PixelFormat format, int width, int height, int padding = 0)
        : stride_(width * channels_of(format) + padding),
          bytes_(static_cast<std::size_t>((rows(format, height) - 1) * stride_ + width * channels_of(format))),
          view_{bytes_.data(), width, height, stride_, format} {}

    std::uint8_t& at(int row, int column, int channel = 0) {
        return bytes_[static_cast<std::size_t>(row * stride_ + column * channels_of(view_.format) + channel)];
    }
    void fill_randomly(Random& random) {
        for (std::uint8_t& byte : bytes_) byte = random.byte();
    }
    const FrameView& view() const { return view_; }

  private:
    static int rows(PixelFormat format, int height) { return format == PixelFormat::kNv12 ? height * 3 / 2 : height; }

    int stride_;
    Guarded<std::uint8_t> bytes_;
    FrameView view_;
};

// Runs `body` under each instruction set of this processor and puts the one in force back.
template <typename Body>
void under_each_isa(const Body& body) {
    const std::string in_force = kernels().name;
    for (const std::string& isa : available_isas()) {
        use_kernels(isa);
        body();
    }
    use_kernels(in_force);
}

}  // namespace facewire::tests
