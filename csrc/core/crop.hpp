// Cuts a box out of a frame and stretches it to a square: the input of networks that judge a face with its
// surroundings.
#pragma once

#include <array>

#include "frame.hpp"

namespace facewire {

using CropBox = std::array<float, 4>;  // x, y of the top left corner, width, height; frame pixels

// Draws the box as three float planes of `size` x `size` at `chip`. Pixel centres map as in cv2.resize(INTER_LINEAR) of
// the box; what lies outside the frame is its nearest edge pixel. The box must be finite and have a positive area.
void crop_box(const FrameView& frame, const CropBox& box, const PixelTransform& transform, std::int32_t size,
              float* chip);

}  // namespace facewire
