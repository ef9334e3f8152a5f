"""The answer to one film as standard DICOM objects that join the film's study.

What a viewer really shows of each kind decided which are written and how: a Secondary Capture first, which is noticed
without a click, then the text, then bands and regions. Nothing here is sent anywhere.
"""

import logging
import warnings

# highdicom's warning about a patient's name quotes the name, pydicom's about a value quotes the value: none may reach
# a log. What is wrong with a header is mended or refused in source.py.
warnings.filterwarnings("ignore", category=UserWarning, module=r"(highdicom|pydicom)\.")
for _chatty in ("highdicom", "pydicom"):
    logging.getLogger(_chatty).setLevel(logging.ERROR)
