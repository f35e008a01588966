#include "noise.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

namespace facewire {
namespace {

constexpr int kRows = 32;
constexpr int kTaps = 7, kReach = kTaps / 2;
constexpr std::array<std::uint32_t, kTaps> kBinomial{1, 6, 15, 20, 15, 6, 1};  // of 64
constexpr int kLargestResponse = 16 * 255 / 2;
// Of a normal distribution: standard deviation over the median of the absolute value.
constexpr double kDeviations = 1.4826;
constexpr double kMaskNorm = 6.0;  // square root of the sum of its squares

struct Channels {
    int count, green;
};

Channels channels_of(PixelFormat format) {
    const bool colour = format == PixelFormat::kBgr24 || format == PixelFormat::kRgb24;
    return colour ? Channels{3, 1} : Channels{1, 0};
}

using Counts = std::array<std::int32_t, kLargestResponse + 1>;

// The mask 1 -2 1 / -2 4 -2 / 1 -2 1 at each inner pixel of a row.
void count_responses(const FrameView& frame, std::int32_t row, Counts& counts) {
    const Channels channels = channels_of(frame.format);
    const std::ptrdiff_t stride = frame.stride, step = channels.count;
    const std::uint8_t* centre = frame.data + stride * row + channels.green;
    const auto along = [step](const std::uint8_t* at) { return at[-step] - 2 * at[0] + at[step]; };
    for (std::int32_t column = 1; column + 1 < frame.width; ++column) {
        const std::uint8_t* at = centre + step * column;
        const int response = along(at - stride) - 2 * along(at) + along(at + stride);
        ++counts[static_cast<std::size_t>(std::min(std::abs(response), kLargestResponse))];
    }
}

// One row of `count` interleaved channels, smoothed along itself.
void smooth_row(const std::uint8_t* row, std::int32_t pixels, int count, std::vector<std::uint8_t>& padded,
                std::uint16_t* out) {
    const auto length = static_cast<std::size_t>(pixels) * static_cast<std::size_t>(count);
    const auto reach = static_cast<std::size_t>(kReach * count);
    padded.resize(length + 2 * reach);
    std::memcpy(padded.data() + reach, row, length);
    for (std::size_t i = 0; i < reach; ++i) {
        padded[i] = row[i % static_cast<std::size_t>(count)];
        padded[reach + length + i] =
            row[length - static_cast<std::size_t>(count) + i % static_cast<std::size_t>(count)];
    }
    const std::uint8_t* from = padded.data();
    for (std::size_t i = 0; i < length; ++i) {
        std::uint32_t sum = 0;
        for (std::size_t tap = 0; tap < kTaps; ++tap)
            sum += kBinomial[tap] * from[i + tap * static_cast<std::size_t>(count)];
        out[i] = static_cast<std::uint16_t>(sum);  // of 64 * 255 at most
    }
}

// A plane of interleaved channels: rows along themselves first, of which seven are kept, then across.
void smooth_plane(const std::uint8_t* data, std::int32_t stride, std::int32_t pixels, std::int32_t rows, int count,
                  std::uint8_t* out) {
    const auto length = static_cast<std::size_t>(pixels) * static_cast<std::size_t>(count);
    std::vector<std::uint8_t> padded;
    std::vector<std::uint16_t> kept(length * kTaps);
    const auto line = [&](std::int32_t row) { return kept.data() + length * static_cast<std::size_t>(row % kTaps); };
    std::int32_t next = 0;
    for (std::int32_t row = 0; row < rows; ++row) {
        for (; next < rows && next <= row + kReach; ++next)
            smooth_row(data + static_cast<std::ptrdiff_t>(stride) * next, pixels, count, padded, line(next));
        std::array<const std::uint16_t*, kTaps> from{};
        for (int tap = 0; tap < kTaps; ++tap)
            from[static_cast<std::size_t>(tap)] = line(std::clamp(row + tap - kReach, 0, rows - 1));
        std::uint8_t* to = out + length * static_cast<std::size_t>(row);
        for (std::size_t i = 0; i < length; ++i) {
            std::uint32_t sum = 1u << 11;
            for (std::size_t tap = 0; tap < kTaps; ++tap) sum += kBinomial[tap] * from[tap][i];
            to[i] = static_cast<std::uint8_t>(sum >> 12);
        }
    }
}

}  // namespace

float estimate_noise(const FrameView& frame) {
    if (frame.width < 3 || frame.height < 3) return 0.0f;
    Counts counts{};
    const std::int32_t step = std::max(1, (frame.height - 2) / kRows);
    std::int64_t total = 0;
    for (std::int32_t row = 1; row + 1 < frame.height; row += step) {
        count_responses(frame, row, counts);
        total += frame.width - 2;
    }
    std::int64_t below = 0;
    std::size_t median = 0;
    while (below + counts[median] <= total / 2) below += counts[median++];
    // Responses are whole numbers: the median lies within its bin by the share of the bin that is below it.
    const double within = (static_cast<double>(total) / 2 - static_cast<double>(below)) / counts[median] - 0.5;
    return static_cast<float>(std::max(0.0, static_cast<double>(median) + within) * kDeviations / kMaskNorm);
}

void smooth_frame(const FrameView& frame, std::uint8_t* out) {
    smooth_plane(frame.data, frame.stride, frame.width, frame.height, channels_of(frame.format).count, out);
    if (frame.format != PixelFormat::kNv12) return;
    const auto luma_bytes = static_cast<std::size_t>(frame.width) * static_cast<std::size_t>(frame.height);
    smooth_plane(frame.data + static_cast<std::ptrdiff_t>(frame.stride) * frame.height, frame.stride, frame.width / 2,
                 frame.height / 2, 2, out + luma_bytes);
}

}  // namespace facewire
