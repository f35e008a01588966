// Crops: pixels land where they should in every format, the edge repeats, nothing is written beside the chip.
#include "../core/crop.hpp"
#include "buffers.hpp"
#include "check.hpp"

namespace facewire {
namespace {

using tests::Frame;
using tests::Guarded;
using tests::under_each_isa;

TEST(a_box_of_the_chips_own_size_is_copied) {
    under_each_isa([] {
        Frame frame(PixelFormat::kGray8, 40, 30);
        for (int row = 0; row < 30; ++row)
            for (int column = 0; column < 40; ++column)
                frame.at(row, column) = static_cast<std::uint8_t>(5 * row + column);
        Guarded<float> chip(3 * 8 * 8, -1.0f);
        crop_box(frame.view(), {7, 9, 8, 8}, {}, 8, chip.data());
        for (int i = 0; i < 64; ++i) CHECK_NEAR(chip[static_cast<std::size_t>(i)], 5 * (9 + i / 8) + 7 + i % 8, 1e-3);
    });
}

TEST(sides_are_stretched_each_by_its_own_scale) {
    under_each_isa([] {
        Frame frame(PixelFormat::kGray8, 64, 64);
        for (int row = 0; row < 64; ++row)
            for (int column = 0; column < 64; ++column)
                frame.at(row, column) = static_cast<std::uint8_t>(2 * row + column);
        Guarded<float> chip(3 * 4 * 4, -1.0f);
        crop_box(frame.view(), {10, 20, 8, 16}, {}, 4, chip.data());
        for (int row = 0; row < 4; ++row)
            for (int column = 0; column < 4; ++column)
                CHECK_NEAR(chip[static_cast<std::size_t>(row * 4 + column)],
                           2 * (20 + 4 * row + 1.5) + 10 + 2 * column + 0.5, 1e-3);
    });
}

TEST(what_lies_outside_repeats_the_edge) {
    under_each_isa([] {
        for (const PixelFormat format : {PixelFormat::kBgr24, PixelFormat::kRgb24, PixelFormat::kGray8}) {
            Frame frame(format, 12, 12);
            for (int row = 0; row < 12; ++row)
                for (int column = 0; column < 12; ++column)
                    for (int ch = 0; ch < (format == PixelFormat::kGray8 ? 1 : 3); ++ch) frame.at(row, column, ch) = 77;
            Guarded<float> chip(3 * 16 * 16, -1.0f);
            crop_box(frame.view(), {-100, -50, 300, 300}, {}, 16, chip.data());
            for (const float value : chip) CHECK_NEAR(value, 77, 1e-3);
        }
    });
}

}  // namespace
}  // namespace facewire
