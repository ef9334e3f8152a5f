"""The answer to one film as standard DICOM objects that join the film's study.

What a viewer really shows of each kind decided which are written and how: a Secondary Capture first, which is noticed
without a click, then the text, then bands and regions. Nothing here is sent anywhere.
"""

from core.data.film.dicom.quiet import quiet

quiet("highdicom", "pydicom")  # highdicom's warning about a patient's name quotes the name
