#include "alignment.hpp"

#include <algorithm>
#include <cmath>
#include <complex>

#include "sampler.hpp"

namespace facewire {
namespace {

using Complex = std::complex<double>;

Complex point(const Landmarks& landmarks, int i) { return {landmarks[2 * i], landmarks[2 * i + 1]}; }

Complex centre(const Landmarks& landmarks) {
    Complex sum = 0;
    for (int i = 0; i < 5; ++i) sum += point(landmarks, i);
    return sum / 5.0;
}

// Beyond this a landmark cannot belong to any frame we accept, and float coordinates lose their sub-pixel part.
constexpr float kFarthest = 1e6f;
// Mean squared distance from the centre, in pixels: a face of less than about half a pixel is a point.
constexpr double kSmallestSpread = 0.05;

bool all_finite(const Landmarks& landmarks) {
    return std::all_of(landmarks.begin(), landmarks.end(), [](float v) { return std::isfinite(v); });
}

bool chip_meets_frame(const AffineMap& map, std::int32_t size, const FrameView& frame) {
    const auto last = static_cast<float>(size - 1);
    float left = INFINITY, right = -INFINITY, top = INFINITY, bottom = -INFINITY;
    for (const float column : {0.0f, last}) {
        for (const float row : {0.0f, last}) {
            const float x = map.a * column + map.b * row + map.tx;
            const float y = map.c * column + map.d * row + map.ty;
            left = std::min(left, x), right = std::max(right, x);
            top = std::min(top, y), bottom = std::max(bottom, y);
        }
    }
    return right >= 0.0f && bottom >= 0.0f && left <= static_cast<float>(frame.width - 1) &&
           top <= static_cast<float>(frame.height - 1);
}

}  // namespace

AlignStatus similarity_transform(const Landmarks& from, const Landmarks& to, AffineMap& map) {
    if (!all_finite(from) || !all_finite(to)) return AlignStatus::kNotFinite;
    for (const float v : from)
        if (std::abs(v) > kFarthest) return AlignStatus::kOutsideFrame;
    const Complex from_centre = centre(from), to_centre = centre(to);
    Complex covariance = 0;
    double spread = 0;
    for (int i = 0; i < 5; ++i) {
        const Complex p = point(from, i) - from_centre;
        covariance += std::conj(p) * (point(to, i) - to_centre);
        spread += std::norm(p);
    }
    if (spread / 5 < kSmallestSpread) return AlignStatus::kCoincident;
    const Complex z = covariance / spread;
    const Complex shift = to_centre - z * from_centre;
    map = {static_cast<float>(z.real()), static_cast<float>(-z.imag()), static_cast<float>(shift.real()),
           static_cast<float>(z.imag()), static_cast<float>(z.real()),  static_cast<float>(shift.imag())};
    return AlignStatus::kAligned;
}

AlignStatus align_face(const FrameView& frame, const Landmarks& landmarks, const Landmarks& reference,
                       const PixelTransform& transform, std::int32_t size, float* chip) {
    const std::ptrdiff_t plane_size = std::ptrdiff_t{size} * size;
    const auto refuse = [&](AlignStatus status) {
        for (int plane = 0; plane < 3; ++plane)
            std::fill_n(chip + plane * plane_size, plane_size, transform.bias(plane));
        return status;
    };
    // The map wanted is from chip to frame, the inverse of the fit from landmarks to reference.
    AffineMap fit{};
    const AlignStatus status = similarity_transform(landmarks, reference, fit);
    if (status != AlignStatus::kAligned) return refuse(status);
    const double square = double{fit.a} * fit.a + double{fit.c} * fit.c;
    // Landmarks in an arrangement no rotation explains (mirrored, say) fit best as a point.
    if (!(square > 1e-12)) return refuse(AlignStatus::kCoincident);
    const auto a = static_cast<float>(fit.a / square), c = static_cast<float>(-fit.c / square);
    const AffineMap inverse{a, -c, -(a * fit.tx - c * fit.ty), c, a, -(c * fit.tx + a * fit.ty)};
    if (!chip_meets_frame(inverse, size, frame)) return refuse(AlignStatus::kOutsideFrame);
    PlanarTarget target(chip, plane_size, size, size, size);
    sample_frame(frame, inverse, transform, /*replicate_border=*/false, target);
    return AlignStatus::kAligned;
}

}  // namespace facewire
