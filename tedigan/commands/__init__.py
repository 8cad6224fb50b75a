"""Commands beside the stages; `tedigan.__main__` lists them."""
