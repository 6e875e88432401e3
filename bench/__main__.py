"""`python -m bench signup|export|mail`, in the folder of app.py."""

from bench.commands import group

if __name__ == "__main__":
    group(prog_name="python -m bench")
