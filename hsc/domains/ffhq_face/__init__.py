"""Faces, cropped as FFHQ does it: find them in a picture and bring one upright and aligned."""

from hsc.domains.ffhq_face.align import aligned, crop_centre, crop_face
from hsc.domains.ffhq_face.detect import Face, find_faces

__all__ = ["Face", "aligned", "crop_centre", "crop_face", "find_faces"]
