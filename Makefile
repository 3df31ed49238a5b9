PYTHON ?= python3
BIN := .venv/bin

.PHONY: run test check demo bench clean bootstrap

run: bootstrap
	$(BIN)/penchant up $(ARGS)

test: bootstrap  # dozens of its processes import Penchant: compiled modules are kept
	env -u PYTHONDONTWRITEBYTECODE $(BIN)/python -m pytest -n logical --maxprocesses 4 --dist loadfile $(ARGS)

check: bootstrap
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

demo: bootstrap
	$(BIN)/penchant demo $(ARGS)

bench: bootstrap
	$(BIN)/python -m benchmarks $(ARGS)

clean:
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

bootstrap:
	@$(PYTHON) bootstrap.py
