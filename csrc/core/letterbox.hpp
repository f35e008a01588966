// Scales a frame into the top left of a detector's input tensor and blackens the rest.
#pragma once

#include "frame.hpp"

namespace facewire {

// Input pixels per frame pixel, along each axis. The two differ a little, as the drawn sides are whole pixels.
struct LetterboxScale {
    float x, y;
};

// Writes 3 x height x width floats at `tensor`, and returns the scale used, at most `max_scale`: frames are not
// enlarged unless it is above 1. Pixel centres map as in cv2.resize(INTER_LINEAR) to the size drawn.
LetterboxScale letterbox(const FrameView& frame, const PixelTransform& transform, std::int32_t width,
                         std::int32_t height, float* tensor, float max_scale = 1.0f);

// The same as height x width x 3 bytes: values rounded, channels interleaved. Only the transform's order of channels
// applies.
LetterboxScale letterbox_bytes(const FrameView& frame, bool rgb_order, std::int32_t width, std::int32_t height,
                               std::uint8_t* pixels, float max_scale = 1.0f);

// The nominal scale of letterbox(), before the drawn sides are rounded.
float letterbox_scale(std::int32_t frame_width, std::int32_t frame_height, std::int32_t width, std::int32_t height,
                      float max_scale = 1.0f);

}  // namespace facewire
