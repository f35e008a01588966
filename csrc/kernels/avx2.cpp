// AVX2 + FMA kernels: eight lanes.
#include <immintrin.h>

#include "kernels.hpp"

namespace facewire {
namespace {

struct V {
    using F = __m256;
    using I = __m256i;
    static constexpr int kLanes = 8;

    static F set(float v) { return _mm256_set1_ps(v); }
    static F ramp() { return _mm256_setr_ps(0, 1, 2, 3, 4, 5, 6, 7); }
    static F load(const float* p) { return _mm256_loadu_ps(p); }
    static void store(float* p, F v) { _mm256_storeu_ps(p, v); }
    static F add(F a, F b) { return _mm256_add_ps(a, b); }
    static F sub(F a, F b) { return _mm256_sub_ps(a, b); }
    static F mul(F a, F b) { return _mm256_mul_ps(a, b); }
    static F fma(F a, F b, F c) { return _mm256_fmadd_ps(a, b, c); }
    // The operand order makes a NaN coordinate become the bound: min/max return their second operand.
    static F min(F a, F b) { return _mm256_min_ps(a, b); }
    static F max(F a, F b) { return _mm256_max_ps(a, b); }
    static F floor(F a) { return _mm256_floor_ps(a); }
    static F to_float(I a) { return _mm256_cvtepi32_ps(a); }
    static I to_int(F a) { return _mm256_cvttps_epi32(a); }
    static I set_int(std::int32_t v) { return _mm256_set1_epi32(v); }
    static I add_int(I a, I b) { return _mm256_add_epi32(a, b); }
    static I mul_int(I a, I b) { return _mm256_mullo_epi32(a, b); }  // 10 cycles, off the critical path
    static I min_int(I a, I b) { return _mm256_min_epi32(a, b); }
    static I max_int(I a, I b) { return _mm256_max_epi32(a, b); }
    static I bit_and(I a, I b) { return _mm256_and_si256(a, b); }
    template <int kShift>
    static I shift_right(I a) {
        return _mm256_srli_epi32(a, kShift);
    }
    static bool all_at_most(I a, I b) {
        return _mm256_testz_si256(_mm256_cmpgt_epi32(a, b), _mm256_cmpgt_epi32(a, b)) != 0;
    }
    static F keep_where_equal(F v, I a, I b, I c, I d) {
        const I mask = _mm256_and_si256(_mm256_cmpeq_epi32(a, b), _mm256_cmpeq_epi32(c, d));
        return _mm256_and_ps(v, _mm256_castsi256_ps(mask));
    }
    static I pixels(const std::uint8_t* src, I offset) {
        return _mm256_i32gather_epi32(reinterpret_cast<const int*>(src), offset, 1);
    }
    // Sixteen floats, clamped and rounded.
    static __m128i bytes(const float* p) {
        const I low = _mm256_cvtps_epi32(min(max(load(p), set(0.0f)), set(255.0f)));
        const I high = _mm256_cvtps_epi32(min(max(load(p + 8), set(0.0f)), set(255.0f)));
        const I words = _mm256_permute4x64_epi64(_mm256_packus_epi32(low, high), 0xd8);
        return _mm_packus_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
    }
    // Sixteen bytes of each plane to 48 interleaved: byte 3*i + p of the result is byte i of plane p.
    static void weave(__m128i a, __m128i b, __m128i c, std::uint8_t* out) {
        constexpr char z = -1;
        const __m128i a0 = _mm_setr_epi8(0, z, z, 1, z, z, 2, z, z, 3, z, z, 4, z, z, 5);
        const __m128i b0 = _mm_setr_epi8(z, 0, z, z, 1, z, z, 2, z, z, 3, z, z, 4, z, z);
        const __m128i c0 = _mm_setr_epi8(z, z, 0, z, z, 1, z, z, 2, z, z, 3, z, z, 4, z);
        const __m128i a1 = _mm_setr_epi8(z, z, 6, z, z, 7, z, z, 8, z, z, 9, z, z, 10, z);
        const __m128i b1 = _mm_setr_epi8(5, z, z, 6, z, z, 7, z, z, 8, z, z, 9, z, z, 10);
        const __m128i c1 = _mm_setr_epi8(z, 5, z, z, 6, z, z, 7, z, z, 8, z, z, 9, z, z);
        const __m128i a2 = _mm_setr_epi8(z, 11, z, z, 12, z, z, 13, z, z, 14, z, z, 15, z, z);
        const __m128i b2 = _mm_setr_epi8(z, z, 11, z, z, 12, z, z, 13, z, z, 14, z, z, 15, z);
        const __m128i c2 = _mm_setr_epi8(10, z, z, 11, z, z, 12, z, z, 13, z, z, 14, z, z, 15);
        const auto put = [&](int part, __m128i x, __m128i y, __m128i w) {
            _mm_storeu_si128(reinterpret_cast<__m128i*>(out) + part, _mm_or_si128(_mm_or_si128(x, y), w));
        };
        put(0, _mm_shuffle_epi8(a, a0), _mm_shuffle_epi8(b, b0), _mm_shuffle_epi8(c, c0));
        put(1, _mm_shuffle_epi8(a, a1), _mm_shuffle_epi8(b, b1), _mm_shuffle_epi8(c, c1));
        put(2, _mm_shuffle_epi8(a, a2), _mm_shuffle_epi8(b, b2), _mm_shuffle_epi8(c, c2));
    }
    static void interleave(const float* a, const float* b, const float* c, std::uint8_t* out) {
        weave(bytes(a), bytes(b), bytes(c), out);
    }
    static float sum(F v) {
        __m128 s = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
        s = _mm_add_ps(s, _mm_movehl_ps(s, s));
        return _mm_cvtss_f32(_mm_add_ss(s, _mm_shuffle_ps(s, s, 1)));
    }
};

#include "simd.inl"

}  // namespace

const Kernels kAvx2Kernels = {"avx2", warp_row<1>, warp_row<2>, warp_row<3>, yuv_row, interleave_row, dot_rows};

}  // namespace facewire
