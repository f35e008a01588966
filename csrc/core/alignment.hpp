// Face alignment: the least-squares similarity transform from five landmarks to a template, and the warp.
#pragma once

#include <array>
#include <cstdint>

#include "frame.hpp"

namespace facewire {

using Landmarks = std::array<float, 10>;  // x, y of five points

enum class AlignStatus : std::uint8_t {
    kAligned = 0,
    kNotFinite = 1,     // a landmark is NaN or infinite
    kCoincident = 2,    // the landmarks (nearly) fall into one point
    kOutsideFrame = 3,  // the chip would show nothing of the frame
};

// Rotation, uniform scale and translation that take `from` to `to` with the least squared error, without
// reflection: S. Umeyama, "Least-squares estimation of transformation parameters between two point patterns",
// IEEE TPAMI 13(4), 1991. In the plane the optimum is a complex regression: with centred points p, q as
// complex numbers, q = z p, z = sum(conj(p) q) / sum(|p|^2).
AlignStatus similarity_transform(const Landmarks& from, const Landmarks& to, AffineMap& map);

// Warps the face with these landmarks to a chip of `size` x `size` in which they lie on `reference` (given for
// that size), as three float planes at `chip`. What lies outside the frame is black. On a refusal the chip is
// filled with black.
AlignStatus align_face(const FrameView& frame, const Landmarks& landmarks, const Landmarks& reference,
                       const PixelTransform& transform, std::int32_t size, float* chip);

}  // namespace facewire
