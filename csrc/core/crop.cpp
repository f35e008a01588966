#include "crop.hpp"

#include "sampler.hpp"

namespace facewire {

void crop_box(const FrameView& frame, const CropBox& box, const PixelTransform& transform, std::int32_t size,
              float* chip) {
    const auto side = static_cast<float>(size);
    const float across = box[2] / side, down = box[3] / side;
    const AffineMap map{across, 0.0f, box[0] + across / 2 - 0.5f, 0.0f, down, box[1] + down / 2 - 0.5f};
    PlanarTarget target(chip, std::ptrdiff_t{size} * size, size, size, size);
    sample_frame(frame, map, transform, /*replicate_border=*/true, target);
}

}  // namespace facewire
