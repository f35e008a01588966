// What can be told of a face before it is compared: light, sharpness, pose, size.
#pragma once

#include "alignment.hpp"

namespace facewire {

struct FaceBox {
    float x, y, width, height;
};

struct Quality {
    float sharpness;      // standard deviation of the Laplacian of the chip's luma (grey levels)
    float brightness;     // mean luma of the chip's face oval, 0..255
    float contrast;       // standard deviation of luma there
    float yaw_deg;        // head turned towards image right is positive
    float pitch_deg;      // head raised is positive
    float roll_deg;       // head tilted clockwise in the image is positive
    float size_px;        // the shorter side of the box, frame pixels
    float outside_share;  // share of the box outside the frame, 0..1
    float glare_share;    // share of the face oval whose luma is at the upper end, from 250 on, 0..1
};

// `chip` is what align_face wrote with this transform. Pose comes from the five landmarks alone, by the
// position of the nose tip between eyes and mouth: rough (about 10 degrees), good for refusing profiles.
Quality measure_quality(const float* chip, std::int32_t size, const PixelTransform& transform, const FaceBox& box,
                        const Landmarks& landmarks, std::int32_t frame_width, std::int32_t frame_height);

}  // namespace facewire
