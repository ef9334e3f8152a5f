"""A PACS as a source of films, and as the place where an answer goes: DICOMweb (PS3.18), and nothing on disk.

    server.py     which server, and how one logs in: HILUM_DICOMWEB or .streamlit/secrets.toml
    session.py    HTTP within limits of time and size; every failure as a sentence
    multipart.py  the parts of a multipart answer
    query.py      what is searched for (QIDO-RS), and what came back, each value checked
    studies.py    a search study by study, for servers that know no other
    client.py     search, retrieve, thumbnail, store
    films.py      films of a search as opaque names, read when they are first asked for

No identity of a patient leaves this room unless the owner set ``show_patient``: a film is known by a hash of its SOP
instance UID. A search by patient or accession number stands in the address of the request to the PACS, as QIDO-RS has
it, and nowhere else: the libraries below are kept from logging addresses.
"""
