// The kernel table: the few inner loops that differ by instruction set, behind plain function pointers.
//
// Instruction-set files include nothing but this header and their intrinsics, and keep everything in an
// anonymous namespace: an inline function shared with a baseline file would become one weak symbol, and the
// linker might hand its AVX-512 body to an old processor.
#pragma once

#include <cstddef>
#include <cstdint>

namespace facewire {

// One output row of an affine warp: output pixel i samples the source at (x0 + i*dx, y0 + i*dy), in
// source pixels whose centres lie on integers. Each channel is written as value * scale + bias to its own
// plane. Interpolation is bilinear.
struct WarpRow {
    const std::uint8_t* src;  // first byte of the plane
    std::int32_t stride;      // bytes from one source row to the next
    std::int32_t width;       // source pixels
    std::int32_t height;
    std::int32_t bytes;  // readable bytes from src: (height-1)*stride + width*channels
    float x0, y0, dx, dy;
    float* out[3];  // one plane a source channel, in source channel order
    float scale[3];
    float bias[3];
    std::int32_t count;     // output pixels
    bool replicate_border;  // true: the nearest edge pixel; false: the value of border outside the source
    float border;
};

// Video-range BT.601 (what OpenCV's COLOR_YUV2BGR_NV12 does): planes of Y, U, V 0..255 to R, G, B, clamped
// to 0..255 and then scaled as above.
struct YuvRow {
    const float* y;
    const float* u;
    const float* v;
    float* out[3];  // R, G, B
    float scale[3];
    float bias[3];
    std::int32_t count;
};

struct Kernels {
    const char* name;
    void (*warp_row_c1)(const WarpRow&);
    void (*warp_row_c2)(const WarpRow&);
    void (*warp_row_c3)(const WarpRow&);
    void (*yuv_row)(const YuvRow&);
    // Rounds (halves to even), clamps to 0..255 and interleaves: out[3*i + p] from planes[p][i].
    void (*interleave_row)(const float* const planes[3], std::int32_t count, std::uint8_t* out);
    // out[r] = sum_d rows[r*dim + d] * query[d]
    void (*dot_rows)(const float* rows, std::size_t n_rows, std::size_t dim, const float* query, float* out);
};

extern const Kernels kScalarKernels;
#if defined(FACEWIRE_X86)
extern const Kernels kAvx2Kernels;
extern const Kernels kAvx512Kernels;
#endif
#if defined(FACEWIRE_ARM64)
extern const Kernels kNeonKernels;
#endif

}  // namespace facewire
