// The reference every other instruction set is tested against, and what runs on a box without AVX.
// Compiled without auto-vectorisation and without FMA contraction, so that it stays an honest baseline.
#include <cmath>

#include "kernels.hpp"

namespace facewire {
namespace {

std::int32_t clamp(std::int32_t v, std::int32_t high) { return v < 0 ? 0 : (v > high ? high : v); }

float clamp_coordinate(float v, std::int32_t size) {
    // Far-away coordinates must not overflow the conversion to int; two pixels outside is "outside".
    const float high = static_cast<float>(size) + 1.0f;
    return v < -2.0f ? -2.0f : (v > high ? high : v);
}

template <int kChannels>
void warp_row(const WarpRow& row) {
    for (std::int32_t i = 0; i < row.count; ++i) {
        const float step = static_cast<float>(i);
        const float x = clamp_coordinate(row.x0 + step * row.dx, row.width);
        const float y = clamp_coordinate(row.y0 + step * row.dy, row.height);
        const float fx = std::floor(x), fy = std::floor(y);
        const auto xi = static_cast<std::int32_t>(fx), yi = static_cast<std::int32_t>(fy);
        const float wx = x - fx, wy = y - fy;
        float weight[2][2] = {{(1 - wx) * (1 - wy), wx * (1 - wy)}, {(1 - wx) * wy, wx * wy}};
        const std::uint8_t* corner[2][2];
        float outside = 0.0f;
        for (int r = 0; r < 2; ++r) {
            for (int c = 0; c < 2; ++c) {
                const std::int32_t px = xi + c, py = yi + r;
                const std::int32_t cx = clamp(px, row.width - 1), cy = clamp(py, row.height - 1);
                corner[r][c] = row.src + std::ptrdiff_t{cy} * row.stride + std::ptrdiff_t{cx} * kChannels;
                if (!row.replicate_border && (cx != px || cy != py)) {
                    outside += weight[r][c] * row.border;
                    weight[r][c] = 0.0f;
                }
            }
        }
        for (int ch = 0; ch < kChannels; ++ch) {
            const float value = outside + weight[0][0] * corner[0][0][ch] + weight[0][1] * corner[0][1][ch] +
                                weight[1][0] * corner[1][0][ch] + weight[1][1] * corner[1][1][ch];
            row.out[ch][i] = value * row.scale[ch] + row.bias[ch];
        }
    }
}

float clamp_byte(float v) { return v < 0.0f ? 0.0f : (v > 255.0f ? 255.0f : v); }

void yuv_row(const YuvRow& row) {
    for (std::int32_t i = 0; i < row.count; ++i) {
        const float luma = 1.164f * (row.y[i] - 16.0f);
        const float u = row.u[i] - 128.0f, v = row.v[i] - 128.0f;
        const float rgb[3] = {luma + 1.596f * v, luma - 0.813f * v - 0.391f * u, luma + 2.018f * u};
        for (int ch = 0; ch < 3; ++ch) row.out[ch][i] = clamp_byte(rgb[ch]) * row.scale[ch] + row.bias[ch];
    }
}

void interleave_row(const float* const planes[3], std::int32_t count, std::uint8_t* out) {
    for (std::int32_t i = 0; i < count; ++i)
        for (int plane = 0; plane < 3; ++plane)
            out[3 * i + plane] = static_cast<std::uint8_t>(std::nearbyint(clamp_byte(planes[plane][i])));
}

void halve_row_c3(const std::uint8_t* top, const std::uint8_t* bottom, std::int32_t count, bool swap,
                  std::uint8_t* out) {
    for (std::int32_t i = 0; i < count; ++i) {
        for (int ch = 0; ch < 3; ++ch) {
            const std::int32_t left = 6 * i + ch, right = left + 3;
            const int sum = top[left] + top[right] + bottom[left] + bottom[right];
            out[3 * i + (swap ? 2 - ch : ch)] = static_cast<std::uint8_t>((sum + 1 + ((sum >> 2) & 1)) >> 2);
        }
    }
}

void screen_codes(const CodeScreen& job) {
    for (std::size_t b = 0; b < job.blocks; ++b) {
        const std::uint8_t* block = job.codes + b * job.groups * kCodeRows * kCodeGroup;
        const float error = job.errors[b] * job.error_factor + job.error_more;
        std::uint32_t survivors = 0;
        for (std::size_t r = 0; r < kCodeRows; ++r) {
            std::int32_t dot = -job.offset;
            for (std::size_t g = 0; g < job.groups; ++g)
                for (std::size_t k = 0; k < kCodeGroup; ++k)
                    dot += std::int32_t{block[(g * kCodeRows + r) * kCodeGroup + k]} * job.query[g * kCodeGroup + k];
            const float bound = static_cast<float>(dot) * (job.scales[b * kCodeRows + r] * job.query_scale) + error;
            if (bound >= job.limit) survivors |= 1u << r;
        }
        job.survivors[b] = static_cast<std::uint16_t>(survivors);
    }
}

void dot_rows(const float* rows, std::size_t n_rows, std::size_t dim, const float* query, float* out) {
    for (std::size_t r = 0; r < n_rows; ++r) {
        float sum = 0.0f;
        for (std::size_t d = 0; d < dim; ++d) sum += rows[r * dim + d] * query[d];
        out[r] = sum;
    }
}

float sum_floats(const float* values, std::size_t count) {
    float sum = 0.0f;
    for (std::size_t i = 0; i < count; ++i) sum += values[i];
    return sum;
}

}  // namespace

const Kernels kScalarKernels = {"scalar",       warp_row<1>,  warp_row<2>,  warp_row<3>, yuv_row,
                                interleave_row, halve_row_c3, screen_codes, dot_rows,    sum_floats};

}  // namespace facewire
