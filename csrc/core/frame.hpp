// A frame as the caller holds it: 8-bit pixels, not owned, rows any distance apart.
#pragma once

#include <cstddef>
#include <cstdint>

namespace facewire {

enum class PixelFormat { kBgr24, kRgb24, kGray8, kNv12 };

struct FrameView {
    const std::uint8_t* data;  // for NV12 the luma plane; chroma rows follow at data + stride*height
    std::int32_t width;
    std::int32_t height;
    std::int32_t stride;  // bytes from one row to the next (for NV12 of both planes)
    PixelFormat format;
};

// How pixel values become model input: planes in the order the model wants, value * scale + bias.
struct PixelTransform {
    bool rgb_order = false;      // planes R, G, B instead of B, G, R
    float mean[3] = {0, 0, 0};   // per plane, in the order of the planes
    float scale[3] = {1, 1, 1};  // value = (pixel - mean) * scale

    float bias(int plane) const { return -mean[plane] * scale[plane]; }
};

// The affine map from output pixel (column, row) to source pixel, both with centres on integers:
// x = a*col + b*row + tx, y = c*col + d*row + ty.
struct AffineMap {
    float a, b, tx;
    float c, d, ty;
};

}  // namespace facewire
