from mirror.cli import main


def test_done(tmp_path, capsys, on_each_backend):
    assert main([str(tmp_path), "alpha", "beta"]) == 0
    assert capsys.readouterr().out == "alpha: done\nbeta: done\n"
    assert (tmp_path / "index").read_text() == "alpha\nbeta\n"


def test_broken(tmp_path, capsys, on_each_backend):
    assert main(["--limit", "30", str(tmp_path), "alpha", "broken"]) == 1
    assert capsys.readouterr().out == "alpha: done\nbroken: failed GaveUp\n"
