// Sensor noise of a frame: how much, and less of it.
#pragma once

#include "frame.hpp"

namespace facewire {

// Standard deviation of the noise, grey levels, of the green channel (luma of grey and NV12 frames): the median of the
// absolute responses to a mask that sees neither planes nor edges along the axes (J. Immerkaer, Fast Noise Variance
// Estimation, Computer Vision and Image Understanding 64, 1996; the median instead of his mean, so that texture counts
// less), on 32 rows. 0 for frames smaller than 3 x 3.
float estimate_noise(const FrameView& frame);

// The frame smoothed with the binomial filter of seven taps (standard deviation 1.22 pixels) along both axes, borders
// repeated, into `out`: rows without gaps, as many bytes as the frame has. Chroma of NV12 is smoothed too.
void smooth_frame(const FrameView& frame, std::uint8_t* out);

}  // namespace facewire
