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

// Templates and a query in 8 bits, see core/template_codes.hpp. For row r of block b
//   bound = (sum over d of codes[d] * query[d] - offset) * (scales[r] * query_scale)
//           + (errors[b] * error_factor + error_more)
// and bit r of survivors[b] says whether bound >= limit.
struct CodeScreen {
    const std::uint8_t* codes;  // blocks of groups of kCodeRows rows of kCodeGroup codes
    const float* scales;        // a row
    const float* errors;        // a block
    std::size_t blocks;
    std::size_t groups;
    const std::int8_t* query;  // groups * kCodeGroup
    float query_scale;
    float error_factor;
    float error_more;
    std::int32_t offset;
    float limit;
    std::uint16_t* survivors;  // a block
};
constexpr std::size_t kCodeRows = 16;
constexpr std::size_t kCodeGroup = 4;

struct Kernels {
    const char* name;
    void (*warp_row_c1)(const WarpRow&);
    void (*warp_row_c2)(const WarpRow&);
    void (*warp_row_c3)(const WarpRow&);
    void (*yuv_row)(const YuvRow&);
    // Rounds (halves to even), clamps to 0..255 and interleaves: out[3*i + p] from planes[p][i].
    void (*interleave_row)(const float* const planes[3], std::int32_t count, std::uint8_t* out);
    // Means of 2x2 pixels of three bytes, halves to even: out pixel i from pixels 2i and 2i + 1 of both rows. With
    // swap the first and third byte change places.
    void (*halve_row_c3)(const std::uint8_t* top, const std::uint8_t* bottom, std::int32_t count, bool swap,
                         std::uint8_t* out);
    void (*screen_codes)(const CodeScreen&);
    // out[r] = sum_d rows[r*dim + d] * query[d]
    void (*dot_rows)(const float* rows, std::size_t n_rows, std::size_t dim, const float* query, float* out);
    // The sum of all values, in any order: what reading memory costs at least.
    float (*sum_floats)(const float* values, std::size_t count);
};

extern const Kernels kScalarKernels;
#if defined(FACEWIRE_X86)
extern const Kernels kAvx2Kernels;
extern const Kernels kAvx512Kernels;
extern void (*const kScreenCodesVnni)(const CodeScreen&);
#endif
#if defined(FACEWIRE_ARM64)
extern const Kernels kNeonKernels;
#endif

}  // namespace facewire
