// Scales a frame into the top left of a detector's input tensor and blackens the rest.
#pragma once

#include "frame.hpp"

namespace facewire {

// Writes 3 x height x width floats at `tensor`, and returns the scale used: input pixels per frame pixel, at
// most 1 (small frames are not enlarged). Pixel centres map as in cv2.resize(INTER_LINEAR).
float letterbox(const FrameView& frame, const PixelTransform& transform, std::int32_t width,
                std::int32_t height, float* tensor);

// The scale letterbox() would use.
float letterbox_scale(std::int32_t frame_width, std::int32_t frame_height, std::int32_t width,
                      std::int32_t height);

}  // namespace facewire
