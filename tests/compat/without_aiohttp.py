"""`python -m aiohttpx run-as-aiohttp ...`, where no other aiohttp can be imported: one that is installed is not found."""

import runpy
import sys


class NoAiohttp:
    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name.partition(".")[0] == "aiohttp":
            raise ModuleNotFoundError(f"{name} is not among aiohttpx's names", name=name)


sys.meta_path.insert(0, NoAiohttp())
del sys.path[0]
sys.argv.insert(1, "run-as-aiohttp")
runpy.run_module("aiohttpx", run_name="__main__", alter_sys=True)
