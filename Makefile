# 两条命令：make demo（演一夜）、make test（全部测试）。其余见 make help。
PY ?= python3
BIN = .venv/bin
export PYTHONDONTWRITEBYTECODE ?=

help:            ## 列出命令
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## */\t/' | expand -t14
setup: .venv/run ## 建运行环境
demo: .venv/run  ## 演一夜：暴雨红色预警，在终端里演完可登录参观（Ctrl-C 结束）
	@if [ -t 1 ]; then $(BIN)/fengsui demo --visit; else $(BIN)/fengsui demo; fi
test: .venv/dev system  ## 全部测试，含安装（不足 60 分钟）
	$(BIN)/python -m tests.gate all
check: .venv/dev ## 合并前（不足 10 分钟）
	$(BIN)/python -m tests.gate check
quick: .venv/dev ## 提交前（不足 15 秒）
	$(BIN)/python -m tests.gate quick
storm: .venv/dev ## 更多断电
	$(BIN)/python -m pytest -m storm --storms 200
fuzz: .venv/dev  ## 变异的 CAP 报文五万份
	$(BIN)/python -W error -m tests.formats.cap.fuzz 50000
system:          ## 测试所需的系统软件（以 root 或 sudo）
	sh tests/system.sh
docs: .venv/dev ## 由代码重写文档中的表
	$(BIN)/python -m tests.docs
lock:            ## 由 pyproject.toml 重算锁文件（需 uv）
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header pyproject.toml --extra build -o requirements/run.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header pyproject.toml --extra build --extra dev -o requirements/dev.lock
.venv/bin/python:
	$(PY) -m venv .venv
.venv/run: .venv/bin/python requirements/run.lock pyproject.toml
	$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements/run.lock
	$(BIN)/pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@
.venv/dev: .venv/run requirements/dev.lock
	$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements/dev.lock
	@touch $@
.PHONY: help setup demo test check quick storm fuzz docs system lock
