// Draws an affinely mapped, bilinearly sampled rectangle of a frame, line by line and in one pass from whatever pixel
// format the frame has. Both the detector's letterbox and the face alignment are this.
#pragma once

#include <vector>

#include "frame.hpp"

namespace facewire {

// Where the lines of the rectangle go: each as three rows of floats, one a plane.
class LineTarget {
  public:
    LineTarget(std::int32_t line_width, std::int32_t lines) : width(line_width), height(lines) {}
    virtual ~LineTarget() = default;
    LineTarget(const LineTarget&) = delete;
    LineTarget& operator=(const LineTarget&) = delete;

    virtual float* row(int plane, std::int32_t line) = 0;
    virtual void finish(std::int32_t) {}  // the line's three rows are written

    const std::int32_t width;
    const std::int32_t height;
};

// Three float planes; the rectangle lies at their top left.
class PlanarTarget final : public LineTarget {
  public:
    // plane_size: floats from one plane to the next; row_size: from one row to the next.
    PlanarTarget(float* planes, std::ptrdiff_t plane_size, std::ptrdiff_t row_size, std::int32_t line_width,
                 std::int32_t lines)
        : LineTarget(line_width, lines), planes_(planes), plane_size_(plane_size), row_size_(row_size) {}

    float* row(int plane, std::int32_t line) override { return planes_ + plane * plane_size_ + line * row_size_; }

  private:
    float* planes_;
    std::ptrdiff_t plane_size_;
    std::ptrdiff_t row_size_;
};

// Interleaved bytes: values are rounded (halves to even) and clamped to 0..255.
class ByteTarget final : public LineTarget {
  public:
    // row_size: bytes from one row to the next.
    ByteTarget(std::uint8_t* pixels, std::ptrdiff_t row_size, std::int32_t line_width, std::int32_t lines);

    float* row(int plane, std::int32_t line) override;
    void finish(std::int32_t line) override;

  private:
    std::uint8_t* pixels_;
    std::ptrdiff_t row_size_;
    std::vector<float> rows_;  // one line, small enough for the first-level cache
};

// Outside the frame: the nearest edge pixel if replicate_border, else black (pixel value zero).
// The map must be finite.
void sample_frame(const FrameView& frame, const AffineMap& map, const PixelTransform& transform, bool replicate_border,
                  LineTarget& target);

}  // namespace facewire
