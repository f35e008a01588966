#include "sampler.hpp"

#include <array>
#include <vector>

#include "../kernels/dispatch.hpp"

namespace facewire {
namespace {

WarpRow row_of_plane(const std::uint8_t* src, std::int32_t stride, std::int32_t width, std::int32_t height,
                     std::int32_t channels) {
    WarpRow row{};
    row.src = src;
    row.stride = stride;
    row.width = width;
    row.height = height;
    row.bytes = (height - 1) * stride + width * channels;
    for (float& scale : row.scale) scale = 1.0f;
    return row;
}

void place(WarpRow& row, const AffineMap& map, std::int32_t line) {
    const auto y = static_cast<float>(line);
    row.x0 = map.b * y + map.tx;
    row.y0 = map.d * y + map.ty;
    row.dx = map.a;
    row.dy = map.c;
}

void sample_colour(const FrameView& frame, const AffineMap& map, const PixelTransform& transform, bool replicate_border,
                   LineTarget& target) {
    const bool frame_is_rgb = frame.format == PixelFormat::kRgb24;
    WarpRow row = row_of_plane(frame.data, frame.stride, frame.width, frame.height, 3);
    row.count = target.width;
    row.replicate_border = replicate_border;
    std::array<int, 3> plane_of{};
    for (int ch = 0; ch < 3; ++ch) {
        plane_of[ch] = frame_is_rgb == transform.rgb_order ? ch : 2 - ch;
        row.scale[ch] = transform.scale[plane_of[ch]];
        row.bias[ch] = transform.bias(plane_of[ch]);
    }
    const Kernels& k = kernels();
    for (std::int32_t line = 0; line < target.height; ++line) {
        place(row, map, line);
        for (int ch = 0; ch < 3; ++ch) row.out[ch] = target.row(plane_of[ch], line);
        k.warp_row_c3(row);
        target.finish(line);
    }
}

void sample_gray(const FrameView& frame, const AffineMap& map, const PixelTransform& transform, bool replicate_border,
                 LineTarget& target) {
    WarpRow row = row_of_plane(frame.data, frame.stride, frame.width, frame.height, 1);
    row.count = target.width;
    row.replicate_border = replicate_border;
    const Kernels& k = kernels();
    for (std::int32_t line = 0; line < target.height; ++line) {
        place(row, map, line);
        float* first = target.row(0, line);
        row.out[0] = first;
        k.warp_row_c1(row);
        for (int plane = 2; plane >= 0; --plane) {
            float* out = target.row(plane, line);
            const float scale = transform.scale[plane], bias = transform.bias(plane);
            for (std::int32_t i = 0; i < target.width; ++i) out[i] = first[i] * scale + bias;
        }
        target.finish(line);
    }
}

// Chroma has half the resolution; a chroma sample lies in the middle of its four luma pixels.
AffineMap chroma_map(const AffineMap& m) {
    return {m.a / 2, m.b / 2, (m.tx + 0.5f) / 2 - 0.5f, m.c / 2, m.d / 2, (m.ty + 0.5f) / 2 - 0.5f};
}

// Video-range black; zero luma and chroma would be green.
constexpr float kBlackLuma = 16.0f, kNeutralChroma = 128.0f;

void sample_nv12(const FrameView& frame, const AffineMap& map, const PixelTransform& transform, bool replicate_border,
                 LineTarget& target) {
    const auto width = static_cast<std::size_t>(target.width);
    std::vector<float> luma(width), u(width), v(width);
    WarpRow y_row = row_of_plane(frame.data, frame.stride, frame.width, frame.height, 1);
    const std::uint8_t* chroma = frame.data + std::ptrdiff_t{frame.stride} * frame.height;
    WarpRow uv_row = row_of_plane(chroma, frame.stride, frame.width / 2, frame.height / 2, 2);
    y_row.count = uv_row.count = target.width;
    y_row.replicate_border = uv_row.replicate_border = replicate_border;
    y_row.border = kBlackLuma;
    uv_row.border = kNeutralChroma;
    y_row.out[0] = luma.data();
    uv_row.out[0] = u.data();
    uv_row.out[1] = v.data();
    YuvRow yuv{};
    yuv.y = luma.data();
    yuv.u = u.data();
    yuv.v = v.data();
    yuv.count = target.width;
    const Kernels& k = kernels();
    const AffineMap half = chroma_map(map);
    for (std::int32_t line = 0; line < target.height; ++line) {
        place(y_row, map, line);
        place(uv_row, half, line);
        k.warp_row_c1(y_row);
        k.warp_row_c2(uv_row);
        for (int ch = 0; ch < 3; ++ch) {
            const int plane = transform.rgb_order ? ch : 2 - ch;
            yuv.out[ch] = target.row(plane, line);
            yuv.scale[ch] = transform.scale[plane];
            yuv.bias[ch] = transform.bias(plane);
        }
        k.yuv_row(yuv);
        target.finish(line);
    }
}

}  // namespace

ByteTarget::ByteTarget(std::uint8_t* pixels, std::ptrdiff_t row_size, std::int32_t line_width, std::int32_t lines)
    : LineTarget(line_width, lines),
      pixels_(pixels),
      row_size_(row_size),
      rows_(3 * static_cast<std::size_t>(line_width)) {}

float* ByteTarget::row(int plane, std::int32_t) { return rows_.data() + std::ptrdiff_t{plane} * width; }

void ByteTarget::finish(std::int32_t line) {
    const float* const planes[3] = {row(0, line), row(1, line), row(2, line)};
    kernels().interleave_row(planes, width, pixels_ + line * row_size_);
}

void sample_frame(const FrameView& frame, const AffineMap& map, const PixelTransform& transform, bool replicate_border,
                  LineTarget& target) {
    switch (frame.format) {
        case PixelFormat::kGray8:
            return sample_gray(frame, map, transform, replicate_border, target);
        case PixelFormat::kNv12:
            return sample_nv12(frame, map, transform, replicate_border, target);
        case PixelFormat::kBgr24:
        case PixelFormat::kRgb24:
            return sample_colour(frame, map, transform, replicate_border, target);
    }
}

}  // namespace facewire
