// Noise: what is added is found, edges and shades are not taken for it, smoothing keeps what is plain.
#include <cmath>
#include <cstdlib>
#include <vector>

#include "../core/noise.hpp"
#include "buffers.hpp"
#include "check.hpp"

namespace facewire {
namespace {

using tests::Guarded;
using tests::Random;

struct Picture {
    std::int32_t width, height;
    PixelFormat format;
    Guarded<std::uint8_t> bytes;

    Picture(std::int32_t w, std::int32_t h, PixelFormat f)
        : width(w), height(h), format(f), bytes(static_cast<std::size_t>(row_bytes() * rows())) {}

    std::int32_t row_bytes() const {
        return format == PixelFormat::kBgr24 || format == PixelFormat::kRgb24 ? 3 * width : width;
    }
    std::int32_t rows() const { return format == PixelFormat::kNv12 ? height * 3 / 2 : height; }
    FrameView view() const { return {bytes.data(), width, height, row_bytes(), format}; }
    void fill(int low, int high, unsigned seed) {
        Random random(seed);
        for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random.integer(low, high));
    }
};

TEST(noise_is_found_in_every_format) {
    for (const PixelFormat format :
         {PixelFormat::kBgr24, PixelFormat::kRgb24, PixelFormat::kGray8, PixelFormat::kNv12}) {
        Picture picture(320, 240, format);
        picture.fill(90, 110, 1);  // 21 whole numbers alike: a standard deviation of 6.06
        CHECK_NEAR(estimate_noise(picture.view()), 6.06, 0.5);
    }
}

TEST(shades_and_upright_edges_are_no_noise) {
    Picture picture(64, 64, PixelFormat::kGray8);
    for (int row = 0; row < 64; ++row)
        for (int column = 0; column < 64; ++column)
            picture.bytes[static_cast<std::size_t>(row * 64 + column)] =
                static_cast<std::uint8_t>(2 * column + row + (column > 30 ? 60 : 0));
    CHECK_NEAR(estimate_noise(picture.view()), 0, 0.2);
}

TEST(frames_without_an_inside_have_no_noise) {
    for (const std::int32_t side : {1, 2}) {
        Picture picture(side, 9, PixelFormat::kBgr24);
        picture.fill(0, 255, 2);
        CHECK_NEAR(estimate_noise(picture.view()), 0, 0);
    }
}

TEST(smoothing_a_plain_frame_changes_nothing_and_reads_nothing_beyond) {
    for (const PixelFormat format :
         {PixelFormat::kBgr24, PixelFormat::kRgb24, PixelFormat::kGray8, PixelFormat::kNv12}) {
        for (const std::int32_t side : {2, 4, 10, 66}) {
            Picture picture(side, side, format);
            for (std::uint8_t& byte : picture.bytes) byte = 255;
            Guarded<std::uint8_t> out(picture.bytes.size());
            smooth_frame(picture.view(), out.data());
            for (const std::uint8_t byte : out) CHECK(byte == 255);
        }
    }
}

TEST(smoothing_is_the_binomial_filter_and_takes_noise_away) {
    Picture dot(21, 21, PixelFormat::kGray8);
    dot.bytes[10 * 21 + 10] = 255;
    Guarded<std::uint8_t> out(dot.bytes.size());
    smooth_frame(dot.view(), out.data());
    const double taps[7] = {1, 6, 15, 20, 15, 6, 1};
    for (int row = 0; row < 21; ++row)
        for (int column = 0; column < 21; ++column) {
            const int dy = row - 7, dx = column - 7;
            const bool near = dy >= 0 && dy < 7 && dx >= 0 && dx < 7;
            const double wanted = near ? 255 * taps[dy] * taps[dx] / 4096 : 0;
            CHECK_NEAR(out[static_cast<std::size_t>(row * 21 + column)], wanted, 0.51);
        }
    Picture noisy(320, 240, PixelFormat::kBgr24);
    noisy.fill(80, 120, 3);
    Guarded<std::uint8_t> smoothed(noisy.bytes.size());
    smooth_frame(noisy.view(), smoothed.data());
    const FrameView after{smoothed.data(), 320, 240, 960, PixelFormat::kBgr24};
    CHECK(estimate_noise(after) < 0.15f * estimate_noise(noisy.view()));
}

TEST(channels_do_not_mix) {
    Picture picture(12, 12, PixelFormat::kBgr24);
    for (std::size_t i = 0; i < picture.bytes.size(); ++i)
        picture.bytes[i] = static_cast<std::uint8_t>(i % 3 == 0 ? 10 : i % 3 == 1 ? 100 : 200);
    Guarded<std::uint8_t> out(picture.bytes.size());
    smooth_frame(picture.view(), out.data());
    for (std::size_t i = 0; i < out.size(); ++i) CHECK(out[i] == picture.bytes[i]);
}

}  // namespace
}  // namespace facewire
