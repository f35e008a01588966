// Draws an affinely mapped, bilinearly sampled rectangle of a frame into three float planes, in one pass from
// whatever pixel format the frame has. Both the detector's letterbox and the face alignment are this.
#pragma once

#include "frame.hpp"

namespace facewire {

struct PlanarTarget {
    float* planes;  // three planes, plane_size floats apart
    std::ptrdiff_t plane_size;
    std::ptrdiff_t row_size;  // floats from one row to the next
    std::int32_t width;       // the rectangle to draw, at the top left of the planes
    std::int32_t height;
};

// Outside the frame: the nearest edge pixel if replicate_border, else black (pixel value zero).
// The map must be finite.
void sample_frame(const FrameView& frame, const AffineMap& map, const PixelTransform& transform, bool replicate_border,
                  const PlanarTarget& target);

}  // namespace facewire
