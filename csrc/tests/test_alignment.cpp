// The similarity fit against a brute-force solution, degenerate landmarks, and where the warp puts pixels.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "../core/alignment.hpp"
#include "buffers.hpp"
#include "check.hpp"

namespace facewire {
namespace {

using tests::Frame;
using tests::Guarded;
using tests::Random;
using tests::under_each_isa;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr Landmarks kTemplate = {38.2946f, 51.6963f, 73.5318f, 51.5014f, 56.0252f,
                                 71.7366f, 41.5493f, 92.3655f, 70.7299f, 92.2041f};

// Four parameters: x' = a x - c y + tx, y' = c x + a y + ty.
struct Similarity {
    double a, c, tx, ty;

    double x(double px, double py) const { return a * px - c * py + tx; }
    double y(double px, double py) const { return c * px + a * py + ty; }
};

Similarity from_map(const AffineMap& map) { return {map.a, map.c, map.tx, map.ty}; }

Similarity turned(double degrees, double scale, double tx, double ty) {
    const double angle = degrees * std::numbers::pi / 180;
    return {scale * std::cos(angle), scale * std::sin(angle), tx, ty};
}

Landmarks apply(const Similarity& s, const Landmarks& points) {
    Landmarks moved;
    for (std::size_t i = 0; i < 10; i += 2) {
        moved[i] = static_cast<float>(s.x(points[i], points[i + 1]));
        moved[i + 1] = static_cast<float>(s.y(points[i], points[i + 1]));
    }
    return moved;
}

double squared_error(const Similarity& s, const Landmarks& from, const Landmarks& to) {
    double sum = 0;
    for (std::size_t i = 0; i < 10; i += 2) {
        sum += std::pow(s.x(from[i], from[i + 1]) - to[i], 2);
        sum += std::pow(s.y(from[i], from[i + 1]) - to[i + 1], 2);
    }
    return sum;
}

// The least-squares solution by its 4 x 4 normal equations and Gaussian elimination: no formula shared with
// the code under test.
Similarity solve_normal_equations(const Landmarks& from, const Landmarks& to) {
    double m[4][5] = {};
    for (std::size_t i = 0; i < 10; i += 2) {
        const double x = from[i], y = from[i + 1];
        const double lines[2][5] = {{x, -y, 1, 0, to[i]}, {y, x, 0, 1, to[i + 1]}};
        for (const auto& line : lines)
            for (int r = 0; r < 4; ++r)
                for (int c = 0; c < 5; ++c) m[r][c] += line[r] * line[c];
    }
    for (int pivot = 0; pivot < 4; ++pivot) {
        int best = pivot;
        for (int r = pivot; r < 4; ++r)
            if (std::abs(m[r][pivot]) > std::abs(m[best][pivot])) best = r;
        std::swap(m[pivot], m[best]);
        for (int r = 0; r < 4; ++r) {
            if (r == pivot) continue;
            const double factor = m[r][pivot] / m[pivot][pivot];
            for (int c = 0; c < 5; ++c) m[r][c] -= factor * m[pivot][c];
        }
    }
    return {m[0][4] / m[0][0], m[1][4] / m[1][1], m[2][4] / m[2][2], m[3][4] / m[3][3]};
}

Landmarks random_landmarks(Random& random) {
    Landmarks points;
    for (float& v : points) v = random.real(0.0f, 120.0f);
    return points;
}

TEST(a_similarity_is_recovered) {
    Random random(20);
    for (int trial = 0; trial < 500; ++trial) {
        const Similarity truth =
            turned(random.real(-180, 180), random.real(0.05f, 20), random.real(-500, 500), random.real(-500, 500));
        AffineMap map{};
        CHECK(similarity_transform(kTemplate, apply(truth, kTemplate), map) == AlignStatus::kAligned);
        CHECK_NEAR(map.a, truth.a, 1e-4);
        CHECK_NEAR(map.c, truth.c, 1e-4);
        CHECK_NEAR(map.tx, truth.tx, 1e-2);
        CHECK_NEAR(map.ty, truth.ty, 1e-2);
        CHECK_EQUAL(map.d, map.a);  // a rotation with scale, no shear, no reflection
        CHECK_EQUAL(map.b, -map.c);
    }
}

TEST(the_fit_is_the_least_squares_solution) {
    Random random(21);
    for (int trial = 0; trial < 500; ++trial) {
        const Landmarks from = random_landmarks(random), to = random_landmarks(random);
        AffineMap map{};
        CHECK(similarity_transform(from, to, map) == AlignStatus::kAligned);
        const double error = squared_error(from_map(map), from, to);
        const double least = squared_error(solve_normal_equations(from, to), from, to);
        CHECK_NEAR(error, least, 1e-3 + 1e-5 * least);
    }
}

TEST(no_nearby_similarity_fits_better) {
    Random random(22);
    for (int trial = 0; trial < 50; ++trial) {
        const Landmarks from = random_landmarks(random), to = random_landmarks(random);
        AffineMap map{};
        similarity_transform(from, to, map);
        const double error = squared_error(from_map(map), from, to);
        for (int step = 0; step < 100; ++step) {
            Similarity other = from_map(map);
            other.a += random.real(-0.1f, 0.1f), other.c += random.real(-0.1f, 0.1f);
            other.tx += random.real(-5, 5), other.ty += random.real(-5, 5);
            CHECK(squared_error(other, from, to) >= error - 1e-3);
        }
    }
}

TEST(a_landmark_that_is_not_finite_is_refused_wherever_it_stands) {
    for (const float bad : {kNan, kInfinity, -kInfinity}) {
        for (std::size_t i = 0; i < 10; ++i) {
            Landmarks points = kTemplate;
            points[i] = bad;
            AffineMap map{};
            CHECK(similarity_transform(points, kTemplate, map) == AlignStatus::kNotFinite);
            CHECK(similarity_transform(kTemplate, points, map) == AlignStatus::kNotFinite);
        }
    }
}

TEST(landmarks_in_one_point_are_refused) {
    AffineMap map{};
    for (const float at : {0.0f, 1.0f, -77.5f, 1e5f}) {
        Landmarks points;
        points.fill(at);
        CHECK(similarity_transform(points, kTemplate, map) == AlignStatus::kCoincident);
    }
    const Landmarks tiny = apply(turned(0, 0.005, 100, 100), kTemplate);
    CHECK(similarity_transform(tiny, kTemplate, map) == AlignStatus::kCoincident);
    const Landmarks small = apply(turned(0, 0.05, 100, 100), kTemplate);
    CHECK(similarity_transform(small, kTemplate, map) == AlignStatus::kAligned);
}

TEST(landmarks_beyond_a_million_pixels_are_outside) {
    AffineMap map{};
    for (std::size_t i = 0; i < 10; ++i) {
        Landmarks points = kTemplate;
        points[i] = i % 2 == 0 ? 1.1e6f : -1.1e6f;
        CHECK(similarity_transform(points, kTemplate, map) == AlignStatus::kOutsideFrame);
    }
}

struct Chip {
    static constexpr int kSize = 112;
    static constexpr std::size_t kPlane = kSize * kSize;
    Guarded<float> values{3 * kPlane, -12345.0f};  // "not written"

    float at(int plane, int row, int column) const {
        return values[static_cast<std::size_t>(plane) * kPlane + static_cast<std::size_t>(row * kSize + column)];
    }
    AlignStatus align(const FrameView& frame, const Landmarks& landmarks, const PixelTransform& transform = {}) {
        return align_face(frame, landmarks, kTemplate, transform, kSize, values.data());
    }
    bool is_filled_with(const PixelTransform& transform) const {
        for (int plane = 0; plane < 3; ++plane)
            for (int i = 0; i < kSize; ++i)
                for (int j = 0; j < kSize; ++j)
                    if (at(plane, i, j) != transform.bias(plane)) return false;
        return true;
    }
};

// Quarter turns and whole shifts take pixels to pixels, so the answer is known exactly.
TEST(the_chip_shows_the_frame_turned_upright) {
    under_each_isa([] {
        Random random(23);
        Frame frame(PixelFormat::kBgr24, 301, 257, 5);
        frame.fill_randomly(random);
        for (int quarter = 0; quarter < 4; ++quarter) {
            const Similarity where = turned(90 * quarter, 1, 140, 130);
            Chip chip;
            CHECK(chip.align(frame.view(), apply(where, kTemplate)) == AlignStatus::kAligned);
            for (int plane = 0; plane < 3; ++plane)
                for (int row = 0; row < Chip::kSize; row += 3)
                    for (int column = 0; column < Chip::kSize; ++column) {
                        const auto y = static_cast<int>(std::lround(where.y(column, row)));
                        const auto x = static_cast<int>(std::lround(where.x(column, row)));
                        const bool inside = x >= 0 && y >= 0 && x < 301 && y < 257;
                        CHECK_NEAR(chip.at(plane, row, column), inside ? frame.at(y, x, plane) : 0, 0.1);
                    }
        }
    });
}

TEST(the_reference_points_of_the_chip_show_the_landmarks_of_the_frame) {
    under_each_isa([] {
        Random random(24);
        Frame frame(PixelFormat::kGray8, 400, 300);
        for (int row = 0; row < 300; ++row)  // a ramp: the value tells the place
            for (int column = 0; column < 400; ++column)
                frame.at(row, column) = static_cast<std::uint8_t>((column + row) / 3);
        for (int trial = 0; trial < 20; ++trial) {
            const Similarity where =
                turned(random.real(-60, 60), random.real(0.3f, 1.2f), random.real(120, 160), random.real(100, 130));
            const Landmarks landmarks = apply(where, kTemplate);
            Chip chip;
            CHECK(chip.align(frame.view(), landmarks) == AlignStatus::kAligned);
            for (std::size_t i = 0; i < 10; i += 2) {
                const auto column = static_cast<int>(std::lround(kTemplate[i]));
                const auto row = static_cast<int>(std::lround(kTemplate[i + 1]));
                const double x = where.x(column, row), y = where.y(column, row);
                const bool inside = x >= 1 && y >= 1 && x <= 398 && y <= 298;
                if (inside) CHECK_NEAR(chip.at(0, row, column), (x + y) / 3, 1.0);
            }
        }
    });
}

TEST(outside_the_frame_the_chip_is_black_under_the_transform) {
    under_each_isa([] {
        const PixelTransform transform{true, {127.5f, 120, 110}, {1 / 127.5f, 0.5f, -2}};
        for (const PixelFormat format :
             {PixelFormat::kBgr24, PixelFormat::kRgb24, PixelFormat::kGray8, PixelFormat::kNv12}) {
            Random random(25);
            Frame frame(format, 60, 60);
            frame.fill_randomly(random);
            Chip chip;
            CHECK(chip.align(frame.view(), kTemplate, transform) == AlignStatus::kAligned);
            for (int plane = 0; plane < 3; ++plane)
                for (int row = 0; row < Chip::kSize; ++row)
                    for (int column = 0; column < Chip::kSize; ++column)
                        if (row > 61 || column > 61)
                            CHECK_NEAR(chip.at(plane, row, column), transform.bias(plane), 1e-2);
        }
    });
}

// Between the last pixel and the black outside, half of each: black is luma 16 in video range, not 0.
TEST(an_nv12_frame_fades_into_video_range_black) {
    under_each_isa([] {
        Frame frame(PixelFormat::kNv12, 40, 40);
        for (int row = 0; row < 60; ++row)
            for (int column = 0; column < 40; ++column) frame.at(row, column) = row < 40 ? 116 : 128;
        Chip chip;
        CHECK(chip.align(frame.view(), apply(turned(0, 1, 0.5, 0), kTemplate)) == AlignStatus::kAligned);
        CHECK_NEAR(chip.at(0, 5, 38), 1.164 * 100, 0.05);
        CHECK_NEAR(chip.at(0, 5, 39), 1.164 * 50, 0.05);
        CHECK_NEAR(chip.at(0, 5, 40), 0, 0.05);
    });
}

TEST(refused_faces_give_a_black_chip) {
    Random random(26);
    Frame frame(PixelFormat::kBgr24, 200, 200);
    frame.fill_randomly(random);
    const PixelTransform transform{false, {100, 110, 120}, {0.5f, 0.25f, 2}};
    const auto status_of = [&](const Landmarks& landmarks) {
        Chip chip;
        const AlignStatus status = chip.align(frame.view(), landmarks, transform);
        CHECK(chip.is_filled_with(transform));
        return status;
    };
    Landmarks not_a_number = kTemplate, one_point;
    not_a_number[3] = kNan;
    one_point.fill(50.0f);
    CHECK(status_of(not_a_number) == AlignStatus::kNotFinite);
    CHECK(status_of(one_point) == AlignStatus::kCoincident);
    for (const double far : {-500.0, 500.0, 5e5}) {
        CHECK(status_of(apply(turned(30, 1, far, 50), kTemplate)) == AlignStatus::kOutsideFrame);
        CHECK(status_of(apply(turned(30, 1, 50, far), kTemplate)) == AlignStatus::kOutsideFrame);
    }
    CHECK(status_of(apply(turned(0, 1, 2e6, 50), kTemplate)) == AlignStatus::kOutsideFrame);
}

// A square and its mirror image: their covariance is zero, and no rotation is better than a point.
TEST(mirrored_points_that_no_rotation_explains_are_refused) {
    const Landmarks square = {0, 0, 10, 0, 10, 10, 0, 10, 5, 5};
    const Landmarks mirrored = {10, 0, 0, 0, 0, 10, 10, 10, 5, 5};
    Frame frame(PixelFormat::kGray8, 50, 50);
    Guarded<float> chip(3 * 16 * 16, -1.0f);
    CHECK(align_face(frame.view(), square, mirrored, {}, 16, chip.data()) == AlignStatus::kCoincident);
    CHECK(std::all_of(chip.begin(), chip.end(), [](float v) { return v == 0.0f; }));
}

// Whatever a detector makes up: an answer, every value of the chip written and within pixel range.
TEST(wild_landmarks_never_give_wild_chips) {
    under_each_isa([] {
        Random random(27);
        Frame frame(PixelFormat::kBgr24, 64, 48);
        frame.fill_randomly(random);
        const std::vector<float> wild = {0.0f,  -0.0f, 1e-30f,    -1e-3f,     1.0f,  31.5f, 64.0f, 1e4f,  -1e6f, 1e6f,
                                         1e20f, kNan,  kInfinity, -kInfinity, 3e38f, 32.0f, 33.0f, 30.0f, 24.0f, 25.0f};
        for (int trial = 0; trial < 3000; ++trial) {
            Landmarks points;
            const bool mostly_tame = trial % 2 == 0;
            for (float& v : points)
                v = mostly_tame && random.integer(0, 30) > 0 ? random.real(-20, 70) : random.one_of(wild);
            Guarded<float> chip(3 * 9 * 9, -12345.0f);
            const AlignStatus status = align_face(frame.view(), points, kTemplate, {}, 9, chip.data());
            for (const float value : chip) CHECK(value >= -0.01f && value <= 255.01f);
            if (status != AlignStatus::kAligned)
                CHECK(std::all_of(chip.begin(), chip.end(), [](float v) { return v == 0.0f; }));
        }
    });
}

}  // namespace
}  // namespace facewire
