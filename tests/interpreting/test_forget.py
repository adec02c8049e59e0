"""What an ingestor found of a command goes with it."""


def test_what_was_found_goes_with_the_command(lab):
    lab.ingestor(
        "reader",
        """
        found.activity(param_patient="Zq7Smith").note("Zq7Smith is in line 1").snapshot("b.txt", kept="Zq7kept")
        found.derivation("b.txt", "a.txt", patient="Zq7Smith").series("activity", "Zq7loss", [1], [2.0])
        found.record("b.txt", "Zq7Smith", [{"path": "a.txt", "row": 1}])
    """,
    )
    lab.ingestor("failing", "raise ValueError('Zq7Smith')")
    lab.copy()
    lab.provdb("forget", "%1", "--yes")
    shown = lab.shown("%1")
    assert shown["name"] == "forgotten #1"
    assert not {"param_patient", "ingestor_notes", "ingestors_failed", "ingestors"} & set(shown)
    assert "Zq7Smith" not in str([event.body for event in lab.events()])
    assert lab.shown("b.txt")["kept"] == "Zq7kept"
    assert [event.body["facts"]["ingestor"] for event in lab.events()] == ["failing", "reader"]
    lab.provdb("forget", "--pattern", "ingestor|activity|Zq7kept|reader", "--yes")
    assert lab.shown("b.txt")["kept"] == "***"
    assert [event.body["facts"]["ingestor"] for event in lab.events()] == ["failing", "reader"]
    assert "bad" not in lab.provdb("doctor").stdout
