// Every kernel of every instruction set against a reference in double precision and against the scalar kernel.
#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "buffers.hpp"
#include "check.hpp"

namespace facewire {
namespace {

using tests::Guarded;
using tests::Random;

constexpr double kEpsilon = std::numeric_limits<float>::epsilon();
constexpr int kMostOutputs = 67;  // four vectors of sixteen lanes and a rest

struct Source {
    int width, height, channels, stride;
    Guarded<std::uint8_t> bytes;

    Source(Random& random, int columns, int rows, int bytes_a_pixel, int padding)
        : width(columns),
          height(rows),
          channels(bytes_a_pixel),
          stride(columns * bytes_a_pixel + padding),
          bytes(static_cast<std::size_t>((rows - 1) * stride + columns * bytes_a_pixel)) {
        for (std::uint8_t& byte : bytes) byte = random.byte();
    }

    double pixel(std::int64_t x, std::int64_t y, int channel, const WarpRow& row) const {
        const std::int64_t cx = std::min<std::int64_t>(std::max<std::int64_t>(x, 0), width - 1);
        const std::int64_t cy = std::min<std::int64_t>(std::max<std::int64_t>(y, 0), height - 1);
        if (!row.replicate_border && (cx != x || cy != y)) return row.border;
        return bytes[static_cast<std::size_t>(cy * stride + cx * channels + channel)];
    }

    double sample(double x, double y, int channel, const WarpRow& row) const {
        const double fx = std::floor(x), fy = std::floor(y), wx = x - fx, wy = y - fy;
        const auto xi = static_cast<std::int64_t>(fx), yi = static_cast<std::int64_t>(fy);
        return (1 - wy) * ((1 - wx) * pixel(xi, yi, channel, row) + wx * pixel(xi + 1, yi, channel, row)) +
               wy * ((1 - wx) * pixel(xi, yi + 1, channel, row) + wx * pixel(xi + 1, yi + 1, channel, row));
    }
};

// One warp row with its output planes, each of which ends at an unwritable page.
struct Warp {
    Guarded<float> planes[3];
    WarpRow row{};

    Warp(const Source& source, int count)
        : planes{Guarded<float>(static_cast<std::size_t>(count)), Guarded<float>(static_cast<std::size_t>(count)),
                 Guarded<float>(static_cast<std::size_t>(count))} {
        row.src = source.bytes.data();
        row.stride = source.stride;
        row.width = source.width;
        row.height = source.height;
        row.bytes = static_cast<std::int32_t>(source.bytes.size());
        row.count = count;
        for (int ch = 0; ch < 3; ++ch) {
            row.out[ch] = planes[ch].data();
            row.scale[ch] = 1.0f;
        }
    }

    void run(const Kernels& table, int channels) {
        if (channels == 1) table.warp_row_c1(row);
        if (channels == 2) table.warp_row_c2(row);
        if (channels == 3) table.warp_row_c3(row);
    }
    float at(int channel, int i) const { return planes[channel][static_cast<std::size_t>(i)]; }
};

// How far a value may lie off because coordinates are computed in float: neighbours differ by at most 255.
double warp_tolerance(const WarpRow& row, int i, int channel) {
    const double steps = i;
    const double reach = std::abs(row.x0) + std::abs(steps * row.dx) + std::abs(row.y0) + std::abs(steps * row.dy) + 2;
    return std::abs(row.scale[channel]) * (255 * 4 * kEpsilon * reach + 1e-3) + 1e-3;
}

void compare_with_reference(const Source& source, const Warp& warp) {
    for (int ch = 0; ch < source.channels; ++ch) {
        for (int i = 0; i < warp.row.count; ++i) {
            const double x = double{warp.row.x0} + i * double{warp.row.dx};
            const double y = double{warp.row.y0} + i * double{warp.row.dy};
            const double wanted = source.sample(x, y, ch, warp.row) * warp.row.scale[ch] + warp.row.bias[ch];
            CHECK_NEAR(warp.at(ch, i), wanted, warp_tolerance(warp.row, i, ch));
        }
    }
}

void compare_with_scalar(const Source& source, const Warp& warp, int count) {
    Warp scalar(source, count);
    float* const planes[3] = {scalar.row.out[0], scalar.row.out[1], scalar.row.out[2]};
    scalar.row = warp.row;
    for (int ch = 0; ch < 3; ++ch) scalar.row.out[ch] = planes[ch];
    scalar.run(kScalarKernels, source.channels);
    for (int ch = 0; ch < source.channels; ++ch)
        for (int i = 0; i < count; ++i) CHECK_NEAR(warp.at(ch, i), scalar.at(ch, i), warp_tolerance(warp.row, i, ch));
}

struct Size {
    int width, height;
};
const std::vector<Size> kSizes = {{1, 1}, {1, 7}, {2, 1}, {3, 1}, {7, 1}, {2, 2}, {3, 5}, {5, 64}, {17, 13}, {61, 33}};

void set_random_map(Warp& warp, Random& random, const Size& size) {
    warp.row.x0 = random.real(-3.0f, static_cast<float>(size.width) + 2.0f);
    warp.row.y0 = random.real(-3.0f, static_cast<float>(size.height) + 2.0f);
    warp.row.dx = random.real(-1.5f, 1.5f);
    warp.row.dy = random.real(-1.5f, 1.5f);
    if (random.integer(0, 3) == 0) {  // exactly on pixels, where floor() decides
        warp.row.x0 = std::floor(warp.row.x0), warp.row.y0 = std::floor(warp.row.y0);
        warp.row.dx = static_cast<float>(random.integer(-2, 2));
        warp.row.dy = static_cast<float>(random.integer(-1, 1));
    }
    warp.row.replicate_border = random.integer(0, 1) == 1;
    warp.row.border = random.real(0.0f, 255.0f);
    for (int ch = 0; ch < 3; ++ch) {
        warp.row.scale[ch] = random.real(-2.0f, 2.0f);
        warp.row.bias[ch] = random.real(-200.0f, 200.0f);
    }
}

TEST(warp_rows_equal_the_reference_and_the_scalar_kernel) {
    for (const std::string& isa : available_isas()) {
        const Kernels& table = kernels_named(isa);
        Random random(1);
        for (int channels = 1; channels <= 3; ++channels) {
            for (int count = 1; count <= kMostOutputs; ++count) {
                for (const Size& size : kSizes) {
                    const int padding = random.one_of<int>({0, 0, 1, 5, 64});
                    const Source source(random, size.width, size.height, channels, padding);
                    Warp warp(source, count);
                    set_random_map(warp, random, size);
                    warp.run(table, channels);
                    compare_with_reference(source, warp);
                    compare_with_scalar(source, warp, count);
                }
            }
        }
    }
}

// The end of the plane: every block that touches it must leave it to a path that reads no byte too many.
TEST(warp_rows_read_nothing_past_the_last_pixel) {
    for (const std::string& isa : available_isas()) {
        const Kernels& table = kernels_named(isa);
        Random random(2);
        for (int channels = 1; channels <= 3; ++channels) {
            for (const Size& size : kSizes) {
                const Source source(random, size.width, size.height, channels, 0);
                for (const float start : {-1.0f, -0.25f, 0.0f, 0.5f}) {
                    Warp warp(source, kMostOutputs);
                    warp.row.x0 = start;
                    warp.row.dx = static_cast<float>(size.width) / 60.0f;
                    warp.row.y0 = static_cast<float>(size.height - 1);
                    warp.row.replicate_border = true;
                    warp.run(table, channels);
                    compare_with_reference(source, warp);
                }
            }
        }
    }
}

TEST(warp_rows_far_outside_give_the_edge_or_the_border) {
    const float largest = std::numeric_limits<float>::max();
    for (const std::string& isa : available_isas()) {
        const Kernels& table = kernels_named(isa);
        Random random(3);
        for (int channels = 1; channels <= 3; ++channels) {
            const Source source(random, 9, 6, channels, 2);
            for (const float far : {-largest, -1e30f, -3e9f, -40.0f, 40.0f, 3e9f, 1e30f, largest}) {
                for (const bool replicate : {false, true}) {
                    Warp warp(source, 37);
                    warp.row.x0 = far;
                    warp.row.y0 = 2.0f;
                    warp.row.replicate_border = replicate;
                    warp.row.border = 77.0f;
                    warp.run(table, channels);
                    for (int ch = 0; ch < channels; ++ch)
                        for (int i = 0; i < 37; ++i)
                            CHECK_NEAR(warp.at(ch, i), source.pixel(far < 0 ? -1 : 9, 2, ch, warp.row), 1e-3);
                }
            }
        }
    }
}

TEST(warp_rows_may_leave_the_frame_in_one_step) {
    for (const std::string& isa : available_isas()) {
        const Kernels& table = kernels_named(isa);
        Random random(4);
        const Source source(random, 9, 6, 3, 0);
        for (const float step : {-1e30f, 1e12f, 1e30f}) {
            Warp warp(source, 33);
            warp.row.x0 = 4.0f;
            warp.row.y0 = 3.0f;
            warp.row.dy = step;
            warp.row.border = 9.0f;
            warp.run(table, 3);
            CHECK_NEAR(warp.at(0, 0), source.pixel(4, 3, 0, warp.row), 1e-3);
            for (int i = 1; i < 33; ++i) CHECK_NEAR(warp.at(0, i), 9.0, 1e-3);
        }
    }
}

TEST(yuv_rows_equal_the_reference_and_are_clamped) {
    for (const std::string& isa : available_isas()) {
        const Kernels& table = kernels_named(isa);
        Random random(5);
        for (int count = 1; count <= kMostOutputs; ++count) {
            const auto size = static_cast<std::size_t>(count);
            Guarded<float> y(size), u(size), v(size), r(size), g(size), b(size);
            for (Guarded<float>* plane : {&y, &u, &v})
                for (float& value : *plane) value = random.real(-20.0f, 280.0f);
            YuvRow row{};
            row.y = y.data(), row.u = u.data(), row.v = v.data();
            row.out[0] = r.data(), row.out[1] = g.data(), row.out[2] = b.data();
            for (int ch = 0; ch < 3; ++ch) {
                row.scale[ch] = random.real(-2.0f, 2.0f);
                row.bias[ch] = random.real(-200.0f, 200.0f);
            }
            row.count = count;
            table.yuv_row(row);
            for (std::size_t i = 0; i < size; ++i) {
                const double luma = 1.164 * (double{y[i]} - 16), cb = double{u[i]} - 128, cr = double{v[i]} - 128;
                const double rgb[3] = {luma + 1.596 * cr, luma - 0.813 * cr - 0.391 * cb, luma + 2.018 * cb};
                for (int ch = 0; ch < 3; ++ch) {
                    const double wanted = std::min(std::max(rgb[ch], 0.0), 255.0) * row.scale[ch];
                    CHECK_NEAR(row.out[ch][i], wanted + row.bias[ch], 1e-3);
                }
            }
        }
    }
}

TEST(dot_rows_equal_the_reference) {
    for (const std::string& isa : available_isas()) {
        const Kernels& table = kernels_named(isa);
        Random random(6);
        for (std::size_t dim = 1; dim <= 131; ++dim) {
            const auto count = static_cast<std::size_t>(random.integer(1, 5));
            Guarded<float> rows(count * dim), query(dim), out(count);
            for (float& value : rows) value = random.real(-1.0f, 1.0f);
            for (float& value : query) value = random.real(-1.0f, 1.0f);
            table.dot_rows(rows.data(), count, dim, query.data(), out.data());
            for (std::size_t r = 0; r < count; ++r) {
                double sum = 0, size = 0;
                for (std::size_t d = 0; d < dim; ++d) {
                    sum += double{rows[r * dim + d]} * query[d];
                    size += std::abs(double{rows[r * dim + d]} * query[d]);
                }
                CHECK_NEAR(out[r], sum, static_cast<double>(dim) * kEpsilon * size);
            }
        }
    }
}

TEST(a_dot_product_does_not_depend_on_where_its_row_stands) {
    for (const std::string& isa : available_isas()) {
        const Kernels& table = kernels_named(isa);
        Random random(7);
        constexpr std::size_t kRows = 9, kDim = 77;
        std::vector<float> one(kDim), query(kDim), rows, out(kRows);
        for (float& value : one) value = random.real(-1.0f, 1.0f);
        for (float& value : query) value = random.real(-1.0f, 1.0f);
        for (std::size_t r = 0; r < kRows; ++r) rows.insert(rows.end(), one.begin(), one.end());
        table.dot_rows(rows.data(), kRows, kDim, query.data(), out.data());
        for (const float value : out) CHECK_EQUAL(value, out[0]);
    }
}

TEST(no_rows_write_nothing) {
    for (const std::string& isa : available_isas()) {
        Guarded<float> query(8, 1.0f), nothing(0);
        kernels_named(isa).dot_rows(nothing.data(), 0, 8, query.data(), nothing.data());
        CHECK_EQUAL(nothing.size(), std::size_t{0});
    }
}

TEST(scalar_comes_first_and_each_set_bears_its_name) {
    const std::vector<std::string> isas = available_isas();
    CHECK_EQUAL(isas.at(0), std::string("scalar"));
    for (const std::string& isa : isas) CHECK_EQUAL(kernels_named(isa).name, isa);
}

TEST(the_vector_sets_of_this_architecture_are_built) {
#if defined(__aarch64__)
    CHECK_EQUAL(available_isas().back(), std::string("neon"));
#elif defined(__x86_64__)
    const bool has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    CHECK_EQUAL(available_isas().size() > 1, has_avx2);
#endif
}

TEST(an_unknown_set_is_refused_and_changes_nothing) {
    const std::string before = kernels().name;
    CHECK_THROWS(kernels_named("sse9"), std::invalid_argument);
    CHECK_THROWS(kernels_named(""), std::invalid_argument);
    CHECK_THROWS(use_kernels("AVX2"), std::invalid_argument);
    CHECK_EQUAL(kernels().name, before);
}

TEST(use_kernels_puts_a_set_in_force) {
    tests::under_each_isa([] { CHECK_EQUAL(&kernels(), &kernels_named(kernels().name)); });
}

TEST(halving_gives_means_of_four_halves_to_even) {
    tests::under_each_isa([] {
        Random random(31);
        for (const int count : {1, 2, 3, 4, 5, 7, 8, 9, 16, 31, 640}) {
            Guarded<std::uint8_t> top(static_cast<std::size_t>(6 * count)), bottom(static_cast<std::size_t>(6 * count));
            for (std::uint8_t& byte : top) byte = random.byte();
            for (std::uint8_t& byte : bottom) byte = random.byte();
            for (const bool swap : {false, true}) {
                Guarded<std::uint8_t> out(static_cast<std::size_t>(3 * count));
                kernels().halve_row_c3(top.data(), bottom.data(), count, swap, out.data());
                for (int i = 0; i < count; ++i) {
                    for (int ch = 0; ch < 3; ++ch) {
                        const auto left = static_cast<std::size_t>(6 * i + ch), right = left + 3;
                        const double mean = (top[left] + top[right] + bottom[left] + bottom[right]) / 4.0;
                        const auto at = static_cast<std::size_t>(3 * i + (swap ? 2 - ch : ch));
                        CHECK_EQUAL(int{out[at]}, static_cast<int>(std::nearbyint(mean)));
                    }
                }
            }
        }
    });
}

TEST(sums_are_of_every_value) {
    tests::under_each_isa([] {
        Random random(32);
        for (const int count : {0, 1, 7, 31, 64, 128, 131, 1000}) {
            Guarded<float> values(static_cast<std::size_t>(count));
            double sum = 0;
            for (float& v : values) sum += v = random.real(-1.0f, 1.0f);
            CHECK_NEAR(kernels().sum_floats(values.data(), values.size()), sum, 1e-4);
        }
    });
}

}  // namespace
}  // namespace facewire
