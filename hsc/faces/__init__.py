"""From any picture to an upright, aligned face: read it, find the faces, crop as FFHQ does."""

from hsc.faces.align import aligned, crop_centre, crop_face
from hsc.faces.detect import Face, find_faces
from hsc.faces.photo import read_photo

__all__ = ["Face", "aligned", "crop_centre", "crop_face", "find_faces", "read_photo"]
