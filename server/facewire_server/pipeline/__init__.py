"""The work on a picture: decode, detect, align, embed, decide."""
