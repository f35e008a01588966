#include "letterbox.hpp"

#include <algorithm>
#include <cmath>

#include "../kernels/dispatch.hpp"
#include "sampler.hpp"

namespace facewire {
namespace {

void fill_padding(const PixelTransform& transform, std::int32_t drawn_width, std::int32_t drawn_height,
                  std::int32_t width, std::int32_t height, float* tensor) {
    const std::ptrdiff_t plane_size = std::ptrdiff_t{width} * height;
    for (int plane = 0; plane < 3; ++plane) {
        const float black = transform.bias(plane);
        float* first = tensor + plane * plane_size;
        for (std::int32_t line = 0; line < drawn_height; ++line) {
            float* row = first + std::ptrdiff_t{line} * width;
            std::fill(row + drawn_width, row + width, black);
        }
        std::fill(first + std::ptrdiff_t{drawn_height} * width, first + plane_size, black);
    }
}

std::int32_t scaled(std::int32_t size, float scale, std::int32_t limit) {
    const auto rounded = static_cast<std::int32_t>(std::lround(static_cast<float>(size) * scale));
    return std::clamp(rounded, 1, limit);
}

// The rectangle that the frame fills, and how its pixels map to the frame's.
struct Drawing {
    std::int32_t width, height;
    AffineMap map;
    LetterboxScale scale;
};

Drawing fit(const FrameView& frame, std::int32_t width, std::int32_t height, float max_scale) {
    const float scale = letterbox_scale(frame.width, frame.height, width, height, max_scale);
    const std::int32_t drawn_width = scaled(frame.width, scale, width);
    const std::int32_t drawn_height = scaled(frame.height, scale, height);
    const float step_x = static_cast<float>(frame.width) / static_cast<float>(drawn_width);
    const float step_y = static_cast<float>(frame.height) / static_cast<float>(drawn_height);
    return {drawn_width,
            drawn_height,
            {step_x, 0, 0.5f * step_x - 0.5f, 0, step_y, 0.5f * step_y - 0.5f},
            {1.0f / step_x, 1.0f / step_y}};
}

bool has_three_bytes(const FrameView& frame) {
    return frame.format == PixelFormat::kBgr24 || frame.format == PixelFormat::kRgb24;
}

// Half of 1280x720 fills 640x360: the commonest camera frame needs no coordinates. What sample_frame would draw, to
// the last bit.
void halve_frame(const FrameView& frame, bool swap, const Drawing& drawing, std::ptrdiff_t row_size,
                 std::uint8_t* pixels) {
    const Kernels& k = kernels();
    for (std::int32_t line = 0; line < drawing.height; ++line) {
        const std::uint8_t* top = frame.data + std::ptrdiff_t{2} * line * frame.stride;
        k.halve_row_c3(top, top + frame.stride, drawing.width, swap, pixels + line * row_size);
    }
}

}  // namespace

float letterbox_scale(std::int32_t frame_width, std::int32_t frame_height, std::int32_t width, std::int32_t height,
                      float max_scale) {
    const float fit = std::min(static_cast<float>(width) / static_cast<float>(frame_width),
                               static_cast<float>(height) / static_cast<float>(frame_height));
    return std::min(fit, max_scale);
}

LetterboxScale letterbox(const FrameView& frame, const PixelTransform& transform, std::int32_t width,
                         std::int32_t height, float* tensor, float max_scale) {
    const Drawing drawing = fit(frame, width, height, max_scale);
    PlanarTarget target(tensor, std::ptrdiff_t{width} * height, width, drawing.width, drawing.height);
    sample_frame(frame, drawing.map, transform, /*replicate_border=*/true, target);
    fill_padding(transform, drawing.width, drawing.height, width, height, tensor);
    return drawing.scale;
}

LetterboxScale letterbox_bytes(const FrameView& frame, bool rgb_order, std::int32_t width, std::int32_t height,
                               std::uint8_t* pixels, float max_scale) {
    const Drawing drawing = fit(frame, width, height, max_scale);
    const std::ptrdiff_t row_size = std::ptrdiff_t{width} * 3;
    if (has_three_bytes(frame) && frame.width == 2 * drawing.width && frame.height == 2 * drawing.height) {
        halve_frame(frame, rgb_order != (frame.format == PixelFormat::kRgb24), drawing, row_size, pixels);
    } else {
        PixelTransform order;
        order.rgb_order = rgb_order;
        ByteTarget target(pixels, row_size, drawing.width, drawing.height);
        sample_frame(frame, drawing.map, order, /*replicate_border=*/true, target);
    }
    for (std::int32_t line = 0; line < drawing.height; ++line)
        std::fill(pixels + line * row_size + std::ptrdiff_t{drawing.width} * 3, pixels + (line + 1) * row_size, 0);
    std::fill(pixels + drawing.height * row_size, pixels + height * row_size, 0);
    return drawing.scale;
}

}  // namespace facewire
