// Face quality: the signs and sizes of pose, what light and sharpness mean, and the share outside the frame.
#include <cmath>
#include <numbers>

#include "../core/quality.hpp"
#include "buffers.hpp"
#include "check.hpp"

namespace facewire {
namespace {

using tests::Guarded;
using tests::Random;

constexpr int kSize = 112;
constexpr Landmarks kTemplate = {38.2946f, 51.6963f, 73.5318f, 51.5014f, 56.0252f,
                                 71.7366f, 41.5493f, 92.3655f, 70.7299f, 92.2041f};
// A symmetric face with its nose tip where the model puts it.
constexpr Landmarks kFrontal = {-20, -20, 20, -20, 0, -20 + 0.495f * 40, -16, 20, 16, 20};

struct Chip {
    int size;
    Guarded<float> values;

    explicit Chip(int side) : size(side), values(static_cast<std::size_t>(3 * side * side)) {}

    template <typename Pixel>  // (row, column, channel) -> 0..255, channels blue, green, red
    void paint(const PixelTransform& transform, const Pixel& pixel) {
        float* value = values.data();
        for (int plane = 0; plane < 3; ++plane)
            for (int row = 0; row < size; ++row)
                for (int column = 0; column < size; ++column) {
                    const double v = pixel(row, column, transform.rgb_order ? 2 - plane : plane);
                    *value++ = static_cast<float>((v - transform.mean[plane]) * transform.scale[plane]);
                }
    }
    Quality measure(const PixelTransform& transform = {}) const {
        return measure_quality(values.data(), size, transform, {0, 0, 50, 60}, kTemplate, 640, 480);
    }
};

Quality pose_of(const Landmarks& landmarks) {
    static const Chip chip(8);
    return measure_quality(chip.values.data(), 8, {}, {0, 0, 10, 10}, landmarks, 640, 480);
}

float outside_share_of(const FaceBox& box) {
    static const Chip chip(8);
    return measure_quality(chip.values.data(), 8, {}, box, kTemplate, 640, 480).outside_share;
}

Landmarks turned(const Landmarks& points, double degrees, double scale, double shift) {
    const double angle = degrees * std::numbers::pi / 180;
    const double a = scale * std::cos(angle), c = scale * std::sin(angle);
    Landmarks moved;
    for (std::size_t i = 0; i < 10; i += 2) {
        moved[i] = static_cast<float>(a * points[i] - c * points[i + 1] + shift);
        moved[i + 1] = static_cast<float>(c * points[i] + a * points[i + 1] - shift);
    }
    return moved;
}

TEST(a_frontal_face_has_no_angles) {
    const Quality exact = pose_of(kFrontal);
    CHECK_NEAR(exact.yaw_deg, 0, 1e-3);
    CHECK_NEAR(exact.pitch_deg, 0, 1e-3);
    CHECK_NEAR(exact.roll_deg, 0, 1e-3);
    const Quality mean_face = pose_of(kTemplate);
    CHECK_NEAR(mean_face.yaw_deg, 0, 1);
    CHECK_NEAR(mean_face.pitch_deg, 0, 1);
    CHECK_NEAR(mean_face.roll_deg, 0, 1);
}

TEST(a_nose_towards_image_right_is_a_positive_yaw_and_grows) {
    float before = -90;
    for (float shift = -15; shift <= 15; shift += 3) {
        Landmarks points = kFrontal;
        points[4] += shift;
        const Quality quality = pose_of(points);
        CHECK(quality.yaw_deg > before);
        CHECK(quality.yaw_deg * shift >= 0);
        CHECK_NEAR(quality.roll_deg, 0, 1e-3);
        before = quality.yaw_deg;
    }
}

TEST(a_nose_nearer_to_the_eyes_is_a_positive_pitch_and_grows) {
    float before = 90;
    for (float shift = -12; shift <= 12; shift += 3) {
        Landmarks points = kFrontal;
        points[5] += shift;
        const Quality quality = pose_of(points);
        CHECK(quality.pitch_deg < before);
        CHECK(quality.pitch_deg * shift <= 1e-4f);
        CHECK_NEAR(quality.yaw_deg, 0, 1e-3);
        before = quality.pitch_deg;
    }
}

TEST(mirroring_a_face_turns_yaw_and_roll_around) {
    Random random(50);
    for (int trial = 0; trial < 200; ++trial) {
        Landmarks points = kFrontal;
        for (float& v : points) v += random.real(-6, 6);
        const Landmarks mirrored = {-points[2], points[3],  -points[0], points[1],  -points[4],
                                    points[5],  -points[8], points[9],  -points[6], points[7]};
        const Quality one = pose_of(points), other = pose_of(mirrored);
        CHECK_NEAR(one.yaw_deg, -other.yaw_deg, 0.05);
        CHECK_NEAR(one.roll_deg, -other.roll_deg, 0.05);
        CHECK_NEAR(one.pitch_deg, other.pitch_deg, 0.05);
    }
}

TEST(tilting_changes_roll_alone_and_clockwise_is_positive) {
    Random random(51);
    for (int trial = 0; trial < 200; ++trial) {
        Landmarks points = kFrontal;
        points[4] += random.real(-8, 8);
        points[5] += random.real(-8, 8);
        const Quality upright = pose_of(points);
        const float degrees = random.real(-170, 170);
        const Quality tilted = pose_of(turned(points, degrees, random.real(0.2f, 10), random.real(-300, 300)));
        CHECK_NEAR(tilted.roll_deg, degrees, 0.05);
        CHECK_NEAR(tilted.yaw_deg, upright.yaw_deg, 0.2);
        CHECK_NEAR(tilted.pitch_deg, upright.pitch_deg, 0.2);
    }
}

TEST(angles_stay_in_range_for_any_landmarks) {
    Random random(52);
    for (int trial = 0; trial < 2000; ++trial) {
        const float reach = random.one_of<float>({0.0f, 1e-6f, 1.0f, 100.0f, 1e6f});
        Landmarks points;
        for (float& v : points) v = random.real(-1, 1) * reach;
        const Quality quality = pose_of(points);
        CHECK(std::abs(quality.yaw_deg) <= 90.001f);
        CHECK(std::abs(quality.pitch_deg) <= 90.001f);
        CHECK(std::abs(quality.roll_deg) <= 180.001f);
    }
}

TEST(a_flat_chip_has_its_luma_and_no_contrast_or_sharpness) {
    Random random(53);
    for (const bool rgb : {false, true}) {
        for (int trial = 0; trial < 20; ++trial) {
            const PixelTransform transform{rgb,
                                           {random.real(0, 200), random.real(0, 200), random.real(0, 200)},
                                           {random.real(0.005f, 2), -random.real(0.005f, 2), random.real(0.005f, 2)}};
            const double bgr[3] = {double(random.byte()), double(random.byte()), double(random.byte())};
            Chip chip(kSize);
            chip.paint(transform, [&](int, int, int channel) { return bgr[channel]; });
            const Quality quality = chip.measure(transform);
            CHECK_NEAR(quality.brightness, 0.114 * bgr[0] + 0.587 * bgr[1] + 0.299 * bgr[2], 0.02);
            CHECK_NEAR(quality.contrast, 0, 0.01);
            CHECK_NEAR(quality.sharpness, 0, 0.01);
        }
    }
}

TEST(a_checkerboard_is_as_sharp_and_contrasty_as_computed) {
    Chip chip(kSize);
    chip.paint({}, [](int row, int column, int) { return (row + column) % 2 == 0 ? 100 : 140; });
    const Quality quality = chip.measure();
    CHECK_NEAR(quality.contrast, 20, 0.1);
    CHECK_NEAR(quality.sharpness, 4 * 40, 0.5);  // the Laplacian is +-160
    CHECK_NEAR(quality.brightness, 120, 0.1);
}

TEST(finer_detail_is_sharper_and_a_slope_is_not_sharp) {
    float before = 0;
    for (const int period : {32, 16, 8, 4}) {
        Chip chip(kSize);
        chip.paint({},
                   [&](int, int column, int) { return 128 + 60 * std::sin(2 * std::numbers::pi * column / period); });
        const float sharpness = chip.measure().sharpness;
        CHECK(sharpness > before);
        before = sharpness;
    }
    Chip slope(kSize);
    slope.paint({}, [](int row, int column, int) { return row + column; });
    CHECK_NEAR(slope.measure().sharpness, 0, 0.01);
    CHECK(slope.measure().contrast > 10);
}

TEST(glare_is_the_share_of_the_oval_at_the_upper_end) {
    Chip chip(kSize);
    chip.paint({}, [](int, int column, int) { return column < 56 ? 255.0 : 120.0; });
    CHECK_NEAR(chip.measure().glare_share, 0.5, 0.02);
    chip.paint({}, [](int, int, int) { return 249.0; });
    CHECK_EQUAL(chip.measure().glare_share, 0.0f);
    chip.paint({}, [](int row, int, int) { return row < 20 ? 255.0 : 0.0; });  // a white wall above the head
    CHECK_NEAR(chip.measure().glare_share, 0, 0.01);
}

TEST(what_lies_outside_the_face_oval_does_not_count) {
    Chip chip(kSize);
    chip.paint({}, [](int row, int column, int) {
        const bool corner = (row < 15 || row > 111) && (column < 15 || column > 97);
        return corner ? 255 : 90;
    });
    const Quality quality = chip.measure();
    CHECK_NEAR(quality.brightness, 90, 0.01);
    CHECK_NEAR(quality.contrast, 0, 0.01);
}

TEST(light_is_the_same_at_another_chip_size) {
    for (const int size : {64, 224}) {
        Chip chip(size);
        chip.paint({}, [&](int row, int, int) { return row < size * 66 / 112 ? 50 : 150; });
        CHECK_NEAR(chip.measure().brightness, 100, 3);
        CHECK_NEAR(chip.measure().contrast, 50, 1);
    }
}

TEST(chips_too_small_for_a_laplacian_measure_zero) {
    for (int size = 0; size <= 3; ++size) {
        const Quality quality = Chip(size).measure();
        CHECK_EQUAL(quality.sharpness, 0.0f);
        CHECK_EQUAL(quality.brightness, 0.0f);
        CHECK_EQUAL(quality.contrast, 0.0f);
    }
}

TEST(the_size_is_the_shorter_side) { CHECK_EQUAL(Chip(8).measure().size_px, 50.0f); }

TEST(the_share_outside_the_frame_is_by_area) {
    CHECK_NEAR(outside_share_of({100, 100, 50, 50}), 0, 1e-6);
    CHECK_NEAR(outside_share_of({0, 0, 640, 480}), 0, 1e-6);
    CHECK_NEAR(outside_share_of({-25, 100, 50, 50}), 0.5, 1e-6);
    CHECK_NEAR(outside_share_of({615, 455, 50, 50}), 0.75, 1e-6);
    CHECK_NEAR(outside_share_of({-640, -480, 1920, 1440}), 8.0 / 9, 1e-6);
    CHECK_EQUAL(outside_share_of({-100, 10, 50, 50}), 1.0f);
    CHECK_EQUAL(outside_share_of({700, -100, 50, 50}), 1.0f);
}

TEST(a_box_without_area_is_wholly_outside) {
    CHECK_EQUAL(outside_share_of({10, 10, 0, 20}), 1.0f);
    CHECK_EQUAL(outside_share_of({10, 10, -5, 20}), 1.0f);
    CHECK_EQUAL(outside_share_of({10, 10, NAN, 20}), 1.0f);
}

}  // namespace
}  // namespace facewire
