#include "quality.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace facewire {
namespace {

constexpr float kDegrees = 57.29577951308232f;

std::vector<float> luma_of(const float* chip, std::int32_t size, const PixelTransform& transform) {
    const auto plane_size = static_cast<std::size_t>(size) * static_cast<std::size_t>(size);
    const float bgr_weights[3] = {0.114f, 0.587f, 0.299f};  // ITU-R BT.601
    std::vector<float> luma(plane_size, 0.0f);
    for (int plane = 0; plane < 3; ++plane) {
        const float weight = bgr_weights[transform.rgb_order ? 2 - plane : plane];
        const float step = weight / transform.scale[plane], offset = weight * transform.mean[plane];
        const float* values = chip + static_cast<std::size_t>(plane) * plane_size;
        for (std::size_t i = 0; i < plane_size; ++i) luma[i] += values[i] * step + offset;
    }
    return luma;
}

// The ellipse that an aligned face fills; hair, ears and background stay out.
bool in_face_oval(std::int32_t row, std::int32_t column, std::int32_t size) {
    const float unit = static_cast<float>(size) / 112.0f;
    const float dx = (static_cast<float>(column) / unit - 56.0f) / 36.0f;
    const float dy = (static_cast<float>(row) / unit - 66.0f) / 46.0f;
    return dx * dx + dy * dy <= 1.0f;
}

struct Moments {
    double sum = 0, squares = 0;
    int count = 0;
    void add(float v) { sum += v, squares += double{v} * v, ++count; }
    double mean() const { return count > 0 ? sum / count : 0.0; }
    double deviation() const { return count > 0 ? std::sqrt(std::max(0.0, squares / count - mean() * mean())) : 0.0; }
};

// Whatever is brighter than the sensor can tell comes out as this or a little less.
constexpr float kGlare = 250.0f;

void measure_light(const std::vector<float>& luma, std::int32_t size, Quality& quality) {
    Moments level, edges;
    int glaring = 0;
    for (std::int32_t row = 1; row + 1 < size; ++row) {
        for (std::int32_t column = 1; column + 1 < size; ++column) {
            if (!in_face_oval(row, column, size)) continue;
            const auto i =
                static_cast<std::size_t>(row) * static_cast<std::size_t>(size) + static_cast<std::size_t>(column);
            const auto line = static_cast<std::size_t>(size);
            level.add(luma[i]);
            glaring += luma[i] >= kGlare;
            edges.add(luma[i - 1] + luma[i + 1] + luma[i - line] + luma[i + line] - 4 * luma[i]);
        }
    }
    quality.brightness = static_cast<float>(level.mean());
    quality.contrast = static_cast<float>(level.deviation());
    quality.sharpness = static_cast<float>(edges.deviation());
    quality.glare_share = level.count > 0 ? static_cast<float>(glaring) / static_cast<float>(level.count) : 0.0f;
}

float arc_degrees(float sine) { return std::asin(std::clamp(sine, -1.0f, 1.0f)) * kDegrees; }

// Model: the nose tip stands out of the plane of eyes and mouth by about 0.6 of the distance between the
// eyes, so turning the head by an angle shifts it sideways by sin(angle) of that. The ArcFace template's mean
// face counts as level: its nose tip lies at (71.74-51.60)/(92.28-51.60) = 0.495 of the way from eyes to mouth.
constexpr float kNoseDepth = 0.6f, kNoseHeight = 0.495f;

void measure_pose(const Landmarks& p, Quality& quality) {
    const float eye_dx = p[2] - p[0], eye_dy = p[3] - p[1];
    const float roll = std::atan2(eye_dy, eye_dx);
    quality.roll_deg = roll * kDegrees;
    const float cosine = std::cos(roll), sine = std::sin(roll);
    const float eyes_x = (p[0] + p[2]) / 2, eyes_y = (p[1] + p[3]) / 2;
    const float mouth_x = (p[6] + p[8]) / 2, mouth_y = (p[7] + p[9]) / 2;
    const auto along = [&](float x, float y) { return cosine * (x - eyes_x) + sine * (y - eyes_y); };
    const auto down = [&](float x, float y) { return -sine * (x - eyes_x) + cosine * (y - eyes_y); };
    const float face_height = std::max(down(mouth_x, mouth_y), 1e-3f);
    // In profile the eyes close up; the height of the face keeps the unit honest (template: 35.2 / 40.7).
    const float unit = std::max(std::hypot(eye_dx, eye_dy), 0.866f * face_height);
    const float nose_share = down(p[4], p[5]) / face_height;
    const float midline = along(mouth_x, mouth_y) * nose_share;
    quality.yaw_deg = arc_degrees((along(p[4], p[5]) - midline) / (kNoseDepth * unit));
    quality.pitch_deg = arc_degrees((kNoseHeight - nose_share) * face_height / (kNoseDepth * unit));
}

float outside_share(const FaceBox& box, std::int32_t frame_width, std::int32_t frame_height) {
    const float area = box.width * box.height;
    if (!(area > 0.0f)) return 1.0f;
    const float width = std::min(box.x + box.width, static_cast<float>(frame_width)) - std::max(box.x, 0.0f);
    const float height = std::min(box.y + box.height, static_cast<float>(frame_height)) - std::max(box.y, 0.0f);
    return std::clamp(1.0f - std::max(width, 0.0f) * std::max(height, 0.0f) / area, 0.0f, 1.0f);
}

}  // namespace

Quality measure_quality(const float* chip, std::int32_t size, const PixelTransform& transform, const FaceBox& box,
                        const Landmarks& landmarks, std::int32_t frame_width, std::int32_t frame_height) {
    Quality quality{};
    measure_light(luma_of(chip, size, transform), size, quality);
    measure_pose(landmarks, quality);
    quality.size_px = std::min(box.width, box.height);
    quality.outside_share = outside_share(box, frame_width, frame_height);
    return quality;
}

}  // namespace facewire
