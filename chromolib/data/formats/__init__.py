"""Four ways of writing down boxes on images, read as one record and written back."""

from chromolib.data.formats import coco, table, voc, yolo

FORMATS = {"voc": voc, "yolo": yolo, "coco": coco, "csv": table}
