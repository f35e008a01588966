// AVX-512 (F, BW, DQ, VL) kernels: sixteen lanes.
#include <immintrin.h>

#include "kernels.hpp"

namespace facewire {
namespace {

struct V {
    using F = __m512;
    using I = __m512i;
    static constexpr int kLanes = 16;

    static F set(float v) { return _mm512_set1_ps(v); }
    static F ramp() { return _mm512_setr_ps(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15); }
    static F load(const float* p) { return _mm512_loadu_ps(p); }
    static void store(float* p, F v) { _mm512_storeu_ps(p, v); }
    static F add(F a, F b) { return _mm512_add_ps(a, b); }
    static F sub(F a, F b) { return _mm512_sub_ps(a, b); }
    static F mul(F a, F b) { return _mm512_mul_ps(a, b); }
    static F fma(F a, F b, F c) { return _mm512_fmadd_ps(a, b, c); }
    static F min(F a, F b) { return _mm512_min_ps(a, b); }
    static F max(F a, F b) { return _mm512_max_ps(a, b); }
    static F floor(F a) { return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC); }
    static F to_float(I a) { return _mm512_cvtepi32_ps(a); }
    static I to_int(F a) { return _mm512_cvttps_epi32(a); }
    static I set_int(std::int32_t v) { return _mm512_set1_epi32(v); }
    static I add_int(I a, I b) { return _mm512_add_epi32(a, b); }
    static I mul_int(I a, I b) { return _mm512_mullo_epi32(a, b); }
    static I min_int(I a, I b) { return _mm512_min_epi32(a, b); }
    static I max_int(I a, I b) { return _mm512_max_epi32(a, b); }
    static I bit_and(I a, I b) { return _mm512_and_si512(a, b); }
    template <int kShift>
    static I shift_right(I a) {
        return _mm512_srli_epi32(a, kShift);
    }
    static bool all_at_most(I a, I b) { return _mm512_cmpgt_epi32_mask(a, b) == 0; }
    static F keep_where_equal(F v, I a, I b, I c, I d) {
        const __mmask16 mask = _mm512_mask_cmpeq_epi32_mask(_mm512_cmpeq_epi32_mask(a, b), c, d);
        return _mm512_maskz_mov_ps(mask, v);
    }
    static I pixels(const std::uint8_t* src, I offset) { return _mm512_i32gather_epi32(offset, src, 1); }
    static float sum(F v) { return _mm512_reduce_add_ps(v); }
};

#include "simd.inl"

}  // namespace

const Kernels kAvx512Kernels = {"avx512", warp_row<1>, warp_row<2>, warp_row<3>, yuv_row, dot_rows};

}  // namespace facewire
