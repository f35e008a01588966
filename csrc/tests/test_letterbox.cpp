// The letterbox: its scale, where pixels land, what the padding holds, every pixel format.
#include <algorithm>
#include <cmath>

#include "../core/letterbox.hpp"
#include "buffers.hpp"
#include "check.hpp"

namespace facewire {
namespace {

using tests::Frame;
using tests::Guarded;
using tests::Random;
using tests::under_each_isa;

constexpr PixelFormat kFormats[] = {PixelFormat::kBgr24, PixelFormat::kRgb24, PixelFormat::kGray8, PixelFormat::kNv12};

struct Tensor {
    int width, height;
    Guarded<float> values;

    Tensor(int columns, int rows)
        : width(columns),
          height(rows),
          values(static_cast<std::size_t>(3 * columns * rows), -12345.0f) {}  // "not written"

    float at(int plane, int row, int column) const {
        return values[static_cast<std::size_t>((plane * height + row) * width + column)];
    }
    LetterboxScale fill(const Frame& frame, const PixelTransform& transform = {}) {
        return letterbox(frame.view(), transform, width, height, values.data());
    }
};

struct Bgr {
    double values[3];
};

Bgr from_yuv(double y, double u, double v) {
    const auto clamped = [](double c) { return std::min(std::max(c, 0.0), 255.0); };
    const double luma = 1.164 * (y - 16);
    return {{clamped(luma + 2.018 * (u - 128)), clamped(luma - 0.813 * (v - 128) - 0.391 * (u - 128)),
             clamped(luma + 1.596 * (v - 128))}};
}

// Fills the frame with one colour and tells what blue, green and red that is.
Bgr paint(Frame& frame) {
    const FrameView& view = frame.view();
    const int rows = view.format == PixelFormat::kNv12 ? view.height * 3 / 2 : view.height;
    for (int row = 0; row < rows; ++row) {
        for (int column = 0; column < view.width; ++column) {
            if (view.format == PixelFormat::kNv12)
                frame.at(row, column) = row < view.height ? 120 : (column % 2 == 0 ? 100 : 170);
            else if (view.format == PixelFormat::kGray8)
                frame.at(row, column) = 90;
            else
                for (int ch = 0; ch < 3; ++ch) frame.at(row, column, ch) = static_cast<std::uint8_t>(50 + 60 * ch);
        }
    }
    if (view.format == PixelFormat::kNv12) return from_yuv(120, 100, 170);
    if (view.format == PixelFormat::kGray8) return {{90, 90, 90}};
    if (view.format == PixelFormat::kRgb24) return {{170, 110, 50}};
    return {{50, 110, 170}};
}

TEST(the_scale_fits_the_frame_and_enlarges_only_if_told_to) {
    Random random(10);
    for (int trial = 0; trial < 2000; ++trial) {
        const int fw = random.integer(1, 5000), fh = random.integer(1, 5000);
        const int w = random.integer(1, 1000), h = random.integer(1, 1000);
        for (const float most : {0.5f, 1.0f, 3.0f}) {
            const double fit = std::min({double(w) / fw, double(h) / fh, double{most}});
            CHECK_NEAR(letterbox_scale(fw, fh, w, h, most), fit, 1e-6 * fit);
        }
        CHECK_EQUAL(letterbox_scale(fw, fh, w, h), letterbox_scale(fw, fh, w, h, 1.0f));
    }
}

// The sides of the drawn picture are whole pixels, so each axis has its own scale, near the common one.
TEST(letterbox_returns_the_drawn_size_over_the_frame_size) {
    Random random(16);
    for (int trial = 0; trial < 100; ++trial) {
        Frame frame(PixelFormat::kGray8, random.integer(1, 90), random.integer(1, 90));
        Tensor tensor(random.integer(1, 40), random.integer(1, 40));
        const FrameView& view = frame.view();
        const LetterboxScale scale = tensor.fill(frame);
        const double fit = letterbox_scale(view.width, view.height, tensor.width, tensor.height);
        const double columns = double{scale.x} * view.width, rows = double{scale.y} * view.height;
        CHECK_NEAR(columns, std::round(columns), 1e-4);
        CHECK_NEAR(rows, std::round(rows), 1e-4);
        CHECK_NEAR(columns, std::max(1.0, fit * view.width), 0.501);
        CHECK_NEAR(rows, std::max(1.0, fit * view.height), 0.501);
        CHECK(columns < tensor.width + 1e-3 && rows < tensor.height + 1e-3);
    }
}

TEST(every_format_and_plane_order_keeps_a_flat_colour) {
    under_each_isa([] {
        for (const PixelFormat format : kFormats) {
            for (const bool rgb : {false, true}) {
                Frame frame(format, 48, 36, 6);
                const Bgr colour = paint(frame);
                PixelTransform transform{rgb, {10, 20, 30}, {0.5f, 2.0f, -0.25f}};
                Tensor tensor(24, 18);
                tensor.fill(frame, transform);
                for (int plane = 0; plane < 3; ++plane) {
                    const double pixel = colour.values[rgb ? 2 - plane : plane];
                    const double wanted = (pixel - transform.mean[plane]) * transform.scale[plane];
                    for (int row = 0; row < 18; ++row)
                        for (int column = 0; column < 24; ++column)
                            CHECK_NEAR(tensor.at(plane, row, column), wanted, 2e-3);
                }
            }
        }
    });
}

TEST(padding_is_black_under_the_transform_in_every_format) {
    under_each_isa([] {
        for (const PixelFormat format : kFormats) {
            const PixelTransform transform{true, {104, 117, 123}, {0.1f, 0.2f, -0.3f}};
            for (const bool wide : {false, true}) {
                Frame frame(format, wide ? 40 : 10, wide ? 10 : 40);
                paint(frame);
                Tensor tensor(20, 20);
                tensor.fill(frame, transform);
                for (int plane = 0; plane < 3; ++plane)
                    for (int row = 0; row < 20; ++row)
                        for (int column = 0; column < 20; ++column)
                            if ((wide ? row : column) >= 5)
                                CHECK_EQUAL(tensor.at(plane, row, column),
                                            -transform.mean[plane] * transform.scale[plane]);
            }
        }
    });
}

TEST(a_frame_enlarged_twice_lies_between_its_pixels) {
    under_each_isa([] {
        Frame frame(PixelFormat::kGray8, 8, 6);
        for (int row = 0; row < 6; ++row)
            for (int column = 0; column < 8; ++column)
                frame.at(row, column) = static_cast<std::uint8_t>(20 * row + 4 * column);
        Tensor tensor(16, 12);
        const LetterboxScale scale = letterbox(frame.view(), {}, 16, 12, tensor.values.data(), 8.0f);
        CHECK_EQUAL(scale.x, 2.0f);
        CHECK_EQUAL(scale.y, 2.0f);
        for (int row = 1; row < 11; ++row)
            for (int column = 1; column < 15; ++column)
                CHECK_NEAR(tensor.at(0, row, column), 20 * (row / 2.0 - 0.25) + 4 * (column / 2.0 - 0.25), 1e-3);
    });
}

TEST(a_small_frame_is_copied_not_enlarged) {
    under_each_isa([] {
        Random random(11);
        for (const PixelFormat format : {PixelFormat::kBgr24, PixelFormat::kRgb24}) {
            for (int width = 1; width <= 35; width += 2) {
                Frame frame(format, width, 5, 3);
                frame.fill_randomly(random);
                Tensor tensor(40, 9);
                CHECK_EQUAL(tensor.fill(frame).x, 1.0f);
                const bool flipped = format == PixelFormat::kRgb24;
                for (int plane = 0; plane < 3; ++plane)
                    for (int row = 0; row < 9; ++row)
                        for (int column = 0; column < 40; ++column)
                            CHECK_NEAR(
                                tensor.at(plane, row, column),
                                row < 5 && column < width ? frame.at(row, column, flipped ? 2 - plane : plane) : 0,
                                1e-3);
            }
        }
    });
}

TEST(gray_pixels_go_to_all_planes_each_with_its_own_transform) {
    under_each_isa([] {
        Random random(12);
        Frame frame(PixelFormat::kGray8, 19, 7, 2);
        frame.fill_randomly(random);
        const PixelTransform transform{false, {1, 2, 3}, {2, 3, 4}};
        Tensor tensor(19, 7);
        tensor.fill(frame, transform);
        for (int plane = 0; plane < 3; ++plane)
            for (int row = 0; row < 7; ++row)
                for (int column = 0; column < 19; ++column)
                    CHECK_NEAR(tensor.at(plane, row, column), (frame.at(row, column) - (plane + 1)) * (plane + 2),
                               1e-2);
    });
}

TEST(nv12_luma_keeps_its_place_and_video_range_is_stretched) {
    under_each_isa([] {
        Random random(13);
        Frame frame(PixelFormat::kNv12, 22, 8, 4);
        for (int row = 0; row < 12; ++row)
            for (int column = 0; column < 22; ++column) frame.at(row, column) = row < 8 ? random.byte() : 128;
        Tensor tensor(22, 8);
        tensor.fill(frame);
        for (int plane = 0; plane < 3; ++plane)
            for (int row = 0; row < 8; ++row)
                for (int column = 0; column < 22; ++column)
                    CHECK_NEAR(tensor.at(plane, row, column), from_yuv(frame.at(row, column), 128, 128).values[plane],
                               1e-2);
    });
}

// Chroma that rises linearly must rise linearly in the result, with its samples in the middle of their four
// luma pixels: the luma column c lies at chroma (c + 0.5) / 2 - 0.5.
TEST(nv12_chroma_lies_in_the_middle_of_its_four_luma_pixels) {
    under_each_isa([] {
        Frame frame(PixelFormat::kNv12, 32, 4);
        for (int row = 0; row < 6; ++row)
            for (int column = 0; column < 32; ++column)
                frame.at(row, column) =
                    static_cast<std::uint8_t>(row < 4 ? 128 : (column % 2 == 0 ? 128 : 128 + column / 2 * 2));
        Tensor tensor(32, 4);
        tensor.fill(frame);
        for (int column = 1; column < 31; ++column) {
            const double v = 128 + 2 * ((column + 0.5) / 2 - 0.5);
            CHECK_NEAR(tensor.at(2, 1, column), from_yuv(128, 128, v).values[2], 1e-2);
        }
    });
}

TEST(halving_averages_four_pixels) {
    under_each_isa([] {
        Random random(14);
        Frame frame(PixelFormat::kBgr24, 46, 30, 1);
        frame.fill_randomly(random);
        Tensor tensor(23, 15);
        CHECK_EQUAL(tensor.fill(frame).y, 0.5f);
        for (int plane = 0; plane < 3; ++plane)
            for (int row = 0; row < 15; ++row)
                for (int column = 0; column < 23; ++column) {
                    const int sum = frame.at(2 * row, 2 * column, plane) + frame.at(2 * row, 2 * column + 1, plane) +
                                    frame.at(2 * row + 1, 2 * column, plane) +
                                    frame.at(2 * row + 1, 2 * column + 1, plane);
                    CHECK_NEAR(tensor.at(plane, row, column), sum / 4.0, 1e-2);
                }
    });
}

// Odd sizes down to one pixel: every output is written, within the range of pixels.
TEST(any_frame_into_any_tensor_fills_it_within_pixel_range) {
    under_each_isa([] {
        Random random(15);
        for (int trial = 0; trial < 400; ++trial) {
            const PixelFormat format = random.one_of<PixelFormat>(
                {PixelFormat::kBgr24, PixelFormat::kRgb24, PixelFormat::kGray8, PixelFormat::kNv12});
            const int even = format == PixelFormat::kNv12 ? 2 : 1;
            Frame frame(format, even * random.integer(1, 40), even * random.integer(1, 40), random.integer(0, 1) * 7);
            frame.fill_randomly(random);
            Tensor tensor(random.integer(1, 40), random.integer(1, 40));
            tensor.fill(frame);
            for (const float value : tensor.values) CHECK(value >= -0.01f && value <= 255.01f);
        }
    });
}

TEST(bytes_are_the_rounded_values_interleaved) {
    struct Case {
        int frame_width, frame_height, width, height;
    };
    under_each_isa([] {
        Random random(12);
        // Halved, halved with padding on either side, the same size, enlarged never, odd, and neither.
        for (const Case& c : {Case{1280, 720, 640, 384}, Case{64, 96, 32, 64}, Case{70, 34, 64, 17},
                              Case{40, 30, 64, 64}, Case{37, 91, 32, 32}, Case{100, 50, 64, 32}}) {
            for (const PixelFormat format :
                 {PixelFormat::kBgr24, PixelFormat::kRgb24, PixelFormat::kGray8, PixelFormat::kNv12}) {
                if (format == PixelFormat::kNv12 && (c.frame_width % 2 || c.frame_height % 2)) continue;
                Frame frame(format, c.frame_width, c.frame_height, 5);
                frame.fill_randomly(random);
                const auto area = static_cast<std::size_t>(c.width * c.height);
                for (const bool rgb : {false, true}) {
                    PixelTransform transform;
                    transform.rgb_order = rgb;
                    std::vector<float> planes(3 * area, -1.0f);
                    Guarded<std::uint8_t> bytes(3 * area, 77);
                    const LetterboxScale a = letterbox(frame.view(), transform, c.width, c.height, planes.data());
                    const LetterboxScale b = letterbox_bytes(frame.view(), rgb, c.width, c.height, bytes.data());
                    CHECK(a.x == b.x && a.y == b.y);
                    std::size_t off = 0;
                    for (std::size_t i = 0; i < area; ++i)
                        for (std::size_t plane = 0; plane < 3; ++plane)
                            off +=
                                int{bytes[3 * i + plane]} != static_cast<int>(std::nearbyint(planes[plane * area + i]));
                    CHECK_EQUAL(off, std::size_t{0});
                }
            }
        }
    });
}

}  // namespace
}  // namespace facewire
