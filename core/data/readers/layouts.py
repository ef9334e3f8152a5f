"""All layouts, in the order in which they are tried: those with the most particular marks first."""

from core.data.readers import (
    chexpert,
    coronahack,
    covid_chestxray,
    folders,
    mimic,
    montgomery_shenzhen,
    nih,
    own_table,
    pacs,
    padchest,
    radiography,
    rsna,
    siim,
    unlabelled,
    vindr,
)
from core.data.readers.layout import Layout

LAYOUTS: dict[str, Layout] = {
    layout.name: layout
    for layout in (
        Layout("table", "a table of one's own", own_table.recognise, own_table.read),
        Layout("pacs", "a search in a PACS", pacs.recognise, pacs.read),
        Layout("siim", "SIIM-FISABIO-RSNA COVID-19", siim.recognise, siim.read),
        Layout("rsna", "RSNA Pneumonia", rsna.recognise, rsna.read),
        Layout("mimic", "MIMIC-CXR-JPG", mimic.recognise, mimic.read),
        Layout("padchest", "PadChest", padchest.recognise, padchest.read),
        Layout("vindr", "VinDr-CXR", vindr.recognise, vindr.read),
        Layout("chexpert", "CheXpert", chexpert.recognise, chexpert.read),
        Layout("nih", "NIH ChestX-ray14", nih.recognise, nih.read),
        Layout("nih-rsna", "NIH ChestX-ray14 as RSNA read it", lambda _: "", nih.read_by_rsna),  # only where asked for
        Layout("coronahack", "CoronaHack", coronahack.recognise, coronahack.read),
        Layout("covid-chestxray", "covid-chestxray-dataset", covid_chestxray.recognise, covid_chestxray.read),
        Layout(
            "montgomery-shenzhen", "Montgomery and Shenzhen", montgomery_shenzhen.recognise, montgomery_shenzhen.read
        ),
        Layout("radiography", "COVID-19 Radiography Database", radiography.recognise, radiography.read),
        Layout("folders", "class folders", folders.recognise, folders.read),
        Layout("films", "films without labels", unlabelled.recognise, unlabelled.read),
    )
}
