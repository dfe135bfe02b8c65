#!/usr/bin/env python3
"""A developer agent in Python: reads the task, may ask a question, writes the result."""

import json
import os
import pathlib

QUESTION = "The document says TBD. What should it be?"

task = json.loads(pathlib.Path(os.environ["PRPFLOW_TASK_FILE"]).read_text(encoding="utf-8"))
document = pathlib.Path(task["document_path"]).read_text(encoding="utf-8")
print(f"{task['prp']['id']}, attempt {task['attempt']}: {len(document)} characters")
for reason in task["reasons"]:
    print("to fix:", reason)

# Every question about this PRP with its answer; "answer" is only that to the last one.
answers = {asked["question"]: asked["answer"] for asked in task["questions"]}
for question, answer in answers.items():
    print(f"asked: {question} answered: {answer}")

if "TBD" in document and not answers.get(QUESTION):
    # The PRP waits in `blocked` until: prpflow answer ID TEXT
    result = {"outcome": "question", "question": QUESTION}
else:
    result = {
        "outcome": "done",
        "evidence": {"tests_passed": True, "lint_clean": True, "coverage_pct": 91},
        "usage": {"input_tokens": len(document) // 4, "output_tokens": 0},
    }
pathlib.Path(os.environ["PRPFLOW_RESULT_FILE"]).write_text(json.dumps(result), encoding="utf-8")
