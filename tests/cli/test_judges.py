from longbench_write.cli.judges import judges
from longbench_write.judging.cards import judge_names, load_card


def test_every_judge_is_listed_with_its_model_and_its_end(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    judges()
    shown = capsys.readouterr().out
    for name in judge_names():
        card, _ = load_card(name)
        assert name in shown
        assert card.model in shown
        assert f"replies: {card.reply_format}" in shown
    assert "template: official" in shown
    assert "retires: 2026-10-23" in shown
    assert "mean nothing" in " ".join(shown.replace("│", " ").split())
